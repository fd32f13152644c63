package report

import (
	"fmt"
	"slices"
	"strings"

	"sonotype/evaluate"
	"sonotype/internal/num"
	"sonotype/report/chart"
)

// decision is the decision curve of the primary model with its two references (2D, 3D), its bootstrap band and, where there
// is one, the curve after recalibration. The right axis is the standardised net benefit: the same divided by the prevalence.
func (s *Study) decision(set Set, number string) figure {
	r := set.Results[s.Primary]
	d := r.Decision
	f := figure{number: number, title: "Decision curve, " + set.Title, id: stem(number, "decision", set.Name), data: decisionTable(r), caption: decisionCaption(r)}
	const h = 452
	c := s.draw(&f, panelW, h, "Net benefit against threshold probability for the model, treating all and treating none.")
	top := 0.05
	var x, model, all []float64
	for _, q := range d.Points {
		x, model, all = append(x, q.Threshold), append(model, q.Model), append(all, q.TreatAll)
		top = max(top, q.Model, q.TreatAll)
	}
	for _, b := range d.Band {
		top = max(top, float64(b.Hi))
	}
	p := chart.NewPlot(c, marginL, marginTop-6, 52, marginBase+102, chart.Axis{Min: 0, Max: 1, Label: "threshold probability (risk from which one would act)"}, chart.Axis{Min: -0.25 * top, Max: 1.08 * top, Label: "net benefit"})
	standardisedAxis(p, d.Prevalence)
	colour := modelColour(s.Primary.Model)
	main := chart.Stroke{Colour: colour, Width: 2.6, Dash: dashOf(set)}
	treatAll, treatNone := chart.Stroke{Colour: chart.Grey, Width: 2, Dash: chart.Dotted}, chart.Stroke{Colour: chart.Ink, Width: 1.2}
	recalibrated := chart.Stroke{Colour: chart.Ink, Width: 1.4, Dash: dashDot}
	p.Inside(func() {
		p.Area(decisionBand(p, d.Band), colour, 0.16)
		stretches(p, d.Better, chart.SkyBlue, "model best")
		stretches(p, d.Sure, chart.Green, "model best, lower limit included,")
		p.Path(p.Points(x, all), treatAll)
		p.Horizontal(0, treatNone)
		if r.After != nil {
			p.Path(decisionLine(p, r.After.Decision), recalibrated)
		}
		p.Path(p.Points(x, model), main)
	})
	legend := []chart.Entry{{Label: ModelName(s.Primary.Model) + " (" + featureName(s.Primary.Features) + ")", Stroke: main}, {Label: "treat all", Stroke: treatAll}, {Label: "treat none", Stroke: treatNone}}
	if r.After != nil {
		legend = append(legend, chart.Entry{Label: "after recalibration", Stroke: recalibrated})
	}
	c.Legend(at(marginL, h-96), panelW-marginL-marginR, legend)
	return f
}

func decisionCaption(r Result) string {
	d := r.Decision
	out := "Is acting on the model better than treating everybody or nobody? Read it at the risk from which you would act: where the thick line is highest, using the model does more good than harm compared with both."
	if len(d.Better) > 0 {
		out += " That holds for risks of " + rangesInWords(d.Better) + " (bar)."
	} else {
		out += " Here the model is above both nowhere."
	}
	if len(d.Band) > 0 {
		out += fmt.Sprintf(" Shaded: 95 %% limits of the net benefit at each risk, from %d bootstrap draws of all patients.", r.Measures.Bootstrap.Draws)
		if len(d.Sure) > 0 {
			out += " It holds beyond chance (lower limits of the net benefit and of its gain over treating all above 0) for risks of " + rangesInWords(d.Sure) + " (green part of the bar)."
		} else {
			out += " The gain over both is not sure at any risk: nowhere are the lower limits of the net benefit and of the gain over treating all above 0."
		}
	}
	out += " Right axis: share of the greatest benefit possible, that of treating exactly those who have it."
	if r.Recalibrated {
		out += " Scores were recalibrated first, " + r.recalibratedHow() + "."
	}
	if r.After != nil {
		out += " Dash-dotted: the same after recalibrating the probabilities " + r.After.How + "."
	}
	return out
}

