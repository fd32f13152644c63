package report

import (
	"cmp"
	"fmt"

	"sonotype/evaluate"
	"sonotype/internal/num"
	"sonotype/report/chart"
)

// dashDot is the line of what comes after recalibration.
const dashDot = "7 3 1.5 3"

// calibration compares predicted probabilities with what was observed.
func (s *Study) calibration(set Set) figure {
	r := set.Results[s.Primary]
	k := r.Calibration
	f := figure{title: "Calibration, " + set.Title, id: "calibration-" + set.Name}
	f.caption = "When the model says 70 %, do 70 in 100 have it? On the diagonal yes; above it the model says too little, below it too much. Points are groups of equal size with 95 % intervals; the line is a smooth curve."
	if k.Band != nil {
		f.caption += fmt.Sprintf(" Shaded: its 95 %% limits at each probability, from %d bootstrap draws of all patients.", k.Band.Draws)
	}
	if words := calibrationInWords(k); words != "" {
		f.caption += " Here " + words + "."
	}
	if r.Recalibrated {
		f.caption += " Scores were recalibrated first, " + r.recalibratedHow() + "."
	}
	if r.After != nil {
		f.caption += " Dash-dotted: the curve after recalibrating the probabilities " + r.After.How + "."
	}
	const h = 498
	c := s.draw(&f, panelW, h, "Observed share of positives against predicted probability, with the diagonal of perfect calibration.")
	unit := []float64{0, 0.2, 0.4, 0.6, 0.8, 1}
	p := chart.NewPlot(c, marginL, marginTop-6, marginR, marginBase+148, chart.Axis{Min: 0, Max: 1, Label: "predicted probability", Ticks: unit}, chart.Axis{Min: 0, Max: 1, Label: "observed share", Ticks: unit})
	p.Line(p.At(0, 0), p.At(1, 1), chart.Stroke{Colour: chart.Grey, Width: 1})
	colour := modelColour(s.Primary.Model)
	f.data.header = []string{"kind", "predicted", "observed", "observed_lo", "observed_hi", "n"}
	p.Inside(func() {
		if k.Band != nil {
			p.Area(outline(p, len(k.Band.Points), func(i int) (x float64, lo, hi num.Float) {
				return k.Band.Points[i].Predicted, k.Band.Points[i].Lo, k.Band.Points[i].Hi
			}), colour, 0.16)
			for _, q := range k.Band.Points {
				f.data.add("band", cell(q.Predicted), "", cell(q.Lo), cell(q.Hi), "")
			}
		}
		if r.After != nil {
			p.Path(smooth(p, &f, "curve after recalibration", r.After.Calibration), chart.Stroke{Colour: chart.Ink, Width: 1.4, Dash: dashDot})
		}
		p.Path(smooth(p, &f, "curve", k), chart.Stroke{Colour: colour, Width: 2.2, Dash: dashOf(set)})
		for _, g := range k.Groups {
			p.Line(p.At(g.Predicted, float64(g.ObservedLo)), p.At(g.Predicted, float64(g.ObservedHi)), chart.Stroke{Colour: chart.Ink, Width: 1})
			p.Dot(p.At(g.Predicted, g.Observed), 3.5, chart.Ink, fmt.Sprintf("%d of %d", g.Positive, g.N))
			f.data.add("group", cell(g.Predicted), cell(g.Observed), cell(g.ObservedLo), cell(g.ObservedHi), whole(g.N))
		}
	})
	legend := []chart.Entry{
		{None: true, Label: "slope (1 is perfect)", Value: estimate(k.Slope)},
		{None: true, Label: "intercept (0 is perfect)", Value: estimate(k.Intercept)},
		{None: true, Label: "observed : expected (1 is perfect)", Value: estimate(k.ObservedExpect)},
		{None: true, Label: "mean calibration error (ICI)", Value: shareWith(k.ICI, iciInterval(k))},
		{None: true, Label: "Brier score (0 is perfect)", Value: shareWith(k.Brier, r.Measures.Bootstrap.Brier)},
	}
	if a := r.After; a != nil {
		legend = append(legend, chart.Entry{None: true, Label: "slope after recalibration", Value: estimate(a.Calibration.Slope)})
	}
	if t := r.HosmerLemeshow; t != nil {
		legend = append(legend, chart.Entry{None: true, Label: fmt.Sprintf("Hosmer-Lemeshow, %d groups", t.Groups), Value: pEquals(t.P)})
	}
	c.Legend(at(marginL, h-140), panelW-marginL-marginR, legend)
	return f
}

// smooth draws a smooth curve's points and notes them in the figure's data.
func smooth(p *chart.Plot, f *figure, kind string, c evaluate.Calibration) []chart.Point {
	var out []chart.Point
	for _, q := range c.Curve {
		out = append(out, p.At(q.Predicted, q.Observed))
		f.data.add(kind, cell(q.Predicted), cell(q.Observed), "", "", "")
	}
	return out
}

// iciInterval is the bootstrap's, where the curve was drawn anew in each draw.
func iciInterval(c evaluate.Calibration) evaluate.BootstrapInterval {
	if c.Band == nil {
		return evaluate.BootstrapInterval{Lo: num.NaN(), Hi: num.NaN()}
	}
	return c.Band.ICI
}

// shareWith is a share with its bootstrap interval, where there is one.
func shareWith(v num.Float, i evaluate.BootstrapInterval) string {
	if !computable(v, i.Lo, i.Hi) || i.Used == 0 {
		return share(v)
	}
	return share(v) + " (" + interval(i.Lo, i.Hi) + ")"
}

func (r Result) recalibratedHow() string {
	return cmp.Or(r.RecalibratedHow, "on out-of-fold training scores")
}
