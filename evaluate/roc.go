package evaluate

import (
	"math"

	"sonotype/internal/num"
	"sonotype/internal/stats"
)

// corner is one achievable split of the units: those with score > threshold are called positive.
type corner struct {
	threshold float64 // -Inf where everybody is positive
	tp, fp    int
}

// corners lists every split from "nobody positive" to "everybody positive". Tied scores move together. A
// threshold lies midway between neighbouring scores; the first is the largest score itself.
func corners(scores []float64, labels []int) []corner {
	idx := stats.Order(scores)
	out := []corner{{threshold: scores[idx[len(idx)-1]]}}
	var tp, fp int
	for i := len(idx) - 1; i >= 0; {
		v := scores[idx[i]]
		for ; i >= 0 && scores[idx[i]] == v; i-- {
			if labels[idx[i]] == 1 {
				tp++
			} else {
				fp++
			}
		}
		t := math.Inf(-1)
		if i >= 0 {
			t = between(scores[idx[i]], v)
		}
		out = append(out, corner{threshold: t, tp: tp, fp: fp})
	}
	return out
}

// between is the midpoint of lo < hi, or lo where the midpoint is not below hi in floating point.
func between(lo, hi float64) float64 {
	if m := lo + (hi-lo)/2; m >= lo && m < hi {
		return m
	}
	return lo
}

// ROC gives the curve's points from (0, 0) to (1, 1), one per distinct score and one more. It needs both classes:
// with one class only there are no points.
func ROC(scores []float64, labels []int) ([]ROCPoint, error) {
	positive, negative, err := checkInput(scores, labels)
	if err != nil {
		return nil, err
	}
	out := []ROCPoint{}
	if positive == 0 || negative == 0 {
		return out, nil
	}
	for _, c := range corners(scores, labels) {
		tpr, fpr := float64(c.tp)/float64(positive), float64(c.fp)/float64(negative)
		out = append(out, ROCPoint{Threshold: num.Float(c.threshold), FPR: fpr, TPR: tpr, Sensitivity: tpr, Specificity: float64(negative-c.fp) / float64(negative)})
	}
	return out, nil
}

// Youden gives the threshold with the largest sensitivity + specificity - 1, midway between two neighbouring
// scores. Among equal ones it takes the lowest threshold, that is the highest sensitivity. "Everybody positive"
// is not a candidate, as it has no finite threshold.
func Youden(scores []float64, labels []int) (Cut, error) {
	positive, negative, err := checkInput(scores, labels)
	if err != nil {
		return Cut{}, err
	}
	cut := Cut{Threshold: num.NaN(), Sensitivity: num.NaN(), Specificity: num.NaN(), J: num.NaN()}
	if cut.Note = oneClass(positive, negative); cut.Note != "" {
		return cut, nil
	}
	all := corners(scores, labels)
	best, bestJ := all[0], int64(0)
	for _, c := range all[:len(all)-1] {
		// J * positive * negative in whole numbers, so that ties are exact
		if j := int64(c.tp)*int64(negative) - int64(c.fp)*int64(positive); j >= bestJ {
			best, bestJ = c, j
		}
	}
	cut.Threshold = num.Float(best.threshold)
	cut.Sensitivity = num.Float(float64(best.tp) / float64(positive))
	cut.Specificity = num.Float(float64(negative-best.fp) / float64(negative))
	cut.J = cut.Sensitivity + cut.Specificity - 1
	if bestJ == 0 {
		cut.Note = "no threshold does better than chance"
	}
	return cut, nil
}
