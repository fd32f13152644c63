package evaluate

import (
	"fmt"
	"math"

	"sonotype/internal/problem"
)

// checkInput demands one finite score and one 0/1 label per unit and returns the numbers of positives and negatives.
func checkInput(scores []float64, labels []int) (positive, negative int, err error) {
	if len(scores) != len(labels) {
		return 0, 0, &problem.Error{What: "scores and labels differ in number", Expected: fmt.Sprintf("%d labels", len(scores)), Found: fmt.Sprintf("%d", len(labels))}
	}
	if len(scores) == 0 {
		return 0, 0, &problem.Error{What: "there are no scores to evaluate"}
	}
	for i, s := range scores {
		if math.IsNaN(s) || math.IsInf(s, 0) {
			return 0, 0, &problem.Error{What: "a score is not a finite number", Found: fmt.Sprintf("%v for unit %d of %d", s, i+1, len(scores)),
				Try: "leave the unit out, with its reason, before evaluating"}
		}
		switch labels[i] {
		case 0:
			negative++
		case 1:
			positive++
		default:
			return 0, 0, &problem.Error{What: "a label is neither 0 nor 1", Found: fmt.Sprintf("%d for unit %d of %d", labels[i], i+1, len(labels))}
		}
	}
	return positive, negative, nil
}

// checkProbabilities demands scores in [0, 1] on top of checkInput.
func checkProbabilities(scores []float64, labels []int) (positive, negative int, err error) {
	if positive, negative, err = checkInput(scores, labels); err != nil {
		return 0, 0, err
	}
	if i := notProbability(scores); i >= 0 {
		return 0, 0, &problem.Error{What: "a score is not a probability", Expected: "0 to 1", Found: fmt.Sprintf("%v for unit %d of %d", scores[i], i+1, len(scores)),
			Try: "recalibrate the scores to probabilities first"}
	}
	return positive, negative, nil
}

// notProbability is the index of the first score outside [0, 1], or -1.
func notProbability(scores []float64) int {
	for i, s := range scores {
		if s < 0 || s > 1 {
			return i
		}
	}
	return -1
}

// oneClass is the note for results that need both classes.
func oneClass(positive, negative int) string {
	switch {
	case positive == 0:
		return "no positive units"
	case negative == 0:
		return "no negative units"
	}
	return ""
}
