package evaluate

import (
	"context"
	"math"
	"slices"
	"strconv"
	"testing"

	"sonotype/internal/golden"
	"sonotype/internal/num"
	"sonotype/internal/rng"
)

type measureSet struct {
	Name      string
	SensAt    []float64            `json:"sens_at"`
	SpecAt    []float64            `json:"spec_at"`
	IDI, NRI  []float64            // value, SE
	NRIEvent  float64              `json:"nri_ev"`
	NRINone   float64              `json:"nri_ne"`
	NRICat    []float64            `json:"nri_cat"`
	Hoslem    []float64            // chi-square, groups, p
	SensBoot  [][]float64          `json:"sens_boot"`
	Boot      map[string][]float64 // lo, hi
	NBBoot    [][]float64          `json:"nb_boot"`
	StdBoot   [][]float64          `json:"standardised_boot"`
	GainBoot  [][]float64          `json:"gain_boot"`
	ICIBoot   []float64            `json:"ici_boot"`
	SmoothX   []float64            `json:"smooth_x"`
	SmoothLoH [][]float64          `json:"smooth_boot"`
}

// near fails unless both limits lie within 15 % of the oracle's interval (and a hair, where it has no width).
func near(t *testing.T, what string, lo, hi num.Float, want ...float64) {
	t.Helper()
	tol := .15*(want[1]-want[0]) + 1e-9
	if !(math.Abs(float64(lo)-want[0]) <= tol && math.Abs(float64(hi)-want[1]) <= tol) {
		t.Errorf("%s: %.4f to %.4f, R %.4f to %.4f", what, lo, hi, want[0], want[1])
	}
}

func TestMeasuresAgainstR(t *testing.T) {
	var o struct {
		golden.Meta
		Levels, Grid []float64
		Sets         []measureSet
	}
	golden.Load(t, "testdata/oracle/measures.json", &o)
	_, scores := loadScores(t)
	for i, want := range o.Sets {
		s := scores[i]
		t.Run(want.Name, func(t *testing.T) {
			c := BootstrapConfig{Seed: 1, Levels: o.Levels, Grid: o.Grid}
			all, err := MeasureAll(context.Background(), s.Label, []Candidate{{Scores: s.P, Threshold: s.Threshold}}, c)
			if err != nil {
				t.Fatal(err)
			}
			m := all[0]
			for k := range o.Levels {
				closeTo(t, "sensitivity at specificity", m.SensitivityAt[k].Value, want.SensAt[k], o.Tolerance)
				closeTo(t, "specificity at sensitivity", m.SpecificityAt[k].Value, want.SpecAt[k], o.Tolerance)
			}
			reclassified(t, s, want, o.Tolerance)
			if want.Hoslem == nil {
				return
			}
			h, err := HosmerLemeshowTest(s.P, s.Label, 10)
			if err != nil {
				t.Fatal(err)
			}
			closeTo(t, "Hosmer-Lemeshow", h.Statistic, want.Hoslem[0], o.Tolerance)
			closeTo(t, "groups", num.Float(h.Groups), want.Hoslem[1], 0)
			closeTo(t, "Hosmer-Lemeshow P", h.P, want.Hoslem[2], o.Tolerance)
			drawn(t, s, want, m.Bootstrap, c)
		})
	}
}

// drawn compares the bootstrap's limits with R's.
func drawn(t *testing.T, s scoreSet, want measureSet, b BootstrapResult, c BootstrapConfig) {
	for k := range c.Levels {
		near(t, "sensitivity at specificity", b.SensitivityAt[k].Lo, b.SensitivityAt[k].Hi, want.SensBoot[0][k], want.SensBoot[1][k])
	}
	for name, got := range map[string]BootstrapInterval{"brier": b.Brier, "brier_scaled": b.BrierScaled, "slope": b.Slope, "intercept": b.Intercept, "oe": b.OE, "accuracy": b.Accuracy,
		"sensitivity": b.Sensitivity, "specificity": b.Specificity, "ppv": b.PPV, "npv": b.NPV, "f1": b.F1, "lr_positive": b.LRPositive} {
		near(t, name, got.Lo, got.Hi, want.Boot[name]...)
	}
	for k := range c.Grid {
		for what, curve := range map[string]struct {
			got  []BootstrapInterval
			want [][]float64
		}{"net benefit": {b.Decision.Benefit, want.NBBoot}, "standardised": {b.Decision.Standardised, want.StdBoot}, "gain over treating all": {b.Decision.OverAll, want.GainBoot}} {
			near(t, what, curve.got[k].Lo, curve.got[k].Hi, curve.want[0][k], curve.want[1][k])
		}
	}
	band, err := CalibrationBand(context.Background(), s.P, s.Label, c)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "ICI", band.ICI.Lo, band.ICI.Hi, want.ICIBoot...)
	var x, lo, hi []float64
	for _, p := range band.Points {
		x, lo, hi = append(x, p.Predicted), append(lo, float64(p.Lo)), append(hi, float64(p.Hi))
	}
	for k, at := range want.SmoothX {
		near(t, "smooth curve", num.Float(interpolate(x, lo, at)), num.Float(interpolate(x, hi, at)), want.SmoothLoH[0][k], want.SmoothLoH[1][k])
	}
}

