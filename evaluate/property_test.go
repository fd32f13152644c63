package evaluate

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sonotype/internal/problem"
	"sonotype/internal/rng"
)

// draw makes n units with tied scores in [0, 1] and both classes.
func draw(r *rand.Rand, n int) (scores []float64, labels []int) {
	levels := 2 + r.IntN(2*n)
	scores, labels = make([]float64, n), make([]int, n)
	for i := range scores {
		labels[i] = r.IntN(2)
		scores[i] = float64(r.IntN(levels+labels[i])) / float64(levels)
	}
	labels[0], labels[1], labels[2], labels[3] = 0, 1, 0, 1
	return scores, labels
}

// slowDeLong is the definition: every positive against every negative.
func slowDeLong(scores []float64, labels []int) (auc, variance float64) {
	var v10, v01 []float64
	share := func(i, label int) float64 {
		var wins, n float64
		for j, s := range scores {
			if labels[j] == label {
				continue
			}
			n++
			hi, lo := scores[i], s
			if label == 0 {
				hi, lo = lo, hi
			}
			switch {
			case hi > lo:
				wins++
			case hi == lo:
				wins += .5
			}
		}
		return wins / n
	}
	for i := range scores {
		if labels[i] == 1 {
			v10 = append(v10, share(i, 1))
		} else {
			v01 = append(v01, share(i, 0))
		}
	}
	for _, v := range v10 {
		auc += v / float64(len(v10))
	}
	spread := func(x []float64) (s float64) {
		for _, v := range x {
			s += (v - auc) * (v - auc) / float64(len(x)-1)
		}
		return s / float64(len(x))
	}
	return auc, spread(v10) + spread(v01)
}

func TestDeLongTwinAndInvariances(t *testing.T) {
	r := rng.Stream(3, "delong")
	for range 200 {
		scores, labels := draw(r, 5+r.IntN(60))
		a, err := DeLong(scores, labels)
		if err != nil {
			t.Fatal(err)
		}
		auc, v := slowDeLong(scores, labels)
		closeTo(t, "AUC", a.AUC, auc, 1e-12)
		closeTo(t, "variance", a.SE*a.SE, v, 1e-12)
		monotone, negated, swapped := make([]float64, len(scores)), make([]float64, len(scores)), make([]int, len(labels))
		for i, s := range scores {
			monotone[i], negated[i], swapped[i] = math.Exp(3*s)-7, -s, 1-labels[i]
		}
		m, _ := DeLong(monotone, labels)
		if m.AUC != a.AUC || m.SE != a.SE {
			t.Fatal("a monotone map changes the AUC")
		}
		n, _ := DeLong(negated, labels)
		s, _ := DeLong(scores, swapped)
		closeTo(t, "negated", n.AUC, 1-float64(a.AUC), 1e-12)
		closeTo(t, "labels swapped", s.AUC, 1-float64(a.AUC), 1e-12)
		closeTo(t, "negated SE", n.SE, float64(a.SE), 1e-12)
		other, _ := draw(r, len(scores))
		p, _ := DeLongPaired(scores, other, labels)
		q, _ := DeLongPaired(other, scores, labels)
		if p.Z != -q.Z && !p.Z.IsNaN() {
			t.Fatalf("paired z %v, reversed %v", p.Z, q.Z)
		}
		if same, _ := DeLongPaired(scores, monotone, labels); same.P != 1 {
			t.Fatalf("equal ranks: p = %v", same.P)
		}
		perm := r.Perm(len(scores))
		ps, pl := make([]float64, len(scores)), make([]int, len(scores))
		for i, k := range perm {
			ps[i], pl[i] = scores[k], labels[k]
		}
		b, _ := DeLong(ps, pl)
		if b.AUC != a.AUC {
			t.Fatal("row order changes the AUC")
		}
		closeTo(t, "permuted SE", b.SE, float64(a.SE), 1e-12)
	}
}

