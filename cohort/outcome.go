package cohort

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"sonotype/cohort/table"
	"sonotype/internal/problem"
)

// Outcome says how the outcome column becomes a label: a number above Cutoff is positive; or one
// of the texts in Positive is (case ignored); with neither, the column holds 0 and 1.
type Outcome struct {
	Column   string   `json:"column,omitempty" yaml:"column,omitempty"` // default: Columns.Outcome, else "outcome"
	Cutoff   *float64 `json:"cutoff,omitempty" yaml:"cutoff,omitempty"`
	Positive []string `json:"positive,omitempty" yaml:"positive,omitempty"`
	// Negative, when given, lists the other class; rows with any other value are excluded.
	Negative []string `json:"negative,omitempty" yaml:"negative,omitempty"`
}

// Validate checks the rule by itself.
func (o Outcome) Validate() error {
	bad := func(what, try string) error { return &problem.Error{What: what, Try: try} }
	switch {
	case o.Cutoff != nil && len(o.Positive) > 0:
		return bad("the outcome has both a cut-off and positive values", "keep `cutoff` for a number, or `positive` for a category")
	case o.Cutoff != nil && (math.IsNaN(*o.Cutoff) || math.IsInf(*o.Cutoff, 0)):
		return bad("the outcome's cut-off is not a finite number", "")
	case len(o.Negative) > 0 && len(o.Positive) == 0:
		return bad("the outcome has negative values but no positive ones", "list the positive values under `positive`")
	}
	for _, p := range o.Positive {
		if contains(o.Negative, p) {
			return bad(fmt.Sprintf("the outcome value %q is both positive and negative", p), "")
		}
	}
	return nil
}

// label reads one cell that is not missing. A label of -1 without an error means that the value
// belongs to neither class.
func (o Outcome) label(cell string) (value float64, label int, err error) {
	if len(o.Positive) > 0 {
		switch {
		case contains(o.Positive, cell):
			return 1, 1, nil
		case len(o.Negative) == 0 || contains(o.Negative, cell):
			return 0, 0, nil
		}
		return math.NaN(), -1, nil
	}
	v, err := table.Number(cell)
	switch {
	case err != nil:
		return math.NaN(), -1, err
	case o.Cutoff != nil && v > *o.Cutoff:
		return v, 1, nil
	case o.Cutoff != nil:
		return v, 0, nil
	case v == 0 || v == 1:
		return v, int(v), nil
	}
	return math.NaN(), -1, fmt.Errorf("%q is neither 0 nor 1", cell)
}

func contains(list []string, s string) bool {
	return slices.ContainsFunc(list, func(x string) bool { return strings.EqualFold(strings.TrimSpace(x), s) })
}
