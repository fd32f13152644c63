package survival

import (
	"sonotype/internal/num"
	"sonotype/internal/stats"
)

// Data is the follow-up of n patients with a risk score; the other fields may be empty.
type Data struct {
	Time     []float64
	Event    []int       // 1 = event, 0 = censored
	Score    []float64   // higher = earlier event
	Clinical []Covariate // columns of the clinical Cox model; patients with a NaN are left out of it
	Strata   []string    // e.g. the centre: tests and models compare within it
}

// Options says what Analyse computes.
type Options struct {
	Cut      float64   // high = score > Cut
	Interval string    // of Kaplan-Meier: Log (default) or LogLog
	Horizon  float64   // of restricted means and Uno's C; 0 = the shorter of the two groups' longest follow-ups
	Times    []float64 // of the time-dependent AUC
}

// Analysis is everything that is known of a score and survival in one set of patients. What cannot be computed is
// nil or null, with the reason in a note.
type Analysis struct {
	Contrast                // of the groups by Options.Cut
	Stratified *LogRank     `json:"logrank_stratified,omitempty"` // with two or more strata
	Means      RMST         `json:"restricted_mean"`
	Uno        Concordance  `json:"uno"` // up to the horizon
	TimeAUC    []TimeAUC    `json:"time_auc"`
	AUCCurve   []TimeAUC    `json:"auc_curve"`              // at times with at least five events before and five patients beyond
	Score      *Cox         `json:"cox_score,omitempty"`    // the score alone, per standard deviation
	Clinical   *Cox         `json:"cox_clinical,omitempty"` // the clinical covariates alone
	Combined   *Cox         `json:"cox_combined,omitempty"` // both
	Added      *Added       `json:"added,omitempty"`        // combined against clinical alone
	Hazards    []HazardTest `json:"hazards,omitempty"`      // of the combined model, or of the score alone
	Periods    []Period     `json:"periods,omitempty"`      // the score alone, by thirds of the events
	Strata     int          `json:"strata"`
	Notes      []string     `json:"notes,omitempty"`
}

// Mean is the restricted mean survival time of one group: the area under its Kaplan-Meier curve up to the horizon.
type Mean struct {
	Name  string    `json:"name"`
	N     int       `json:"n"`
	Value num.Float `json:"mean"`
	SE    num.Float `json:"se"`
	Lo    num.Float `json:"lo"`
	Hi    num.Float `json:"hi"`
}

// RMST compares the restricted mean survival times of two groups.
type RMST struct {
	Horizon    num.Float `json:"horizon"`
	Groups     []Mean    `json:"groups"`     // low, high
	Difference num.Float `json:"difference"` // second minus first
	SE         num.Float `json:"se"`
	Lo         num.Float `json:"lo"`
	Hi         num.Float `json:"hi"`
	P          num.Float `json:"p"`
	Note       string    `json:"note,omitempty"`
}

// TimeAUC is the cumulative/dynamic AUC at one time: the chance that a patient with an event by then has a higher
// score than a patient still without, weighted for censoring.
type TimeAUC struct {
	Time     float64   `json:"time"`
	Cases    int       `json:"cases"`    // events by Time
	Controls int       `json:"controls"` // followed beyond Time without event
	AUC      num.Float `json:"auc"`
	SE       num.Float `json:"se"`
	Lo       num.Float `json:"lo"`
	Hi       num.Float `json:"hi"`
	Note     string    `json:"note,omitempty"`
}

// Added is what a score adds to clinical covariates in a Cox model.
type Added struct {
	LR        stats.Test `json:"lr_test"`
	CClinical num.Float  `json:"c_clinical"` // Harrell's C of the fitted linear predictors, on the same patients
	CCombined num.Float  `json:"c_combined"`
	Gain      num.Float  `json:"c_gain"`
	GainLo    num.Float  `json:"c_gain_lo"`
	GainHi    num.Float  `json:"c_gain_hi"`
}

// HazardTest is Grambsch and Therneau's test of proportional hazards on one time scale.
type HazardTest struct {
	Transform string       `json:"transform"` // "km" or "identity"
	Terms     []stats.Test `json:"terms"`
	Global    stats.Test   `json:"global"`
}