func reclassified(t *testing.T, s scoreSet, want measureSet, tol float64) {
	r, err := Reclassify(s.P, s.Q, s.Label, s.Threshold, s.Threshold)
	if err != nil {
		t.Fatal(err)
	}
	closeTo(t, "IDI", r.IDI.Value, want.IDI[0], tol)
	closeTo(t, "IDI's SE", r.IDI.SE, want.IDI[1], tol)
	closeTo(t, "NRI", r.NRI.Value, want.NRI[0], tol)
	closeTo(t, "NRI's SE", r.NRI.SE, want.NRI[1], tol)
	closeTo(t, "NRI of positives", r.NRIPositive, want.NRIEvent, tol)
	closeTo(t, "NRI of negatives", r.NRINegative, want.NRINone, tol)
	closeTo(t, "categorical NRI", r.Categorical.Value, want.NRICat[0], tol)
	closeTo(t, "categorical NRI's SE", r.Categorical.SE, want.NRICat[1], tol)
}

func TestPrecisionAndLikelihoodRatiosAgainstPython(t *testing.T) {
	var o struct {
		golden.Meta
		Sets []struct {
			PRAUC      float64     `json:"pr_auc"`
			LRPositive []num.Float `json:"lr_positive"`
			LRNegative []num.Float `json:"lr_negative"`
		}
	}
	golden.Load(t, "testdata/oracle/precision.json", &o)
	_, scores := loadScores(t)
	for i, want := range o.Sets {
		s := scores[i]
		pr, err := PRAUC(s.P, s.Label)
		if err != nil {
			t.Fatal(err)
		}
		closeTo(t, "PR-AUC", pr, want.PRAUC, o.Tolerance)
		pos, neg := LikelihoodRatios(s.TP, s.FP, s.TN, s.FN)
		for what, pair := range map[string][2][]num.Float{"LR+": {{pos.Value, pos.Lo, pos.Hi}, want.LRPositive}, "LR-": {{neg.Value, neg.Lo, neg.Hi}, want.LRNegative}} {
			for k, w := range pair[1] {
				if w.IsNaN() {
					if !pair[0][k].IsNaN() {
						t.Errorf("%s has an interval with an empty cell: %v", what, pair[0][k])
					}
					continue
				}
				closeTo(t, what, pair[0][k], float64(w), o.Tolerance)
			}
		}
	}
}

