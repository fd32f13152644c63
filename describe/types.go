// Package describe takes the columns of a cohort table and a grouping column and gives Table 1: summaries, tests and standardised mean differences.
package describe

import (
	"sonotype/internal/num"
	"sonotype/internal/stats"
)

// Test is the result of one hypothesis test.
type Test = stats.Test

// Kind says how a column is summarised.
type Kind string

// The kinds; Auto lets Table decide.
const (
	Auto        Kind = ""
	Numeric     Kind = "numeric"
	Categorical Kind = "categorical"
)

// Column is one column of the table, a value per row as text. Levels, if set, orders (and completes) a categorical column's levels.
type Column struct {
	Name   string
	Values []string
	Kind   Kind
	Levels []string
}

// Level is one level of a categorical variable with its count in each group, in Result.Groups' order.
type Level struct {
	Name    string      `json:"level"`
	Counts  []int       `json:"counts"`
	Percent []num.Float `json:"percent"` // of the group's non-missing values
	Total   int         `json:"total"`
}

// GroupSummary describes a numeric variable in one group.
type GroupSummary struct {
	N      int       `json:"n"` // non-missing
	Mean   num.Float `json:"mean"`
	SD     num.Float `json:"sd"`
	Median num.Float `json:"median"`
	Q1     num.Float `json:"q1"` // R's type 7
	Q3     num.Float `json:"q3"`
	Min    num.Float `json:"min"`
	Max    num.Float `json:"max"`
}

// Variable is one row block of Table 1.
type Variable struct {
	Name      string         `json:"variable"`
	Kind      Kind           `json:"kind"`
	Test      string         `json:"test"`
	Statistic num.Float      `json:"statistic"`
	P         num.Float      `json:"p"`
	SMD       num.Float      `json:"smd"`              // largest over pairs of groups
	Levels    []Level        `json:"levels"`           // empty for numeric variables
	Groups    []GroupSummary `json:"groups,omitempty"` // numeric: one per group
	Overall   *GroupSummary  `json:"overall,omitempty"`
	Missing   []int          `json:"missing"`        // per group
	Also      *Test          `json:"also,omitempty"` // Fisher when an expected count is under 5; Wilcoxon or Kruskal when far from normal
	Note      string         `json:"note,omitempty"`
}

// LeftOut is a column that the table does not show, and why.
type LeftOut struct {
	Name   string `json:"variable"`
	Reason string `json:"reason"`
}

// Result is Table 1.
type Result struct {
	By        string     `json:"by"`
	Groups    []string   `json:"groups"` // the groups' names in column order
	N         []int      `json:"n"`      // rows in each group
	MissingBy int        `json:"missing_by"`
	Variables []Variable `json:"variables"`
	LeftOut   []LeftOut  `json:"left_out,omitempty"`
}
