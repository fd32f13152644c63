package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"sonotype/internal/num"
)

// robustnessView is what the template shows of the study's varied decisions.
type robustnessView struct {
	Any                                bool
	Widths, Outlines, Cutoffs          []string // sentences
	Centres                            []string
	WidthFigures, OutlineFigures       []figureView
	CutoffFigures, CentreFigures       []figureView
	WidthRows, OutlineRows, CentreRows []robustnessRow
	WidthSets                          []string // heads of the width table
}

// robustnessRow is a row of one of the tables.
type robustnessRow struct {
	Name, Small string
	Own, First  bool
	Cells       []valueCell
}

func (s *Study) robustnessView(f robustnessFigures) robustnessView {
	r := s.Robustness
	if r == nil {
		return robustnessView{}
	}
	v := robustnessView{Any: true, WidthFigures: views(f.widths), OutlineFigures: views(f.outlines), CutoffFigures: views(f.cutoffs), CentreFigures: views(f.centres)}
	if r.Widths != nil {
		v.Widths, v.WidthSets, v.WidthRows = r.Widths.inWords(s.unit()), r.Widths.sets(), r.Widths.rows()
	}
	if r.Outlines != nil {
		v.Outlines, v.OutlineRows = r.Outlines.inWords(s.unit()), r.Outlines.rows()
	}
	if r.Cutoffs != nil {
		v.Cutoffs = r.Cutoffs.inWords()
	}
	if r.Centres != nil {
		v.Centres, v.CentreRows = r.Centres.inWords(), r.Centres.rows()
	}
	return v
}

// sortedWidths are the points by unit and width, px first.
func sortedWidths(points []WidthPoint) []WidthPoint {
	return slices.SortedStableFunc(slices.Values(points), func(a, b WidthPoint) int {
		return cmp.Or(-cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.Width, b.Width))
	})
}

// widthFeatures are the feature sets that a width changes.
var widthFeatures = []string{"pta", "fusion"}

// sets are the test sets in which widths were compared.
func (w *WidthSweep) sets() []string {
	var out []string
	for _, set := range []string{setInternal, setExternal} {
		if slices.ContainsFunc(w.Points, func(p WidthPoint) bool { return p.Set == set }) {
			out = append(out, set)
		}
	}
	return out
}

func (w *WidthSweep) inWords(unit string) []string {
	var differ []string
	for _, p := range sortedWidths(w.Points) {
		if p.Against != nil && p.Holm < 0.05 {
			differ = append(differ, fmt.Sprintf("%s at %g %s in the %s set (by %s, adjusted %s)", featureName(p.Features), p.Width, p.Unit, p.Set, signed(p.Against.Difference, "").Value, pEquals(p.Holm)))
		}
	}
	anew := "regions, features, selection"
	if w.Retrained {
		anew = "regions, networks, features, selection"
	}
	how := fmt.Sprintf("The study was repeated with other widths of the peritumoural area: %s and the %s model were made anew, patients and folds being the same.", anew, ModelName(w.Model))
	if w.Kept {
		how += " The networks are the study's, trained at its own width, which the other widths may suffer from."
	}
	out := []string{how}
	if w.Comparisons > 0 {
		found := "none differs from the study's own width"
		if len(differ) > 0 {
			found = "these differ from the study's own width: " + strings.Join(differ, "; ")
		}
		out = append(out, fmt.Sprintf("Of the %d comparisons in a set (DeLong's paired test on the same %ss, Holm's adjustment for all of them), %s.", w.Comparisons, unit, found))
	}
	return append(out, noted(w.Notes)...)
}

// noted prints what could not be computed.
func noted(notes []string) []string {
	if len(notes) == 0 {
		return nil
	}
	return []string{"Not computed: " + strings.Join(notes, "; ") + "."}
}

// rows are a width a row: for each set and feature set the AUC, and P against the study's own width.
func (w *WidthSweep) rows() []robustnessRow {
	var out []robustnessRow
	for _, p := range sortedWidths(w.Points) {
		name := fmt.Sprintf("%g %s", p.Width, p.Unit)
		if len(out) > 0 && out[len(out)-1].Name == name {
			continue
		}
		row := robustnessRow{Name: name, Own: p.Own}
		for _, set := range w.sets() {
			for _, features := range widthFeatures {
				row.Cells = append(row.Cells, w.cells(p.Width, p.Unit, set, features)...)
			}
		}
		out = append(out, row)
	}
	return out
}

