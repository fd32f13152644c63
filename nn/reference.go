package nn

import (
	"fmt"
	"math"

	"sonotype/internal/problem"
)

// Interpret runs any graph on n images node by node in float64, as each op is defined: the slow twin
// of every compiled program. It returns all taps, in Infer's order of values.
func Interpret(g *Graph, s State, x []float32, n int) (map[string][]float64, error) {
	if g.err != nil {
		return nil, g.err
	}
	for _, p := range g.Params() {
		if t, ok := s.Tensors[p.Name]; !ok || len(t.Data) != (Tensor{Shape: p.Shape}).Len() {
			return nil, &problem.Error{What: "the weights lack the tensor " + p.Name, Expected: fmt.Sprint(p.Shape)}
		}
	}
	size := g.InputShape().Len()
	if len(x) != n*size {
		return nil, &problem.Error{What: "the network's input has the wrong length",
			Expected: fmt.Sprintf("%d x %d values", n, size), Found: fmt.Sprint(len(x))}
	}
	taps := map[string][]float64{}
	for i := range n {
		values := interpretImage(g, s.Tensors, x[i*size:(i+1)*size])
		for _, t := range g.taps {
			taps[t.name] = append(taps[t.name], values[t.at]...)
		}
	}
	return taps, nil
}

// interpretImage returns the value of every node, C x H x W.
func interpretImage(g *Graph, t Tensors, x []float32) [][]float64 {
	values := make([][]float64, len(g.nodes))
	for i, n := range g.nodes {
		out := make([]float64, n.shape.Len())
		values[i] = out
		var in []float64
		var s Shape
		if len(n.in) > 0 {
			in, s = values[n.in[0]], g.nodes[n.in[0]].shape
		}
		switch n.op {
		case OpInput:
			for j, v := range x {
				out[j] = float64(v)
			}
		case OpConv:
			interpretConv(n, t, in, s, out)
		case OpBatchNorm:
			interpretNorm(n, t, in, out)
		case OpReLU:
			for j, v := range in {
				out[j] = max(v, 0)
			}
		case OpMaxPool, OpAvgPool:
			interpretPool(n, in, s, out)
		case OpConcat:
			out = out[:0]
			for _, v := range n.in {
				out = append(out, values[v]...)
			}
		case OpGlobalAvgPool:
			for j, v := range in {
				out[j/(s.H*s.W)] += v / float64(s.H*s.W)
			}
		case OpLinear:
			interpretConv(n, t, in, s, out)
		}
	}
	return values
}

// interpretConv sums over the kernel's window; a linear layer is a 1x1 convolution of one pixel.
func interpretConv(n node, t Tensors, in []float64, s Shape, out []float64) {
	weight, win := t[n.name+".weight"].Data, n.window
	if n.op == OpLinear {
		win = Window{Kernel: 1, Stride: 1}
	}
	for i := range out {
		o, y, x := i/(n.shape.H*n.shape.W), i/n.shape.W%n.shape.H, i%n.shape.W
		sum := 0.0
		if n.bias {
			sum = float64(t[n.name+".bias"].Data[o])
		}
		for c := range s.C {
			for k := range win.Kernel * win.Kernel {
				iy, ix := y*win.Stride-win.Pad+k/win.Kernel, x*win.Stride-win.Pad+k%win.Kernel
				if iy >= 0 && iy < s.H && ix >= 0 && ix < s.W {
					sum += float64(weight[(o*s.C+c)*win.Kernel*win.Kernel+k]) * in[(c*s.H+iy)*s.W+ix]
				}
			}
		}
		out[i] = sum
	}
}

func interpretNorm(n node, t Tensors, in, out []float64) {
	pixels := n.shape.H * n.shape.W
	for i, v := range in {
		c := i / pixels
		mean, variance := float64(t[n.name+".running_mean"].Data[c]), float64(t[n.name+".running_var"].Data[c])
		weight, bias := float64(t[n.name+".weight"].Data[c]), float64(t[n.name+".bias"].Data[c])
		out[i] = (v-mean)/math.Sqrt(variance+n.eps)*weight + bias
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
