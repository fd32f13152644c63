package evaluate

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"sonotype/internal/num"
	"sonotype/internal/rng"
)

func TestBootstrapSameForAnyWorkers(t *testing.T) {
	scores, labels := draw(rng.Stream(9, "bootstrap"), 50)
	other, _ := draw(rng.Stream(9, "other"), 50)
	candidates := []Candidate{{Scores: scores, Threshold: .5, Recalibrated: other}, {Scores: other, Threshold: .2}}
	var want []BootstrapResult
	var band *CurveBand
	for i, workers := range []int{1, 2, 7} {
		c := BootstrapConfig{Draws: 300, Seed: 42, Workers: workers}
		got, err := Bootstrap(context.Background(), labels, candidates, c)
		if err != nil {
			t.Fatal(err)
		}
		b, err := CalibrationBand(context.Background(), scores, labels, c)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			want, band = got, b
		} else if fmt.Sprint(got) != fmt.Sprint(want) || fmt.Sprint(b) != fmt.Sprint(band) {
			t.Fatalf("%d workers change the result", workers)
		}
	}
	a, _ := DeLong(scores, labels)
	if !(want[0].AUC.Lo <= a.AUC && a.AUC <= want[0].AUC.Hi) {
		t.Errorf("AUC %v outside its interval %v..%v", a.AUC, want[0].AUC.Lo, want[0].AUC.Hi)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Bootstrap(ctx, labels, candidates, BootstrapConfig{}); err == nil {
		t.Error("a cancelled bootstrap gives no error")
	}
}

// slowMeasures are a draw's measures by their definitions, on the units written out.
func slowMeasures(t *testing.T, p, recalibrated []float64, labels []int, threshold float64, levels, grid []float64) (conditional, dependent []num.Float) {
	m, err := Measure(p, labels, threshold)
	if err != nil {
		t.Fatal(err)
	}
	pr, _ := PRAUC(p, labels)
	c, _ := Calibrate(p, labels)
	tp, fp, tn, fn := float64(m.TP), float64(m.FP), float64(m.TN), float64(m.FN)
	sens, spec := tp/(tp+fn), tn/(tn+fp)
	conditional = []num.Float{m.AUC, m.Sensitivity, m.Specificity, num.Float(sens / (1 - spec)), num.Float((1 - sens) / spec), c.Slope.Value}
	for _, at := range []func([]float64, []int, []float64) ([]FixedPoint, error){AtSpecificity, AtSensitivity} {
		points, _ := at(p, labels, levels)
		for _, q := range points {
			conditional = append(conditional, q.Value)
		}
	}
	if m.Positive == m.N {
		pr = num.NaN() // of one class: not used
	}
	dependent = []num.Float{pr, m.Accuracy, m.PPV, m.NPV, m.F1, c.Brier, c.BrierScaled, c.Intercept.Value, c.ObservedExpect.Value}
	for _, x := range [][]float64{p, recalibrated} {
		d, _ := Decision(x, labels, grid)
		var standardised, gain []num.Float
		for _, q := range d.Points {
			dependent, standardised, gain = append(dependent, num.Float(q.Model)), append(standardised, q.Standardised), append(gain, num.Float(q.Model-q.TreatAll))
		}
		dependent = append(append(dependent, standardised...), gain...)
	}
	return conditional, dependent
}

// TestBootstrapDrawTwin compares the one-pass measures of a draw with the definitions on the drawn units written out.
func TestBootstrapDrawTwin(t *testing.T) {
	r := rng.Stream(10, "draw")
	for b := range 60 {
		scores, labels := draw(r, 8+r.IntN(60))
		other, _ := draw(r, len(scores))
		patients := make([]string, len(scores)) // several lesions, of both classes too
		for i := range patients {
			patients[i] = fmt.Sprint(r.IntN(1 + len(scores)*2/3))
		}
		c := BootstrapConfig{Levels: []float64{.5, .8, .9}, Grid: []float64{.1, .25, .5, .7}}
		m := Candidate{Scores: scores, Threshold: .4, Probability: scores, Recalibrated: other}
		s := newSweep(&m, labels, c)
		d, err := newSamplers(labels, patients, uint64(b))
		if err != nil {
			t.Fatal(err)
		}
		sample := make([]uint16, len(labels))
		for k, sampler := range []*resampler{d.within, d.whole, d.whole, d.whole} {
			sampler.draw(k, sample)
			if k == 3 { // one class
				for i, y := range labels {
					sample[i] *= uint16((y + b) % 2)
				}
			}
			var p, q []float64
			var l []int
			for i, count := range sample {
				for range count {
					p, q, l = append(p, scores[i]), append(q, other[i]), append(l, labels[i])
				}
			}
			if len(p) == 0 {
				continue
			}
			conditional, dependent := make([]float64, s.conditionalWidth()), make([]float64, s.dependentWidth())
			s.conditional(sample, conditional)
			s.dependent(sample, dependent)
			wantConditional, wantDependent := slowMeasures(t, p, q, l, .4, c.Levels, c.Grid)
			sameMeasures(t, "conditional", conditional, wantConditional)
			sameMeasures(t, "dependent", dependent, wantDependent)
		}
	}
}

