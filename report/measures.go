package report

import (
	"strconv"

	"sonotype/evaluate"
	"sonotype/internal/num"
)

// Measure is one figure of a model on a set, with how its interval was made.
type Measure struct {
	Name   string    `json:"-" csv:"measure"` // e.g. pr_auc, sensitivity_at_specificity_0.9
	Value  num.Float `json:"value" csv:"value"`
	Lo     num.Float `json:"lo" csv:"lo"`
	Hi     num.Float `json:"hi" csv:"hi"`
	Method string    `json:"interval,omitempty" csv:"interval"` // DeLong, Wilson, Wald, log, bootstrap; empty: none
}

const byBootstrap = "bootstrap"

// List names every measure of the result in the order of the report's table.
func (r Result) List() []Measure {
	p, m, b, c := r.Performance, r.Measures, r.Measures.Bootstrap, r.Calibration
	boot := func(name string, v num.Float, i evaluate.BootstrapInterval) Measure {
		return Measure{name, v, i.Lo, i.Hi, byBootstrap}
	}
	wald := func(name string, e evaluate.Estimate, method string) Measure {
		return Measure{name, e.Value, e.Lo, e.Hi, method}
	}
	out := []Measure{
		{"auc", p.AUC, p.AUCLo, p.AUCHi, "DeLong"}, boot("auc_bootstrap", p.AUC, b.AUC), boot("pr_auc", m.PRAUC, b.PRAUC),
		{"accuracy", p.Accuracy, p.AccuracyLo, p.AccuracyHi, "Wilson"},
		{"sensitivity", p.Sensitivity, p.SensitivityLo, p.SensitivityHi, "Wilson"}, {"specificity", p.Specificity, p.SpecificityLo, p.SpecificityHi, "Wilson"},
		{"ppv", p.PPV, p.PPVLo, p.PPVHi, "Wilson"}, {"npv", p.NPV, p.NPVLo, p.NPVHi, "Wilson"}, boot("f1", p.F1, b.F1),
		{"lr_positive", m.LRPositive.Value, m.LRPositive.Lo, m.LRPositive.Hi, "log"}, {"lr_negative", m.LRNegative.Value, m.LRNegative.Lo, m.LRNegative.Hi, "log"},
	}
	for _, q := range m.SensitivityAt {
		out = append(out, Measure{"sensitivity_at_specificity_" + level(q.At), q.Value, q.Lo, q.Hi, byBootstrap})
	}
	for _, q := range m.SpecificityAt {
		out = append(out, Measure{"specificity_at_sensitivity_" + level(q.At), q.Value, q.Lo, q.Hi, byBootstrap})
	}
	if c.N == 0 { // the scores are no probabilities
		return out
	}
	out = append(out, boot("brier", c.Brier, b.Brier), boot("brier_scaled", c.BrierScaled, b.BrierScaled),
		wald("calibration_slope", c.Slope, "Wald"), wald("calibration_intercept", c.Intercept, "Wald"), wald("oe", c.ObservedExpect, "log"))
	ici := Measure{Name: "ici", Value: c.ICI, Lo: num.NaN(), Hi: num.NaN()}
	if c.Band != nil {
		ici = boot("ici", c.ICI, c.Band.ICI)
	}
	out = append(out, ici, Measure{"e50", c.E50, num.NaN(), num.NaN(), ""}, Measure{"e90", c.E90, num.NaN(), num.NaN(), ""})
	if a := r.After; a != nil {
		out = append(out, Measure{"brier_recalibrated", a.Calibration.Brier, num.NaN(), num.NaN(), ""},
			wald("calibration_slope_recalibrated", a.Calibration.Slope, "Wald"), wald("calibration_intercept_recalibrated", a.Calibration.Intercept, "Wald"),
			wald("oe_recalibrated", a.Calibration.ObservedExpect, "log"), Measure{"ici_recalibrated", a.Calibration.ICI, num.NaN(), num.NaN(), ""})
	}
	if h := r.HosmerLemeshow; h != nil {
		out = append(out, Measure{"hosmer_lemeshow_p", h.P, num.NaN(), num.NaN(), ""})
	}
	for _, q := range r.Reclassified {
		against := "_against_" + q.Against.String()
		out = append(out, wald("idi"+against, q.IDI, "Wald"), wald("nri_continuous"+against, q.NRI, "Wald"), wald("nri_at_threshold"+against, q.Categorical, "Wald"))
	}
	return out
}

func level(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
