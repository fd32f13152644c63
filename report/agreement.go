package report

import (
	"sonotype/agreement"
	"sonotype/evaluate"
	"sonotype/internal/num"
)

// Agreement is what shows whether the study's figures hold in parts of the cohort, for other readers, and without the
// marks that are burnt into images.
type Agreement struct {
	Subgroups Subgroups `json:"subgroups"`
	Marks     []Mark    `json:"marks"`
	Readers   *Readers  `json:"readers,omitempty"` // nil where no image has several outlines
}

// Subgroups is subgroups.json of stage 07.
type Subgroups struct {
	Sets    []SubgroupSet `json:"sets"`
	LeftOut []string      `json:"left_out"` // variables that the study does not have, and why
}

// SubgroupSet is the primary model in the subgroups of one set.
type SubgroupSet struct {
	Set       string             `json:"set"`
	Title     string             `json:"title"`
	Variables []SubgroupVariable `json:"variables"`
}

// SubgroupVariable is one variable's levels and tests.
type SubgroupVariable struct {
	evaluate.Subgroups
	Rule    string    `json:"rule"`     // how a unit gets its level
	AUCHolm num.Float `json:"auc_holm"` // P of the AUC test, adjusted by Holm over the set's variables
}

// Mark is the association of burnt-in marks with the outcome in one set; index 0 is the negative class.
type Mark struct {
	Set    string    `json:"set"`
	Title  string    `json:"title"`
	Units  [2]int    `json:"units"`
	Marked [2]int    `json:"marked"` // units with a mark in at least one image
	Odds   num.Float `json:"odds_ratio"`
	Lo     num.Float `json:"lo"`
	Hi     num.Float `json:"hi"`
	Open   bool      `json:"open,omitempty"` // the upper end is infinite
	P      num.Float `json:"p"`              // Fisher's exact test
	Note   string    `json:"note,omitempty"`
}

// Readers is readers.json of stage 07: the agreement of several readers' outlines, of the features that they lead to,
// and of the primary model's score.
type Readers struct {
	Pairs      []agreement.Pair  `json:"pairs"`   // of outlines, over all images with several
	Names      []string          `json:"readers"` // those whose outlines are compared by intraclass correlations
	Cases      int               `json:"cases"`   // units that all of them outlined, an image each
	Regions    []ReaderRegion    `json:"regions"`
	Components []ReaderComponent `json:"components"` // the primary model's inputs
	Score      *ReaderScore      `json:"score,omitempty"`
	Bound      float64           `json:"bound"` // features below it were dropped; 0: none was
	Note       string            `json:"note,omitempty"`
}

// ReaderRegion sums up the intraclass correlations of a region's deep features.
type ReaderRegion struct {
	Region string `json:"region"` // ta | pta
	agreement.Spread
	Dropped int `json:"dropped"` // by the bound, decided on training patients
}

// ReaderComponent is one of the primary model's inputs.
type ReaderComponent struct {
	Name string `json:"name"`
	agreement.ICC
}

// ReaderScore is the primary model's score and verdict by reader.
type ReaderScore struct {
	agreement.ICC
	Changed int `json:"changed"` // cases that some readers' outlines put above the threshold and others' below
}
