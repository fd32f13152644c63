package evaluate

import (
	"fmt"

	"sonotype/internal/problem"
)

// The inputs that a recalibration accepts.
const (
	FromProbability = "probability" // t = logit(score), clipped at 1e-7: for scores that are probabilities of the wrong spread
	FromDecision    = "decision"    // t = score: for decision values (Platt scaling)
)

const logitClip = 1e-7

// FitRecalibration fits the logistic map from scores to probabilities by maximum likelihood. Where the scores
// separate the classes, so that no maximum exists, it fits Platt's smoothed targets (N+ + 1)/(N+ + 2) and
// 1/(N- + 2) instead and says so. Fit it on other units than those evaluated.
func FitRecalibration(scores []float64, labels []int, input string) (Recalibration, error) {
	positive, negative, err := checkInput(scores, labels)
	if err != nil {
		return Recalibration{}, err
	}
	if note := oneClass(positive, negative); note != "" {
		return Recalibration{}, &problem.Error{What: "recalibration needs both classes", Found: note}
	}
	r := Recalibration{Input: input, N: len(scores)}
	t := make([]float64, len(scores))
	for i, s := range scores {
		if t[i], err = r.transform(s); err != nil {
			return Recalibration{}, err
		}
	}
	target := make([]float64, len(labels))
	for i, l := range labels {
		target[i] = float64(l)
	}
	switch why := separated(t, labels); why {
	case "":
	case "all scores are equal":
		return Recalibration{}, &problem.Error{What: "recalibration needs scores that differ", Found: why}
	default:
		r.Note = "Platt's smoothed targets: " + why
		for i, l := range labels {
			target[i] = 1 / float64(negative+2)
			if l == 1 {
				target[i] = float64(positive+1) / float64(positive+2)
			}
		}
	}
	f := fitLogistic(t, target)
	r.Intercept, r.Slope = f.a, f.b
	return r, nil
}

// Apply maps one score to a probability.
func (r Recalibration) Apply(score float64) (float64, error) {
	t, err := r.transform(score)
	if err != nil {
		return 0, err
	}
	return sigmoid(r.Intercept + r.Slope*t), nil
}

func (r Recalibration) transform(score float64) (float64, error) {
	switch r.Input {
	case FromDecision:
		return score, nil
	case FromProbability:
		if !(score >= 0 && score <= 1) {
			return 0, &problem.Error{What: "a score is not a probability", Expected: "0 to 1", Found: fmt.Sprint(score), Try: "recalibrate it as a decision value"}
		}
		return logit(min(max(score, logitClip), 1-logitClip)), nil
	}
	return 0, &problem.Error{What: "unknown recalibration input", Expected: FromProbability + " or " + FromDecision, Found: fmt.Sprintf("%q", r.Input)}
}
