package survival

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"sonotype/internal/num"
	"sonotype/internal/rng"
)

// slowG is G just before t by its definition, each patient counting with its mass.
func slowG(time []float64, event []int, mass []float64, t float64) float64 {
	var times []float64
	for i, v := range time {
		if event[i] == 0 && v < t {
			times = append(times, v)
		}
	}
	slices.Sort(times)
	g := 1.0
	for _, u := range slices.Compact(times) {
		var leaving, staying float64
		for i, v := range time {
			switch {
			case v > u:
				staying += mass[i]
			case v == u && event[i] == 0:
				leaving += mass[i]
			}
		}
		g *= staying / (staying + leaving)
	}
	return g
}

func win(a, b float64) float64 {
	switch {
	case a > b:
		return 1
	case a == b:
		return 0.5
	}
	return 0
}

// slowUno is Uno's C by its definition.
func slowUno(time []float64, event []int, score, mass []float64, horizon float64) float64 {
	var good, total float64
	for i := range time {
		if event[i] == 0 || horizon > 0 && time[i] > horizon {
			continue
		}
		g := slowG(time, event, mass, time[i])
		for j := range time {
			if time[j] > time[i] || time[j] == time[i] && event[j] == 0 {
				w := mass[i] * mass[j] / (g * g)
				good, total = good+w*win(score[i], score[j]), total+w
			}
		}
	}
	return good / total
}

// slowAUC is the cumulative/dynamic AUC by its definition.
func slowAUC(time []float64, event []int, score, mass []float64, t float64) float64 {
	var good, total float64
	for i := range time {
		if event[i] == 0 || time[i] > t {
			continue
		}
		g := slowG(time, event, mass, time[i])
		for j := range time {
			if time[j] > t {
				w := mass[i] * mass[j] / g
				good, total = good+w*win(score[i], score[j]), total+w
			}
		}
	}
	return good / total
}

// slopes is the standard error by the infinitesimal jackknife, the derivatives by central differences.
func slopes(n int, statistic func(mass []float64) float64) float64 {
	const h = 1e-5
	mass, sum := slices.Repeat([]float64{1}, n), 0.0
	for i := range n {
		mass[i] = 1 + h
		up := statistic(mass)
		mass[i] = 1 - h
		d := (up - statistic(mass)) / (2 * h)
		mass[i] = 1
		sum += d * d
	}
	return math.Sqrt(sum)
}

// TestCensoringWeightedTwins compares Uno's C and the time-dependent AUC, with their standard errors, with their
// definitions, on cohorts with ties of all kinds.
func TestCensoringWeightedTwins(t *testing.T) {
	r := rng.Stream(11, "weighted")
	for range 40 {
		time, event, score := cohort(r, 20+r.IntN(30))
		n := len(time)
		one := slices.Repeat([]float64{1}, n)
		horizon := []float64{0, 0.4 * float64(n), 0.8 * float64(n)}[r.IntN(3)]
		c, err := UnoC(time, event, score, horizon)
		if err != nil {
			t.Fatal(err)
		}
		if want := slowUno(time, event, score, one, horizon); !math.IsNaN(want) {
			closeTo(t, "Uno's C", c.C, want, 1e-10)
			closeTo(t, "its SE", c.SE, slopes(n, func(m []float64) float64 { return slowUno(time, event, score, m, horizon) }), 1e-6)
		}
		at := (0.2 + 0.6*r.Float64()) * float64(n)
		a, err := TimeDependentAUC(time, event, score, []float64{at})
		if err != nil {
			t.Fatal(err)
		}
		if want := slowAUC(time, event, score, one, at); !math.IsNaN(want) {
			closeTo(t, "AUC", a[0].AUC, want, 1e-10)
			closeTo(t, "its SE", a[0].SE, slopes(n, func(m []float64) float64 { return slowAUC(time, event, score, m, at) }), 1e-6)
		} else if !a[0].AUC.IsNaN() || a[0].Note == "" {
			t.Errorf("no pairs: %+v", a[0])
		}
	}
}

// TestStandardErrorsAreTheBootstraps: the jackknife's standard errors are those of resampled patients.
func TestStandardErrorsAreTheBootstraps(t *testing.T) {
	r := rng.Stream(12, "bootstrap")
	const n, draws, at = 300, 400, 150
	time, event, score := cohort(r, n)
	for i := range score {
		score[i] += 2 * r.NormFloat64()
	}
	c, _ := UnoC(time, event, score, at)
	a, _ := TimeDependentAUC(time, event, score, []float64{at})
	var cs, as []float64
	for range draws {
		idx := make([]int, n)
		for i := range idx {
			idx[i] = r.IntN(n)
		}
		bt, be, bs := pick(time, idx), pick(event, idx), pick(score, idx)
		bc, _ := UnoC(bt, be, bs, at)
		ba, _ := TimeDependentAUC(bt, be, bs, []float64{at})
		cs, as = append(cs, float64(bc.C)), append(as, float64(ba[0].AUC))
	}
	for _, v := range []struct {
		name  string
		se    num.Float
		draws []float64
	}{{"Uno's C", c.SE, cs}, {"AUC", a[0].SE, as}} {
		mean, sum := 0.0, 0.0
		for _, d := range v.draws {
			mean += d / draws
		}
		for _, d := range v.draws {
			sum += (d - mean) * (d - mean) / (draws - 1)
		}
		if ratio := float64(v.se) / math.Sqrt(sum); ratio < 0.85 || ratio > 1.15 { // 400 draws: 3.5 % relative error
			t.Errorf("%s: standard error %.2f times the bootstrap's", v.name, ratio)
		}
	}
}

