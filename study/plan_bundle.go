package study

import (
	"slices"
	"strings"
)

// BundlePlan sets what the frozen model's file holds.
type BundlePlan struct {
	Precision   string `yaml:"precision" json:"precision"`   // fp32 | fp16, of the networks' weights
	Neighbours  string `yaml:"neighbours" json:"neighbours"` // anonymous | ids | none: training cases, to show the nearest ones
	IntendedUse string `yaml:"intended_use" json:"intended_use"`
	Licence     string `yaml:"licence" json:"licence"`
}

// Values of BundlePlan.
const (
	precisionFull       = "fp32"
	precisionHalf       = "fp16"
	neighboursAnonymous = "anonymous"
	neighboursIDs       = "ids"
	neighboursNone      = "none"
)

func defaultBundle() BundlePlan {
	return BundlePlan{
		Precision: precisionFull, Neighbours: neighboursAnonymous,
		IntendedUse: "Research use only. Not a medical device: not for diagnosis or treatment.",
	}
}

func (p *BundlePlan) validate(bad complain) error {
	if p.Precision != precisionFull && p.Precision != precisionHalf {
		return bad("bundle.precision", precisionFull+" or "+precisionHalf, p.Precision)
	}
	if kinds := []string{neighboursAnonymous, neighboursIDs, neighboursNone}; !slices.Contains(kinds, p.Neighbours) {
		return bad("bundle.neighbours", strings.Join(kinds, ", "), p.Neighbours)
	}
	return nil
}
