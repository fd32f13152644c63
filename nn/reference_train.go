package nn

import "math"

// ReferenceStep is what InterpretStep computes.
type ReferenceStep struct {
	Loss      float64
	Gradients map[string][]float64 // of the mean loss, by parameter; frozen ones too
	Running   map[string][]float64 // running statistics after the step
}

// InterpretStep is the slow twin of a training step's gradients: any graph with the tap "logits", n x 1, forward
// and backward node by node in float64, as each op is defined. Batch normalisations whose weight has
// the rate 0 are frozen.
func InterpretStep(g *Graph, s State, x, y []float32, n int, rates map[string]float64, l Loss) (*ReferenceStep, error) {
	r, err := newInterpreter(g, s, x, n)
	if err != nil {
		return nil, err
	}
	return r.step(widen(y), rates, l), nil
}

// step runs forward, loss and backward.
func (r *interpreter) step(y []float64, rates map[string]float64, l Loss) *ReferenceStep {
	r.forward(func(n node) bool {
		rate, set := rates[n.name+".weight"]
		return set && rate == 0
	})
	out := &ReferenceStep{Gradients: map[string][]float64{}, Running: map[string][]float64{}}
	for name, p := range r.params {
		out.Gradients[name] = make([]float64, len(p))
	}
	grads := make([][][]float64, len(r.g.nodes))
	for at, n := range r.g.nodes {
		grads[at] = make([][]float64, r.n)
		for i := range grads[at] {
			grads[at][i] = make([]float64, n.shape.Len())
		}
	}
	logits, _ := r.g.findTap("logits")
	for i, t := range y {
		loss, d := l.At(r.values[logits][i][0], t)
		out.Loss += loss / float64(r.n)
		grads[logits][i][0] = d / float64(r.n)
	}
	for at := len(r.g.nodes) - 1; at > 0; at-- {
		r.back(at, grads, out)
	}
	return out
}

// back adds the gradient of node at to those of its inputs and parameters.
func (r *interpreter) back(at int, grads [][][]float64, out *ReferenceStep) {
	n := r.g.nodes[at]
	if n.op == OpBatchNorm {
		r.backNorm(n, grads[n.in[0]], grads[at], out)
		return
	}
	s := r.g.nodes[n.in[0]].shape
	for i := range r.n {
		in, d, din := r.values[n.in[0]][i], grads[at][i], grads[n.in[0]][i]
		switch n.op {
		case OpConv, OpLinear:
			backConv(n, r.params, in, s, d, din, out.Gradients)
		case OpReLU:
			for j, v := range in {
				if v > 0 {
					din[j] += d[j]
				}
			}
		case OpMaxPool, OpAvgPool:
			backPool(n, in, s, d, din)
		case OpConcat:
			for _, v := range n.in {
				for j := range grads[v][i] {
					grads[v][i][j] += d[j]
				}
				d = d[len(grads[v][i]):]
			}
		case OpGlobalAvgPool:
			for j := range din {
				din[j] += d[j/(s.H*s.W)] / float64(s.H*s.W)
			}
		}
	}
}

func backConv(n node, params map[string][]float64, in []float64, s Shape, d, din []float64, grads map[string][]float64) {
	win := n.window
	if n.op == OpLinear {
		win = Window{Kernel: 1, Stride: 1}
	}
	weight, dw := params[n.name+".weight"], grads[n.name+".weight"]
	size := win.Kernel * win.Kernel
	for i, v := range d {
		o, y, x := i/(n.shape.H*n.shape.W), i/n.shape.W%n.shape.H, i%n.shape.W
		if n.bias {
			grads[n.name+".bias"][o] += v
		}
		for c := range s.C {
			for k := range size {
				iy, ix := y*win.Stride-win.Pad+k/win.Kernel, x*win.Stride-win.Pad+k%win.Kernel
				if iy >= 0 && iy < s.H && ix >= 0 && ix < s.W {
					at, w := (c*s.H+iy)*s.W+ix, (o*s.C+c)*size+k
					din[at] += weight[w] * v
					dw[w] += in[at] * v
				}
			}
		}
	}
}

// backPool hands a maximum's gradient to the first pixel that has it, and a mean's to all alike.
func backPool(n node, in []float64, s Shape, d, din []float64) {
	win := n.window
	for i, v := range d {
		c, y, x := i/(n.shape.H*n.shape.W), i/n.shape.W%n.shape.H, i%n.shape.W
		first := -1
		for k := range win.Kernel * win.Kernel {
			iy, ix := y*win.Stride-win.Pad+k/win.Kernel, x*win.Stride-win.Pad+k%win.Kernel
			if iy < 0 || iy >= s.H || ix < 0 || ix >= s.W {
				continue
			}
			at := (c*s.H+iy)*s.W + ix
			if n.op == OpAvgPool {
				din[at] += v / float64(win.Kernel*win.Kernel)
			} else if first < 0 || in[at] > in[first] {
				first = at
			}
		}
		if first >= 0 {
			din[first] += v
		}
	}
}

// backNorm is the gradient through (x-mean)/sqrt(variance+eps)*weight + bias, mean and variance being
// the batch's own unless frozen (Ioffe and Szegedy, ICML 2015).
func (r *interpreter) backNorm(n node, din, d [][]float64, out *ReferenceStep) {
	s, weight := r.stats[n.name], r.params[n.name+".weight"]
	dw, db := out.Gradients[n.name+".weight"], out.Gradients[n.name+".bias"]
	pixels := n.shape.H * n.shape.W
	count := float64(r.n * pixels)
	hat := func(i, j int) float64 {
		c := j / pixels
		return (r.values[n.in[0]][i][j] - s.mean[c]) / math.Sqrt(s.variance[c]+n.eps)
	}
	for i := range d {
		for j, v := range d[i] {
			dw[j/pixels] += v * hat(i, j)
			db[j/pixels] += v
		}
	}
	for i := range d {
		for j, v := range d[i] {
			c := j / pixels
			if !s.frozen {
				v -= db[c]/count + hat(i, j)*dw[c]/count
			}
			din[i][j] += weight[c] / math.Sqrt(s.variance[c]+n.eps) * v
		}
	}
	r.running(n, s, count, out)
}

// running moves the running statistics: momentum 0.1, unbiased variance.
func (r *interpreter) running(n node, s *batchStats, count float64, out *ReferenceStep) {
	for part, batch := range map[string][]float64{".running_mean": s.mean, ".running_var": s.variance} {
		now := make([]float64, len(batch))
		for c, old := range r.params[n.name+part] {
			v := batch[c]
			if part == ".running_var" {
				v *= count / (count - 1)
			}
			now[c] = (1-runningShare)*old + runningShare*v
			if s.frozen {
				now[c] = old
			}
		}
		out.Running[n.name+part] = now
	}
}
