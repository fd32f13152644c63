package evaluate

import (
	"math"

	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/internal/stats"
)

// Confusion counts predictions by the study's rule: positive when score > threshold, so a score equal to the
// threshold is negative.
func Confusion(scores []float64, labels []int, threshold float64) (tp, fp, tn, fn int) {
	for i, s := range scores {
		switch {
		case s > threshold && labels[i] == 1:
			tp++
		case s > threshold:
			fp++
		case labels[i] == 1:
			fn++
		default:
			tn++
		}
	}
	return tp, fp, tn, fn
}

// Measure gives every threshold metric, the AUC and the Brier score of one score per unit. What cannot be
// computed (a class or a predicted class is empty, scores are no probabilities) is null, with a note.
func Measure(scores []float64, labels []int, threshold float64) (Performance, error) {
	auc, err := DeLong(scores, labels)
	if err != nil {
		return Performance{}, err
	}
	if math.IsNaN(threshold) {
		return Performance{}, &problem.Error{What: "the threshold is not a number"}
	}
	p := Performance{N: auc.N, Positive: auc.Positive, AUC: auc.AUC, AUCLo: auc.Lo, AUCHi: auc.Hi, Threshold: num.Float(threshold), Note: auc.Note}
	p.TP, p.FP, p.TN, p.FN = Confusion(scores, labels, threshold)
	p.Accuracy, p.AccuracyLo, p.AccuracyHi = Wilson(p.TP+p.TN, p.N)
	p.Sensitivity, p.SensitivityLo, p.SensitivityHi = Wilson(p.TP, p.TP+p.FN)
	p.Specificity, p.SpecificityLo, p.SpecificityHi = Wilson(p.TN, p.TN+p.FP)
	p.PPV, p.PPVLo, p.PPVHi = Wilson(p.TP, p.TP+p.FP)
	p.NPV, p.NPVLo, p.NPVHi = Wilson(p.TN, p.TN+p.FN)
	p.F1 = ratio(2*p.TP, 2*p.TP+p.FP+p.FN)
	p.Brier = brier(scores, labels)
	if p.TP+p.FP == 0 {
		p.addNote("nobody is predicted positive: no PPV")
	}
	if p.TN+p.FN == 0 {
		p.addNote("nobody is predicted negative: no NPV")
	}
	if p.F1.IsNaN() {
		p.addNote("no F1: no positive units, none predicted")
	}
	if p.Brier.IsNaN() {
		p.addNote("no Brier score: the scores are not probabilities")
	}
	return p, nil
}

func (p *Performance) addNote(note string) {
	if p.Note != "" {
		p.Note += "; "
	}
	p.Note += note
}

// Wilson gives k/n with Wilson's 95 % score interval (JASA 1927), which keeps near its coverage at small n and
// never leaves [0, 1]; all NaN for n = 0.
func Wilson(k, n int) (share, lo, hi num.Float) {
	if n == 0 {
		return num.NaN(), num.NaN(), num.NaN()
	}
	const z2 = stats.Z975 * stats.Z975
	p, m := float64(k)/float64(n), float64(n)
	centre := (p + z2/(2*m)) / (1 + z2/m)
	half := stats.Z975 / (1 + z2/m) * math.Sqrt(p*(1-p)/m+z2/(4*m*m))
	low, high := max(0, centre-half), min(1, centre+half)
	if k == 0 {
		low = 0 // exactly, whatever the rounding
	}
	if k == n {
		high = 1
	}
	return num.Float(p), num.Float(low), num.Float(high)
}

func ratio(a, b int) num.Float {
	if b == 0 {
		return num.NaN()
	}
	return num.Float(float64(a) / float64(b))
}

// brier is the mean squared difference of probability and label; NaN if a score is no probability.
func brier(scores []float64, labels []int) num.Float {
	if notProbability(scores) >= 0 {
		return num.NaN()
	}
	var s float64
	for i, p := range scores {
		d := p - float64(labels[i])
		s += d * d
	}
	return num.Float(s / float64(len(scores)))
}
