package report

import (
	"fmt"

	"sonotype/report/chart"
)

// confusion is the two-by-two table of the primary model at its frozen threshold (2B, 3B).
func (s *Study) confusion(set Set, number string) figure {
	r := set.Results[s.Primary].Performance
	f := figure{number: number, title: "Confusion matrix, " + set.Title, id: stem(number, "confusion", set.Name)}
	f.caption = fmt.Sprintf("What the model said against what was measured, at the threshold of %s. Of %d %s with %s, %d were found and %d missed; of %d with %s, %d were recognised and %d were false alarms.",
		share(r.Threshold), r.Positive, s.unit()+"s", s.positive(), r.TP, r.FN, r.N-r.Positive, s.negative(), r.TN, r.FP)
	f.data = table{header: []string{"measured", "predicted", "n"}}
	names := [2]string{s.negative(), s.positive()}
	counts := [2][2]int{{r.TN, r.FP}, {r.FN, r.TP}} // [measured][predicted]
	const cellW, cellH, left, top = 140.0, 104.0, 128.0, 84.0
	c := s.draw(&f, panelW, 380, f.caption)
	c.Label(at(left+cellW, 48), "predicted by "+ModelName(s.Primary.Model), chart.Text{Size: 12.5, Anchor: "middle"})
	c.Label(at(16, top+cellH), "measured", chart.Text{Size: 12.5, Anchor: "middle", Turned: true})
	for i, measured := range []int{1, 0} { // positives first
		total := counts[measured][0] + counts[measured][1]
		y := top + float64(i)*(cellH+4)
		for k, line := range chart.Wrap(names[measured], left-36, 12) {
			c.Label(at(left-8, y+cellH/2+float64(15*k)-4), line, chart.Text{Anchor: "end"})
		}
		c.Label(at(left-8, y+cellH/2+float64(15*len(chart.Wrap(names[measured], left-36, 12)))-4), fmt.Sprintf("n = %d", total), chart.Text{Size: 11, Anchor: "end", Colour: chart.Muted})
		for j, predicted := range []int{1, 0} {
			x := left + float64(j)*(cellW+4)
			if i == 0 {
				short, full := chart.Fit(names[predicted], cellW, 12)
				c.Label(at(x+cellW/2, top-10), short, chart.Text{Anchor: "middle", Title: full})
			}
			n := counts[measured][predicted]
			c.Rect(at(x, y), cellW, cellH, confusionColour(measured, predicted), 0.06+0.3*shareOf(n, total), "")
			c.Label(at(x+cellW/2, y+cellH/2+2), whole(n), chart.Text{Size: 24, Anchor: "middle", Bold: measured == predicted})
			c.Label(at(x+cellW/2, y+cellH/2+23), confusionWord(measured, predicted)+", "+percent(n, total)+" %", chart.Text{Size: 12, Anchor: "middle", Colour: chart.Muted})
			f.data.add(names[measured], names[predicted], whole(n))
		}
	}
	y := top + 2*cellH + 4 + 28
	c.Label(at(left, y), "sensitivity "+share(r.Sensitivity)+" ("+interval(r.SensitivityLo, r.SensitivityHi)+")", chart.Text{})
	c.Label(at(left, y+18), "specificity "+share(r.Specificity)+" ("+interval(r.SpecificityLo, r.SpecificityHi)+")", chart.Text{})
	c.Label(at(left, y+36), "accuracy "+share(r.Accuracy)+" ("+interval(r.AccuracyLo, r.AccuracyHi)+")", chart.Text{})
	return f
}

func shareOf(n, total int) float64 {
	if total == 0 {
		return 0
	}
	return float64(n) / float64(total)
}

func confusionColour(measured, predicted int) chart.Colour {
	if measured == predicted {
		return chart.Green
	}
	return chart.Grey
}

func confusionWord(measured, predicted int) string {
	return [2][2]string{{"recognised", "false alarms"}, {"missed", "found"}}[measured][predicted]
}
