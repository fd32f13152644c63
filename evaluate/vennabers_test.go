package evaluate

import (
	"math"
	"math/rand/v2"
	"testing"

	"sonotype/internal/golden"
)

func TestVennAbersIsScikitLearns(t *testing.T) {
	var g struct {
		golden.Meta
		Sets []struct {
			Name   string
			Score  []float64
			Label  []int
			Asked  []float64
			Bounds [][2]float64
		}
	}
	golden.Load(t, "testdata/oracle/vennabers.json", &g)
	for _, s := range g.Sets {
		v, err := FitVennAbers(s.Score, s.Label)
		if err != nil {
			t.Fatal(err)
		}
		for i, score := range s.Asked {
			p, lo, hi := v.Predict(score)
			want := s.Bounds[i]
			if math.Abs(lo-want[0]) > g.Tolerance || math.Abs(hi-want[1]) > g.Tolerance || math.Abs(p-want[1]/(1-want[0]+want[1])) > g.Tolerance {
				t.Errorf("%s at %g: %g, %g, want %v", s.Name, score, lo, hi, want)
			}
		}
	}
}

// The probability lies in its interval, rises with the score, and on average over exchangeable units the interval holds
// the share of positives.
func TestVennAbersIsValid(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	draw := func() (score float64, label int) {
		score = r.Float64()
		if r.Float64() < score*score {
			label = 1
		}
		return math.Round(50*score) / 50, label
	}
	var positives, low, high float64
	const repeats, fresh = 60, 50
	for range repeats {
		var scores []float64
		var labels []int
		for range 150 {
			s, l := draw()
			scores, labels = append(scores, s), append(labels, l)
		}
		v, err := FitVennAbers(scores, labels)
		if err != nil {
			t.Fatal(err)
		}
		last := 0.0
		for s := 0.0; s <= 1; s += 0.02 {
			p, lo, hi := v.Predict(s)
			if !(lo <= p && p <= hi) || lo < 0 || hi > 1 || p < last-1e-12 {
				t.Fatalf("at %g: %g in [%g, %g], before %g", s, p, lo, hi, last)
			}
			last = p
		}
		for range fresh {
			s, l := draw()
			_, lo, hi := v.Predict(s)
			positives, low, high = positives+float64(l), low+lo, high+hi
		}
	}
	n := float64(repeats * fresh)
	if se := math.Sqrt(0.25 / n); positives/n < low/n-3*se || positives/n > high/n+3*se {
		t.Errorf("%g positive, interval %g to %g", positives/n, low/n, high/n)
	}
}

func TestVennAbersRefusesBrokenFiles(t *testing.T) {
	for _, v := range []VennAbers{{}, {Scores: []float64{2, 1}, Labels: []int{0, 1}}, {Scores: []float64{1}, Labels: []int{2}}, {Scores: []float64{math.NaN()}, Labels: []int{1}}, {Scores: []float64{1}}} {
		if v.Check() == nil {
			t.Errorf("%+v was accepted", v)
		}
	}
}
