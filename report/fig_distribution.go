package report

import (
	"fmt"
	"slices"

	"sonotype/evaluate"
	"sonotype/report/chart"
)

// distribution draws the primary model's scores by measured class, with their test (2C, 3C).
func (s *Study) distribution(set Set, number string) figure {
	r := set.Results[s.Primary]
	d := r.Distribution
	f := figure{number: number, title: "Scores by measured class, " + set.Title, id: stem(number, "distribution", set.Name)}
	test := d.Test.Name + ", " + pEquals(d.Test.P)
	if !computable(d.Test.P) {
		test = "no test: " + note(d.Test.Note)
	}
	lo, hi := scoreRange(d)
	what := "predicted probability"
	if lo != 0 || hi != 1 {
		what = "score"
	}
	f.caption = fmt.Sprintf("The %s of %s, for %s measured as %s and as %s. The wider the shape, the more of them have that score; box: middle half and median; dashed: the threshold. The less the shapes overlap, the better (%s).",
		what, s.positive(), s.unit()+"s", s.negative(), s.positive(), test)
	c := s.draw(&f, panelW, 380, f.caption)
	p := chart.NewPlot(c, marginL, marginTop+16, marginR, marginBase, chart.Axis{Min: 0, Max: 2, Bare: true, Ticks: []float64{0}}, chart.Axis{Min: lo, Max: hi, Label: what})
	threshold := "dashed: threshold " + share(r.Performance.Threshold)
	short, full := chart.Fit(test, p.Width-chart.Width(threshold, 11), 12)
	c.Label(at(p.Left, marginTop+6), short, chart.Text{Title: full})
	c.Label(at(p.Left+p.Width, marginTop+6), threshold, chart.Text{Size: 11.5, Anchor: "end", Colour: chart.Muted})
	f.data.header = []string{"class", "bin_from", "bin_to", "n"}
	for i, class := range d.Classes {
		name := [2]string{s.negative(), s.positive()}[i]
		x := float64(i) + 0.5
		p.Inside(func() { violin(p, d, class, x, classColours[i]) })
		short, full := chart.Fit(name, p.Width/2, 12.5)
		c.Label(at(p.At(x, 0).X, p.Top+p.Height+20), short, chart.Text{Size: 12.5, Anchor: "middle", Title: full})
		c.Label(at(p.At(x, 0).X, p.Top+p.Height+36), fmt.Sprintf("n = %d, median %s", class.N, share(class.Median)), chart.Text{Size: 11.5, Anchor: "middle", Colour: chart.Muted})
		for k, n := range class.Counts {
			f.data.add(name, cell(d.Edges[k]), cell(d.Edges[k+1]), whole(n))
		}
	}
	if t := float64(r.Performance.Threshold); isNumber(t) && t >= lo && t <= hi {
		p.Horizontal(t, chart.Stroke{Colour: chart.Ink, Width: 1.2, Dash: chart.Dashed})
	}
	return f
}

// scoreRange is 0 to 1 for probabilities, else what the scores span.
func scoreRange(d evaluate.Distribution) (lo, hi float64) {
	for _, c := range d.Classes {
		if c.N > 0 {
			lo, hi = min(lo, float64(c.Min)), max(hi, float64(c.Max))
		}
	}
	if lo >= 0 && hi <= 1 {
		return 0, 1
	}
	return lo, hi
}

// violin draws one class's density, mirrored, cut at its extremes, with a box for quartiles and median.
func violin(p *chart.Plot, d evaluate.Distribution, class evaluate.ClassScores, x float64, colour chart.Colour) {
	if class.N == 0 {
		return
	}
	peak := 0.0
	for _, other := range d.Classes {
		for _, v := range other.Density {
			peak = max(peak, v)
		}
	}
	var right, left []chart.Point
	for k, v := range class.Density {
		if k < len(d.Grid) && d.Grid[k] >= float64(class.Min) && d.Grid[k] <= float64(class.Max) && peak > 0 {
			right = append(right, p.At(x+0.42*v/peak, d.Grid[k]))
			left = append(left, p.At(x-0.42*v/peak, d.Grid[k]))
		}
	}
	slices.Reverse(left)
	if outline := append(right, left...); len(outline) > 2 {
		p.Area(outline, colour, 0.3)
		p.Path(append(outline, outline[0]), chart.Stroke{Colour: colour, Width: 1.2})
	}
	q1, q3, mid := p.At(x, float64(class.Q1)), p.At(x, float64(class.Q3)), p.At(x, float64(class.Median))
	p.Line(p.At(x, float64(class.Min)), p.At(x, float64(class.Max)), chart.Stroke{Colour: colour, Width: 1.2})
	p.Rect(at(q1.X-8, q3.Y), 16, max(q1.Y-q3.Y, 1), colour, 1, fmt.Sprintf("middle half %s to %s", share(class.Q1), share(class.Q3)))
	p.Line(at(mid.X-8, mid.Y), at(mid.X+8, mid.Y), chart.Stroke{Colour: chart.Paper, Width: 2.5})
}