// TestUnoWithoutCensoring: nothing to weight, so Uno's C is Harrell's, and the AUC is that of two classes.
func TestUnoWithoutCensoring(t *testing.T) {
	time, _, score := cohort(rng.Stream(13, "uncensored"), 60)
	event := slices.Repeat([]int{1}, 60)
	harrell, _ := ConcordanceIndex(time, event, score)
	uno, _ := UnoC(time, event, score, 0)
	closeTo(t, "C", uno.C, float64(harrell.C), 1e-12)
	closeTo(t, "SE", uno.SE, float64(harrell.SE), 1e-12)
	negated := make([]float64, len(score))
	for i, s := range score {
		negated[i] = -s
	}
	a, _ := TimeDependentAUC(time, event, score, []float64{30})
	b, _ := TimeDependentAUC(time, event, negated, []float64{30})
	closeTo(t, "AUC of the negated score", b[0].AUC, 1-float64(a[0].AUC), 1e-12)
	closeTo(t, "its SE", b[0].SE, float64(a[0].SE), 1e-12)
}

// TestRestrictedMeanIsTheMean: without censoring and up to the last event, the area is the mean time and its standard
// error that of a mean (with n, not n-1, below the variance).
func TestRestrictedMeanIsTheMean(t *testing.T) {
	time, _, _ := cohort(rng.Stream(14, "mean"), 50)
	event := slices.Repeat([]int{1}, 50)
	k, err := KaplanMeier(time, event, Log)
	if err != nil {
		t.Fatal(err)
	}
	mean, square := 0.0, 0.0
	for _, v := range time {
		mean += v / 50
	}
	for _, v := range time {
		square += (v - mean) * (v - mean) / 50
	}
	m := k.RestrictedMean(k.end())
	closeTo(t, "mean", m.Value, mean, 1e-12)
	closeTo(t, "SE", m.SE, math.Sqrt(square/50), 1e-10)
	beyond := k.RestrictedMean(2 * k.end()) // nobody is left: the area does not grow
	closeTo(t, "beyond", beyond.Value, mean, 1e-12)
	censored, _ := KaplanMeier([]float64{1, 2, 3}, []int{1, 0, 0}, Log)
	if m := censored.RestrictedMean(4); !m.Value.IsNaN() {
		t.Errorf("a mean beyond the follow-up: %+v", m)
	}
	r, err := RestrictedMeans(k, censored, 0)
	if err != nil || r.Horizon != 3 {
		t.Errorf("horizon %v, want 3: one curve has reached 0, the other is known up to 3 (%v)", r.Horizon, err)
	}
	swapped, _ := RestrictedMeans(censored, k, 0)
	closeTo(t, "swapped", -swapped.Difference, float64(r.Difference), 1e-12)
	if _, err := RestrictedMeans(k, k, -1); err == nil {
		t.Error("a negative horizon is accepted")
	}
}

// TestStrataAreSeparate: a stratified model of one stratum is the model; shifting a covariate within a stratum changes
// nothing; and the log likelihood is the sum over strata.
func TestStrataAreSeparate(t *testing.T) {
	r := rng.Stream(15, "strata")
	time, event, score := cohort(r, 90)
	strata, shifted := make([]string, 90), slices.Clone(score)
	other := make([]float64, 90)
	for i := range strata {
		strata[i] = string(rune('a' + i%3))
		shifted[i] += float64(i % 3)
		other[i] = r.NormFloat64()
	}
	columns := func(x []float64) []Covariate {
		return []Covariate{{Name: "x", Values: x}, {Name: "other", Values: other}}
	}
	plain, _ := FitCox(time, event, columns(score))
	one, err := FitStratifiedCox(time, event, columns(score), slices.Repeat([]string{"s"}, 90))
	if err != nil || one.LogLik != plain.LogLik || one.Strata != 1 {
		t.Errorf("one stratum: %+v, %v", one, err)
	}
	a, _ := FitStratifiedCox(time, event, columns(score), strata)
	b, err := FitStratifiedCox(time, event, columns(shifted), strata)
	if err != nil {
		t.Fatal(err)
	}
	closeTo(t, "coefficient", b.Terms[0].Coef, float64(a.Terms[0].Coef), 1e-8)
	closeTo(t, "log likelihood", num.Float(b.LogLik), a.LogLik, 1e-10)
	sum := 0.0
	for s := range 3 {
		var idx []int
		for i := s; i < 90; i += 3 {
			idx = append(idx, i)
		}
		m, _ := FitCox(pick(time, idx), pick(event, idx), []Covariate{{Name: "x", Values: pick(score, idx)}})
		sum += m.LogLikNull
	}
	closeTo(t, "null log likelihood", num.Float(a.LogLikNull), sum, 1e-10)
	if _, err := FitStratifiedCox(time, event, columns(score), strata[:3]); err == nil {
		t.Error("too few strata accepted")
	}
	centre := make([]float64, 90)
	for i := range centre {
		centre[i] = float64(i % 3)
	}
	if _, err := FitStratifiedCox(time, event, columns(centre), strata); err == nil || !strings.Contains(err.Error(), "within the strata") {
		t.Errorf("the stratum as covariate: %v", err)
	}
}

