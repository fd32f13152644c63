package survival

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/internal/rng"
)

// cohort draws n patients with tied times, tied scores and censoring.
func cohort(r *rand.Rand, n int) (time []float64, event []int, score []float64) {
	time, event, score = make([]float64, n), make([]int, n), make([]float64, n)
	for i := range time {
		score[i] = float64(r.IntN(6))
		time[i] = float64(r.IntN(n)) + float64(5-int(score[i]))*r.Float64()
		if r.IntN(2) == 0 {
			time[i] = math.Floor(time[i])
		}
		if r.Float64() < .6 {
			event[i] = 1
		}
	}
	event[0], event[1] = 1, 1
	return time, event, score
}

// slowConcordance is the definition over all pairs.
func slowConcordance(time []float64, event []int, score []float64) Concordance {
	var c Concordance
	for i := range time {
		for j := range time {
			if i == j {
				continue
			}
			if time[i] == time[j] && event[i] == 1 && event[j] == 1 {
				if i < j && score[i] == score[j] {
					c.TiedBoth++
				} else if i < j {
					c.TiedTime++
				}
				continue
			}
			if event[i] == 0 || !(time[i] < time[j] || (time[i] == time[j] && event[j] == 0)) {
				continue
			}
			switch {
			case score[i] > score[j]:
				c.Concordant++
			case score[i] < score[j]:
				c.Discordant++
			default:
				c.TiedScore++
			}
		}
	}
	return c
}

func TestConcordanceTwinAndInvariances(t *testing.T) {
	r := rng.Stream(1, "concordance")
	for range 200 {
		time, event, score := cohort(r, 4+r.IntN(50))
		got, err := ConcordanceIndex(time, event, score)
		if err != nil {
			t.Fatal(err)
		}
		want := slowConcordance(time, event, score)
		if got.Concordant != want.Concordant || got.Discordant != want.Discordant || got.TiedScore != want.TiedScore || got.TiedTime != want.TiedTime || got.TiedBoth != want.TiedBoth {
			t.Fatalf("counts %+v, by definition %+v", got, want)
		}
		mapped, negated := make([]float64, len(score)), make([]float64, len(score))
		for i, s := range score {
			mapped[i], negated[i] = math.Exp(s)-3, -s
		}
		m, _ := ConcordanceIndex(time, event, mapped)
		if m != got && !got.C.IsNaN() {
			t.Fatal("a monotone map changes C")
		}
		n, _ := ConcordanceIndex(time, event, negated)
		closeTo(t, "C of the negated score", n.C, 1-float64(got.C), 1e-12)
		closeTo(t, "its SE", n.SE, float64(got.SE), 1e-12)
	}
}

// Without censoring the curve is the empirical survival function.
func TestKaplanMeierWithoutCensoring(t *testing.T) {
	r := rng.Stream(2, "km")
	time, _, _ := cohort(r, 40)
	event := slices.Repeat([]int{1}, 40)
	k, err := KaplanMeier(time, event, LogLog)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range k.Points { // with the binomial standard error
		later := 0
		for _, v := range time {
			if v > p.Time {
				later++
			}
		}
		s := float64(later) / 40
		closeTo(t, "S", num.Float(p.Survival), s, 1e-12)
		if later > 0 {
			closeTo(t, "SE", p.SE, math.Sqrt(s*(1-s)/40), 1e-12)
		}
	}
	last := k.Points[len(k.Points)-1]
	if last.Survival != 0 || !last.Lo.IsNaN() || !last.SE.IsNaN() {
		t.Errorf("S = 0: %+v", last)
	}
	if _, err := json.Marshal(k); err != nil {
		t.Error(err)
	}
}

func TestMedianOnFlatHalf(t *testing.T) {
	// S = 1/2 exactly from 2 to 5: R gives the middle
	k, _ := KaplanMeier([]float64{1, 2, 5, 6}, []int{1, 1, 1, 1}, Log)
	if k.Median != 3.5 {
		t.Errorf("median %v, want 3.5", k.Median)
	}
	k, _ = KaplanMeier([]float64{1, 2, 3, 4}, []int{1, 0, 0, 0}, Log)
	if !k.Median.IsNaN() {
		t.Errorf("median %v, want none", k.Median)
	}
}

