package report

import (
	"fmt"
	"math"
	"slices"

	"sonotype/evaluate"
	"sonotype/internal/num"
	"sonotype/report/chart"
)

// robustnessFigures are those of every part that was computed.
type robustnessFigures struct{ widths, outlines, cutoffs, centres []figure }

func (f robustnessFigures) all() []figure {
	return slices.Concat(f.widths, f.outlines, f.cutoffs, f.centres)
}

func (s *Study) robustnessFigures() (out robustnessFigures) {
	r := s.Robustness
	if r == nil {
		return out
	}
	if r.Widths != nil {
		for _, unit := range []string{"px", "mm"} {
			if f, ok := s.widthFigure(r.Widths, unit); ok {
				out.widths = append(out.widths, f)
			}
		}
	}
	if r.Outlines != nil {
		out.outlines = s.outlineFigures(r.Outlines)
	}
	if r.Cutoffs != nil && len(r.Cutoffs.Points) > 0 {
		out.cutoffs = append(out.cutoffs, s.cutoffFigure(r.Cutoffs))
	}
	if r.Centres != nil && len(r.Centres.Points) > 0 {
		out.centres = append(out.centres, s.centreFigure(r.Centres))
	}
	return out
}

// setDash is solid for the internal test set, dashed for the external.
func setDash(set string) string {
	if set == setExternal {
		return chart.Dashed
	}
	return ""
}

// widthFigure is the AUC by the width of the peritumoural area, for widths of one unit.
func (s *Study) widthFigure(w *WidthSweep, unit string) (figure, bool) {
	var points []WidthPoint
	widest := 0.0
	for _, p := range w.Points {
		if p.Unit == unit {
			points, widest = append(points, p), max(widest, p.Width)
		}
	}
	f := figure{id: "robustness-widths-" + unit, title: "AUC by width of the PTA, " + unit}
	f.caption = "Flat lines are reassuring: the result does not hang on the width that was chosen beforehand. A peak is no reason to choose that width; it was found on the test sets."
	if w.Unit == unit {
		f.caption += fmt.Sprintf(" Dotted: the study's own width, %g %s.", w.Width, w.Unit)
	}
	const h = 392
	c := s.draw(&f, panelW, h, "AUC in the test sets by the width of the peritumoural area, for the peritumoural area alone and with the tumour area.")
	f.data.header = []string{"width", "unit", "set", "features", "model", "auc", "auc_lo", "auc_hi", "difference", "p", "p_holm"}
	p := chart.NewPlot(c, marginL, marginTop, marginR, marginBase+82, chart.Axis{Min: 0, Max: 1.05 * widest, Label: "width, " + unit}, aucAxis(allAUCs(points, w.Tumour)))
	p.Horizontal(0.5, chart.Stroke{Colour: chart.Grey, Width: 1})
	var legend []chart.Entry
	p.Inside(func() {
		if w.Unit == unit {
			p.Vertical(w.Width, chart.Stroke{Colour: chart.Ink, Width: 1.2, Dash: chart.Dotted})
		}
		for _, t := range w.Tumour {
			stroke := chart.Stroke{Colour: regionColour("ta"), Width: 1.4, Dash: setDash(t.Set)}
			p.Horizontal(float64(t.AUC.AUC), stroke)
			legend = append(legend, chart.Entry{Label: featureName("ta") + ", " + t.Set, Stroke: stroke})
		}
		for _, features := range []string{"pta", "fusion"} {
			for _, set := range []string{setInternal, setExternal} {
				if e, ok := widthLine(p, points, features, set); ok {
					legend = append(legend, e)
				}
			}
		}
	})
	for _, q := range points {
		row := []string{cell(q.Width), q.Unit, q.Set, q.Features, w.Model, cell(q.AUC.AUC), cell(q.AUC.Lo), cell(q.AUC.Hi), "", "", ""}
		if q.Against != nil {
			row[8], row[9], row[10] = cell(q.Against.Difference), cell(q.Against.P), cell(q.Holm)
		}
		f.data.add(row...)
	}
	half := (len(legend) + 1) / 2
	c.Legend(at(marginL, h-68), panelW/2-marginL/2, legend[:half])
	c.Legend(at(panelW/2+20, h-68), panelW/2-marginL/2, legend[half:])
	return f, len(points) > 0
}

