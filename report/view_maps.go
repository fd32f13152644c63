package report

import (
	"cmp"
	"fmt"
	"strings"
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

// mapChecks says in words whether the Grad-CAM maps depend on what the networks learnt.
func (im Images) mapChecks() []string {
	var out []string
	for _, m := range im.Maps {
		if m.Maps > 0 {
			out = append(out, m.inWords())
		}
	}
	return out
}

func (m MapCheck) inWords() string {
	name := featureName(m.Region)
	head := fmt.Sprintf("%s maps of %s, against the same network with random weights (%s): ", name, count(m.Maps, "image"), cmp.Or(m.Randomised, "all layers"))
	if !computable(m.Similarity, m.Changed) {
		return head + "no similarity can be computed, since every pair has a map without contrast. Do not read the maps."
	}
	blank := ""
	if m.Blank > 0 {
		blank = fmt.Sprintf(" (%d more have a map without contrast)", m.Blank)
	}
	verdict := "So the maps depend on what was learnt."
	if float64(m.Similarity) >= m.Alike {
		verdict = "So the maps show the picture rather than what was learnt: do not read them."
	}
	return head + fmt.Sprintf("median rank correlation %s, %s %% of the pairs below %s%s. %s", fixed(float64(m.Similarity), 2),
		strings.TrimSuffix(fixed(100*float64(m.Changed), 1), ".0"), fixed(m.Alike, 1), blank, verdict)
}

func (im Images) mapsTable() table {
	t := table{header: []string{"region", "randomised", "maps", "blank", "median_similarity", "share_changed", "alike_from"}}
	for _, m := range im.Maps {
		t.add(m.Region, m.Randomised, whole(m.Maps), whole(m.Blank), cell(m.Similarity), cell(m.Changed), cell(m.Alike))
	}
	return t
}
