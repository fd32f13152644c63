package nn

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"testing"

	"sonotype/internal/num"
)

// everyOp is a small graph with every op of the vocabulary.
func everyOp() *Graph {
	g := NewGraph()
	x := g.Input(2, 9, 8)
	x = g.Conv(x, "conv0", 3, Window{3, 2, 1}, true)
	x = g.ReLU(g.BatchNorm(x, "norm0", 1e-5))
	x = g.MaxPool(x, Window{3, 1, 1})
	y := g.Conv(g.ReLU(g.BatchNorm(x, "norm1", 1e-5)), "conv1", 2, Window{1, 1, 0}, false)
	x = g.Concat(x, y)
	x = g.AvgPool(x, Window{2, 2, 1})
	x = g.BatchNorm(x, "norm2", 1e-5)
	g.Tap("logits", g.Linear(g.GlobalAvgPool(x), "classifier", 1))
	return g
}

// randomState fills a graph's parameters.
func randomState(g *Graph) State {
	s := State{Tensors: Tensors{}}
	for _, p := range g.Params() {
		h := fnv.New64a()
		h.Write([]byte(p.Name))
		r := rand.New(rand.NewPCG(h.Sum64(), 1))
		t := Tensor{Shape: p.Shape}
		t.Data = make([]float32, t.Len())
		for i := range t.Data {
			t.Data[i] = float32(0.4 + 0.8*r.Float64())
			if len(p.Shape) > 1 && r.IntN(2) == 0 {
				t.Data[i] = -t.Data[i]
			}
		}
		s.Tensors[p.Name] = t
	}
	return s
}

// The twin's gradients are central differences of its own loss, for every op and every option.
func TestReferenceGradientsAreDifferences(t *testing.T) {
	g := everyOp()
	if err := g.Err(); err != nil {
		t.Fatal(err)
	}
	const n = 3
	r := rand.New(rand.NewPCG(1, 2))
	x, y := make([]float32, n*g.InputShape().Len()), []float64{0, 1, 1}
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	frozen := map[string]float64{"norm0.weight": 0, "norm2.weight": 0}
	for name, c := range map[string]struct {
		rates map[string]float64
		loss  Loss
	}{
		"cross-entropy":   {},
		"frozen":          {rates: frozen},
		"focal":           {loss: Loss{Gamma: 2, Alpha: 0.25}},
		"smoothed":        {loss: Loss{Smoothing: 0.1}},
		"weighted":        {loss: Loss{ClassWeights: [2]float64{0.5, 2}}},
		"all and frozen":  {frozen, Loss{1.5, 0.4, 0.2, [2]float64{0.7, 1.3}}},
		"published alpha": {loss: Loss{Alpha: 0.5}},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := newInterpreter(g, randomState(g), x, n)
			if err != nil {
				t.Fatal(err)
			}
			got := p.step(y, c.rates, c.loss)
			for param, values := range p.params {
				if _, ok := got.Running[param]; ok {
					continue
				}
				for i, v := range values {
					const h = 1e-6
					values[i] = v + h
					up := p.step(y, c.rates, c.loss).Loss
					values[i] = v - h
					down := p.step(y, c.rates, c.loss).Loss
					values[i] = v
					want := (up - down) / (2 * h)
					if d := math.Abs(got.Gradients[param][i] - want); d > 1e-8+1e-5*math.Abs(want) {
						t.Errorf("%s[%d]: %v, differences say %v", param, i, got.Gradients[param][i], want)
					}
				}
			}
		})
	}
}

// The derivative of the loss by the logit is its central difference, also far out.
func TestLossDerivative(t *testing.T) {
	for _, l := range []Loss{{}, {Alpha: 0.5}, {Gamma: 2, Alpha: 0.25}, {Gamma: 0.5}, {Smoothing: 0.1, Gamma: 1}, {ClassWeights: [2]float64{3, 0.2}}} {
		for _, z := range []float64{-30, -3, -0.1, 0, 0.2, 4, 25} {
			for _, y := range []float64{0, 0.3, 1} {
				const h = 1e-5
				up, _ := l.At(z+h, y)
				down, _ := l.At(z-h, y)
				value, grad := l.At(z, y)
				if want := (up - down) / (2 * h); math.Abs(grad-want) > 1e-6*max(1, math.Abs(want)) || !num.Finite(value) {
					t.Errorf("%+v at %v, %v: %v, differences say %v", l, z, y, grad, want)
				}
			}
		}
	}
	for _, z := range []float64{-800, 800} {
		for _, y := range []float64{0, 1} {
			if v, g := (Loss{Gamma: 2}).At(z, y); !num.Finite(v) || !num.Finite(g) {
				t.Errorf("logit %v: loss %v, gradient %v", z, v, g)
			}
		}
	}
}
