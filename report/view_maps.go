package report

import (
	"cmp"
	"fmt"
)

// hasMaps says whether the gallery draws any Grad-CAM map.
func (im Images) hasMaps() bool {
	for _, p := range im.Parts {
		for _, c := range p.Cases {
			if c.TACam != nil || c.PTACam != nil {
				return true
			}
		}
	}
	return false
}

// mapCheck is a MapCheck in words; Failed says that the maps are not to be read.
type mapCheck struct {
	Words  string
	Failed bool
}

// mapChecks says whether the Grad-CAM maps depend on what the networks learnt.
func (im Images) mapChecks() []mapCheck {
	var out []mapCheck
	for _, m := range im.Maps {
		if m.Maps > 0 {
			out = append(out, m.inWords())
		}
	}
	return out
}

// inWords takes maps for sound when more than half of them change with the weights.
func (m MapCheck) inWords() mapCheck {
	words := fmt.Sprintf("Check of the %s maps of %s against those of the same network with random weights (%s): ", featureName(m.Region), count(m.Maps, "image"), cmp.Or(m.Randomised, "all layers"))
	if !computable(m.Similarity, m.Changed) {
		return mapCheck{words + "no pair of maps can be compared, since one of each is without contrast. Do not read these maps.", true}
	}
	words += fmt.Sprintf("median rank correlation %s; %s %% of the maps changed (correlation below %s)", fixed(float64(m.Similarity), 2),
		fixed(100*float64(m.Changed), 1), fixed(m.Alike, 1))
	if m.Blank > 0 {
		words += fmt.Sprintf("; %d without contrast are left out", m.Blank)
	}
	if float64(m.Similarity) >= m.Alike {
		return mapCheck{words + ". These maps show the picture rather than what was learnt: do not read them.", true}
	}
	return mapCheck{words + ". So they depend on what was learnt.", false}
}

func (im Images) mapsTable() table {
	t := table{header: []string{"region", "randomised", "maps", "blank", "median_similarity", "share_changed", "alike_from"}}
	for _, m := range im.Maps {
		t.add(m.Region, m.Randomised, whole(m.Maps), whole(m.Blank), cell(m.Similarity), cell(m.Changed), cell(m.Alike))
	}
	return t
}