// TestLogRankIsCoxScore: without tied event times the log-rank test is the score test of a Cox model on the group.
func TestLogRankIsCoxScore(t *testing.T) {
	r := rng.Stream(3, "logrank")
	for range 50 {
		time, event, score := cohort(r, 30+r.IntN(40))
		group, x := make([]string, len(time)), make([]float64, len(time))
		for i := range time {
			time[i] += float64(i) * 1e-6 // no ties
			if group[i] = "a"; score[i] > 2 {
				group[i], x[i] = "b", 1
			}
		}
		lr, err := LogRankTest(time, event, group, nil)
		if err != nil {
			t.Fatal(err)
		}
		cox, err := FitCox(time, event, []Covariate{{Name: "b", Values: x}})
		if err != nil {
			t.Fatal(err)
		}
		closeTo(t, "score", cox.Score.Statistic, float64(lr.ChiSquared), 1e-9)
		var o, e float64
		for _, g := range lr.Groups {
			o, e = o+float64(g.Observed), e+g.Expected
		}
		closeTo(t, "expected in all", num.Float(e), o, 1e-10)
		again, _ := LogRankTest(time, event, group, slices.Repeat([]string{"s"}, len(time)))
		if again.ChiSquared != lr.ChiSquared {
			t.Error("one stratum changes the test")
		}
		swapped := make([]string, len(group))
		for i, g := range group {
			swapped[i] = map[string]string{"a": "z", "b": "y"}[g]
		}
		s, _ := LogRankTest(time, event, swapped, nil)
		closeTo(t, "renamed groups", s.ChiSquared, float64(lr.ChiSquared), 1e-10)
	}
}

// TestCoxGradient compares gradient and information with finite differences, and checks that units and origin of a
// covariate do not matter.
func TestCoxGradient(t *testing.T) {
	r := rng.Stream(4, "cox")
	time, event, score := cohort(r, 60)
	other := make([]float64, len(time))
	for i := range other {
		other[i] = r.NormFloat64()
	}
	z, _, err := standardise([]Covariate{{Name: "score", Values: score}, {Name: "other", Values: other}}, len(time), nil)
	if err != nil {
		t.Fatal(err)
	}
	l := newEfron(time, event, z, nil)
	beta := []float64{.4, -.7}
	at := l.at(beta)
	const h = 1e-5
	for j := range beta {
		up, down := slices.Clone(beta), slices.Clone(beta)
		up[j], down[j] = up[j]+h, down[j]-h
		pu, pd := l.at(up), l.at(down)
		closeTo(t, "gradient", num.Float(at.gradient.AtVec(j)), (pu.logLik-pd.logLik)/(2*h), 1e-6)
		var d mat.VecDense
		d.SubVec(pd.gradient, pu.gradient)
		for k := range beta {
			closeTo(t, "information", num.Float(at.information.At(j, k)), d.AtVec(k)/(2*h), 1e-6)
		}
	}
	scaled := make([]float64, len(other))
	for i, v := range other {
		scaled[i] = 1e4*v + 1e6
	}
	a, _ := FitCox(time, event, []Covariate{{Name: "score", Values: score}, {Name: "other", Values: other}})
	b, err := FitCox(time, event, []Covariate{{Name: "other", Values: scaled}, {Name: "score", Values: score}})
	if err != nil {
		t.Fatal(err)
	}
	closeTo(t, "rescaled z", b.Terms[0].Z, float64(a.Terms[1].Z), 1e-7)
	closeTo(t, "rescaled coefficient", b.Terms[0].Coef*1e4, float64(a.Terms[1].Coef), 1e-7)
	closeTo(t, "log likelihood", num.Float(b.LogLik), a.LogLik, 1e-10)
}

