package report

import (
	"fmt"

	"sonotype/report/chart"
)

// calibration compares predicted probabilities with what was observed.
func (s *Study) calibration(set Set) figure {
	r := set.Results[s.Primary]
	k := r.Calibration
	f := figure{title: "Calibration, " + set.Title, id: "calibration-" + set.Name}
	f.caption = "When the model says 70 %, do 70 in 100 have it? On the diagonal yes; above it the model says too little, below it too much. Points are groups of equal size with 95 % intervals; the line is a smooth curve."
	if words := calibrationInWords(k); words != "" {
		f.caption += " Here " + words + "."
	}
	if r.Recalibrated {
		f.caption += " Scores were recalibrated on training data first."
	}
	c := s.draw(&f, panelW, 438, "Observed share of positives against predicted probability, with the diagonal of perfect calibration.")
	unit := []float64{0, 0.2, 0.4, 0.6, 0.8, 1}
	p := chart.NewPlot(c, marginL, marginTop-6, marginR, marginBase+88, chart.Axis{Min: 0, Max: 1, Label: "predicted probability", Ticks: unit}, chart.Axis{Min: 0, Max: 1, Label: "observed share", Ticks: unit})
	p.Line(p.At(0, 0), p.At(1, 1), chart.Stroke{Colour: chart.Grey, Width: 1})
	colour := modelColour(s.Primary.Model)
	f.data.header = []string{"kind", "predicted", "observed", "observed_lo", "observed_hi", "n"}
	p.Inside(func() {
		var curve []chart.Point
		for _, q := range k.Curve {
			curve = append(curve, p.At(q.Predicted, q.Observed))
			f.data.add("curve", cell(q.Predicted), cell(q.Observed), "", "", "")
		}
		p.Path(curve, chart.Stroke{Colour: colour, Width: 2.2, Dash: dashOf(set)})
		for _, g := range k.Groups {
			p.Line(p.At(g.Predicted, float64(g.ObservedLo)), p.At(g.Predicted, float64(g.ObservedHi)), chart.Stroke{Colour: chart.Ink, Width: 1})
			p.Dot(p.At(g.Predicted, g.Observed), 3.5, chart.Ink, fmt.Sprintf("%d of %d", g.Positive, g.N))
			f.data.add("group", cell(g.Predicted), cell(g.Observed), cell(g.ObservedLo), cell(g.ObservedHi), whole(g.N))
		}
	})
	c.Legend(at(marginL, 438-80), panelW-marginL-marginR, []chart.Entry{
		{None: true, Label: "slope (1 is perfect)", Value: estimate(k.Slope)},
		{None: true, Label: "observed : expected (1 is perfect)", Value: estimate(k.ObservedExpect)},
		{None: true, Label: "mean calibration error (ICI)", Value: share(k.ICI)},
		{None: true, Label: "Brier score (0 is perfect)", Value: share(k.Brier)},
	})
	return f
}
