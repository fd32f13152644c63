package evaluate

import "sonotype/internal/num"

// PRAUC is the area under the precision-recall curve as average precision: the mean, over the positives, of the precision
// at their score (scikit-learn's average_precision_score; no straight lines between points, which would flatter). A score
// that knows nothing reaches the prevalence. Null without positives.
func PRAUC(scores []float64, labels []int) (num.Float, error) {
	positive, _, err := checkInput(scores, labels)
	if err != nil {
		return num.NaN(), err
	}
	if positive == 0 {
		return num.NaN(), nil
	}
	var sum float64
	from := 0
	for _, c := range corners(scores, labels)[1:] {
		sum += float64(c.tp-from) * float64(c.tp) / float64(c.tp+c.fp)
		from = c.tp
	}
	return num.Float(sum / float64(positive)), nil
}
