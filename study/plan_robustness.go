package study

import (
	"fmt"
	"slices"
)

// RobustnessPlan sets which of the study's decisions `sonotype robustness` varies, and how far.
type RobustnessPlan struct {
	WidthsPX []float64 `yaml:"widths_px" json:"widths_px"` // of the peritumoural area
	WidthsMM []float64 `yaml:"widths_mm" json:"widths_mm"`
	Retrain  bool      `yaml:"retrain" json:"retrain"`   // networks for every width; false: the study's, trained at its own
	Outlines []float64 `yaml:"outlines" json:"outlines"` // how far outlines are changed, as shares of the lesion's diameter
	Cutoffs  []float64 `yaml:"cutoffs" json:"cutoffs"`   // of the outcome
}

// defaultRobustness has Ki-67's usual cut-offs in percent.
func defaultRobustness() RobustnessPlan {
	return RobustnessPlan{
		WidthsPX: []float64{5, 10, 15, 20, 30}, WidthsMM: []float64{1, 2, 3, 5}, Retrain: true,
		Outlines: []float64{0.025, 0.05, 0.1, 0.15, 0.2}, Cutoffs: []float64{14, 20, 25, 30},
	}
}

func (p *RobustnessPlan) validate(bad complain) error {
	for _, list := range []struct {
		key    string
		values []float64
		lo, hi float64
	}{
		{"robustness.widths_px", p.WidthsPX, 0.1, 200}, {"robustness.widths_mm", p.WidthsMM, 0.1, 200},
		{"robustness.outlines", p.Outlines, 0.001, 1}, {"robustness.cutoffs", p.Cutoffs, -1e9, 1e9},
	} {
		for i, v := range list.values {
			if !(v >= list.lo && v <= list.hi) || slices.Contains(list.values[:i], v) {
				return bad(list.key, fmt.Sprintf("different numbers between %g and %g", list.lo, list.hi), list.values)
			}
		}
	}
	return nil
}

// developmentInWords says whose patients are divided.
func (p *Plan) developmentInWords() string {
	if p.Split.LeaveOut != "" {
		return "all centres but " + p.Split.LeaveOut
	}
	return "the development centre"
}
