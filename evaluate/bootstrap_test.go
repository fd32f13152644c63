package evaluate

import (
	"context"
	"fmt"
	"math"
	"reflect"
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
func slowMeasures(t *testing.T, p, recalibrated []float64, labels []int, threshold float64, levels, grid []float64) []num.Float {
	m, err := Measure(p, labels, threshold)
	if err != nil {
		t.Fatal(err)
	}
	pr, _ := PRAUC(p, labels)
	c, _ := Calibrate(p, labels)
	tp, fp, tn, fn := float64(m.TP), float64(m.FP), float64(m.TN), float64(m.FN)
	sens, spec := tp/(tp+fn), tn/(tn+fp)
	out := []num.Float{m.AUC, pr, m.Accuracy, m.Sensitivity, m.Specificity, m.PPV, m.NPV, m.F1, num.Float(sens / (1 - spec)), num.Float((1 - sens) / spec),
		c.Brier, c.BrierScaled, c.Intercept.Value, c.Slope.Value, c.ObservedExpect.Value}
	for _, at := range []func([]float64, []int, []float64) ([]FixedPoint, error){AtSpecificity, AtSensitivity} {
		points, _ := at(p, labels, levels)
		for _, q := range points {
			out = append(out, q.Value)
		}
	}
	for _, x := range [][]float64{p, recalibrated} {
		d, _ := Decision(x, labels, grid)
		for _, q := range d.Points {
			out = append(out, num.Float(q.Model))
		}
	}
	return out
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
		d, err := newResampler(labels, patients, uint64(b))
		if err != nil {
			t.Fatal(err)
		}
		got, sample := make([]float64, s.width()), make([]uint16, len(labels))
		for draw := range 3 {
			d.draw(draw, sample)
			var p, q []float64
			var l []int
			for i, count := range sample {
				for range count {
					p, q, l = append(p, scores[i]), append(q, other[i]), append(l, labels[i])
				}
			}
			s.measure(sample, got)
			for k, want := range slowMeasures(t, p, q, l, .4, c.Levels, c.Grid) {
				w := float64(want)
				same := math.Abs(got[k]-w) <= 1e-8*(1+math.Abs(w)) || math.IsNaN(got[k]) && math.IsNaN(w) || math.IsInf(got[k], 1) && math.IsInf(w, 1)
				if !same {
					t.Fatalf("measure %d: %v, want %v", k, got[k], want)
				}
			}
		}
	}
}

// TestDrawsKeepPatientsWhole: the lesions of a patient come together, and each stratum keeps its number of patients.
func TestDrawsKeepPatientsWhole(t *testing.T) {
	labels := []int{0, 0, 1, 1, 0, 1, 1, 0, 1}
	patients := []string{"a", "a", "b", "b", "c", "c", "d", "e", "f"}
	d, err := newResampler(labels, patients, 3)
	if err != nil || d.patient != 6 {
		t.Fatal(d, err)
	}
	s := make([]uint16, len(labels))
	for b := range 200 {
		d.draw(b, s)
		if s[0] != s[1] || s[2] != s[3] || s[4] != s[5] {
			t.Fatal("a patient's lesions parted", s)
		}
		if s[0]+s[7] != 2 || s[2]+s[6]+s[8] != 3 || s[4] != 1 {
			t.Fatal("a stratum changed its size", s)
		}
	}
	one, _ := newResampler(labels, nil, 3)
	each, _ := newResampler(labels, []string{"0", "1", "2", "3", "4", "5", "6", "7", "8"}, 3)
	if !reflect.DeepEqual(one, each) {
		t.Error("units without patients are not patients of their own")
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
