package evaluate

import (
	"context"

	"sonotype/internal/num"
)

// Measures are what Performance lacks: the precision-recall curve's area, likelihood ratios, rates where the other is
// held, and the bootstrap's intervals of every measure.
type Measures struct {
	PRAUC         num.Float       `json:"pr_auc"`
	LRPositive    Ratio           `json:"lr_positive"`
	LRNegative    Ratio           `json:"lr_negative"`
	SensitivityAt []FixedPoint    `json:"sensitivity_at_specificity"`
	SpecificityAt []FixedPoint    `json:"specificity_at_sensitivity"`
	Bootstrap     BootstrapResult `json:"bootstrap"`
}

// Recalibrated are calibration and decision curve after the probabilities were recalibrated on other patients.
type Recalibrated struct {
	How         string         `json:"how"` // on which patients, in words
	Map         *Recalibration `json:"map,omitempty"`
	Calibration Calibration    `json:"calibration"`
	Decision    DecisionCurve  `json:"decision"`
}

// MeasureAll gives the measures of every candidate of one set; all share the bootstrap's draws.
func MeasureAll(ctx context.Context, labels []int, candidates []Candidate, c BootstrapConfig) ([]Measures, error) {
	if c.Levels == nil {
		c.Levels = DefaultLevels()
	}
	intervals, err := Bootstrap(ctx, labels, candidates, c)
	if err != nil {
		return nil, err
	}
	out := make([]Measures, len(candidates))
	for i, m := range candidates {
		r := &out[i]
		r.Bootstrap = intervals[i]
		if r.PRAUC, err = PRAUC(m.Scores, labels); err != nil {
			return nil, err
		}
		r.LRPositive, r.LRNegative = LikelihoodRatios(Confusion(m.Scores, labels, m.Threshold))
		if r.SensitivityAt, err = AtSpecificity(m.Scores, labels, c.Levels); err != nil {
			return nil, err
		}
		if r.SpecificityAt, err = AtSensitivity(m.Scores, labels, c.Levels); err != nil {
			return nil, err
		}
		for k := range c.Levels {
			r.SensitivityAt[k].Lo, r.SensitivityAt[k].Hi = intervals[i].SensitivityAt[k].Lo, intervals[i].SensitivityAt[k].Hi
			r.SpecificityAt[k].Lo, r.SpecificityAt[k].Hi = intervals[i].SpecificityAt[k].Lo, intervals[i].SpecificityAt[k].Hi
		}
	}
	return out, nil
}
