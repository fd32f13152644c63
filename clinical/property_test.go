package clinical

import (
	"math"
	"slices"
	"testing"

	"sonotype/internal/num"
	"sonotype/internal/rng"
)

// Units and reference levels are ways of writing a model, not other models.
func TestUnitsAndReferencesDoNotMatter(t *testing.T) {
	for _, firth := range []Firth{Auto, Always} {
		vars, columns, y := drawn(140, rng.Stream(2, "property"))
		a := must(t)(Fit(vars, columns, y, firth))
		other := slices.Clone(columns)
		other[0], other[1] = make([]float64, len(y)), make([]float64, len(y))
		for i := range y {
			other[0][i] = 1000 + 12*columns[0][i] // months since another birth
			other[1][i] = 1 - columns[1][i]
		}
		turned := slices.Clone(vars)
		turned[1].Levels = []string{vars[1].Levels[1], vars[1].Levels[0]}
		b := must(t)(Fit(turned, other, y, firth))
		near(t, "age", b.Terms[0].Beta*12, float64(a.Terms[0].Beta), 1e-8)
		near(t, "er", -b.Terms[1].Beta, float64(a.Terms[1].Beta), 1e-8)
		near(t, "er, odds ratio", 1/b.Terms[1].OR, float64(a.Terms[1].OR), 1e-8)
		for i := range a.Tests {
			near(t, "test of "+vars[i].Name, b.Tests[i].Statistic, float64(a.Tests[i].Statistic), 1e-7)
		}
		for i := range y {
			p, err := a.Predict(rowOf(columns, i))
			q, err2 := b.Predict(rowOf(other, i))
			if err != nil || err2 != nil || math.Abs(p-q) > 1e-9 {
				t.Fatalf("patient %d: %v and %v (%v, %v)", i, p, q, err, err2)
			}
		}
	}
}

func must(t *testing.T) func(*Model, error) *Model {
	return func(m *Model, err error) *Model {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if !m.Fitted() {
			t.Fatal(m.Notes)
		}
		return m
	}
}

// The mean predicted probability of a fitted model is the share of positives, and turned outcomes turn the signs.
func TestCalibrationInTheLargeAndTurnedOutcomes(t *testing.T) {
	vars, columns, y := drawn(120, rng.Stream(6, "property"))
	m := must(t)(Fit(vars, columns, y, Auto))
	mean := 0.0
	turned := make([]int, len(y))
	for i := range y {
		p, err := m.Predict(rowOf(columns, i))
		if err != nil {
			t.Fatal(err)
		}
		mean += p / float64(len(y))
		turned[i] = 1 - y[i]
	}
	near(t, "mean probability", num.Float(mean), float64(m.Positive)/float64(m.N), 1e-9)
	o := must(t)(Fit(vars, columns, turned, Auto))
	for j := range m.Terms {
		near(t, m.Terms[j].Variable, -o.Terms[j].Beta, float64(m.Terms[j].Beta), 1e-8)
	}
}

// What cannot be fitted says why, and is no error; what no model can take is one.
func TestModelsThatCannotBeFitted(t *testing.T) {
	y := []int{0, 1, 0, 1, 1, 0, 1, 0}
	x := []float64{1, 3, 2, 2, 5, 4, 4, 1}
	twice := make([]float64, len(x))
	for i := range x {
		twice[i] = 2*x[i] + 1
	}
	for name, c := range map[string]struct {
		vars    []Variable
		columns [][]float64
		y       []int
	}{
		"collinear":    {[]Variable{{Name: "a"}, {Name: "b"}}, [][]float64{x, twice}, y},
		"constant":     {[]Variable{{Name: "a"}}, [][]float64{{3, 3, 3, 3, 3, 3, 3, 3}}, y},
		"one level":    {[]Variable{{Name: "a", Levels: []string{"x"}}}, [][]float64{{0, 0, 0, 0, 0, 0, 0, 0}}, y},
		"one outcome":  {[]Variable{{Name: "a"}}, [][]float64{x}, []int{1, 1, 1, 1, 1, 1, 1, 1}},
		"few patients": {[]Variable{{Name: "a"}}, [][]float64{{1, 2}}, []int{0, 1}},
	} {
		m, err := Fit(c.vars, c.columns, c.y, Auto)
		if err != nil || m.Fitted() || len(m.Notes) == 0 || m.Tests[0].Note == "" {
			t.Errorf("%s: %+v (%v)", name, m, err)
		}
		if _, err := m.Predict(make([]float64, len(c.vars))); err == nil {
			t.Errorf("%s: a model without estimates predicts", name)
		}
		if _, err := NewNomogram(m, c.columns); err == nil {
			t.Errorf("%s: a model without estimates has a nomogram", name)
		}
	}
	for name, c := range map[string]struct {
		v Variable
		x float64
	}{"missing": {Variable{Name: "a"}, math.NaN()}, "infinite": {Variable{Name: "a"}, math.Inf(1)}, "no such level": {Variable{Name: "a", Levels: []string{"x", "y"}}, 2}, "half a level": {Variable{Name: "a", Levels: []string{"x", "y"}}, 0.5}, "no probability": {Variable{Name: "a", Scale: Logit}, 1.2}} {
		bad := slices.Clone(x)
		for i := range bad {
			bad[i] = float64(i % 2)
		}
		bad[3] = c.x
		if _, err := Fit([]Variable{c.v}, [][]float64{bad}, y, Auto); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := Fit([]Variable{{Name: "a"}}, [][]float64{x}, []int{0, 1, 2, 1, 0, 1, 0, 1}, Auto); err == nil {
		t.Error("a label of 2 is no error")
	}
}

// Exact 0 and 1 of models that count votes stay finite.
func TestLogitOfExactScores(t *testing.T) {
	v := Variable{Scale: Logit}
	if a, b := v.Transform(0), v.Transform(1); math.Abs(a+b) > 1e-12 || math.IsInf(a, 0) || v.Transform(ScoreFloor/2) != a {
		t.Errorf("%v and %v", a, b)
	}
}