// TestHazardTestSeesChange: where a covariate's effect turns round during follow-up the test has a small p, where it
// stays it has not.
func TestHazardTestSeesChange(t *testing.T) {
	r := rng.Stream(16, "hazards")
	const n = 400
	var time, x []float64
	for i := range n {
		x = append(x, float64(i%2))
		early, late := r.ExpFloat64(), r.ExpFloat64()
		rate := math.Exp(1.5 * x[i]) // high early, low after 0.3
		v := early / rate
		if v > 0.3 {
			v = 0.3 + late/math.Exp(-1.5*x[i])
		}
		time = append(time, v)
	}
	event := slices.Repeat([]int{1}, n)
	for _, transform := range []string{TimeKM, TimeIdentity} {
		h, err := ProportionalHazards(time, event, []Covariate{{Name: "x", Values: x}}, nil, transform)
		if err != nil || !(h.Global.P < 1e-6) || h.Terms[0].P != h.Global.P {
			t.Errorf("%s: %+v %v", transform, h, err)
		}
	}
	steady := make([]float64, n)
	for i := range steady {
		steady[i] = r.ExpFloat64() / math.Exp(1.5*x[i])
	}
	h, err := ProportionalHazards(steady, event, []Covariate{{Name: "x", Values: x}}, nil, TimeKM)
	if err != nil || h.Global.P < 0.001 {
		t.Errorf("steady: %+v %v", h, err)
	}
	if _, err := ProportionalHazards(steady, event, []Covariate{{Name: "x", Values: x}}, nil, "square"); err == nil {
		t.Error("unknown time scale accepted")
	}
}

func TestAnalyse(t *testing.T) {
	r := rng.Stream(17, "analyse")
	time, event, score := cohort(r, 200)
	age, constant, strata := make([]float64, 200), slices.Repeat([]float64{1}, 200), make([]string, 200)
	for i := range age {
		age[i] = 40 + 30*r.Float64()
		strata[i] = string(rune('a' + i%2))
	}
	age[7], age[9] = math.NaN(), math.NaN()
	d := Data{Time: time, Event: event, Score: score, Strata: strata, Clinical: []Covariate{{Name: "age", Values: age}, {Name: "site", Values: constant}}}
	a, err := Analyse(d, Options{Cut: 2, Times: []float64{50, 1e6}})
	if err != nil {
		t.Fatal(err)
	}
	if a.N != 200 || a.Strata != 2 || a.Stratified == nil || a.Score.N != 200 || a.Combined.N != 198 || a.Combined.Strata != 2 || len(a.Hazards) != 2 || len(a.Hazards[0].Terms) != 2 {
		t.Errorf("%+v", a)
	}
	if len(a.Notes) != 2 || a.TimeAUC[0].AUC.IsNaN() || a.TimeAUC[1].Note == "" || len(a.AUCCurve) < 10 || len(a.Periods) != 3 || a.Means.P.IsNaN() || a.Added.LR.P.IsNaN() {
		t.Errorf("notes %q, AUC %+v, %d points", a.Notes, a.TimeAUC, len(a.AUCCurve))
	}
	// The smallest cohorts end in notes, never in an error.
	for name, d := range map[string]Data{
		"no events":        {Time: []float64{1, 2, 3}, Event: []int{0, 0, 0}, Score: []float64{1, 2, 3}},
		"one patient":      {Time: []float64{1}, Event: []int{1}, Score: []float64{1}},
		"all scores equal": {Time: []float64{1, 2, 3}, Event: []int{1, 0, 1}, Score: []float64{1, 1, 1}},
		"no clinical left": {Time: []float64{1, 2, 3, 4}, Event: []int{1, 0, 1, 1}, Score: []float64{1, 4, 3, 2}, Clinical: []Covariate{{Name: "age", Values: slices.Repeat([]float64{math.NaN()}, 4)}}},
	} {
		a, err := Analyse(d, Options{Cut: 2, Times: []float64{1.5}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := json.Marshal(a); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(a.Notes) == 0 && a.Note == "" {
			t.Errorf("%s: no note: %+v", name, a)
		}
	}
	for name, o := range map[string]Options{"cut": {Cut: math.NaN()}, "horizon": {Horizon: -1}, "time": {Times: []float64{0}}, "interval": {Interval: "plain"}} {
		if _, err := Analyse(d, o); err == nil {
			t.Errorf("impossible %s accepted", name)
		}
	}
	d.Strata = strata[:5]
	if _, err := Analyse(d, Options{}); err == nil {
		t.Error("too few strata accepted")
	}
}