func TestCoxErrorsNameTheCovariate(t *testing.T) {
	time, event := []float64{1, 2, 3, 4, 5, 6, 7, 8}, []int{1, 1, 1, 1, 0, 0, 0, 0}
	x := []float64{3, 1, 4, 1, 5, 9, 2, 6}
	double := make([]float64, len(x))
	for i := range x {
		double[i] = 2*x[i] + 1
	}
	separating := []float64{1, 1, 1, 1, 0, 0, 0, 0}
	ordering := []float64{8, 7, 6, 5, 4, 3, 2, 1}
	for name, c := range map[string]struct {
		covariates []Covariate
		want       []string
	}{
		"constant":    {[]Covariate{{Name: "x", Values: x}, {Name: "site", Values: slices.Repeat([]float64{2}, 8)}}, []string{`"site"`, "constant"}},
		"collinear":   {[]Covariate{{Name: "x", Values: x}, {Name: "twice", Values: double}}, []string{`"twice"`, "collinear", `"x"`}},
		"separation":  {[]Covariate{{Name: "x", Values: x}, {Name: "marker", Values: separating}}, []string{`"marker"`, "no events where marker = 0"}},
		"ordering":    {[]Covariate{{Name: "rank", Values: ordering}}, []string{`"rank"`}},
		"NaN":         {[]Covariate{{Name: "age", Values: []float64{1, 2, math.NaN(), 4, 5, 6, 7, 8}}}, []string{`"age"`}},
		"short":       {[]Covariate{{Name: "age", Values: []float64{1, 2}}}, []string{`"age"`}},
		"none at all": {nil, []string{"at least one"}},
	} {
		_, err := FitCox(time, event, c.covariates)
		if _, ok := problem.As(err); !ok {
			t.Errorf("%s: error %v", name, err)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %q lacks %q", name, err, w)
			}
		}
	}
	if _, err := FitCox(time, make([]int, 8), []Covariate{{Name: "x", Values: x}}); err == nil {
		t.Error("no events accepted")
	}
}

func TestByCut(t *testing.T) {
	time, event, score := cohort(rng.Stream(5, "contrast"), 80)
	c, err := ByCut(time, event, score, 2, Log)
	if err != nil {
		t.Fatal(err)
	}
	if c.NHigh+c.NLow != 80 || c.EventsHigh+c.EventsLow != c.Events || len(c.Curves) != 2 || c.Curves[1].N != c.NHigh || c.HR.IsNaN() || c.Note != "" {
		t.Errorf("%+v", c)
	}
	if c.LogRankP != c.LogRank.P || !(c.HRLo < c.HR && c.HR < c.HRHi) {
		t.Errorf("%+v", c)
	}
	none, err := ByCut(time, event, score, 99, Log)
	if err != nil || !none.HR.IsNaN() || !none.LogRankP.IsNaN() || none.Note == "" || len(none.Curves) != 1 || none.CIndex.IsNaN() {
		t.Errorf("one group: %+v %v", none, err)
	}
	quiet, err := ByCut([]float64{1, 2, 3, 4}, []int{1, 1, 0, 0}, []float64{1, 1, 0, 0}, .5, Log)
	if err != nil || !quiet.HR.IsNaN() || quiet.LogRankP.IsNaN() || quiet.Note == "" {
		t.Errorf("a group without events: %+v %v", quiet, err)
	}
	empty, err := ByCut([]float64{1, 2}, []int{0, 0}, []float64{1, 0}, .5, Log)
	if err != nil || !empty.HR.IsNaN() || !empty.CIndex.IsNaN() || empty.Note == "" {
		t.Errorf("no events: %+v %v", empty, err)
	}
	for _, v := range []any{c, none, quiet, empty} {
		if _, err := json.Marshal(v); err != nil {
			t.Error(err)
		}
	}
}

func TestBadFollowUp(t *testing.T) {
	for _, b := range []struct {
		time  []float64
		event []int
	}{{nil, nil}, {[]float64{1}, nil}, {[]float64{-1}, []int{1}}, {[]float64{math.NaN()}, []int{0}}, {[]float64{math.Inf(1)}, []int{0}}, {[]float64{1}, []int{-1}}} {
		if _, err := KaplanMeier(b.time, b.event, Log); err == nil {
			t.Errorf("%v accepted", b)
		}
		if _, err := ByCut(b.time, b.event, b.time, 0, Log); err == nil {
			t.Errorf("%v accepted by ByCut", b)
		}
	}
	if _, err := KaplanMeier([]float64{1}, []int{1}, "plain"); err == nil {
		t.Error("unknown interval accepted")
	}
	if _, err := LogRankTest([]float64{1, 2}, []int{1, 1}, []string{"a"}, nil); err == nil {
		t.Error("group length mismatch accepted")
	}
	if r, err := LogRankTest([]float64{1, 2}, []int{1, 1}, []string{"a", "a"}, nil); err != nil || !r.P.IsNaN() || r.Note == "" {
		t.Errorf("one group: %+v %v", r, err)
	}
	if _, err := ConcordanceIndex([]float64{1, 2}, []int{1, 1}, []float64{1, math.NaN()}); err == nil {
		t.Error("NaN score accepted")
	}
}
