// Package evaluate takes one score and one 0/1 label per unit and gives discrimination, threshold metrics, calibration and decision curves.
package evaluate

import (
	"sonotype/internal/num"
	"sonotype/internal/stats"
)

// ROCPoint is one corner of the ROC curve: the rates when a unit is called positive for score > Threshold.
// Threshold is null (minus infinity) at the point where everybody is positive.
type ROCPoint struct {
	Threshold   num.Float `json:"threshold"`
	FPR         float64   `json:"fpr"` // 1 - specificity
	TPR         float64   `json:"tpr"` // sensitivity
	Sensitivity float64   `json:"sensitivity"`
	Specificity float64   `json:"specificity"`
}

// AUC is the area under the ROC curve with its interval.
type AUC struct {
	N        int       `json:"n"`
	Positive int       `json:"positive"`
	AUC      num.Float `json:"auc"`
	SE       num.Float `json:"se"`
	Lo       num.Float `json:"lo"`
	Hi       num.Float `json:"hi"`
	Level    float64   `json:"level"`  // 0.95
	Method   string    `json:"method"` // "delong" or "bootstrap"
	Draws    int       `json:"draws,omitempty"`
	Note     string    `json:"note,omitempty"`
}

// PairedAUC compares two scores of the same units by DeLong's test.
type PairedAUC struct {
	N          int       `json:"n"`
	Positive   int       `json:"positive"`
	AUC1       num.Float `json:"auc1"`
	AUC2       num.Float `json:"auc2"`
	Difference num.Float `json:"difference"` // AUC1 - AUC2
	SE         num.Float `json:"se"`
	Lo         num.Float `json:"lo"`
	Hi         num.Float `json:"hi"`
	Z          num.Float `json:"z"`
	P          num.Float `json:"p"`
	Note       string    `json:"note,omitempty"`
}

// Performance is one row of the results table: a unit is predicted positive when its score > Threshold.
// AUC's interval is DeLong's; the intervals of proportions are Wilson's, 95 %.
type Performance struct {
	N             int       `json:"n"`
	Positive      int       `json:"positive"`
	AUC           num.Float `json:"auc"`
	AUCLo         num.Float `json:"auc_lo"`
	AUCHi         num.Float `json:"auc_hi"`
	Threshold     num.Float `json:"threshold"`
	Accuracy      num.Float `json:"accuracy"`
	AccuracyLo    num.Float `json:"accuracy_lo"`
	AccuracyHi    num.Float `json:"accuracy_hi"`
	Sensitivity   num.Float `json:"sensitivity"`
	SensitivityLo num.Float `json:"sensitivity_lo"`
	SensitivityHi num.Float `json:"sensitivity_hi"`
	Specificity   num.Float `json:"specificity"`
	SpecificityLo num.Float `json:"specificity_lo"`
	SpecificityHi num.Float `json:"specificity_hi"`
	PPV           num.Float `json:"ppv"`
	PPVLo         num.Float `json:"ppv_lo"`
	PPVHi         num.Float `json:"ppv_hi"`
	NPV           num.Float `json:"npv"`
	NPVLo         num.Float `json:"npv_lo"`
	NPVHi         num.Float `json:"npv_hi"`
	F1            num.Float `json:"f1"`
	TP            int       `json:"tp"`
	FP            int       `json:"fp"`
	TN            int       `json:"tn"`
	FN            int       `json:"fn"`
	Brier         num.Float `json:"brier"` // null unless every score is a probability in [0, 1]
	Note          string    `json:"note,omitempty"`
}

// Cut is a threshold chosen on the data, with what it gives there.
type Cut struct {
	Threshold   num.Float `json:"threshold"`
	Sensitivity num.Float `json:"sensitivity"`
	Specificity num.Float `json:"specificity"`
	J           num.Float `json:"j"` // Youden's index, sensitivity + specificity - 1
	Note        string    `json:"note,omitempty"`
}

// DecisionPoint holds the net benefits per unit at one threshold probability.
type DecisionPoint struct {
	Threshold float64 `json:"threshold"`
	Model     float64 `json:"model"`
	TreatAll  float64 `json:"treat_all"`
	TreatNone float64 `json:"treat_none"` // 0 by definition
	TP        int     `json:"tp"`
	FP        int     `json:"fp"`
	// Standardised is Model / prevalence: the share of the greatest possible net benefit (Kerr et al, JCO 2016).
	Standardised num.Float `json:"standardised"`
}

// DecisionBand holds the bootstrap's 95 % limits at one threshold probability.
type DecisionBand struct {
	Threshold      float64   `json:"threshold"`
	Lo             num.Float `json:"lo"`
	Hi             num.Float `json:"hi"`
	StandardisedLo num.Float `json:"standardised_lo"`
	StandardisedHi num.Float `json:"standardised_hi"`
	// OverAllLo and OverAllHi limit what the model gains over treating all.
	OverAllLo num.Float `json:"over_all_lo"`
	OverAllHi num.Float `json:"over_all_hi"`
}

