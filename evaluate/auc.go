package evaluate

import (
	"math"

	"sonotype/internal/num"
	"sonotype/internal/stats"
)

// delong holds an AUC with its structural components: for each unit the share of the other class that it is
// ranked rightly against (DeLong, DeLong and Clarke-Pearson, Biometrics 1988).
type delong struct {
	auc      float64
	positive []float64 // V10, one per positive unit
	negative []float64 // V01, one per negative unit
}

// components computes them in O(n log n) by mid-ranks (Sun and Xu, IEEE Signal Processing Letters 2014).
func components(scores []float64, labels []int) delong {
	var x, y []float64
	for i, s := range scores {
		if labels[i] == 1 {
			x = append(x, s)
		} else {
			y = append(y, s)
		}
	}
	m, n := float64(len(x)), float64(len(y))
	all, _ := stats.MidRanks(append(append(make([]float64, 0, len(x)+len(y)), x...), y...))
	within1, _ := stats.MidRanks(x)
	within0, _ := stats.MidRanks(y)
	d := delong{positive: x, negative: y} // reuse: every x[i], y[j] is replaced below
	var sum float64
	for i := range x {
		sum += all[i]
		d.positive[i] = (all[i] - within1[i]) / n
	}
	for j := range y {
		d.negative[j] = 1 - (all[len(x)+j]-within0[j])/m
	}
	d.auc = (sum - m*(m+1)/2) / (m * n)
	return d
}

// covariance is the DeLong covariance of two AUCs of the same units; NaN when a class has one unit.
func covariance(a, b delong) float64 {
	return dot(a.positive, b.positive, a.auc, b.auc)/float64(len(a.positive)) + dot(a.negative, b.negative, a.auc, b.auc)/float64(len(a.negative))
}

func dot(a, b []float64, meanA, meanB float64) float64 {
	if len(a) < 2 {
		return math.NaN()
	}
	var s float64
	for i := range a {
		s += (a[i] - meanA) * (b[i] - meanB)
	}
	return s / float64(len(a)-1)
}

// DeLong gives the area under the ROC curve (the Mann-Whitney statistic, ties one half; higher scores mean
// positive, never flipped) with DeLong's standard error and 95 % interval, clipped to [0, 1].
func DeLong(scores []float64, labels []int) (AUC, error) {
	positive, negative, err := checkInput(scores, labels)
	if err != nil {
		return AUC{}, err
	}
	out := AUC{N: len(scores), Positive: positive, AUC: num.NaN(), SE: num.NaN(), Lo: num.NaN(), Hi: num.NaN(), Level: 0.95, Method: "delong"}
	if out.Note = oneClass(positive, negative); out.Note != "" {
		return out, nil
	}
	d := components(scores, labels)
	v := covariance(d, d)
	out.AUC = num.Float(d.auc)
	if math.IsNaN(v) {
		out.Note = "no interval: a class has a single unit"
		return out, nil
	}
	se := math.Sqrt(v)
	out.SE = num.Float(se)
	out.Lo, out.Hi = num.Float(max(0, d.auc-stats.Z975*se)), num.Float(min(1, d.auc+stats.Z975*se))
	if se == 0 {
		out.Note = "DeLong's variance is zero: the interval has no width and understates the uncertainty"
	}
	return out, nil
}

// DeLongPaired tests whether two scores of the same units have the same AUC (two-sided, normal).
func DeLongPaired(scores1, scores2 []float64, labels []int) (PairedAUC, error) {
	positive, negative, err := checkInput(scores1, labels)
	if err != nil {
		return PairedAUC{}, err
	}
	if _, _, err := checkInput(scores2, labels); err != nil {
		return PairedAUC{}, err
	}
	nan := num.NaN()
	out := PairedAUC{N: len(labels), Positive: positive, AUC1: nan, AUC2: nan, Difference: nan, SE: nan, Lo: nan, Hi: nan, Z: nan, P: nan}
	if out.Note = oneClass(positive, negative); out.Note != "" {
		return out, nil
	}
	a, b := components(scores1, labels), components(scores2, labels)
	out.AUC1, out.AUC2, out.Difference = num.Float(a.auc), num.Float(b.auc), num.Float(a.auc-b.auc)
	va, vb := covariance(a, a), covariance(b, b)
	v := va + vb - 2*covariance(a, b)
	if math.IsNaN(v) {
		out.Note = "no test: a class has a single unit"
		return out, nil
	}
	if !(v > 1e-14*(va+vb)) { // what is left is rounding
		out.SE = 0
		out.Note = "no test: the difference has no variance"
		if a.auc == b.auc {
			out.P, out.Note = 1, "the scores rank the units alike"
		}
		return out, nil
	}
	se := math.Sqrt(v)
	z := (a.auc - b.auc) / se
	out.SE, out.Z, out.P = num.Float(se), num.Float(z), num.Float(stats.NormalTwoSided(z))
	out.Lo, out.Hi = num.Float(a.auc-b.auc-stats.Z975*se), num.Float(a.auc-b.auc+stats.Z975*se)
	return out, nil
}