func (w *WidthSweep) cells(width float64, unit, set, features string) []valueCell {
	for _, p := range w.Points {
		if p.Width != width || p.Unit != unit || p.Set != set || p.Features != features {
			continue
		}
		pv := valueCell{Value: dash, Title: "the study's own width"}
		if p.Against != nil {
			pv = valueCell{Value: pValue(p.Holm), Small: pValue(p.Against.P), Title: "adjusted by Holm; below it as it is"}
		}
		return []valueCell{metric(p.AUC.AUC, p.AUC.Lo, p.AUC.Hi, p.AUC.Note), pv}
	}
	missing := valueCell{Value: dash, Title: "not computed"}
	return []valueCell{missing, missing}
}

func (o *OutlineSweep) inWords(unit string) []string {
	if len(o.Curves) == 0 {
		return noted(o.Notes)
	}
	out := []string{fmt.Sprintf("With everything frozen, %s scored the test sets again with changed outlines; nothing was learnt anew. Outlines were moved in a random direction, drawn too large or too small by a constant distance, and drawn again by a reader whose hand wanders smoothly about the contour. Distances are shares of each lesion's diameter (of the disk of its area). A case flips when its class at the frozen threshold (%s) changes.", o.Model.title(), fixed(float64(o.Threshold), 3))}
	if o.Recal {
		out[0] += " Calibration is that of scores recalibrated on training patients."
	}
	for _, set := range []string{setInternal, setExternal} {
		if p, ok := o.likely(set); ok {
			out = append(out, fmt.Sprintf("In the %s test set, outlines of an unsteady reader that agree with those drawn at a Dice of %s flip %d of %d %ss (%s %%) and give an AUC of %s (as drawn %s).",
				set, fixed(float64(p.Dice), 2), p.ToHigh+p.ToLow, p.N, unit, percent(p.ToHigh+p.ToLow, p.N), share(p.AUC.AUC), share(o.drawn(set).AUC.AUC)))
		}
		if worst, kind, ok := o.worst(set); ok {
			_, name := kindStyle(kind)
			out = append(out, fmt.Sprintf("Most %ss flipped in the %s test set with outlines %s by %g %% of the diameter (Dice %s): %d of %d (%s %%), %d to high and %d to low.",
				unit, set, name, 100*worst.Level, fixed(float64(worst.Dice), 2), worst.ToHigh+worst.ToLow, worst.N, percent(worst.ToHigh+worst.ToLow, worst.N), worst.ToHigh, worst.ToLow))
		}
	}
	return append(out, noted(o.Notes)...)
}

// usualDice is the agreement at which the unsteady reader's outlines are spoken of.
const usualDice = 0.9

// likely is the unsteady reader's point with a Dice nearest to usualDice.
func (o *OutlineSweep) likely(set string) (best OutlinePoint, ok bool) {
	for _, c := range o.Curves {
		for _, p := range c.Points {
			if c.Set == set && c.Kind == "reader" && p.Level > 0 && (!ok || math.Abs(float64(p.Dice)-usualDice) < math.Abs(float64(best.Dice)-usualDice)) {
				best, ok = p, true
			}
		}
	}
	return best, ok
}

// drawn is a set with its outlines as they are.
func (o *OutlineSweep) drawn(set string) OutlinePoint {
	for _, c := range o.Curves {
		if c.Set == set && len(c.Points) > 0 {
			return c.Points[0]
		}
	}
	return OutlinePoint{}
}

// worst is the change with the highest flip rate in a set.
func (o *OutlineSweep) worst(set string) (worst OutlinePoint, kind string, ok bool) {
	for _, c := range o.Curves {
		for _, p := range c.Points {
			if c.Set == set && p.Level > 0 && computable(p.Flips) && (!ok || p.Flips > worst.Flips) {
				worst, kind, ok = p, c.Kind, true
			}
		}
	}
	return worst, kind, ok
}

