package evaluate

import (
	"fmt"
	"slices"
	"strconv"

	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/internal/stats"
)

// HosmerLemeshow is the test of calibration by groups of predicted probability. It is asked for, never given by itself:
// its verdict hangs on the number of groups and on n, it names no direction, and a large P proves nothing.
type HosmerLemeshow struct {
	Groups    int       `json:"groups"` // that hold units; fewer than asked for where probabilities tie
	Statistic num.Float `json:"statistic"`
	DF        int       `json:"df"`
	P         num.Float `json:"p"`
	Note      string    `json:"note,omitempty"`
}

// HosmerLemeshowTest cuts at the type 7 quantiles of the probabilities (R's quantile, closed on the right), as R's
// ResourceSelection does. The chi-square has as many degrees of freedom as groups that enter it, since no parameter of the
// model was fitted on these units; on a model's own training units it would be two fewer. A group whose probabilities are
// all 0 or all 1 leaves nothing to chance: it does not enter, and if observed otherwise there is no statistic.
func HosmerLemeshowTest(probabilities []float64, labels []int, groups int) (HosmerLemeshow, error) {
	if _, _, err := checkProbabilities(probabilities, labels); err != nil {
		return HosmerLemeshow{}, err
	}
	if groups < 3 {
		return HosmerLemeshow{}, &problem.Error{What: "too few groups for Hosmer and Lemeshow's test", Expected: "3 or more", Found: strconv.Itoa(groups)}
	}
	sorted := slices.Sorted(slices.Values(probabilities))
	var cuts []float64
	for g := 1; g < groups; g++ {
		if q := stats.Quantile(sorted, float64(g)/float64(groups)); q > sorted[0] && q < sorted[len(sorted)-1] && !slices.Contains(cuts, q) {
			cuts = append(cuts, q)
		}
	}
	n, observed, expected := make([]float64, len(cuts)+1), make([]float64, len(cuts)+1), make([]float64, len(cuts)+1)
	for i, p := range probabilities {
		k, _ := slices.BinarySearch(cuts, p)
		n[k]++
		observed[k] += float64(labels[i])
		expected[k] += p
	}
	var chi2 float64
	h := HosmerLemeshow{Statistic: num.NaN(), P: num.NaN()}
	wrong := false
	for k := range n {
		if n[k] == 0 {
			continue
		}
		h.Groups++
		d := observed[k] - expected[k]
		if spread := expected[k] * (1 - expected[k]/n[k]); spread > 0 {
			h.DF++
			chi2 += d * d / spread
		} else if d != 0 {
			wrong = true
		}
	}
	switch {
	case wrong:
		h.Note = "a group with an expected share of exactly 0 or 1 was observed otherwise"
		return h, nil
	case h.DF == 0:
		h.Note = "every group has an expected share of exactly 0 or 1"
		return h, nil
	}
	h.Statistic, h.P = num.Float(chi2), num.Float(stats.ChiSquareTail(chi2, float64(h.DF)))
	if h.Groups < groups {
		h.Note = fmt.Sprintf("%d groups instead of %d, as probabilities tie", h.Groups, groups)
	}
	return h, nil
}