// TestROCMatchesConfusion: each point is what the rule score > threshold gives, the trapezoid is the AUC, and
// Youden's cut is the best of them.
func TestROCMatchesConfusion(t *testing.T) {
	r := rng.Stream(4, "roc")
	for range 200 {
		scores, labels := draw(r, 5+r.IntN(40))
		roc, _ := ROC(scores, labels)
		a, _ := DeLong(scores, labels)
		var area, best float64
		for i, p := range roc {
			tp, fp, tn, fn := Confusion(scores, labels, float64(p.Threshold))
			if p.TPR != float64(tp)/float64(tp+fn) || p.FPR != float64(fp)/float64(fp+tn) {
				t.Fatalf("threshold %v: point (%v, %v), counts %d %d %d %d", p.Threshold, p.FPR, p.TPR, tp, fp, tn, fn)
			}
			if i > 0 {
				area += (p.FPR - roc[i-1].FPR) * (p.TPR + roc[i-1].TPR) / 2
			}
			best = max(best, p.TPR-p.FPR)
		}
		if first, last := roc[0], roc[len(roc)-1]; first.TPR != 0 || first.FPR != 0 || last.TPR != 1 || last.FPR != 1 {
			t.Fatal("the curve does not run from (0, 0) to (1, 1)")
		}
		closeTo(t, "area", a.AUC, area, 1e-12)
		cut, _ := Youden(scores, labels)
		closeTo(t, "J", cut.J, best, 1e-12)
		m, _ := Measure(scores, labels, float64(cut.Threshold))
		if m.Sensitivity != cut.Sensitivity || m.Specificity != cut.Specificity {
			t.Fatal("Measure at Youden's threshold disagrees with Youden")
		}
		if m.TP+m.FP+m.TN+m.FN != m.N || m.TP+m.FN != m.Positive {
			t.Fatal("counts do not add up")
		}
	}
}

func TestThresholdBetweenNeighbouringFloats(t *testing.T) {
	lo := .3
	hi := math.Nextafter(lo, 1)
	roc, _ := ROC([]float64{lo, hi}, []int{0, 1})
	tp, fp, _, _ := Confusion([]float64{lo, hi}, []int{0, 1}, float64(roc[1].Threshold))
	if tp != 1 || fp != 0 {
		t.Errorf("tp %d fp %d at %v", tp, fp, roc[1].Threshold)
	}
}

func TestScoreAtThresholdIsNegative(t *testing.T) {
	if tp, fp, tn, fn := Confusion([]float64{.5, .5}, []int{0, 1}, .5); tp != 0 || fp != 0 || tn != 1 || fn != 1 {
		t.Error("a score equal to the threshold must be negative")
	}
}

func TestDecisionReferences(t *testing.T) {
	r := rng.Stream(6, "decision")
	scores, labels := draw(r, 80)
	ones, zeros := slices.Repeat([]float64{1}, 80), make([]float64, 80)
	all, _ := Decision(ones, labels, nil)
	none, _ := Decision(zeros, labels, nil)
	for i := range all.Points {
		if all.Points[i].Model != all.Points[i].TreatAll || none.Points[i].Model != 0 {
			t.Fatal("scores of 1 must be treat all, of 0 treat none")
		}
	}
	if len(all.Better)+len(none.Better) != 0 {
		t.Error("the references are not better than themselves")
	}
	c, _ := Decision(scores, labels, nil)
	for _, p := range c.Points {
		inside := slices.ContainsFunc(c.Better, func(r Range) bool { return r.Lo <= p.Threshold && p.Threshold <= r.Hi })
		if inside != (p.Model > p.TreatAll && p.Model > 0) {
			t.Errorf("pt %v: better %v, model %v all %v", p.Threshold, inside, p.Model, p.TreatAll)
		}
	}
	for _, grid := range [][]float64{{.5, .4}, {1}, {-.1}, {math.NaN()}} {
		if _, err := Decision(scores, labels, grid); err == nil {
			t.Errorf("grid %v accepted", grid)
		}
	}
}

func TestRecalibration(t *testing.T) {
	r := rng.Stream(8, "recalibration")
	n := 300
	scores, labels := make([]float64, n), make([]int, n)
	for i := range scores { // AdaBoost-like: a narrow band around one half
		z := r.NormFloat64()
		scores[i] = sigmoid(.1 * z)
		if r.Float64() < sigmoid(.5+1.2*z) {
			labels[i] = 1
		}
	}
	for _, input := range []string{FromProbability, FromDecision} {
		fit, err := FitRecalibration(scores, labels, input)
		if err != nil {
			t.Fatal(err)
		}
		out := make([]float64, n)
		for i, s := range scores {
			if out[i], err = fit.Apply(s); err != nil {
				t.Fatal(err)
			}
		}
		c, _ := Calibrate(out, labels)
		closeTo(t, input+" slope after recalibration", c.Slope.Value, 1, 1e-8)
		closeTo(t, input+" intercept after recalibration", c.Intercept.Value, 0, 1e-8)
		closeTo(t, input+" O:E after recalibration", c.ObservedExpect.Value, 1, 1e-8)
		before, _ := DeLong(scores, labels)
		after, _ := DeLong(out, labels)
		if before.AUC != after.AUC {
			t.Error("recalibration changed the ranking")
		}
	}
	fit, err := FitRecalibration([]float64{.1, .2, .8, .9}, []int{0, 0, 1, 1}, FromProbability)
	if err != nil || fit.Note == "" || !(fit.Slope > 0) || math.IsInf(fit.Slope, 0) {
		t.Errorf("separated scores: %+v %v", fit, err)
	}
	if _, err := FitRecalibration([]float64{.5, .5}, []int{0, 1}, FromProbability); err == nil {
		t.Error("equal scores accepted")
	}
}

