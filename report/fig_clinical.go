package report

import (
	"fmt"
	"slices"
	"strconv"

	"sonotype/clinical"
	"sonotype/report/chart"
)

// clinicalFigures are, side by side for each test set, the ROC and decision curves of the three models.
func (s *Study) clinicalFigures() []figure {
	if s.Clinical == nil {
		return nil
	}
	var out []figure
	for _, draw := range []func(ClinicalSet) figure{s.clinicalROC, s.clinicalDecision} {
		for _, set := range s.Clinical.Sets {
			if set.Set != setTrain && len(set.Models) > 0 {
				out = append(out, draw(set))
			}
		}
	}
	return out
}

// clinicalStroke keeps one look for each model.
func clinicalStroke(name string) chart.Stroke {
	switch name {
	case "clinical":
		return chart.Stroke{Colour: chart.Green, Width: 2, Dash: chart.Dashed}
	case "deep":
		return chart.Stroke{Colour: chart.Blue, Width: 2, Dash: chart.Dotted}
	}
	return chart.Stroke{Colour: chart.Vermillion, Width: 2.6}
}

func (s *Study) clinicalROC(set ClinicalSet) figure {
	f := figure{title: "ROC, three models, " + set.Title, id: stem("", "clinical-roc", set.Set), data: table{header: []string{"model", "threshold", "fpr", "tpr"}},
		caption: fmt.Sprintf("What does the score add to the clinical variables? The thick line is the model of both. The %d %ss that all three models could score.", set.Analysed, s.unit())}
	const h = 452
	c := s.draw(&f, panelW, h, "ROC curves of the clinical model, the score and both together.")
	p := chart.NewPlot(c, marginL, marginTop-6, marginR, marginBase+66, chart.Axis{Min: 0, Max: 1, Label: "1 − specificity"}, chart.Axis{Min: 0, Max: 1, Label: "sensitivity"})
	var legend []chart.Entry
	p.Inside(func() {
		p.Path(p.Points([]float64{0, 1}, []float64{0, 1}), chart.Stroke{Colour: chart.Faint, Width: 1.2})
		for _, m := range set.Models {
			var x, y []float64
			for _, q := range m.ROC {
				x, y = append(x, q.FPR), append(y, q.TPR)
				f.data.add(m.Name, cell(q.Threshold), cell(q.FPR), cell(q.TPR))
			}
			p.Path(p.Points(x, y), clinicalStroke(m.Name))
			legend = append(legend, chart.Entry{Label: clinicalModelNames[m.Name], Value: share(m.Performance.AUC) + " (" + interval(m.Performance.AUCLo, m.Performance.AUCHi) + ")", Stroke: clinicalStroke(m.Name)})
		}
	})
	c.Legend(at(marginL, h-60), panelW-marginL-marginR, legend)
	return f
}

func (s *Study) clinicalDecision(set ClinicalSet) figure {
	f := figure{title: "Decision curves, three models, " + set.Title, id: stem("", "clinical-decision", set.Set), data: table{header: []string{"model", "threshold", "net_benefit", "treat_all"}},
		caption: "Which model is worth acting on? At the risk from which one would act, the highest line does the most good after its harm is taken off."}
	const h = 452
	c := s.draw(&f, panelW, h, "Net benefit of the clinical model, the score and both together against threshold probability.")
	top := 0.05
	for _, m := range set.Models {
		for _, q := range m.Decision.Points {
			top = max(top, q.Model, q.TreatAll)
		}
	}
	p := chart.NewPlot(c, marginL, marginTop-6, marginR, marginBase+86, chart.Axis{Min: 0, Max: 1, Label: "threshold probability (risk from which one would act)"}, chart.Axis{Min: -0.25 * top, Max: 1.08 * top, Label: "net benefit"})
	treatAll := chart.Stroke{Colour: chart.Grey, Width: 1.5}
	legend := []chart.Entry{}
	p.Inside(func() {
		p.Horizontal(0, chart.Stroke{Colour: chart.Ink, Width: 1.2})
		for k, m := range set.Models {
			var x, y, all []float64
			for _, q := range m.Decision.Points {
				x, y, all = append(x, q.Threshold), append(y, q.Model), append(all, q.TreatAll)
				f.data.add(m.Name, cell(q.Threshold), cell(q.Model), cell(q.TreatAll))
			}
			if k == 0 {
				p.Path(p.Points(x, all), treatAll)
			}
			p.Path(p.Points(x, y), clinicalStroke(m.Name))
			legend = append(legend, chart.Entry{Label: clinicalModelNames[m.Name], Stroke: clinicalStroke(m.Name)})
		}
	})
	c.Legend(at(marginL, h-80), panelW-marginL-marginR, append(legend, chart.Entry{Label: "treat all (line at 0: treat none)", Stroke: treatAll}))
	return f
}

// Measures of the nomogram, px: long enough for a point to be eight pixels wide.
const (
	nomogramW     = 1000
	nomogramLeft  = 172
	nomogramRight = 26
	nomogramRow   = 54
	nomogramTop   = 62
)