// widthLine draws one feature set in one set, a dot a width; those that differ after Holm's adjustment are larger.
func widthLine(p *chart.Plot, points []WidthPoint, features, set string) (chart.Entry, bool) {
	stroke := chart.Stroke{Colour: regionColour(features), Width: 2.2, Dash: setDash(set)}
	var x, y []float64
	for _, q := range sortedWidths(points) {
		if q.Features != features || q.Set != set {
			continue
		}
		x, y = append(x, q.Width), append(y, float64(q.AUC.AUC))
		radius, title := 3.0, fmt.Sprintf("%s, %s, %g %s: AUC %s (%s)", featureName(features), set, q.Width, q.Unit, share(q.AUC.AUC), interval(q.AUC.Lo, q.AUC.Hi))
		if q.Holm < 0.05 {
			radius = 5.5
		}
		p.Dot(p.At(q.Width, float64(q.AUC.AUC)), radius, stroke.Colour, title)
	}
	p.Path(p.Points(x, y), stroke)
	return chart.Entry{Label: featureName(features) + ", " + set, Stroke: stroke}, len(x) > 0
}

func allAUCs(lists ...[]WidthPoint) []num.Float {
	var out []num.Float
	for _, l := range lists {
		for _, p := range l {
			out = append(out, p.AUC.AUC)
		}
	}
	return out
}

// aucAxis spans the AUCs and 0.5, which is guessing.
func aucAxis(values []num.Float) chart.Axis {
	lo := 0.5
	for _, v := range values {
		if isNumber(float64(v)) {
			lo = min(lo, float64(v))
		}
	}
	return chart.Axis{Min: max(0, math.Floor(10*lo-0.5)/10), Max: 1, Label: "AUC"}
}

// kindStyle is how a way of changing outlines is drawn and called.
func kindStyle(kind string) (chart.Colour, string) {
	switch kind {
	case "shift":
		return chart.Blue, "moved in a random direction"
	case "dilate":
		return chart.Green, "drawn too large"
	case "erode":
		return chart.Vermillion, "drawn too small"
	}
	return chart.Purple, "drawn by an unsteady reader"
}

// outlineMetric is a figure of each level of change.
type outlineMetric struct {
	id, name, see string
	reference     float64
	of            func(OutlinePoint) (value, lo, hi num.Float)
}

var outlineMetrics = []outlineMetric{
	{id: "auc", name: "AUC", reference: 0.5, see: "How far may outlines differ before the model ranks patients worse? 0.5 is guessing.",
		of: func(p OutlinePoint) (v, lo, hi num.Float) { return p.AUC.AUC, p.AUC.Lo, p.AUC.Hi }},
	{id: "slope", name: "Slope", reference: 1, see: "The calibration slope: 1 means that probabilities keep their meaning; below 1 they are too extreme.",
		of: func(p OutlinePoint) (v, lo, hi num.Float) { return p.Slope.Value, p.Slope.Lo, p.Slope.Hi }},
	{id: "flips", name: "Flip rate", reference: 0, see: "The share of cases whose class at the frozen threshold changes because the outline does.",
		of: func(p OutlinePoint) (v, lo, hi num.Float) { return p.Flips, p.FlipsLo, p.FlipsHi }},
}

// outlineFigures are AUC, calibration slope and flip rate by how far outlines are changed, the sets side by side.
func (s *Study) outlineFigures(o *OutlineSweep) []figure {
	var out []figure
	for _, m := range outlineMetrics {
		for _, set := range []string{setInternal, setExternal} {
			var curves []OutlineCurve
			for _, c := range o.Curves {
				if c.Set == set {
					curves = append(curves, c)
				}
			}
			if len(curves) > 0 {
				out = append(out, s.outlineFigure(o, m, set, curves))
			}
		}
	}
	return out
}

