package finetune

import (
	"math"

	"sonotype/evaluate"
	"sonotype/internal/num"
)

// scores gathers what the network says of the images of a set, in the order in which they come.
type scores struct {
	set   []Example
	p     []float64 // probability of class 1
	loss  []float64
	label []int
	unit  []string
}

// add takes the logit of image i and its loss.
func (s *scores) add(i int, logit float32, loss float64) {
	e := s.set[i]
	s.p, s.loss = append(s.p, sigmoid(float64(logit))), append(s.loss, loss)
	s.label, s.unit = append(s.label, e.Label), append(s.unit, e.Unit)
}

// summary are a set's figures. A unit's probability and loss are the means over its images.
type summary struct {
	accuracy num.Float // share of units on the right side of 0.5
	auc      evaluate.AUC
	loss     num.Float // mean over the units
}

// summarise pools the images that came so far.
func (s *scores) summarise() (summary, error) {
	units, err := evaluate.Pool(s.p, s.label, s.unit)
	if err != nil {
		return summary{}, err
	}
	losses, err := evaluate.Pool(s.loss, s.label, s.unit)
	if err != nil {
		return summary{}, err
	}
	auc, err := evaluate.DeLong(units.Score, units.Label)
	if err != nil {
		return summary{}, err
	}
	tp, _, tn, _ := evaluate.Confusion(units.Score, units.Label, 0.5)
	n := float64(len(units.Unit))
	out := summary{accuracy: num.Float(float64(tp+tn) / n), auc: auc}
	for _, v := range losses.Score {
		out.loss += num.Float(v / n)
	}
	return out, nil
}

func sigmoid(z float64) float64 { return 1 / (1 + math.Exp(-z)) }
