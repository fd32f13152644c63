package evaluate

import (
	"math"

	"sonotype/internal/num"
	"sonotype/internal/stats"
)

// Ratio is a ratio with its 95 % interval.
type Ratio struct {
	Value num.Float `json:"value"`
	Lo    num.Float `json:"lo"`
	Hi    num.Float `json:"hi"`
}

// LikelihoodRatios gives LR+ = sensitivity / (1 - specificity) and LR- = (1 - sensitivity) / specificity with intervals on
// the log scale (Simel, Samsa and Matchar, J Clin Epidemiol 1991). A ratio with an empty cell in its numerator or
// denominator has no such interval; one with 0 below is null.
func LikelihoodRatios(tp, fp, tn, fn int) (positive, negative Ratio) {
	return rateRatio(tp, tp+fn, fp, fp+tn), rateRatio(fn, tp+fn, tn, fp+tn)
}

// rateRatio is (a / m) / (b / n).
func rateRatio(a, m, b, n int) Ratio {
	r := Ratio{Value: num.NaN(), Lo: num.NaN(), Hi: num.NaN()}
	if m == 0 || n == 0 || b == 0 {
		return r
	}
	v := float64(a) / float64(m) / (float64(b) / float64(n))
	r.Value = num.Float(v)
	if a == 0 {
		return r
	}
	se := math.Sqrt(1/float64(a) - 1/float64(m) + 1/float64(b) - 1/float64(n))
	r.Lo, r.Hi = num.Float(v*math.Exp(-stats.Z975*se)), num.Float(v*math.Exp(stats.Z975*se))
	return r
}