// standardisedAxis labels the right side with net benefit / prevalence.
func standardisedAxis(p *chart.Plot, prevalence float64) {
	if prevalence <= 0 {
		return
	}
	right := p.Left + p.Width
	for tick := -1.0; tick <= 1; tick += 0.2 {
		if v := tick * prevalence; v >= p.Y.Min && v <= p.Y.Max {
			y := p.At(0, v).Y
			p.Line(at(right, y), at(right+4, y), chart.Stroke{Colour: chart.Muted, Width: 1})
			p.Label(at(right+7, y+4), fixed(tick, 1), chart.Text{Colour: chart.Muted})
		}
	}
	p.Label(at(right+44, p.Top+p.Height/2), "standardised", chart.Text{Size: 12.5, Anchor: "middle", Turned: true})
}

// decisionBand is the outline of the band.
func decisionBand(p *chart.Plot, band []evaluate.DecisionBand) []chart.Point {
	return outline(p, len(band), func(k int) (x float64, lo, hi num.Float) { return band[k].Threshold, band[k].Lo, band[k].Hi })
}

// outline goes along the upper limits and back along the lower ones, where both exist.
func outline(p *chart.Plot, n int, limits func(k int) (x float64, lo, hi num.Float)) []chart.Point {
	var up, down []chart.Point
	for k := range n {
		if x, lo, hi := limits(k); computable(lo, hi) {
			up, down = append(up, p.At(x, float64(hi))), append(down, p.At(x, float64(lo)))
		}
	}
	slices.Reverse(down)
	return append(up, down...)
}

func decisionLine(p *chart.Plot, d evaluate.DecisionCurve) []chart.Point {
	var out []chart.Point
	for _, q := range d.Points {
		out = append(out, p.At(q.Threshold, q.Model))
	}
	return out
}

// stretches draws bars along the foot of the plot.
func stretches(p *chart.Plot, ranges []evaluate.Range, colour chart.Colour, what string) {
	for _, b := range ranges {
		left := p.At(b.Lo, p.Y.Min)
		p.Rect(at(left.X, left.Y-7), max(p.At(b.Hi, 0).X-left.X, 1.5), 7, colour, 0.8, fmt.Sprintf("%s from %s to %s", what, fixed(b.Lo, 2), fixed(b.Hi, 2)))
	}
}

func decisionTable(r Result) table {
	t := table{header: []string{"threshold_probability", "model", "model_lo", "model_hi", "treat_all", "treat_none", "standardised", "standardised_lo", "standardised_hi", "recalibrated", "recalibrated_lo", "recalibrated_hi", "over_all_lo", "over_all_hi"}}
	for k, q := range r.Decision.Points {
		band := evaluate.DecisionBand{Lo: num.NaN(), Hi: num.NaN(), StandardisedLo: num.NaN(), StandardisedHi: num.NaN(), OverAllLo: num.NaN(), OverAllHi: num.NaN()}
		if r.Decision.Band != nil {
			band = r.Decision.Band[k]
		}
		row := []string{cell(q.Threshold), cell(q.Model), cell(band.Lo), cell(band.Hi), cell(q.TreatAll), cell(q.TreatNone), cell(q.Standardised), cell(band.StandardisedLo), cell(band.StandardisedHi), "", "", "", cell(band.OverAllLo), cell(band.OverAllHi)}
		if r.After != nil {
			row[9] = cell(r.After.Decision.Points[k].Model)
			if b := r.After.Decision.Band; b != nil {
				row[10], row[11] = cell(b[k].Lo), cell(b[k].Hi)
			}
		}
		t.add(row...)
	}
	return t
}

// rangesInWords prints "0.20–0.80 and 0.85–0.90".
func rangesInWords(ranges []evaluate.Range) string {
	var parts []string
	for _, r := range ranges {
		if r.Lo == r.Hi {
			parts = append(parts, fixed(r.Lo, 2))
			continue
		}
		parts = append(parts, fixed(r.Lo, 2)+"–"+fixed(r.Hi, 2))
	}
	if n := len(parts); n > 4 {
		parts = append(parts[:3], fmt.Sprintf("%d more stretches", n-3))
	}
	if n := len(parts); n > 1 {
		return strings.Join(parts[:n-1], ", ") + " and " + parts[n-1]
	}
	return strings.Join(parts, "")
}
