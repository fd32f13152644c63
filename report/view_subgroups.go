package report

import (
	"sonotype/evaluate"
	"sonotype/internal/num"
)

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