func (s *Study) outlineFigure(o *OutlineSweep, m outlineMetric, set string, curves []OutlineCurve) figure {
	f := figure{id: "robustness-outlines-" + m.id + "-" + set, title: m.name + ", changed outlines, " + set}
	f.caption = m.see + " Changes are shares of the lesion's diameter; for the unsteady reader, the standard deviation of the contour's distance."
	const h = 400
	c := s.draw(&f, panelW, h, m.name+" of the frozen model in the "+set+" test set by how far outlines are changed, in four ways.")
	f.data.header = []string{"set", "change", "level", "n", "lost", "dice", m.id, m.id + "_lo", m.id + "_hi", "to_high", "to_low"}
	lo, hi, far := m.reference, m.reference, 0.0
	for _, curve := range curves {
		for _, p := range curve.Points {
			if v, _, _ := m.of(p); computable(v) {
				lo, hi = min(lo, float64(v)), max(hi, float64(v))
			}
			far = max(far, 100*p.Level)
		}
	}
	p := chart.NewPlot(c, marginL, marginTop, marginR, marginBase+90, chart.Axis{Min: 0, Max: max(far, 1), Label: "change of the outline, % of the lesion's diameter"}, m.axis(lo, hi))
	p.Horizontal(m.reference, chart.Stroke{Colour: chart.Grey, Width: 1})
	var legend []chart.Entry
	p.Inside(func() {
		for _, curve := range curves {
			colour, name := kindStyle(curve.Kind)
			stroke := chart.Stroke{Colour: colour, Width: 2.2, Dash: setDash(set)}
			var x, y []float64
			for _, q := range curve.Points {
				v, vlo, vhi := m.of(q)
				f.data.add(set, curve.Kind, cell(q.Level), whole(q.N), whole(q.Lost), cell(q.Dice), cell(v), cell(vlo), cell(vhi), whole(q.ToHigh), whole(q.ToLow))
				if !computable(v) {
					continue
				}
				x, y = append(x, 100*q.Level), append(y, float64(v))
				p.Dot(p.At(100*q.Level, float64(v)), 2.8, colour, fmt.Sprintf("%s by %g %%: %s (%s), Dice %s", name, 100*q.Level, fixed(float64(v), 3), interval(vlo, vhi), fixed(float64(q.Dice), 2)))
			}
			p.Path(p.Points(x, y), stroke)
			legend = append(legend, chart.Entry{Label: name, Stroke: stroke})
		}
	})
	c.Legend(at(marginL, h-74), panelW-marginL-marginR, legend)
	return f
}

func (m outlineMetric) axis(lo, hi float64) chart.Axis {
	a := chart.Axis{Min: lo - 0.05*(hi-lo), Max: hi + 0.08*(hi-lo), Label: m.name}
	switch m.id {
	case "auc":
		a = aucAxis([]num.Float{num.Float(lo)})
	case "flips":
		a.Min, a.Max = 0, max(0.1, 1.08*hi)
	}
	return a
}

// cutoffFigure is the AUC by the outcome's cut-off.
func (s *Study) cutoffFigure(w *CutoffSweep) figure {
	f := figure{id: "robustness-cutoffs", title: "AUC by the outcome's cut-off"}
	f.caption = fmt.Sprintf("Does the result hang on where %s is cut? Each cut-off has a model of its own and is judged by itself; bars are 95 %% intervals. Dotted: the study's own, %g.", w.Column, w.Cutoff)
	const h = 360
	c := s.draw(&f, panelW, h, "AUC in the test sets by the cut-off of "+w.Column+".")
	f.data.header = []string{"cutoff", "set", "n", "positive", "auc", "auc_lo", "auc_hi", "threshold", "sensitivity", "specificity"}
	lo, hi := w.Cutoff, w.Cutoff
	var aucs []num.Float
	var ticks []float64
	for _, p := range w.Points {
		lo, hi, aucs = min(lo, p.Cutoff), max(hi, p.Cutoff), append(aucs, p.Performance.AUCLo)
		if !slices.Contains(ticks, p.Cutoff) {
			ticks = append(ticks, p.Cutoff)
		}
	}
	pad := max(0.08*(hi-lo), 1)
	p := chart.NewPlot(c, marginL, marginTop, marginR, marginBase+48, chart.Axis{Min: lo - pad, Max: hi + pad, Label: "cut-off of " + w.Column, Ticks: ticks}, aucAxis(aucs))
	p.Horizontal(0.5, chart.Stroke{Colour: chart.Grey, Width: 1})
	colours := map[string]chart.Colour{setInternal: chart.Blue, setExternal: chart.Vermillion}
	legend := map[string]chart.Entry{}
	p.Inside(func() {
		p.Vertical(w.Cutoff, chart.Stroke{Colour: chart.Ink, Width: 1.2, Dash: chart.Dotted})
		for _, q := range w.Points {
			m, stroke := q.Performance, chart.Stroke{Colour: colours[q.Set], Width: 2, Dash: setDash(q.Set)}
			x := q.Cutoff + map[string]float64{setInternal: -0.12, setExternal: 0.12}[q.Set]*pad
			f.data.add(cell(q.Cutoff), q.Set, whole(m.N), whole(m.Positive), cell(m.AUC), cell(m.AUCLo), cell(m.AUCHi), cell(m.Threshold), cell(m.Sensitivity), cell(m.Specificity))
			if computable(m.AUC, m.AUCLo, m.AUCHi) {
				p.Canvas.Line(p.At(x, float64(m.AUCLo)), p.At(x, float64(m.AUCHi)), stroke)
				p.Dot(p.At(x, float64(m.AUC)), 3.6, stroke.Colour, fmt.Sprintf("%s, cut-off %g: AUC %s (%s)", q.Set, q.Cutoff, share(m.AUC), interval(m.AUCLo, m.AUCHi)))
			}
			legend[q.Set] = chart.Entry{Label: q.Set + " test", Stroke: stroke}
		}
	})
	var entries []chart.Entry
	for _, set := range []string{setInternal, setExternal} {
		if e, ok := legend[set]; ok {
			entries = append(entries, e)
		}
	}
	c.Legend(at(marginL, h-38), panelW-marginL-marginR, entries)
	return f
}

