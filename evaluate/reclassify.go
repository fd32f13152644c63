package evaluate

import (
	"math"

	"sonotype/internal/num"
	"sonotype/internal/stats"
)

// Reclassification compares two models' probabilities of the same units: B against A. It is off unless asked for: the
// continuous NRI rises for useless markers and for miscalibrated models, and neither index is a proper score (Hilden and
// Gerds, Stat Med 2014; Kerr et al, Epidemiology 2014). The paired AUC test, the Brier score and the decision curve answer
// the question without these faults.
type Reclassification struct {
	N           int       `json:"n"`
	Positive    int       `json:"positive"`
	IDI         Estimate  `json:"idi"` // integrated discrimination improvement
	IDIP        num.Float `json:"idi_p"`
	NRI         Estimate  `json:"nri"` // continuous: the sum of both parts
	NRIP        num.Float `json:"nri_p"`
	NRIPositive num.Float `json:"nri_positive"` // net share of positives moved up
	NRINegative num.Float `json:"nri_negative"` // net share of negatives moved down
	// The same where only a move across the threshold of each model counts.
	Categorical         Estimate  `json:"nri_categorical"`
	CategoricalP        num.Float `json:"nri_categorical_p"`
	CategoricalPositive num.Float `json:"nri_categorical_positive"`
	CategoricalNegative num.Float `json:"nri_categorical_negative"`
	Note                string    `json:"note,omitempty"`
}

// Reclassify compares b with a (Pencina et al, Stat Med 2008 and 2011; the standard errors are those of Hmisc's
// improveProb). thresholdA and thresholdB are the models' own: positive is probability > threshold.
func Reclassify(a, b []float64, labels []int, thresholdA, thresholdB float64) (Reclassification, error) {
	positive, negative, err := checkProbabilities(a, labels)
	if err != nil {
		return Reclassification{}, err
	}
	if _, _, err := checkProbabilities(b, labels); err != nil {
		return Reclassification{}, err
	}
	none := Estimate{Value: num.NaN(), SE: num.NaN(), Lo: num.NaN(), Hi: num.NaN()}
	r := Reclassification{N: len(labels), Positive: positive, IDI: none, NRI: none, Categorical: none, IDIP: num.NaN(), NRIP: num.NaN(), CategoricalP: num.NaN(),
		NRIPositive: num.NaN(), NRINegative: num.NaN(), CategoricalPositive: num.NaN(), CategoricalNegative: num.NaN(), Note: oneClass(positive, negative)}
	if r.Note != "" {
		return r, nil
	}
	var gain [2][]float64           // b - a by class
	var up, down, up2, down2 [2]int // moved, and moved across the thresholds
	for i, y := range labels {
		d := b[i] - a[i]
		gain[y] = append(gain[y], d)
		up[y] += truth(d > 0)
		down[y] += truth(d < 0)
		was, is := a[i] > thresholdA, b[i] > thresholdB
		up2[y] += truth(is && !was)
		down2[y] += truth(was && !is)
	}
	m1, v1 := stats.MeanVar(gain[1])
	m0, v0 := stats.MeanVar(gain[0])
	r.IDI, r.IDIP = tested(m1-m0, math.Sqrt(v1/float64(positive)+v0/float64(negative)))
	r.NRI, r.NRIP, r.NRIPositive, r.NRINegative = netMoves(up, down, negative, positive)
	r.Categorical, r.CategoricalP, r.CategoricalPositive, r.CategoricalNegative = netMoves(up2, down2, negative, positive)
	return r, nil
}

// netMoves is the NRI from the numbers that moved up and down in each class.
func netMoves(up, down [2]int, negative, positive int) (total Estimate, p, inPositive, inNegative num.Float) {
	share := func(k, n int) float64 { return float64(k) / float64(n) }
	pos := share(up[1]-down[1], positive)
	neg := share(down[0]-up[0], negative)
	variance := func(up, down, n int) float64 {
		d := share(up-down, n)
		return (share(up+down, n) - d*d) / float64(n)
	}
	total, p = tested(pos+neg, math.Sqrt(variance(up[1], down[1], positive)+variance(up[0], down[0], negative)))
	return total, p, num.Float(pos), num.Float(neg)
}

// tested is a Wald interval with its two-sided P, null where there is no variance.
func tested(v, se float64) (Estimate, num.Float) {
	if !(se > 0) {
		return Estimate{Value: num.Float(v), SE: num.Float(se), Lo: num.NaN(), Hi: num.NaN()}, num.NaN()
	}
	return wald(v, se), num.Float(stats.NormalTwoSided(v / se))
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}
