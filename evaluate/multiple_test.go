package evaluate

import (
	"encoding/json"
	"math"
	"testing"

	"sonotype/internal/golden"
	"sonotype/internal/num"
	"sonotype/internal/rng"
)

type multipleOracle struct {
	golden.Meta
	Holm []struct{ P, Adjusted oneOrMore }
	Luck []struct {
		Label                                     []int
		Scores                                    [][]float64
		AUC, Mean, Correlation, Optimism, Lead, P float64
	}
}

// oneOrMore reads R's vectors, which are plain numbers at length one.
type oneOrMore []num.Float

func (o *oneOrMore) UnmarshalJSON(b []byte) error {
	if b[0] != '[' {
		b = append(append([]byte{'['}, b...), ']')
	}
	return json.Unmarshal(b, (*[]num.Float)(o))
}

func TestHolmAgainstR(t *testing.T) {
	var o multipleOracle
	golden.Load(t, "testdata/oracle/multiple.json", &o)
	for _, h := range o.Holm {
		got := Holm(h.P)
		for i, want := range h.Adjusted {
			if want.IsNaN() != got[i].IsNaN() {
				t.Errorf("%v: %v, want %v", h.P, got, h.Adjusted)
			} else if !want.IsNaN() {
				closeTo(t, "Holm", got[i], float64(want), o.Tolerance)
			}
		}
	}
}

func TestLuckAgainstR(t *testing.T) {
	var o multipleOracle
	golden.Load(t, "testdata/oracle/multiple.json", &o)
	for _, s := range o.Luck {
		l, err := BestByLuck(s.Scores, s.Label, 50_000, 1)
		if err != nil {
			t.Fatal(err)
		}
		closeTo(t, "best AUC", l.AUC, s.AUC, o.Tolerance)
		closeTo(t, "mean AUC", l.Mean, s.Mean, o.Tolerance)
		closeTo(t, "correlation", l.Correlation, s.Correlation, 1e-10)
		for what, d := range map[string][3]float64{
			"optimism": {float64(l.Optimism), s.Optimism, 5e-4}, "lead": {float64(l.LeadByLuck), s.Lead, 5e-4}, "chance": {float64(l.P), s.P, 6e-3},
		} {
			if math.Abs(d[0]-d[1]) > d[2] {
				t.Errorf("%s %.5f, R's simulation %.5f", what, d[0], d[1])
			}
		}
	}
}

// Two models: the best of two errors with variance v and correlation r lies sqrt(v (1 - r) / pi) above zero on average.
// Equal scores leave nothing to luck. A lead that equal models reach as often as p says is uniform under the null.
func TestLuckProperties(t *testing.T) {
	r := rng.Stream(5, "test")
	scores, labels := make([][]float64, 2), make([]int, 200)
	for i := range labels {
		labels[i] = i % 2
		for m := range scores {
			scores[m] = append(scores[m], r.NormFloat64()+float64(labels[i]))
		}
	}
	l, err := BestByLuck(scores, labels, 100_000, 2)
	if err != nil {
		t.Fatal(err)
	}
	a, b := components(scores[0], labels), components(scores[1], labels)
	want := math.Sqrt((covariance(a, a) + covariance(b, b) - 2*covariance(a, b)) / (2 * math.Pi))
	if math.Abs(float64(l.Optimism)-want) > 0.01*want+3e-4 {
		t.Errorf("optimism %v, closed form %v", l.Optimism, want)
	}
	same, err := BestByLuck([][]float64{scores[0], scores[0], scores[0]}, labels, 1000, 2)
	if err != nil || same.Lead > 1e-12 || same.LeadByLuck > 1e-9 || math.Abs(float64(same.Correlation)-1) > 1e-9 || math.Abs(float64(same.Optimism)) > 0.01 {
		t.Errorf("equal scores: %+v (%v)", same, err)
	}
	if l, err := BestByLuck(scores, make([]int, 200), 10, 1); err != nil || l.Note == "" || !l.P.IsNaN() {
		t.Errorf("one class: %+v (%v)", l, err)
	}
	if _, err := BestByLuck(scores[:1], labels, 10, 1); err == nil {
		t.Error("one model was compared")
	}
}

// The test keeps its level: of equal models, the chance is below .1 in about a tenth of the data sets.
func TestLuckLevel(t *testing.T) {
	const trials = 300
	r := rng.Stream(6, "level")
	small := 0
	for range trials {
		scores, labels := make([][]float64, 6), make([]int, 150)
		for i := range labels {
			labels[i] = i % 3 % 2
			shared := r.NormFloat64() + float64(labels[i])
			for m := range scores {
				scores[m] = append(scores[m], shared+r.NormFloat64())
			}
		}
		l, err := BestByLuck(scores, labels, 400, 3)
		if err != nil {
			t.Fatal(err)
		}
		if l.P < 0.1 {
			small++
		}
	}
	if share := float64(small) / trials; math.Abs(share-0.1) > 3*math.Sqrt(.1*.9/trials) {
		t.Errorf("chance below .1 in %.3f of the data sets", share)
	}
}
