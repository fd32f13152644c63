package evaluate

import (
	"math"

	"sonotype/internal/num"
)

// FixedPoint is a rate where the other one is held: sensitivity at specificity At, or specificity at sensitivity At.
type FixedPoint struct {
	At    float64   `json:"at"`
	Value num.Float `json:"value"`
	Lo    num.Float `json:"lo"`
	Hi    num.Float `json:"hi"`
}

// DefaultLevels are the specificities at which sensitivity is given, and the reverse.
func DefaultLevels() []float64 { return []float64{0.8, 0.9, 0.95} }

// AtSpecificity gives the sensitivity at each specificity and AtSensitivity the reverse: read off the ROC curve, corners
// joined by straight lines, as pROC's coords does; where the curve rises vertically the best value counts. Lo and Hi are
// null; a bootstrap fills them.
func AtSpecificity(scores []float64, labels []int, levels []float64) ([]FixedPoint, error) {
	return fixedPoints(scores, labels, levels, fixedSensitivity)
}

// AtSensitivity is the reverse of AtSpecificity.
func AtSensitivity(scores []float64, labels []int, levels []float64) ([]FixedPoint, error) {
	return fixedPoints(scores, labels, levels, fixedSpecificity)
}

func fixedPoints(scores []float64, labels []int, levels []float64, at func(tp, fp []int, level float64) float64) ([]FixedPoint, error) {
	if _, _, err := checkInput(scores, labels); err != nil {
		return nil, err
	}
	all := corners(scores, labels)
	tp, fp := make([]int, len(all)), make([]int, len(all))
	for k, c := range all {
		tp[k], fp[k] = c.tp, c.fp
	}
	out := make([]FixedPoint, len(levels))
	for i, level := range levels {
		out[i] = FixedPoint{At: level, Value: num.Float(at(tp, fp, level)), Lo: num.NaN(), Hi: num.NaN()}
	}
	return out, nil
}

// fixedSensitivity reads the ROC curve, given by its running counts from (0, 0), at a specificity; NaN without both classes.
func fixedSensitivity(tp, fp []int, specificity float64) float64 {
	positive, negative := tp[len(tp)-1], fp[len(fp)-1]
	if positive == 0 || negative == 0 {
		return math.NaN()
	}
	x := nearWhole((1 - specificity) * float64(negative))
	k := 0 // the last corner that is not beyond x
	for lo, hi := 0, len(fp)-1; lo <= hi; {
		if mid := (lo + hi) / 2; float64(fp[mid]) <= x {
			k, lo = mid, mid+1
		} else {
			hi = mid - 1
		}
	}
	y := float64(tp[k])
	if k < len(fp)-1 {
		y += (x - float64(fp[k])) * float64(tp[k+1]-tp[k]) / float64(fp[k+1]-fp[k])
	}
	return y / float64(positive)
}

// fixedSpecificity reads it at a sensitivity.
func fixedSpecificity(tp, fp []int, sensitivity float64) float64 {
	positive, negative := tp[len(tp)-1], fp[len(fp)-1]
	if positive == 0 || negative == 0 {
		return math.NaN()
	}
	y := nearWhole(sensitivity * float64(positive))
	k := len(tp) - 1 // the first corner that is not below y
	for lo, hi := 0, len(tp)-1; lo <= hi; {
		if mid := (lo + hi) / 2; float64(tp[mid]) >= y {
			k, hi = mid, mid-1
		} else {
			lo = mid + 1
		}
	}
	x := float64(fp[k])
	if k > 0 {
		x -= (float64(tp[k]) - y) * float64(fp[k]-fp[k-1]) / float64(tp[k]-tp[k-1])
	}
	return 1 - x/float64(negative)
}

// nearWhole undoes the rounding of 0.9 x 10 and the like, so that a level that falls on a corner is read there.
func nearWhole(v float64) float64 {
	if r := math.Round(v); math.Abs(v-r) < 1e-9 {
		return r
	}
	return v
}
