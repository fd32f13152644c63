package bundle

import (
	"sonotype/evaluate"
	"sonotype/internal/num"
	"sonotype/survival"
)

// Card describes a bundle for people and programs: what it predicts, on whom it was fitted and validated, and how well
// it did. It holds no patient.
type Card struct {
	Title       string          `json:"title"`
	Version     string          `json:"version"` // of the program that made it
	Synthetic   bool            `json:"synthetic"`
	IntendedUse string          `json:"intended_use"`
	Licence     string          `json:"licence"`
	High        string          `json:"high"` // the outcome's classes, e.g. "Ki-67 high"
	Low         string          `json:"low"`
	Cutoff      num.Float       `json:"cutoff"` // of the measured outcome, which is high above it; null for a 0/1 column
	Preset      string          `json:"preset"`
	Features    string          `json:"features"` // ta | pta | fusion
	Model       string          `json:"model"`    // lr | svm | ...
	Regions     []string        `json:"regions"`  // that the model looks at: ta, pta; fusion may be left with one
	Backbone    string          `json:"backbone"`
	Trained     bool            `json:"trained"` // the network; false: random weights
	Threshold   num.Float       `json:"threshold"`
	SurvivalCut num.Float       `json:"survival_cut"` // of the score; null without follow-up
	Contract    Contract        `json:"contract"`
	Sets        []ValidationSet `json:"sets"`
	DataHash    string          `json:"data_sha256"`
	HoldsRows   bool            `json:"holds_training_rows"` // reduced features of training cases: the model's (SVM, KNN), or to find the nearest
	HoldsIDs    bool            `json:"holds_training_ids"`  // of those cases, where the study allowed it
	Precision   string          `json:"precision"`           // of the networks' weights: fp32 | fp16
	Loss        *PrecisionLoss  `json:"precision_loss,omitempty"`
}

// PrecisionLoss is what half precision of the networks' weights changed, on the study's own cases.
type PrecisionLoss struct {
	Set     string    `json:"set"` // on which units
	Units   int       `json:"units"`
	Largest num.Float `json:"largest_difference"` // of scores
	Mean    num.Float `json:"mean_difference"`    // absolute
	Flipped int       `json:"flipped"`            // units on the other side of the threshold
}

// Contract is what a case must be like.
type Contract struct {
	Formats  []string `json:"formats"`
	MinSide  int      `json:"min_side"` // of the image, px: half the smallest and twice the largest side seen in training
	MaxSide  int      `json:"max_side"`
	Devices  []string `json:"devices"` // seen in training; another one warns
	Growth   float64  `json:"growth"`
	Unit     string   `json:"unit"` // of Growth: px | mm; mm needs the size of a pixel
	Calipers string   `json:"calipers"`
}

// ValidationSet is how the model did on a set of the study: the training set out of fold, or a test set.
type ValidationSet struct {
	Name        string                  `json:"set"` // train | internal | external
	Title       string                  `json:"title"`
	Performance evaluate.Performance    `json:"performance"`
	Slope       evaluate.Estimate       `json:"calibration_slope"`
	Intercept   evaluate.Estimate       `json:"calibration_intercept"`
	Scores      Histogram               `json:"scores"`
	Decision    *evaluate.DecisionCurve `json:"decision,omitempty"` // of recalibrated probabilities where the study has them
	Survival    *survival.Contrast      `json:"survival,omitempty"`
}

// Histogram counts scores by class.
type Histogram struct {
	Edges []float64 `json:"edges"` // of the bins, one more than Low and High
	Low   []int     `json:"low"`
	High  []int     `json:"high"`
}

// Validation is the set whose figures stand beside a prediction: the external test set, else the internal one, else the
// training set out of fold; nil when there is none.
func (c *Card) Validation() *ValidationSet {
	var best *ValidationSet
	rank := map[string]int{"train": 1, "internal": 2, "external": 3}
	for i := range c.Sets {
		if s := &c.Sets[i]; best == nil || rank[s.Name] > rank[best.Name] {
			best = s
		}
	}
	return best
}