func TestDecisionBand(t *testing.T) {
	_, scores := loadScores(t)
	s := scores[0]
	d, err := Decision(s.P, s.Label, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Bootstrap(context.Background(), s.Label, []Candidate{{Scores: s.P, Threshold: .5}}, BootstrapConfig{Draws: 500})
	if err != nil {
		t.Fatal(err)
	}
	d.SetBand(b[0].Decision)
	for k, p := range d.Points {
		closeTo(t, "standardised", p.Standardised, p.Model/d.Prevalence, 1e-12)
		if band := d.Band[k]; float64(band.Lo) > p.Model+1e-12 || float64(band.Hi) < p.Model-1e-12 {
			t.Errorf("at %v the curve %v leaves its band %v..%v", p.Threshold, p.Model, band.Lo, band.Hi)
		}
	}
	if len(d.Sure) == 0 {
		t.Error("the model is surely better nowhere")
	}
	for _, sure := range d.Sure { // what is surely better is better
		inside := false
		for _, r := range d.Better {
			inside = inside || sure.Lo >= r.Lo && sure.Hi <= r.Hi
		}
		if !inside {
			t.Errorf("%v is sure, but not among %v", sure, d.Better)
		}
	}
}

// TestCrossRecalibrate: a recalibrated probability is what the units of the other folds teach, and a score that was
// miscalibrated comes out calibrated.
func TestCrossRecalibrate(t *testing.T) {
	r := rng.Stream(4, "cross")
	var scores []float64
	var labels []int
	for range 2000 {
		x := r.NormFloat64()
		y := 0
		if r.Float64() < sigmoid(.5+x) {
			y = 1
		}
		scores, labels = append(scores, sigmoid(3*x-1)), append(labels, y) // too extreme, too low
	}
	p, err := CrossRecalibrate(scores, labels, nil, FromProbability, 10, 1)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Calibrate(p, labels)
	if err != nil {
		t.Fatal(err)
	}
	if c.Slope.Lo > 1 || c.Slope.Hi < 1 || c.Intercept.Lo > 0 || c.Intercept.Hi < 0 {
		t.Errorf("slope %+v, intercept %+v", c.Slope, c.Intercept)
	}
	fold := patientFolds(unitsOf(labels, nil), labels, 10, 1)
	var s []float64
	var l []int
	for i := range scores {
		if fold[i] != fold[7] {
			s, l = append(s, scores[i]), append(l, labels[i])
		}
	}
	f, _ := FitRecalibration(s, l, FromProbability)
	if want, _ := f.Apply(scores[7]); p[7] != want {
		t.Errorf("unit 7: %v, the other folds give %v", p[7], want)
	}

	if q, _ := CrossRecalibrate(scores[:8], labels[:8], nil, FromProbability, 10, 1); q != nil {
		t.Error("eight units were divided over ten folds")
	}
}

// TestCrossRecalibrateKeepsPatientsWhole: all units of a patient lie in one fold, so what is known of one teaches nothing
// about the others, and every fold has its share of the patients with a positive unit.
func TestCrossRecalibrateKeepsPatientsWhole(t *testing.T) {
	const folds = 5
	r := rng.Stream(5, "cross", "patients")
	var scores []float64
	var labels []int
	var patients []string
	for i := range 300 {
		scores, labels, patients = append(scores, r.Float64()), append(labels, r.IntN(2)), append(patients, strconv.Itoa(i%100))
	}
	members := unitsOf(labels, patients)
	fold := patientFolds(members, labels, folds, 1)
	positive := map[int]map[string]bool{}
	for i, p := range patients {
		if fold[i] != fold[i%100] {
			t.Fatalf("patient %s in folds %d and %d", p, fold[i], fold[i%100])
		}
		if labels[i] == 1 {
			if positive[fold[i]] == nil {
				positive[fold[i]] = map[string]bool{}
			}
			positive[fold[i]][p] = true
		}
	}
	with := patientsWith(members, labels, 1)
	for k := range folds {
		if n := len(positive[k]); n < with/folds || n > with/folds+1 {
			t.Errorf("fold %d has %d of the %d patients with a positive unit", k, n, with)
		}
	}
	p, err := CrossRecalibrate(scores, labels, patients, FromProbability, folds, 1)
	if err != nil {
		t.Fatal(err)
	}
	moved := slices.Clone(scores)
	moved[207] = 1 - moved[207] // of patient 7, who has units 7, 107 and 207
	q, err := CrossRecalibrate(moved, labels, patients, FromProbability, folds, 1)
	if err != nil || p[7] != q[7] || p[107] != q[107] {
		t.Errorf("a patient's units teach each other: %v and %v, %v and %v (%v)", p[7], q[7], p[107], q[107], err)
	}
	if _, err := CrossRecalibrate(scores, labels, patients[:7], FromProbability, folds, 1); err == nil {
		t.Error("seven patients were given for 300 units")
	}
	one := make([]string, len(scores))
	if _, err := CrossRecalibrate(scores, labels, one, FromProbability, folds, 1); err == nil {
		t.Error("one patient was divided over five folds")
	}
}

// TestHosmerLemeshowLeavesGroupsOut: a group of certainties that came true, or one without units, has no degree of freedom.
func TestHosmerLemeshowLeavesGroupsOut(t *testing.T) {
	p := []float64{0, 0, 0, 0, .2, .2, .25, .25, .4, .45, .5, .55, .6, .7, .8, .9}
	y := []int{0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 1, 1, 1, 1}
	h, err := HosmerLemeshowTest(p, y, 4)
	if err != nil {
		t.Fatal(err)
	}
	rest, err := HosmerLemeshowTest(p[4:], y[4:], 3)
	if err != nil {
		t.Fatal(err)
	}
	if h.Groups != 4 || h.DF != 3 || rest.DF != 3 {
		t.Errorf("%+v, the rest %+v", h, rest)
	}
	closeTo(t, "Hosmer-Lemeshow without the certain group", h.Statistic, float64(rest.Statistic), 1e-12)
	closeTo(t, "its P", h.P, float64(rest.P), 1e-12)

	few, err := HosmerLemeshowTest([]float64{.2, .4, .9}, []int{0, 1, 1}, 10)
	if err != nil || few.Groups != 3 || few.DF != 3 || few.P.IsNaN() {
		t.Errorf("three units in ten groups: %+v, %v", few, err)
	}
	y[0] = 1
	if h, _ = HosmerLemeshowTest(p, y, 4); !h.P.IsNaN() || h.Note == "" {
		t.Errorf("a certainty that the outcome proved wrong: %+v", h)
	}
	if h, _ = HosmerLemeshowTest([]float64{0, 0, 1, 1}, []int{0, 0, 1, 1}, 4); h.DF != 0 || !h.P.IsNaN() || h.Note == "" {
		t.Errorf("nothing but certainties: %+v", h)
	}
}
