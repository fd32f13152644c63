package report

import (
	"sonotype/evaluate"
	"sonotype/internal/num"
)

// Robustness is what was found by changing the study's decisions one by one; each part is nil until it was asked for.
type Robustness struct {
	Widths   *WidthSweep   `json:"widths,omitempty"`
	Outlines *OutlineSweep `json:"outlines,omitempty"`
	Cutoffs  *CutoffSweep  `json:"cutoffs,omitempty"`
	Centres  *CentreSweep  `json:"centres,omitempty"`
}

// WidthSweep repeats the study with other widths of the peritumoural area.
type WidthSweep struct {
	Key         string       `json:"key"`   // of what it was computed from
	Model       string       `json:"model"` // the primary model's classifier
	Width       float64      `json:"width"` // the study's own
	Unit        string       `json:"unit"`  // px or mm
	Retrained   bool         `json:"retrained"`
	Kept        bool         `json:"networks_kept"` // trained at its own width
	Points      []WidthPoint `json:"points"`        // one a width, set and feature set (pta, fusion)
	Tumour      []WidthPoint `json:"tumour"`        // the tumour area alone, which no width changes
	Comparisons int          `json:"comparisons"`   // that Holm's adjustment counts
	Notes       []string     `json:"notes"`
}

// WidthPoint is a model's AUC at a width, against the study's own width on the same units.
type WidthPoint struct {
	Width    float64             `json:"width"`
	Unit     string              `json:"unit"`
	Own      bool                `json:"own"` // the study's width
	Set      string              `json:"set"`
	Features string              `json:"features"`
	AUC      evaluate.AUC        `json:"auc"`
	Against  *evaluate.PairedAUC `json:"against,omitempty"` // this width less the study's
	Holm     num.Float           `json:"p_holm"`
}

// OutlineSweep scores the test sets again with changed outlines by the frozen model.
type OutlineSweep struct {
	Key       string         `json:"key"`
	Model     Key            `json:"model"`
	Threshold num.Float      `json:"threshold"`
	Recal     bool           `json:"recalibrated"` // calibration is that of scores recalibrated on training patients
	Curves    []OutlineCurve `json:"curves"`       // one a set and kind
	Notes     []string       `json:"notes"`
}

// OutlineCurve is one way of changing outlines, more and more.
type OutlineCurve struct {
	Set    string         `json:"set"`
	Kind   string         `json:"kind"` // shift, dilate, erode, reader
	Points []OutlinePoint `json:"points"`
}

// OutlinePoint is a set with outlines changed by a share of each lesion's diameter.
type OutlinePoint struct {
	Level     float64             `json:"level"` // share of the diameter of the disk with the lesion's area
	N         int                 `json:"n"`     // units scored
	Lost      int                 `json:"lost"`  // units whose outline is gone
	Dice      num.Float           `json:"dice"`  // mean over images, with the outline as drawn
	AUC       evaluate.AUC        `json:"auc"`
	Against   *evaluate.PairedAUC `json:"against,omitempty"` // changed less drawn, on the same units
	Slope     evaluate.Estimate   `json:"slope"`             // of calibration
	Intercept evaluate.Estimate   `json:"intercept"`         // calibration in the large
	Change    num.Float           `json:"change"`            // mean |score - score as drawn|
	ToHigh    int                 `json:"to_high"`           // units that cross the frozen threshold upwards
	ToLow     int                 `json:"to_low"`
	Flips     num.Float           `json:"flips"` // share of units that cross it
	FlipsLo   num.Float           `json:"flips_lo"`
	FlipsHi   num.Float           `json:"flips_hi"`
	Note      string              `json:"note,omitempty"`
}

// CutoffSweep repeats the study with other cut-offs of the outcome, the patients of every set being the same.
type CutoffSweep struct {
	Key    string        `json:"key"`
	Model  Key           `json:"model"`
	Column string        `json:"column"`
	Cutoff float64       `json:"cutoff"` // the study's own
	Points []CutoffPoint `json:"points"` // one a cut-off and set
	Notes  []string      `json:"notes"`
}

// CutoffPoint is the model learnt with a cut-off, in a set judged by the same cut-off.
type CutoffPoint struct {
	Cutoff      float64              `json:"cutoff"`
	Own         bool                 `json:"own"`
	Set         string               `json:"set"`
	Performance evaluate.Performance `json:"performance"`
}

// CentreSweep develops the model at all centres but one and tests it at that one.
type CentreSweep struct {
	Key    string        `json:"key"`
	Model  Key           `json:"model"`
	Points []CentrePoint `json:"points"`
	Notes  []string      `json:"notes"`
}

// CentrePoint is one centre left out.
type CentrePoint struct {
	Centre      string               `json:"centre"`
	Study       bool                 `json:"study"`       // the study itself has this division
	Trained     int                  `json:"trained"`     // patients of the training set, those that the networks learnt from included
	Internal    *evaluate.AUC        `json:"internal"`    // internal test patients of the other centres
	Performance evaluate.Performance `json:"performance"` // at the centre left out, threshold from training patients
	Slope       evaluate.Estimate    `json:"slope"`
	Intercept   evaluate.Estimate    `json:"intercept"`
}
