package nn

import (
	"fmt"
	"math"

	"sonotype/internal/problem"
)

// Interpret runs any graph on n images node by node in float64, as each op is defined: the slow twin
// of every compiled program. It returns all taps, in Infer's order of values.
func Interpret(g *Graph, s State, x []float32, n int) (map[string][]float64, error) {
	r, err := newInterpreter(g, s, x, n)
	if err != nil {
		return nil, err
	}
	r.forward(func(node) bool { return true })
	taps := map[string][]float64{}
	for _, t := range g.taps {
		for _, v := range r.values[t.at] {
			taps[t.name] = append(taps[t.name], v...)
		}
	}
	return taps, nil
}

// interpreter holds the value of every node for every image, C x H x W.
type interpreter struct {
	g      *Graph
	params map[string][]float64
	n      int
	values [][][]float64 // node, image
	stats  map[string]*batchStats
}

// batchStats are what a batch normalisation normalised with, by channel.
type batchStats struct {
	mean, variance []float64
	frozen         bool
}

func newInterpreter(g *Graph, s State, x []float32, n int) (*interpreter, error) {
	if g.err != nil {
		return nil, g.err
	}
	r := &interpreter{g: g, params: map[string][]float64{}, n: n, values: make([][][]float64, len(g.nodes)), stats: map[string]*batchStats{}}
	for _, p := range g.Params() {
		t, ok := s.Tensors[p.Name]
		if !ok || len(t.Data) != (Tensor{Shape: p.Shape}).Len() {
			return nil, &problem.Error{What: "the weights lack the tensor " + p.Name, Expected: fmt.Sprint(p.Shape)}
		}
		r.params[p.Name] = widen(t.Data)
	}
	size := g.InputShape().Len()
	if len(x) != n*size {
		return nil, &problem.Error{What: "the network's input has the wrong length",
			Expected: fmt.Sprintf("%d x %d values", n, size), Found: fmt.Sprint(len(x))}
	}
	for i := range n {
		r.values[0] = append(r.values[0], widen(x[i*size:(i+1)*size]))
	}
	return r, nil
}

func widen(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

// forward computes every node. frozen says which batch normalisations use their running statistics; the
// others use those of the batch.
func (r *interpreter) forward(frozen func(n node) bool) {
	for at, n := range r.g.nodes {
		if n.op == OpInput {
			continue
		}
		r.values[at] = make([][]float64, r.n)
		for i := range r.values[at] {
			r.values[at][i] = make([]float64, n.shape.Len())
		}
		if n.op == OpBatchNorm {
			r.norm(n, at, frozen(n))
			continue
		}
		for i := range r.n {
			r.node(n, i, r.values[at][i])
		}
	}
}

// node computes one node that sees one image at a time.
func (r *interpreter) node(n node, i int, out []float64) {
	in, s := r.values[n.in[0]][i], r.g.nodes[n.in[0]].shape
	switch n.op {
	case OpConv, OpLinear:
		interpretConv(n, r.params, in, s, out)
	case OpReLU:
		for j, v := range in {
			out[j] = max(v, 0)
		}
	case OpMaxPool, OpAvgPool:
		interpretPool(n, in, s, out)
	case OpConcat:
		out = out[:0]
		for _, v := range n.in {
			out = append(out, r.values[v][i]...)
		}
	case OpGlobalAvgPool:
		for j, v := range in {
			out[j/(s.H*s.W)] += v / float64(s.H*s.W)
		}
	}
}

// norm normalises all images, in two passes.
func (r *interpreter) norm(n node, at int, frozen bool) {
	in, out, c := r.values[n.in[0]], r.values[at], n.shape.C
	pixels := n.shape.H * n.shape.W
	s := &batchStats{mean: r.params[n.name+".running_mean"], variance: r.params[n.name+".running_var"], frozen: frozen}
	if !frozen {
		count := float64(r.n * pixels)
		s.mean, s.variance = make([]float64, c), make([]float64, c)
		for _, x := range in {
			for j, v := range x {
				s.mean[j/pixels] += v / count
			}
		}
		for _, x := range in {
			for j, v := range x {
				d := v - s.mean[j/pixels]
				s.variance[j/pixels] += d * d / count
			}
		}
	}
	r.stats[n.name] = s
	weight, bias := r.params[n.name+".weight"], r.params[n.name+".bias"]
	for i, x := range in {
		for j, v := range x {
			k := j / pixels
			out[i][j] = (v-s.mean[k])/math.Sqrt(s.variance[k]+n.eps)*weight[k] + bias[k]
		}
	}
}

// interpretConv sums over the kernel's window; a linear layer is a 1x1 convolution of one pixel.
func interpretConv(n node, params map[string][]float64, in []float64, s Shape, out []float64) {
	weight, win := params[n.name+".weight"], n.window
	if n.op == OpLinear {
		win = Window{Kernel: 1, Stride: 1}
	}
	for i := range out {
		o, y, x := i/(n.shape.H*n.shape.W), i/n.shape.W%n.shape.H, i%n.shape.W
		sum := 0.0
		if n.bias {
			sum = params[n.name+".bias"][o]
		}
		for c := range s.C {
			for k := range win.Kernel * win.Kernel {
				iy, ix := y*win.Stride-win.Pad+k/win.Kernel, x*win.Stride-win.Pad+k%win.Kernel
				if iy >= 0 && iy < s.H && ix >= 0 && ix < s.W {
					sum += weight[(o*s.C+c)*win.Kernel*win.Kernel+k] * in[(c*s.H+iy)*s.W+ix]
				}
			}
		}
		out[i] = sum
	}
}

func interpretPool(n node, in []float64, s Shape, out []float64) {
	win := n.window
	for i := range out {
		c, y, x := i/(n.shape.H*n.shape.W), i/n.shape.W%n.shape.H, i%n.shape.W
		most, sum := math.Inf(-1), 0.0
		for k := range win.Kernel * win.Kernel {
			iy, ix := y*win.Stride-win.Pad+k/win.Kernel, x*win.Stride-win.Pad+k%win.Kernel
			if iy >= 0 && iy < s.H && ix >= 0 && ix < s.W {
				v := in[(c*s.H+iy)*s.W+ix]
				most, sum = max(most, v), sum+v
			}
		}
		out[i] = most
		if n.op == OpAvgPool {
			out[i] = sum / float64(win.Kernel*win.Kernel)
		}
	}
}
