package nn

import (
	"fmt"
	"math"

	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/nn/kernel"
)

// PyTorch's defaults of Adam and AdamW.
const (
	beta1   = 0.9
	beta2   = 0.999
	epsilon = 1e-8
)

// check refuses settings that are no numbers of use.
func (h Hyper) check() error {
	inf := math.Inf(1)
	for _, s := range []struct {
		name       string
		value, max float64
	}{{"learning rate", h.Rate, inf}, {"weight decay", h.WeightDecay, inf}, {"momentum", h.Momentum, 1}, {"clipping norm", h.ClipNorm, inf},
		{"focal gamma", h.Loss.Gamma, inf}, {"focal alpha", h.Loss.Alpha, 1}, {"label smoothing", h.Loss.Smoothing, 1},
		{"weight of the negatives", h.Loss.ClassWeights[0], inf}, {"weight of the positives", h.Loss.ClassWeights[1], inf}} {
		if !num.Finite(s.value) || s.value < 0 || s.value > s.max {
			want := "a number of at least 0"
			if s.max < inf {
				want = fmt.Sprintf("a number from 0 to %g", s.max)
			}
			return &problem.Error{What: "the " + s.name + " is not valid", Expected: want, Found: fmt.Sprint(s.value)}
		}
	}
	if h.Optimizer < Adam || h.Optimizer > SGD {
		return &problem.Error{What: "unknown optimiser", Found: fmt.Sprint(int(h.Optimizer))}
	}
	return nil
}

// update changes what is not frozen by its gradient and returns the norm of all gradients, which it
// takes only to clip them.
func (t *cpuTrainer) update(h Hyper) (norm float64) {
	clip := 1.0
	if h.ClipNorm > 0 {
		norm = t.gradientNorm()
		clip = min(1, h.ClipNorm/(norm+1e-6)) // as torch.nn.utils.clip_grad_norm_
	}
	t.steps++
	const chunk = 1 << 14
	type job struct {
		a      *param
		i0, i1 int
	}
	var jobs []job
	for _, a := range t.net.params {
		for i := 0; a.rate != 0 && i < len(a.p); i += chunk {
			jobs = append(jobs, job{a, i, min(i+chunk, len(a.p))})
		}
	}
	t.team.run(len(jobs), func(_, u int) {
		j := jobs[u]
		t.change(h, j.a, j.i0, j.i1, clip)
	})
	return norm
}

// change updates values [i0, i1) of a.
func (t *cpuTrainer) change(h Hyper, a *param, i0, i1 int, clip float64) {
	rate := h.Rate * a.rate
	p, g, m := a.p[i0:i1], a.g[i0:i1], a.m[i0:i1]
	if h.Optimizer == SGD {
		momentum, decay := float32(h.Momentum), float32(h.WeightDecay)
		for i := range p {
			m[i] = momentum*m[i] + (float32(clip)*g[i] + decay*p[i])
			p[i] -= float32(rate) * m[i]
		}
		return
	}
	u := kernel.Adam{P: p, G: g, M: m, V: a.v[i0:i1], Clip: float32(clip), Beta1: beta1, Beta2: beta2, Keep: 1, Epsilon: epsilon,
		Step:  float32(rate / (1 - math.Pow(beta1, float64(t.steps)))),
		InvC2: float32(1 / (1 - math.Pow(beta2, float64(t.steps))))}
	if h.Optimizer == AdamW {
		u.Keep = float32(1 - rate*h.WeightDecay)
	} else {
		u.L2 = float32(h.WeightDecay)
	}
	t.kernels.Adam(&u)
}

// gradientNorm is the Euclidean norm of all gradients that are used.
func (t *cpuTrainer) gradientNorm() float64 {
	sum := 0.0
	for _, a := range t.net.params {
		if a.rate == 0 {
			continue
		}
		for _, g := range a.g {
			sum += float64(g) * float64(g)
		}
	}
	return math.Sqrt(sum)
}
