package study

import "sonotype/finetune"

// TrainPlan is how the network is fine-tuned, and on which of the training patients.
type TrainPlan struct {
	finetune.Config `yaml:",inline"`
	Heldout         float64 `yaml:"heldout" json:"heldout"`   // share of the training patients that no gradient sees: they choose the epoch
	Shared          bool    `yaml:"shared" json:"shared"`     // one network for TA and PTA
	Crossfit        int     `yaml:"crossfit" json:"crossfit"` // 0, or so many folds, each scored with networks of its own
	FitOn           string  `yaml:"fit_on" json:"fit_on"`     // all | heldout: the training patients that selection and models learn from
}

// Values of TrainPlan.FitOn.
const (
	fitOnAll     = "all"
	fitOnHeldout = "heldout"
)

// trains says whether the study fine-tunes its networks.
func (p *Plan) trains() bool { return p.Network.Train.Epochs > 0 }

// crossfits says whether the training patients are scored by cross-fitted networks.
func (p *Plan) crossfits() bool { return p.trains() && p.Network.Train.Crossfit > 0 }

// fitOn says which training patients selection and models learn from: all, but for the network's where the plan says so.
func (p *Plan) fitOn() string {
	if !p.trains() {
		return fitOnAll
	}
	return p.Network.Train.FitOn
}

// followCrossfit makes the folds of cross-fitting those of out-of-fold scoring, so that a fold has one set of patients.
func (p *Plan) followCrossfit() {
	if p.crossfits() {
		p.Split.Folds = p.Network.Train.Crossfit
	}
}

func (t *TrainPlan) validate(bad complain) error {
	if err := t.Config.Validate(); err != nil {
		return err
	}
	switch {
	case t.FitOn != fitOnAll && t.FitOn != fitOnHeldout:
		return bad("network.train.fit_on", fitOnAll+" or "+fitOnHeldout, t.FitOn)
	case !(t.Heldout >= 0.1 && t.Heldout <= 0.9):
		return bad("network.train.heldout", "between 0.1 and 0.9", t.Heldout)
	case t.Crossfit != 0 && (t.Crossfit < 2 || t.Crossfit > 20):
		return bad("network.train.crossfit", "0 (off) or between 2 and 20", t.Crossfit)
	}
	return nil
}
