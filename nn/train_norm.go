package nn

import "math"

// trainNorm is a batch normalisation in training, of the statistics of the batch or, frozen, of the
// running ones.
type trainNorm struct {
	name            string
	eps             float64
	weight, bias    *param
	runMean, runVar []float32
	frozen          bool

	// Of the step at work.
	scale, shift []float32 // x*scale + shift is the normalised x
	mean         []float32
	istd         []float64 // 1 / sqrt(variance + eps)
}

// runningShare is what a batch's statistics weigh in the running ones (PyTorch's momentum).
const runningShare = 0.1

func (t *trainNet) norm(s convSpec) *trainNorm {
	n := &trainNorm{name: s.name, eps: s.eps, weight: t.param(s.name + ".weight"), bias: t.param(s.name + ".bias")}
	n.frozen = n.weight.rate == 0
	c := n.channels()
	n.runMean, n.runVar = make([]float32, c), make([]float32, c)
	n.scale, n.shift, n.mean, n.istd = make([]float32, c), make([]float32, c), make([]float32, c), make([]float64, c)
	t.norms = append(t.norms, n)
	return n
}

func (n *trainNorm) channels() int { return n.weight.spec.Shape[0] }

// moments are the mean and the variance of channels over a batch.
type moments struct{ mean, variance []float64 }

func newMoments(channels int) moments {
	return moments{make([]float64, channels), make([]float64, channels)}
}

// prepare sets scale and shift from the batch's moments over count values a channel, which also move
// the running statistics; a frozen normalisation uses the latter.
func (n *trainNorm) prepare(batch moments, count int) {
	for c := range n.scale {
		mean, variance := float64(n.runMean[c]), float64(n.runVar[c])
		if !n.frozen {
			mean, variance = batch.mean[c], batch.variance[c]
			unbiased := variance * float64(count) / float64(count-1)
			n.runMean[c] = float32((1-runningShare)*float64(n.runMean[c]) + runningShare*mean)
			n.runVar[c] = float32((1-runningShare)*float64(n.runVar[c]) + runningShare*unbiased)
		}
		n.istd[c] = 1 / math.Sqrt(variance+n.eps)
		scale := float64(n.weight.p[c]) * n.istd[c]
		n.mean[c], n.scale[c] = float32(mean), float32(scale)
		n.shift[c] = float32(float64(n.bias.p[c]) - mean*scale)
	}
}

// gradient takes, by channel, the sums of dz and of dz*(x-mean), dz being the gradient by the
// normalisation's output, sets the gradients of weight and bias, and adds to slope and offset what
// the batch's statistics contribute to the gradient by x: dx = scale*dz + offset + slope*(x-mean).
func (n *trainNorm) gradient(sum, sumX []float64, count int, offset, slope []float64) {
	for c := range n.scale {
		weight := n.istd[c] * sumX[c]
		n.weight.g[c], n.bias.g[c] = float32(weight), float32(sum[c])
		if n.frozen {
			continue
		}
		scale := float64(n.weight.p[c]) * n.istd[c]
		offset[c] -= scale * sum[c] / float64(count)
		slope[c] -= scale * n.istd[c] * weight / float64(count)
	}
}
