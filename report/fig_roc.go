package report

import (
	"fmt"

	"sonotype/report/chart"
)

// trainingROC is figure 1D: out-of-fold curves of the six models, the apparent AUC beside them in the table.
func (s *Study) trainingROC() []figure {
	set, ok := s.set(setTrain)
	if !ok {
		return nil
	}
	f := s.roc(set, "1D")
	f.caption = fmt.Sprintf("How well the %s models separate %s from %s in the training set, each patient scored by a model that had not seen them. "+
		"The nearer a curve runs to the upper left corner, the better; the diagonal is guessing.", featureName(s.rocSet()), s.positive(), s.negative())
	if o := set.Results[s.Primary].Optimistic; o != nil {
		f.caption += fmt.Sprintf(" Drawn are only those whose outcome the network had not seen either; over all %ss, those that it was trained on included, the primary model would reach an AUC of %s, which is too good to believe.", s.unit(), share(o.AUC))
	}
	return []figure{f}
}

// roc draws the curves of all models of one feature set on one set (2A, 3A).
func (s *Study) roc(set Set, number string) figure {
	f := figure{number: number, title: "ROC curves, " + set.Title, id: stem(number, "roc", set.Name)}
	f.data.header = []string{"features", "model", "threshold", "false_positive_rate", "true_positive_rate"}
	f.caption = fmt.Sprintf("Sensitivity against false alarms for every possible threshold. The primary model (%s) is drawn thick; the others are exploratory. An AUC of 0.5 is guessing, 1 is perfect.", ModelName(s.Primary.Model))
	legend := s.rocLegend(set)
	h := 420 + chart.LegendHeight(len(legend))
	c := s.draw(&f, panelW, h, fmt.Sprintf("ROC curves of %d models, %s; %s reaches an AUC of %s.", len(legend)-1, set.Title, s.Primary.title(), share(set.Results[s.Primary].Performance.AUC)))
	unit := []float64{0, 0.2, 0.4, 0.6, 0.8, 1}
	p := chart.NewPlot(c, marginL, marginTop-6, marginR, h-marginTop-320, chart.Axis{Min: 0, Max: 1, Label: "1 − specificity (false alarms)", Ticks: unit}, chart.Axis{Min: 0, Max: 1, Label: "sensitivity", Ticks: unit})
	p.Line(p.At(0, 0), p.At(1, 1), chart.Stroke{Colour: chart.Grey, Width: 1})
	p.Inside(func() {
		for _, primary := range []bool{false, true} { // the primary model on top
			for _, m := range s.Models {
				key := Key{s.rocSet(), m}
				if (key == s.Primary) == primary {
					s.rocCurve(p, set.Results[key], s.rocStroke(set, key))
				}
			}
		}
	})
	for _, m := range s.Models {
		for _, q := range set.Results[Key{s.rocSet(), m}].ROC {
			f.data.add(s.rocSet(), m, cell(q.Threshold), cell(q.FPR), cell(q.TPR))
		}
	}
	c.Legend(at(marginL, 404), panelW-marginL-marginR, legend)
	return f
}

func (s *Study) rocCurve(p *chart.Plot, r Result, stroke chart.Stroke) {
	pts := make([]chart.Point, len(r.ROC))
	for i, q := range r.ROC {
		pts[i] = p.At(q.FPR, q.TPR)
	}
	p.Path(pts, stroke)
}

func (s *Study) rocStroke(set Set, key Key) chart.Stroke {
	stroke := chart.Stroke{Colour: modelColour(key.Model), Width: 1.4, Dash: dashOf(set)}
	if key == s.Primary {
		stroke.Width = 3
	}
	return stroke
}

// rocLegend lists the models with their AUC and interval.
func (s *Study) rocLegend(set Set) []chart.Entry {
	entries := []chart.Entry{{None: true, Label: featureName(s.rocSet()) + " models", Value: "AUC (95 % CI)"}}
	for _, m := range s.Models {
		key := Key{s.rocSet(), m}
		r, ok := set.Results[key]
		if !ok {
			continue
		}
		e := chart.Entry{Label: ModelName(m), Stroke: s.rocStroke(set, key), Bold: key == s.Primary}
		if e.Bold {
			e.Label += " (primary)"
		}
		e.Value = share(r.Performance.AUC) + " (" + interval(r.Performance.AUCLo, r.Performance.AUCHi) + ")"
		entries = append(entries, e)
	}
	return entries
}