// rows are a set, way and level a row.
func (o *OutlineSweep) rows() []robustnessRow {
	var out []robustnessRow
	for _, c := range o.Curves {
		_, name := kindStyle(c.Kind)
		for i, p := range c.Points {
			if i == 0 && c.Kind != o.Curves[0].Kind {
				continue // the outlines as drawn, once a set
			}
			row := robustnessRow{Name: name, Small: setTitle(c.Set), First: c.Kind == o.Curves[0].Kind && i == 0, Own: i == 0}
			if i == 0 {
				row.Name = "as drawn"
			}
			lost := valueCell{Value: whole(p.N)}
			if p.Lost > 0 {
				lost.Small = fmt.Sprintf("%d lost", p.Lost)
			}
			diff := valueCell{Value: dash}
			if p.Against != nil {
				diff = metricSigned(p.Against.Difference, p.Against.Lo, p.Against.Hi, p.Against.Note)
			}
			flips := metric(p.Flips, p.FlipsLo, p.FlipsHi, p.Note)
			if i == 0 {
				flips = valueCell{Value: dash}
			}
			out = append(out, row.with(valueCell{Value: fixed(100*p.Level, 1)}, lost, valueCell{Value: fixed(float64(p.Dice), 2)},
				metric(p.AUC.AUC, p.AUC.Lo, p.AUC.Hi, p.AUC.Note), diff, metric(p.Slope.Value, p.Slope.Lo, p.Slope.Hi, p.Note), flips))
		}
	}
	return out
}

func (r robustnessRow) with(cells ...valueCell) robustnessRow {
	r.Cells = append(r.Cells, cells...)
	return r
}

// metricSigned is metric for a difference.
func metricSigned(v, lo, hi num.Float, why string) valueCell {
	c := metric(v, lo, hi, why)
	if computable(v) && v > 0 {
		c.Value = "+" + c.Value
	}
	return c
}

func (w *CutoffSweep) inWords() []string {
	var out []string
	if len(w.Points) > 0 {
		out = append(out, fmt.Sprintf("With other cut-offs of %s, %s was learnt and judged again, every set keeping its patients.", w.Column, w.Model.title()))
		for _, set := range []string{setInternal, setExternal} {
			lo, hi, n := num.NaN(), num.NaN(), 0
			for _, p := range w.Points {
				if v := p.Performance.AUC; p.Set == set && computable(v) {
					if n++; n == 1 {
						lo, hi = v, v
					}
					lo, hi = min(lo, v), max(hi, v)
				}
			}
			if n > 1 {
				out = append(out, fmt.Sprintf("In the %s test set the AUC lies between %s and %s over %d cut-offs.", set, share(lo), share(hi), n))
			}
		}
	}
	return append(out, noted(w.Notes)...)
}

func (w *CentreSweep) inWords() []string {
	var out []string
	if len(w.Points) > 0 {
		out = append(out, fmt.Sprintf("For each centre, %s was developed at all others and tested at that one, at a threshold from its own training patients.", w.Model.title()))
	}
	return append(out, noted(w.Notes)...)
}

// rows are a centre a row.
func (w *CentreSweep) rows() []robustnessRow {
	var out []robustnessRow
	for _, p := range w.Points {
		m := p.Performance
		internal := valueCell{Value: dash, Title: "no internal test set"}
		if p.Internal != nil {
			internal = metric(p.Internal.AUC, p.Internal.Lo, p.Internal.Hi, p.Internal.Note)
		}
		row := robustnessRow{Name: p.Centre}
		if p.Study {
			row.Small = "the study itself"
		}
		out = append(out, row.with(valueCell{Value: whole(m.N), Small: percent(m.Positive, m.N) + " % positive"}, valueCell{Value: whole(p.Trained)},
			metric(m.AUC, m.AUCLo, m.AUCHi, m.Note), internal, metric(m.Sensitivity, m.SensitivityLo, m.SensitivityHi, m.Note), metric(m.Specificity, m.SpecificityLo, m.SpecificityHi, m.Note),
			metric(p.Slope.Value, p.Slope.Lo, p.Slope.Hi, "no slope"), metric(p.Intercept.Value, p.Intercept.Lo, p.Intercept.Hi, "no intercept")))
	}
	return out
}
