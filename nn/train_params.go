package nn

import (
	"fmt"
	"slices"

	"sonotype/internal/problem"
)

// param is one learnable tensor as the kernels read it, with its gradient and the optimiser's
// moments in the same arrangement: the optimiser does not care, and only import and export translate.
type param struct {
	spec       ParamSpec
	rate       float64                // factor on the learning rate; 0 = frozen
	p, g, m, v []float32              // value, gradient, moments; padded with zeros to whole lanes
	rows, cols int                    // of a matrix in panels; rows 0: as the tensor lies
	panel      int                    // columns of a panel
	index      func(row, col int) int // where an entry of the matrix lies in the tensor
}

// lane is what the lengths of the kernels' vectors are multiples of.
const lane = 16

func newParam(spec ParamSpec, rates map[string]float64) *param {
	rate, ok := rates[spec.Name]
	if !ok {
		rate = 1
	}
	n := ceilDiv(Tensor{Shape: spec.Shape}.Len(), lane) * lane
	return &param{spec: spec, rate: rate, p: make([]float32, n), g: make([]float32, n), m: make([]float32, n), v: make([]float32, n)}
}

// arrange makes the parameter a matrix of rows x cols in panels.
func (a *param) arrange(rows, panel int, index func(row, col int) int) *param {
	a.rows, a.cols, a.panel, a.index = rows, a.spec.Shape[0], panel, index
	return a
}

// each calls f with every value's position in the kernels' arrangement and in the tensor.
func (a *param) each(f func(at, tensor int)) {
	if a.rows == 0 {
		for i := range (Tensor{Shape: a.spec.Shape}).Len() {
			f(i, i)
		}
		return
	}
	at := 0
	for c0 := 0; c0 < a.cols; c0 += a.panel {
		for r := range a.rows {
			for c := range a.panel {
				f(at, a.index(r, c0+c))
				at++
			}
		}
	}
}

// load takes a tensor's values into dst, one of the parameter's slices.
func (a *param) load(dst []float32, t Tensor) { a.each(func(at, i int) { dst[at] = t.Data[i] }) }

// tensor gives src, one of the parameter's slices, as a tensor.
func (a *param) tensor(src []float32) Tensor {
	t := Tensor{Shape: slices.Clone(a.spec.Shape)}
	t.Data = make([]float32, t.Len())
	a.each(func(at, i int) { t.Data[i] = src[at] })
	return t
}

// trainNet is a plan's parameters.
type trainNet struct {
	params []*param
	norms  []*trainNorm
	specs  []ParamSpec
	rates  map[string]float64

	stem         *param
	stemNorm     *trainNorm
	blocks       []trainBlock
	headNorm     *trainNorm
	linear, bias *param
}

type trainBlock struct {
	layers []trainLayer
	norm   *trainNorm // of the transition
	conv   *param     // of the transition; nil behind the last block
}

type trainLayer struct {
	norm1, norm2 *trainNorm
	conv1, conv2 *param
}

// newTrainNet lays out the parameters of p in panels of cols columns.
func newTrainNet(p *plan, specs []ParamSpec, rates map[string]float64, cols int) *trainNet {
	t := &trainNet{specs: specs, rates: rates}
	in, size := p.input.C, p.stem.window.Kernel
	t.stem = t.param(p.stem.conv.name+".weight").arrange(size*in*size, cols, func(r, c int) int {
		y, ch, x := r/(in*size), r/size%in, r%size
		return ((c*in+ch)*size+y)*size + x
	})
	t.stemNorm = t.norm(p.stem.norm)
	for i := range p.blocks {
		b := &p.blocks[i]
		var tb trainBlock
		for j, l := range b.layers {
			tb.layers = append(tb.layers, trainLayer{
				norm1: t.norm(l.norm1), conv1: t.pointwise(l.conv1.name, b.in+j*b.grow, cols),
				norm2: t.norm(l.norm2), conv2: t.window3(l.conv2.name, b.neck, cols),
			})
		}
		if tr := b.transition; tr != nil {
			tb.norm, tb.conv = t.norm(tr.norm), t.pointwise(tr.conv.name, b.shape.C, cols)
		}
		t.blocks = append(t.blocks, tb)
	}
	t.headNorm = t.norm(p.head.norm)
	t.linear, t.bias = t.param(p.head.linear+".weight"), t.param(p.head.linear+".bias")
	return t
}

func (t *trainNet) param(name string) *param {
	i := slices.IndexFunc(t.specs, func(s ParamSpec) bool { return s.Name == name })
	a := newParam(t.specs[i], t.rates)
	t.params = append(t.params, a)
	return a
}

// pointwise is a 1x1 convolution: rows are its inputs.
func (t *trainNet) pointwise(name string, in, cols int) *param {
	return t.param(name+".weight").arrange(in, cols, func(r, c int) int { return c*in + r })
}

// window3 is a 3x3 convolution: rows are (kernel row, kernel column, input).
func (t *trainNet) window3(name string, in, cols int) *param {
	return t.param(name+".weight").arrange(9*in, cols, func(r, c int) int { return (c*in+r%in)*9 + r/in })
}

// load takes a checked state.
func (t *trainNet) load(s State) error {
	for _, a := range t.params {
		a.load(a.p, s.Tensors[a.spec.Name])
		clear(a.g)
		for _, m := range []struct {
			dst  []float32
			from Tensors
		}{{a.m, s.M}, {a.v, s.V}} {
			clear(m.dst)
			x, ok := m.from[a.spec.Name]
			if !ok {
				continue
			}
			if !slices.Equal(x.Shape, a.spec.Shape) || len(x.Data) != x.Len() {
				return &problem.Error{What: "the optimiser's moment of " + a.spec.Name + " has the wrong shape",
					Expected: fmt.Sprint(a.spec.Shape), Found: fmt.Sprint(x.Shape), Try: "start the training anew"}
			}
			a.load(m.dst, x)
		}
	}
	for _, n := range t.norms {
		copy(n.runMean, s.Tensors[n.name+".running_mean"].Data)
		copy(n.runVar, s.Tensors[n.name+".running_var"].Data)
	}
	return nil
}

// state copies everything learnt.
func (t *trainNet) state(steps int) State {
	s := State{Tensors: Tensors{}, M: Tensors{}, V: Tensors{}, Steps: steps}
	for _, a := range t.params {
		s.Tensors[a.spec.Name] = a.tensor(a.p)
		s.M[a.spec.Name], s.V[a.spec.Name] = a.tensor(a.m), a.tensor(a.v)
	}
	for _, n := range t.norms {
		s.Tensors[n.name+".running_mean"] = Tensor{Shape: []int{n.channels()}, Data: slices.Clone(n.runMean)}
		s.Tensors[n.name+".running_var"] = Tensor{Shape: []int{n.channels()}, Data: slices.Clone(n.runVar)}
	}
	return s
}

// frozen reports whether none of the parameters learns.
func frozen(params ...*param) bool {
	return !slices.ContainsFunc(params, func(a *param) bool { return a.rate != 0 })
}

// learning reports whether anything in block i, its layers or the transition before it, learns.
func (t *trainNet) learning(i int) bool {
	if i > 0 {
		if before := &t.blocks[i-1]; !frozen(before.conv, before.norm.weight, before.norm.bias) {
			return true
		}
	}
	for _, l := range t.blocks[i].layers {
		if !frozen(l.conv1, l.conv2, l.norm1.weight, l.norm1.bias, l.norm2.weight, l.norm2.bias) {
			return true
		}
	}
	return false
}
