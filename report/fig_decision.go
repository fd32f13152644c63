package report

import (
	"fmt"
	"strings"

	"sonotype/evaluate"
	"sonotype/report/chart"
)

// decision is the decision curve of the primary model with its two references (2D, 3D).
func (s *Study) decision(set Set, number string) figure {
	r := set.Results[s.Primary]
	d := r.Decision
	f := figure{number: number, title: "Decision curve, " + set.Title, id: stem(number, "decision", set.Name)}
	f.caption = "Is acting on the model better than treating everybody or nobody? Read it at the risk from which you would act: where the thick line is highest, using the model does more good than harm compared with both."
	if len(d.Better) > 0 {
		f.caption += " That holds for risks of " + rangesInWords(d.Better) + " (green bar)."
	} else {
		f.caption += " Here the model is above both nowhere."
	}
	if r.Recalibrated {
		f.caption += " Scores were recalibrated on training data first."
	}
	c := s.draw(&f, panelW, 412, "Net benefit against threshold probability for the model, treating all and treating none.")
	top := 0.05
	f.data.header = []string{"threshold_probability", "model", "treat_all", "treat_none"}
	var x, model, all []float64
	for _, q := range d.Points {
		x, model, all = append(x, q.Threshold), append(model, q.Model), append(all, q.TreatAll)
		top = max(top, q.Model, q.TreatAll)
		f.data.add(cell(q.Threshold), cell(q.Model), cell(q.TreatAll), cell(q.TreatNone))
	}
	p := chart.NewPlot(c, marginL, marginTop-6, marginR, marginBase+62, chart.Axis{Min: 0, Max: 1, Label: "threshold probability (risk from which one would act)"}, chart.Axis{Min: -0.25 * top, Max: 1.08 * top, Label: "net benefit"})
	main := chart.Stroke{Colour: modelColour(s.Primary.Model), Width: 2.6, Dash: dashOf(set)}
	treatAll, treatNone := chart.Stroke{Colour: chart.Grey, Width: 2, Dash: chart.Dotted}, chart.Stroke{Colour: chart.Ink, Width: 1.2}
	p.Inside(func() {
		for _, b := range d.Better {
			left := p.At(b.Lo, p.Y.Min)
			p.Rect(at(left.X, left.Y-7), max(p.At(b.Hi, 0).X-left.X, 1.5), 7, chart.Green, 0.8, fmt.Sprintf("model best from %s to %s", fixed(b.Lo, 2), fixed(b.Hi, 2)))
		}
		p.Path(p.Points(x, all), treatAll)
		p.Horizontal(0, treatNone)
		p.Path(p.Points(x, model), main)
	})
	legend := []chart.Entry{{Label: ModelName(s.Primary.Model) + " (" + featureName(s.Primary.Features) + ")", Stroke: main}, {Label: "treat all", Stroke: treatAll}, {Label: "treat none", Stroke: treatNone}}
	c.Legend(at(marginL, 412-56), panelW-marginL-marginR, legend)
	return f
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