func sameMeasures(t *testing.T, what string, got []float64, want []num.Float) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d %s measures, want %d", len(got), what, len(want))
	}
	for k := range want {
		w := float64(want[k])
		same := math.Abs(got[k]-w) <= 1e-8*(1+math.Abs(w)) || math.IsNaN(got[k]) && math.IsNaN(w) || math.IsInf(got[k], 1) && math.IsInf(w, 1)
		if !same {
			t.Fatalf("%s measure %d: %v, want %v", what, k, got[k], want[k])
		}
	}
}

// TestDrawsKeepPatientsWhole: the lesions of a patient come together; within the strata each keeps its number of patients,
// and of all patients as many are drawn as there are, with numbers of the strata that change.
func TestDrawsKeepPatientsWhole(t *testing.T) {
	labels := []int{0, 0, 1, 1, 0, 1, 1, 0, 1}
	patients := []string{"a", "a", "b", "b", "c", "c", "d", "e", "f"}
	d, err := newSamplers(labels, patients, 3)
	if err != nil || d.patients != 6 {
		t.Fatal(d, err)
	}
	s := make([]uint16, len(labels))
	negatives := map[uint16]bool{}
	for b := range 200 {
		for _, sampler := range []*resampler{d.within, d.whole} {
			sampler.draw(b, s)
			if s[0] != s[1] || s[2] != s[3] || s[4] != s[5] {
				t.Fatal("a patient's lesions parted", s)
			}
			if s[0]+s[2]+s[4]+s[6]+s[7]+s[8] != 6 {
				t.Fatal("not six patients", s)
			}
			if sampler == d.within && (s[0]+s[7] != 2 || s[2]+s[6]+s[8] != 3) {
				t.Fatal("a stratum changed its size", s)
			}
		}
		negatives[s[0]+s[7]] = true
	}
	if len(negatives) < 4 {
		t.Error("the numbers of negative patients hardly vary", negatives)
	}
	one, _ := newSamplers(labels, nil, 3)
	each, _ := newSamplers(labels, []string{"0", "1", "2", "3", "4", "5", "6", "7", "8"}, 3)
	if !reflect.DeepEqual(one, each) {
		t.Error("units without patients are not patients of their own")
	}
}

// TestOneClassDraws: with two positives some draws hold none, and what needs both classes leaves those out.
func TestOneClassDraws(t *testing.T) {
	scores := []float64{.1, .2, .3, .4, .5, .6, .7, .8}
	labels := []int{0, 0, 0, 0, 0, 1, 0, 1}
	out, err := Bootstrap(context.Background(), labels, []Candidate{{Scores: scores, Threshold: .05}}, BootstrapConfig{Draws: 1000})
	if err != nil {
		t.Fatal(err)
	}
	r := out[0]
	used := r.PRAUC.Used
	if want := 1000 * (1 - math.Pow(.75, 8)); math.Abs(float64(used)-want) > 50 {
		t.Errorf("%d draws with both classes, expected about %.0f", used, want)
	}
	if r.Decision.Standardised[9].Used != used || r.BrierScaled.Used != used || r.Intercept.Used != used {
		t.Errorf("draws of one class were used: %+v", r)
	}
	for _, all := range []BootstrapInterval{r.AUC, r.Sensitivity, r.Accuracy, r.Brier, r.OE, r.Decision.Benefit[9], r.Decision.OverAll[9]} {
		if all.Used != 1000 {
			t.Errorf("only %d draws used of a measure that always exists", all.Used)
		}
	}
	if !strings.Contains(r.Note, fmt.Sprintf("%d of 1000 draws of all patients held both classes", used)) {
		t.Errorf("the note does not say so: %q", r.Note)
	}
}

func TestNegativeDrawsAreAnError(t *testing.T) {
	p, labels := []float64{.2, .4, .6, .8}, []int{0, 1, 0, 1}
	c := BootstrapConfig{Draws: -1}
	if _, err := CalibrationBand(context.Background(), p, labels, c); err == nil {
		t.Error("a band of -1 draws")
	}
	if _, err := Bootstrap(context.Background(), labels, []Candidate{{Scores: p}}, c); err == nil {
		t.Error("a bootstrap of -1 draws")
	}
}

func BenchmarkBootstrap18Models239Patients(b *testing.B) {
	r := rng.Stream(1, "speed")
	labels := make([]int, 239)
	for i := range labels {
		labels[i] = i % 3 / 2
	}
	candidates := make([]Candidate, 18)
	for k := range candidates {
		p, q := make([]float64, len(labels)), make([]float64, len(labels))
		for i, y := range labels {
			p[i] = sigmoid(float64(y) + r.NormFloat64())
			q[i] = p[i] * .8
		}
		candidates[k] = Candidate{Scores: p, Threshold: .5, Recalibrated: q}
	}
	for b.Loop() {
		if _, err := Bootstrap(b.Context(), labels, candidates, BootstrapConfig{Workers: 2}); err != nil {
			b.Fatal(err)
		}
	}
}
