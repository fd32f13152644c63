package evaluate

import (
	"cmp"
	"slices"

	"sonotype/internal/problem"
)

// VennAbers turns scores into probabilities with an interval: an inductive Venn-Abers predictor (Vovk, Petej and
// Fedorova, Large-scale probabilistic predictors with and without guarantees of validity, NIPS 2015). Its calibration
// scores must be honest: of units that no part of the model has learnt from.
type VennAbers struct {
	Scores []float64 `json:"scores"` // ascending
	Labels []int     `json:"labels"` // of Scores
}

// FitVennAbers keeps calibration scores and their labels, in an order that tells nothing of the order in which they came.
func FitVennAbers(scores []float64, labels []int) (*VennAbers, error) {
	if _, _, err := checkInput(scores, labels); err != nil {
		return nil, err
	}
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(scores[a], scores[b]), cmp.Compare(labels[a], labels[b]))
	})
	v := &VennAbers{}
	for _, i := range order {
		v.Scores, v.Labels = append(v.Scores, scores[i]), append(v.Labels, labels[i])
	}
	return v, nil
}

// Check refuses calibration scores that are not in order or have labels other than 0 and 1, as a file may hold.
func (v *VennAbers) Check() error {
	if _, _, err := checkInput(v.Scores, v.Labels); err != nil {
		return err
	}
	if !slices.IsSorted(v.Scores) {
		return &problem.Error{What: "calibration scores are not in ascending order"}
	}
	return nil
}

// Predict gives the interval [lo, hi] of the probability that a unit with the score is positive, and the one probability
// of least regret under log loss, hi / (1 - lo + hi). lo and hi are the isotonic fits at the score when the unit itself
// joins the calibration units as a negative and as a positive.
func (v *VennAbers) Predict(score float64) (p, lo, hi float64) {
	lo, hi = v.isotonic(score, 0), v.isotonic(score, 1)
	return hi / (1 - lo + hi), lo, hi
}

// isotonic is the fit at the score of the calibration units with one more unit, by pooling adjacent violators. Units of
// equal score are one block from the start.
func (v *VennAbers) isotonic(score float64, label int) float64 {
	type block struct {
		sum, n float64
		holds  bool // the unit that was added
	}
	var blocks []block
	last := 0.0
	add := func(s float64, label int, holds bool) {
		b := block{float64(label), 1, holds}
		if n := len(blocks); n > 0 && s == last {
			top := &blocks[n-1]
			top.sum, top.n, top.holds = top.sum+b.sum, top.n+1, top.holds || holds
		} else {
			blocks = append(blocks, b)
		}
		last = s
	}
	at, _ := slices.BinarySearch(v.Scores, score)
	for i := range at {
		add(v.Scores[i], v.Labels[i], false)
	}
	add(score, label, true)
	for i := at; i < len(v.Scores); i++ {
		add(v.Scores[i], v.Labels[i], false)
	}
	var pooled []block
	for _, b := range blocks {
		for n := len(pooled); n > 0 && pooled[n-1].sum*b.n >= b.sum*pooled[n-1].n; n = len(pooled) {
			top := pooled[n-1]
			b = block{b.sum + top.sum, b.n + top.n, b.holds || top.holds}
			pooled = pooled[:n-1]
		}
		pooled = append(pooled, b)
	}
	i := slices.IndexFunc(pooled, func(b block) bool { return b.holds })
	return pooled[i].sum / pooled[i].n
}