// nomogramAxis is one axis on paper: from is its value at the left edge, to at the right one.
type nomogramAxis struct {
	title    string
	y        float64
	from, to float64
	marks    []clinical.Mark
	named    bool // labels are words and may stand above each other
}

// x is the pixel of a number of points.
func (a nomogramAxis) x(v float64) float64 {
	return nomogramLeft + (v-a.from)/(a.to-a.from)*(nomogramW-nomogramLeft-nomogramRight)
}

// nomogramAxes lays out the axes from top to bottom: points, the variables, total points, probability.
func nomogramAxes(n *clinical.Nomogram) []nomogramAxis {
	out := []nomogramAxis{{title: "Points", from: 0, to: 100, marks: n.Points}}
	for _, a := range n.Axes {
		out = append(out, nomogramAxis{title: a.Variable.Name, from: 0, to: 100, marks: a.Marks, named: len(a.Variable.Levels) > 0})
	}
	out = append(out, nomogramAxis{title: "Total points", from: 0, to: n.Total, marks: n.Totals}, nomogramAxis{title: "Probability", from: 0, to: n.Total, marks: n.Risks})
	for i := range out {
		out[i].y = nomogramTop + nomogramRow*float64(i)
	}
	for i := len(out) - 2; i < len(out); i++ {
		out[i].y += 18
	}
	return out
}

// nomogram is the combined model to be read by hand.
func (s *Study) nomogram() []figure {
	if s.Clinical == nil || s.Clinical.Nomogram == nil {
		return nil
	}
	n := s.Clinical.Nomogram
	f := figure{title: "Nomogram of " + s.positive() + ", " + clinicalModelNames[s.Clinical.NomogramOf], id: "nomogram", wide: true, data: nomogramTable(n),
		caption: fmt.Sprintf("How likely is the outcome (%s) in one patient? Find the patient's value on each line, read its points straight above on the first line, add them up, find the sum on the line of total points and read the probability straight below. Small ticks are one point apart on the first line; the table holds every tick. It is a drawing of the model, no advice for care, and says nothing beyond the values that its lines show.", s.positive())}
	axes := nomogramAxes(n)
	h := axes[len(axes)-1].y + 50
	c := s.draw(&f, nomogramW, h, nomogramAlt(n, s.positive()))
	last := axes[len(axes)-3]
	for v := 0.0; v <= 100; v += 10 {
		x := axes[0].x(v)
		c.Line(at(x, axes[0].y), at(x, last.y), chart.Stroke{Colour: chart.Faint, Width: 1})
	}
	for _, a := range axes {
		a.draw(c)
	}
	return []figure{f}
}

func nomogramAlt(n *clinical.Nomogram, outcome string) string {
	out := "Nomogram for the probability of " + outcome + ". Most points that each variable can give:"
	for i, a := range n.Axes {
		most := 0.0
		for _, m := range a.Marks {
			most = max(most, m.At)
		}
		if i > 0 {
			out += ","
		}
		out += fmt.Sprintf(" %s %s", a.Variable.Name, fixed(most, 0))
	}
	return out + "."
}

// draw sets an axis: its line, a tick for each mark, and the labels that find room.
func (a nomogramAxis) draw(c *chart.Canvas) {
	ink := chart.Stroke{Colour: chart.Ink, Width: 1}
	title, full := chart.Fit(a.title, nomogramLeft-24, 13)
	c.Label(at(8, a.y+4), title, chart.Text{Size: 13, Bold: true, Title: full})
	marks := slices.Clone(a.marks)
	slices.SortStableFunc(marks, func(p, q clinical.Mark) int {
		switch {
		case p.At < q.At:
			return -1
		case p.At > q.At:
			return 1
		}
		return 0
	})
	if len(marks) == 0 {
		return
	}
	c.Line(at(a.x(marks[0].At), a.y), at(a.x(marks[len(marks)-1].At), a.y), chart.Stroke{Colour: chart.Ink, Width: 1.3})
	lanes := []float64{20}
	if a.named {
		lanes = []float64{20, -12, 33}
	}
	ends := make([]float64, len(lanes)) // right end of the last label in each lane
	for _, m := range marks {
		x, tick := a.x(m.At), 5.0
		if m.Label != "" {
			tick = 8
		}
		c.Line(at(x, a.y), at(x, a.y+tick), ink)
		half := chart.Width(m.Label, 11.5) / 2
		for l, dy := range lanes {
			if m.Label != "" && x-half > ends[l]+3 {
				c.Label(at(x, a.y+dy), m.Label, chart.Text{Size: 11.5, Anchor: "middle"})
				ends[l] = x + half
				break
			}
		}
	}
}

// nomogramTable holds every tick: its value, and its points or total points.
func nomogramTable(n *clinical.Nomogram) table {
	t := table{header: []string{"axis", "value", "points"}}
	for _, a := range n.Axes {
		for _, m := range a.Marks {
			value := strconv.FormatFloat(m.Value, 'g', -1, 64)
			if len(a.Variable.Levels) > 0 {
				value = m.Label
			}
			t.add(a.Variable.Name, value, cell(m.At))
		}
	}
	for _, m := range n.Risks {
		t.add("probability by total points", strconv.FormatFloat(m.Value, 'g', -1, 64), cell(m.At))
	}
	return t
}
