package evaluate

import (
	"fmt"
	"strconv"

	"sonotype/internal/problem"
	"sonotype/internal/rng"
)

// CrossRecalibrate gives each unit the probability that a recalibration (FitRecalibration) fitted on the other folds'
// units gives it: for scores that come without training data. Folds hold both classes in equal shares, at random by seed.
// Like every cross-fitted probability it is honest about a recalibration fitted on as many units as there are here.
func CrossRecalibrate(scores []float64, labels []int, input string, folds int, seed uint64) ([]float64, error) {
	positive, negative, err := checkInput(scores, labels)
	if err != nil {
		return nil, err
	}
	if folds < 2 || min(positive, negative) < folds {
		return nil, &problem.Error{What: "too few units to recalibrate by cross-fitting", Expected: fmt.Sprintf("%d folds with both classes in each", folds), Found: strconv.Itoa(positive) + " positive, " + strconv.Itoa(negative) + " negative units"}
	}
	fold := stratifiedFolds(labels, folds, seed)
	out := make([]float64, len(scores))
	for k := range folds {
		var s []float64
		var l []int
		for i := range scores {
			if fold[i] != k {
				s, l = append(s, scores[i]), append(l, labels[i])
			}
		}
		r, err := FitRecalibration(s, l, input)
		if err != nil {
			return nil, err
		}
		for i := range scores {
			if fold[i] != k {
				continue
			}
			if out[i], err = r.Apply(scores[i]); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// stratifiedFolds deals each class out over the folds in random order.
func stratifiedFolds(labels []int, folds int, seed uint64) []int {
	source := rng.Stream(seed, "evaluate", "folds")
	fold := make([]int, len(labels))
	var next [2]int
	for _, i := range source.Perm(len(labels)) {
		fold[i] = next[labels[i]] % folds
		next[labels[i]]++
	}
	return fold
}
