package nn

import (
	"fmt"
	"math"
	"slices"

	"sonotype/internal/problem"
	"sonotype/nn/kernel"
)

// packed is the parameters of a plan as the kernels read them: batch normalisations folded into
// the convolution before them or kept as scale and shift, convolutions as panels of as many
// columns as a tile has.
type packed struct {
	stem   panels
	blocks []packedBlock
	head   affine
	linear *linear
}

type packedBlock struct {
	layers     []packedLayer
	transition *packedTransition
}

type packedLayer struct {
	norm  affine
	conv1 panels      // with norm2 folded in
	conv2 [][]float32 // Winograd planes, each as the panels of a neck x grow matrix
}

type packedTransition struct {
	norm affine
	conv panels
}

// affine is a batch normalisation at inference: x*scale + shift, by channel.
type affine struct{ scale, shift []float32 }

// panels is a k x n matrix as n/cols panels of k x cols, and the bias of its n columns.
type panels struct {
	k, n int
	data []float32
	bias []float32
}

type linear struct{ weight, bias []float32 }

// packer reads tensors and keeps the first mistake.
type packer struct {
	t    Tensors
	cols int
	size int64 // floats packed
	err  error
}

// pack folds and arranges the tensors that p names. Each must have its shape and be finite.
func pack(p *plan, l *layout, specs []ParamSpec, t Tensors, cols int) (*packed, int64, error) {
	k := &packer{t: t, cols: cols}
	for _, s := range specs {
		k.check(s)
	}
	if k.err != nil {
		return nil, 0, k.err
	}
	w := &packed{stem: k.stem(p)}
	for i, b := range p.blocks {
		var pb packedBlock
		method := l.tiles[i].method
		for _, l := range b.layers {
			pb.layers = append(pb.layers, packedLayer{
				norm:  k.affine(l.norm1),
				conv1: k.pointwise(l.conv1, k.affine(l.norm2)),
				conv2: k.winograd(l.conv2, method),
			})
		}
		if b.transition != nil {
			pb.transition = &packedTransition{norm: k.affine(b.transition.norm),
				conv: k.pointwise(b.transition.conv, affine{})}
		}
		w.blocks = append(w.blocks, pb)
	}
	w.head = k.affine(p.head.norm)
	if name := p.head.linear; name != "" {
		w.linear = &linear{slices.Clone(t[name+".weight"].Data), slices.Clone(t[name+".bias"].Data)}
	}
	return w, k.size * 4, k.err
}

// check demands that s is there, has its shape and its number of values, all finite.
func (k *packer) check(s ParamSpec) {
	if k.err != nil {
		return
	}
	t, ok := k.t[s.Name]
	switch {
	case !ok:
		k.err = &problem.Error{What: "the weights lack the tensor " + s.Name, Expected: fmt.Sprint(s.Shape),
			Try: "check that the weights belong to this network"}
	case !slices.Equal(t.Shape, s.Shape) || len(t.Data) != t.Len():
		k.err = &problem.Error{What: "the tensor " + s.Name + " has the wrong shape", Expected: fmt.Sprint(s.Shape),
			Found: fmt.Sprintf("%v with %d values", t.Shape, len(t.Data)), Try: "check that the weights belong to this network"}
	default:
		for i, v := range t.Data {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				k.err = &problem.Error{What: "the tensor " + s.Name + " is not finite",
					Found: fmt.Sprintf("%v at position %d", v, i), Try: "import the weights again"}
				return
			}
		}
	}
}

func (k *packer) alloc(n int) []float32 {
	k.size += int64(n)
	return make([]float32, n)
}

// affine folds a batch normalisation in float64: scale = weight/sqrt(var + eps), shift = bias - mean*scale.
func (k *packer) affine(s convSpec) affine {
	weight, bias := k.t[s.name+".weight"].Data, k.t[s.name+".bias"].Data
	mean, variance := k.t[s.name+".running_mean"].Data, k.t[s.name+".running_var"].Data
	a := affine{k.alloc(len(weight)), k.alloc(len(weight))}
	for c, w := range weight {
		if variance[c] < 0 && k.err == nil {
			k.err = &problem.Error{What: "the tensor " + s.name + ".running_var has a negative variance",
				Found: fmt.Sprintf("%v in channel %d", variance[c], c), Try: "import the weights again"}
		}
		scale := float64(w) / math.Sqrt(float64(variance[c])+s.eps)
		a.scale[c] = float32(scale)
		a.shift[c] = float32(float64(bias[c]) - float64(mean[c])*scale)
	}
	return a
}

// matrix packs at(row, column) as panels.
func (k *packer) matrix(rows, columns int, at func(r, c int) float32) []float32 {
	data := k.alloc(rows * columns)
	for i := range data {
		panel, rest := i/(rows*k.cols), i%(rows*k.cols)
		data[i] = at(rest/k.cols, panel*k.cols+rest%k.cols)
	}
	return data
}

// stem packs the first convolution, its rows in the order (kernel row, channel, kernel column),
// with its batch normalisation folded in.
func (k *packer) stem(p *plan) panels {
	w, norm := k.t[p.stem.conv.name+".weight"].Data, k.affine(p.stem.norm)
	in, size, out := p.input.C, p.stem.window.Kernel, p.stem.convShape.C
	rows := size * in * size
	return panels{rows, out, k.matrix(rows, out, func(r, c int) float32 {
		y, ch, x := r/(in*size), r/size%in, r%size
		return norm.scale[c] * w[((c*in+ch)*size+y)*size+x]
	}), norm.shift}
}

// pointwise packs a 1x1 convolution; the batch normalisation behind it, unless empty, is folded in.
func (k *packer) pointwise(s convSpec, norm affine) panels {
	w := k.t[s.name+".weight"]
	out, in := w.Shape[0], w.Shape[1]
	if norm.scale == nil {
		return panels{in, out, k.matrix(in, out, func(r, c int) float32 { return w.Data[c*in+r] }), k.alloc(out)}
	}
	return panels{in, out, k.matrix(in, out, func(r, c int) float32 {
		return norm.scale[c] * w.Data[c*in+r]
	}), norm.shift}
}

// winograd transforms a 3x3 convolution's weights by method, as matrices of neck x grow.
func (k *packer) winograd(s convSpec, method kernel.Winograd) [][]float32 {
	w, n := k.t[s.name+".weight"], method.Planes()
	out, in := w.Shape[0], w.Shape[1]
	u := make([]float32, n*out*in)
	for i := range out * in {
		for p, v := range method.FilterTransform(w.Data[i*9 : i*9+9]) {
			u[i*n+p] = float32(v)
		}
	}
	planes := make([][]float32, n)
	for p := range planes {
		planes[p] = k.matrix(in, out, func(r, c int) float32 { return u[(c*in+r)*n+p] })
	}
	return planes
}