// Range is a stretch of threshold probabilities, both ends on the grid.
type Range struct {
	Lo float64 `json:"lo"`
	Hi float64 `json:"hi"`
}

// DecisionCurve is the net benefit of treating by the model, treating all and treating none over a grid of threshold probabilities.
type DecisionCurve struct {
	N          int             `json:"n"`
	Positive   int             `json:"positive"`
	Prevalence float64         `json:"prevalence"`
	Points     []DecisionPoint `json:"points"`
	Better     []Range         `json:"better"` // grid stretches where the model is strictly above both references
	Band       []DecisionBand  `json:"band,omitempty"`
	Sure       []Range         `json:"sure,omitempty"` // where the lower limits of net benefit and of the gain over treating all are above 0
	Note       string          `json:"note,omitempty"`
}

// Estimate is a number with its standard error and 95 % interval.
type Estimate struct {
	Value num.Float `json:"value"`
	SE    num.Float `json:"se"`
	Lo    num.Float `json:"lo"`
	Hi    num.Float `json:"hi"`
}

// CurvePoint is one point of the smooth calibration curve.
type CurvePoint struct {
	Predicted float64 `json:"predicted"`
	Observed  float64 `json:"observed"`
}

// CalibrationGroup is one of up to ten groups of equal size by predicted probability.
type CalibrationGroup struct {
	N          int       `json:"n"`
	Positive   int       `json:"positive"`
	Predicted  float64   `json:"predicted"` // mean predicted probability
	Observed   float64   `json:"observed"`  // share of positives
	ObservedLo num.Float `json:"observed_lo"`
	ObservedHi num.Float `json:"observed_hi"`
}

// Calibration compares predicted probabilities with outcomes.
type Calibration struct {
	N              int                `json:"n"`
	Positive       int                `json:"positive"`
	Intercept      Estimate           `json:"intercept"`       // calibration in the large: logit(p) as offset, slope fixed at 1
	Slope          Estimate           `json:"slope"`           // of the logistic recalibration
	SlopeIntercept Estimate           `json:"slope_intercept"` // the intercept fitted together with Slope (val.prob's Intercept)
	ObservedExpect Estimate           `json:"oe"`              // observed : expected events
	Brier          num.Float          `json:"brier"`
	BrierScaled    num.Float          `json:"brier_scaled"` // 1 - Brier / (prevalence (1 - prevalence))
	ICI            num.Float          `json:"ici"`          // mean |p - smooth(p)|, val.prob's Eavg
	E50            num.Float          `json:"e50"`
	E90            num.Float          `json:"e90"`
	EMax           num.Float          `json:"emax"`
	SpiegelhalterZ num.Float          `json:"spiegelhalter_z"`
	SpiegelhalterP num.Float          `json:"spiegelhalter_p"`
	Curve          []CurvePoint       `json:"curve"`         // lowess, one point per distinct prediction
	Groups         []CalibrationGroup `json:"groups"`        // for plotting beside the curve
	Certain        int                `json:"certain"`       // probabilities of exactly 0 or 1
	CertainWrong   int                `json:"certain_wrong"` // of them, those that the outcome proved wrong
	Band           *CurveBand         `json:"band,omitempty"`
	Note           string             `json:"note,omitempty"`
}

// ClassScores summarises the scores of one class. Density is a Gaussian kernel estimate on Distribution.Grid (for violins).
type ClassScores struct {
	Label   int       `json:"label"`
	N       int       `json:"n"`
	Mean    num.Float `json:"mean"`
	SD      num.Float `json:"sd"`
	Min     num.Float `json:"min"`
	Q1      num.Float `json:"q1"`
	Median  num.Float `json:"median"`
	Q3      num.Float `json:"q3"`
	Max     num.Float `json:"max"`
	Counts  []int     `json:"counts"`  // histogram over Distribution.Edges
	Density []float64 `json:"density"` // empty with fewer than two distinct scores
}

// Distribution compares the scores of the two classes; Test is the Wilcoxon rank-sum test.
type Distribution struct {
	Classes [2]ClassScores `json:"classes"` // label 0, label 1
	Edges   []float64      `json:"edges"`   // histogram bin edges, len(Counts)+1
	Grid    []float64      `json:"grid"`    // where Density is evaluated
	Test    stats.Test     `json:"test"`
	Note    string         `json:"note,omitempty"`
}

// Recalibration maps a score to a probability: logistic(Intercept + Slope * t), t = logit(score) or the score itself.
type Recalibration struct {
	Input     string  `json:"input"` // "probability" (t = logit) or "decision" (t = score)
	Intercept float64 `json:"intercept"`
	Slope     float64 `json:"slope"`
	N         int     `json:"n"`
	Note      string  `json:"note,omitempty"`
}

// Pooled holds one entry per unit (patient or lesion), in order of first appearance.
type Pooled struct {
	Unit   []string  `json:"unit"`
	Score  []float64 `json:"score"` // mean over the unit's images
	Label  []int     `json:"label"`
	Images []int     `json:"images"`
}
