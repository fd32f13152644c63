package nn_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"sonotype/densenet"
	"sonotype/nn"
	"sonotype/nn/nntest"
)

// value is one learnable number with its moments.
type value struct{ p, m, v float64 }

// updated is PyTorch's update of a value by its gradient in step t (from 1), in float64: torch.optim's
// Adam, AdamW and SGD.
func updated(a value, grad float64, t int, h nn.Hyper, rate float64) value {
	rate *= h.Rate
	if h.Optimizer == nn.SGD {
		a.m = h.Momentum*a.m + grad + h.WeightDecay*a.p
		a.p -= rate * a.m
		return a
	}
	if h.Optimizer == nn.AdamW {
		a.p -= rate * h.WeightDecay * a.p
	} else {
		grad += h.WeightDecay * a.p
	}
	a.m = 0.9*a.m + 0.1*grad
	a.v = 0.999*a.v + 0.001*grad*grad
	m, v := a.m/(1-math.Pow(0.9, float64(t))), a.v/(1-math.Pow(0.999, float64(t)))
	a.p -= rate * m / (math.Sqrt(v) + 1e-8)
	return a
}

// Every step of every optimiser is its formula, from the gradients that the trainer itself reports:
// the factors on the rate, decay, clipping and the corrections of the first steps.
func TestOptimisersAreTheirFormulas(t *testing.T) {
	g := densenet.Build(densenet.Config{Blocks: []int{2, 2}, Growth: 32, Stem: 64, Neck: 1, Classes: 1}, 32)
	rates := map[string]float64{"features.conv0.weight": 0.1, "classifier.weight": 3, "features.norm0.bias": 0,
		"features.denseblock2.denselayer1.conv1.weight": 0}
	for name, h := range map[string]nn.Hyper{
		"adam":             {Optimizer: nn.Adam, Rate: 1e-2},
		"adam, decay":      {Optimizer: nn.Adam, Rate: 1e-2, WeightDecay: 0.3},
		"adamw":            {Optimizer: nn.AdamW, Rate: 1e-2, WeightDecay: 0.5},
		"sgd":              {Optimizer: nn.SGD, Rate: 1e-2},
		"sgd, all":         {Optimizer: nn.SGD, Rate: 1e-2, Momentum: 0.9, WeightDecay: 0.2, ClipNorm: 0.5},
		"adam, clipped":    {Optimizer: nn.Adam, Rate: 1e-2, ClipNorm: 0.01},
		"adamw, unclipped": {Optimizer: nn.AdamW, Rate: 1e-2, WeightDecay: 0.1, ClipNorm: 1e6},
	} {
		t.Run(name, func(t *testing.T) {
			tr := trainer(t, g, nn.TrainOptions{ISA: nn.Detect(), Rates: rates})
			before := export(t, tr)
			for step := 1; step <= 4; step++ {
				n := 2 + step%2
				s := train(t, tr, nntest.Images(fmt.Sprint(step), n, g.InputShape()), targets(n), h)
				grads, err := tr.Gradients()
				if err != nil {
					t.Fatal(err)
				}
				after := export(t, tr)
				checkUpdate(t, before, after, grads, s, h, rates)
				before = after
			}
		})
	}
}

// checkUpdate compares a step with its formula. Values and steps are of size 1 and 1e-2: a few units in
// the last place of float32 are 2e-7.
func checkUpdate(t *testing.T, before, after nn.State, grads nn.Tensors, s nn.Step, h nn.Hyper, rates map[string]float64) {
	t.Helper()
	if after.Steps != before.Steps+1 {
		t.Errorf("%d steps after %d", after.Steps, before.Steps)
	}
	clip := checkNorm(t, grads, s, h)
	for name, old := range before.Tensors {
		rate, set := rates[name]
		if !set {
			rate = 1
		}
		g, learns := grads[name]
		if !learns {
			if rate == 0 && (!slices.Equal(old.Data, after.Tensors[name].Data) || !slices.Equal(before.M[name].Data, after.M[name].Data)) {
				t.Errorf("%s is frozen and moved", name)
			}
			continue
		}
		for i := range old.Data {
			a := value{float64(old.Data[i]), float64(before.M[name].Data[i]), float64(before.V[name].Data[i])}
			grad := clip * float64(g.Data[i])
			w := updated(a, grad, after.Steps, h, rate)
			p, m, v := after.Tensors[name].Data[i], after.M[name].Data[i], after.V[name].Data[i]
			size := math.Abs(grad) + math.Abs(a.m) + h.WeightDecay*math.Abs(a.p) // gradient and decay may cancel
			if math.Abs(float64(p)-w.p) > 2e-7*max(1, math.Abs(w.p)) || math.Abs(float64(m)-w.m) > 1e-6*size ||
				math.Abs(float64(v)-w.v) > 2e-6*w.v+1e-9*size*size {
				t.Fatalf("step %d: %s[%d] is %v with moments %v and %v, want %v", after.Steps, name, i, p, m, v, w)
			}
		}
	}
}

// checkNorm holds the reported norm to that of the gradients and returns clip_grad_norm_'s factor.
func checkNorm(t *testing.T, grads nn.Tensors, s nn.Step, h nn.Hyper) float64 {
	t.Helper()
	if h.ClipNorm == 0 {
		if s.GradNorm != 0 {
			t.Errorf("norm %v without clipping", s.GradNorm)
		}
		return 1
	}
	sum := 0.0
	for _, g := range grads {
		for _, v := range g.Data {
			sum += float64(v) * float64(v)
		}
	}
	if norm := math.Sqrt(sum); !(math.Abs(s.GradNorm-norm) <= 1e-9*norm) {
		t.Errorf("the norm is %v, want %v", s.GradNorm, norm)
	}
	return min(1, h.ClipNorm/(s.GradNorm+1e-6))
}