func TestNotComputableIsNullWithNote(t *testing.T) {
	one := []int{1, 1, 1}
	scores := []float64{.2, .5, .9}
	m, err := Measure(scores, one, .95)
	if err != nil || m.Note == "" {
		t.Fatalf("%+v %v", m, err)
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"auc", "auc_lo", "specificity", "ppv"} {
		if !strings.Contains(string(b), `"`+field+`":null`) {
			t.Errorf("%s is not null in %s", field, b)
		}
	}
	perfect, _ := DeLong([]float64{.1, .2, .8, .9}, []int{0, 0, 1, 1})
	if perfect.AUC != 1 || perfect.Lo != 1 || perfect.Note == "" {
		t.Errorf("AUC 1: %+v", perfect)
	}
	single, _ := DeLong([]float64{.1, .2, .8}, []int{0, 0, 1})
	if !single.Lo.IsNaN() || single.Note == "" || single.AUC != 1 {
		t.Errorf("one positive: %+v", single)
	}
	if c, _ := Calibrate([]float64{.1, .2, .8, .9}, []int{0, 0, 1, 1}); !c.Slope.Value.IsNaN() || c.Intercept.Value.IsNaN() || c.Note == "" {
		t.Errorf("separated: %+v", c)
	}
	if c, err := Calibrate([]float64{0, 1, 1}, []int{0, 1, 0}); err != nil || c.Certain != 3 || c.CertainWrong != 1 || c.Note == "" || c.Brier.IsNaN() {
		t.Errorf("certain: %+v %v", c, err)
	}
	if cut, _ := Youden(scores, one); !cut.Threshold.IsNaN() || cut.Note == "" {
		t.Errorf("one class: %+v", cut)
	}
	if m, _ := Measure([]float64{-3, 2}, []int{0, 1}, 0); !m.Brier.IsNaN() || m.Note == "" || m.AUC != 1 {
		t.Errorf("decision values: %+v", m)
	}
	for _, v := range []any{perfect, single, cutOf(scores, one), must(Distribute(scores, one)), must(ROC(scores, []int{0, 1, 1})), must(Calibrate(scores, one)), must(Decision(scores, one, nil))} {
		if _, err := json.Marshal(v); err != nil {
			t.Errorf("%T: %v", v, err)
		}
	}
}

func cutOf(s []float64, l []int) Cut { return must(Youden(s, l)) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestBadInput(t *testing.T) {
	bad := []struct {
		scores []float64
		labels []int
	}{{nil, nil}, {[]float64{1}, nil}, {[]float64{math.NaN()}, []int{1}}, {[]float64{math.Inf(1)}, []int{0}}, {[]float64{1}, []int{2}}}
	for _, b := range bad {
		for name, err := range map[string]error{"DeLong": second(DeLong(b.scores, b.labels)), "ROC": second(ROC(b.scores, b.labels)), "Measure": second(Measure(b.scores, b.labels, .5)),
			"Calibrate": second(Calibrate(b.scores, b.labels)), "Distribute": second(Distribute(b.scores, b.labels)), "Youden": second(Youden(b.scores, b.labels))} {
			if _, ok := problem.As(err); !ok {
				t.Errorf("%s(%v, %v): error %v", name, b.scores, b.labels, err)
			}
		}
	}
	if _, err := Calibrate([]float64{1.5, .2}, []int{1, 0}); err == nil {
		t.Error("a probability of 1.5 accepted")
	}
	if _, err := Measure([]float64{1, 0}, []int{1, 0}, math.NaN()); err == nil {
		t.Error("a NaN threshold accepted")
	}
}

func second[T any](_ T, err error) error { return err }

func TestUnits(t *testing.T) {
	p, err := Pool([]float64{.2, .4, .9}, []int{0, 0, 1}, []string{"b", "b", "a"})
	if err != nil || !reflect.DeepEqual(p.Unit, []string{"b", "a"}) || math.Abs(p.Score[0]-.3) > 1e-15 || p.Images[0] != 2 || p.Label[1] != 1 {
		t.Errorf("%+v %v", p, err)
	}
	_, err = Pool([]float64{.2, .4}, []int{0, 1}, []string{"P7", "P7"})
	if e, ok := problem.As(err); !ok || e.Patient != "P7" {
		t.Errorf("differing labels: %v", err)
	}
	q, err := Pool([]float64{1, 3}, []int{1, 1}, []string{"x", "x"})
	if err != nil || len(q.Unit) != 1 || q.Score[0] != 2 {
		t.Errorf("%+v %v", q, err)
	}
	if _, err := Pool([]float64{1, 3}, []int{1, 1}, []string{"x"}); err == nil {
		t.Error("length mismatch accepted")
	}
}