// centreFigure is the AUC at each centre by a model developed at the others.
func (s *Study) centreFigure(w *CentreSweep) figure {
	f := figure{id: "robustness-centres", title: "AUC at the centre left out"}
	f.caption = "Each line is a model that was developed without the centre and tested there, with its 95 % interval; faint above it, the same model's internal test. A centre far below its internal test is one to which the model does not carry over."
	row := 44.0
	h := marginTop + marginBase + row*float64(len(w.Points)) + 8
	c := s.draw(&f, panelW, h, "AUC of models developed at all centres but one, at the centre left out.")
	f.data.header = []string{"centre", "n", "positive", "trained_patients", "auc", "auc_lo", "auc_hi", "internal_auc", "sensitivity", "specificity", "calibration_slope", "calibration_intercept"}
	aucs := []num.Float{}
	for _, q := range w.Points {
		if aucs = append(aucs, q.Performance.AUCLo); q.Internal != nil {
			aucs = append(aucs, q.Internal.Lo)
		}
	}
	x := aucAxis(aucs)
	p := chart.NewPlot(c, 120, marginTop, marginR, marginBase, x, chart.Axis{Min: 0, Max: float64(len(w.Points)), Ticks: []float64{0}, Bare: true})
	p.Vertical(0.5, chart.Stroke{Colour: chart.Grey, Width: 1})
	for i, q := range w.Points {
		y := float64(len(w.Points)-i) - 0.5
		name, full := chart.Fit(q.Centre, 104, 12)
		c.Label(at(112, p.At(x.Min, y).Y+4), name, chart.Text{Size: 12, Anchor: "end", Title: full})
		internal := evaluate.AUC{AUC: num.NaN(), Lo: num.NaN(), Hi: num.NaN()}
		if q.Internal != nil {
			internal = *q.Internal
		}
		bar(p, y+0.22, internal.AUC, internal.Lo, internal.Hi, chart.Stroke{Colour: chart.Grey, Width: 1.3}, "internal test without "+q.Centre)
		m := q.Performance
		bar(p, y-0.08, m.AUC, m.AUCLo, m.AUCHi, chart.Stroke{Colour: chart.Blue, Width: 2.2}, q.Centre)
		f.data.add(q.Centre, whole(m.N), whole(m.Positive), whole(q.Trained), cell(m.AUC), cell(m.AUCLo), cell(m.AUCHi), cell(internal.AUC), cell(m.Sensitivity), cell(m.Specificity), cell(q.Slope.Value), cell(q.Intercept.Value))
	}
	return f
}

// bar draws an estimate with its interval across.
func bar(p *chart.Plot, y float64, v, lo, hi num.Float, stroke chart.Stroke, title string) {
	if !computable(v, lo, hi) {
		return
	}
	p.Canvas.Line(p.At(float64(lo), y), p.At(float64(hi), y), stroke)
	p.Dot(p.At(float64(v), y), 1.8*stroke.Width, stroke.Colour, fmt.Sprintf("%s: AUC %s (%s)", title, share(v), interval(lo, hi)))
}
