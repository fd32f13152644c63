package page

import (
	"fmt"
	"html/template"
	"slices"

	"sonotype/bundle"
	"sonotype/evaluate"
	"sonotype/report/chart"
	"sonotype/survival"
)

// figures draws in a page's language.
type figures struct {
	say  func(key string, args ...any) string
	card bundle.Card
}

// figures draws for a language; a word that is missing, which a test excludes, shows as its key.
func (p *pages) figures(lang string) figures {
	return figures{card: p.Card(), say: func(key string, args ...any) string {
		if text, err := p.say(lang, key, args...); err == nil {
			return text
		}
		return key
	}}
}

// The figures' inks: low and high class as in the study's report.
var (
	lowColour  = chart.Blue
	highColour = chart.Vermillion
)

func inline(c *chart.Canvas) template.HTML {
	return template.HTML(c.Inline()) // chart escapes its texts
}

// scale is the probability from 0 to 100 % with its interval.
func (f figures) scale(s bundle.Prediction) template.HTML {
	c := chart.New(560, 96, f.say("scale.alt", percent(s.Probability), percent(s.Lo), percent(s.Hi)))
	p := chart.NewPlot(c, 20, 30, 20, 40, chart.Axis{Min: 0, Max: 100, Label: f.say("scale.axis", f.card.High), Ticks: []float64{0, 20, 40, 60, 80, 100}}, chart.Axis{Min: 0, Max: 1, Bare: true, Ticks: []float64{0}})
	lo, hi, at := p.At(100*float64(s.Lo), 1), p.At(100*float64(s.Hi), 0), p.At(100*float64(s.Probability), 0.5)
	colour := lowColour
	if s.Positive {
		colour = highColour
	}
	c.Rect(lo, max(2, hi.X-lo.X), hi.Y-lo.Y, colour, 0.3, f.say("scale.interval"))
	c.Dot(at, 6, colour, percent(s.Probability))
	c.Label(chart.Point{X: min(max(at.X, 30), 530), Y: 22}, percent(s.Probability), chart.Text{Size: 14, Anchor: "middle", Bold: true})
	return inline(c)
}

// where shows the score among those of the validation set, by class.
func (f figures) where(set bundle.ValidationSet, s bundle.Prediction) template.HTML {
	h := set.Scores
	if len(h.Edges) < 2 || len(h.Low) != len(h.Edges)-1 || len(h.High) != len(h.Low) {
		return ""
	}
	most := 1
	for i := range h.Low {
		most = max(most, h.Low[i]+h.High[i])
	}
	c := chart.New(560, 240, f.say("where.alt", digits(s.Score)))
	first, last := min(h.Edges[0], float64(s.Score)), max(h.Edges[len(h.Edges)-1], float64(s.Score))
	p := chart.NewPlot(c, 46, 30, 16, 46, chart.Axis{Min: first, Max: last, Label: f.say("where.score")}, chart.Axis{Min: 0, Max: float64(most), Label: f.say("where.patients")})
	for i := range h.Low {
		left, right := p.At(h.Edges[i], 0), p.At(h.Edges[i+1], 0)
		low, high := p.At(0, float64(h.Low[i])), p.At(0, float64(h.Low[i]+h.High[i]))
		c.Rect(chart.Point{X: left.X, Y: low.Y}, right.X-left.X-1, left.Y-low.Y, lowColour, 0.75, fmt.Sprint(h.Low[i]))
		c.Rect(chart.Point{X: left.X, Y: high.Y}, right.X-left.X-1, low.Y-high.Y, highColour, 0.75, fmt.Sprint(h.High[i]))
	}
	upright(p, float64(s.Threshold), chart.Stroke{Colour: chart.Muted, Width: 1.5, Dash: chart.Dashed})
	upright(p, float64(s.Score), chart.Stroke{Colour: chart.Ink, Width: 2.5})
	c.Label(chart.Point{X: min(max(p.At(float64(s.Score), 0).X, 70), 490), Y: 22}, f.say("where.this"), chart.Text{Size: 12, Anchor: "middle", Bold: true})
	return inline(c)
}

func upright(p *chart.Plot, x float64, s chart.Stroke) {
	p.Inside(func() { p.Line(p.At(x, p.Y.Min), p.At(x, p.Y.Max), s) })
}

// benefit is the decision curve with the chosen threshold probability.
func (f figures) benefit(d evaluate.DecisionCurve, at float64) template.HTML {
	var x, model, all []float64
	top := 0.05
	for _, q := range d.Points {
		x, model, all = append(x, 100*q.Threshold), append(model, q.Model), append(all, q.TreatAll)
		top = max(top, q.Model, q.TreatAll)
	}
	c := chart.New(560, 260, f.say("benefit.alt"))
	p := chart.NewPlot(c, 56, 16, 16, 76, chart.Axis{Min: 0, Max: 100, Label: f.say("benefit.axis")}, chart.Axis{Min: -0.2 * top, Max: 1.05 * top, Label: f.say("benefit.net")})
	lines := []chart.Entry{
		{Label: f.say("benefit.model"), Stroke: chart.Stroke{Colour: chart.Purple, Width: 2.2}},
		{Label: f.say("benefit.all"), Stroke: chart.Stroke{Colour: chart.Grey, Width: 1.6, Dash: chart.Dashed}},
	}
	p.Inside(func() {
		p.Path(p.Points(x, all), lines[1].Stroke)
		p.Path(p.Points(x, model), lines[0].Stroke)
	})
	p.Horizontal(0, chart.Stroke{Colour: chart.Ink, Width: 1})
	upright(p, 100*at, chart.Stroke{Colour: chart.Ink, Width: 1.5, Dash: chart.Dotted})
	c.Legend(chart.Point{X: 60, Y: 228}, 480, lines)
	return inline(c)
}

// survival shows the curves of the groups, with the band of the case's group.
func (f figures) survival(s survival.Contrast, group string) template.HTML {
	last := 1.0
	for _, k := range s.Curves {
		if n := len(k.Points); n > 0 {
			last = max(last, k.Points[n-1].Time)
		}
	}
	c := chart.New(560, 280, f.say("survival.alt", f.say("group."+group)))
	p := chart.NewPlot(c, 56, 16, 16, 86, chart.Axis{Min: 0, Max: last, Label: f.say("survival.time")}, chart.Axis{Min: 0, Max: 1, Label: f.say("survival.share"), Ticks: []float64{0, 0.25, 0.5, 0.75, 1}})
	var legend []chart.Entry
	for _, k := range s.Curves {
		colour := lowColour
		if k.Name == survival.HighGroup {
			colour = highColour
		}
		stroke := chart.Stroke{Colour: colour, Width: 1.5}
		line, lo, hi := steps(p, k)
		p.Inside(func() {
			if k.Name == group {
				stroke.Width = 3
				slices.Reverse(hi)
				p.Area(append(lo, hi...), colour, 0.2)
			}
			p.Path(line, stroke)
		})
		legend = append(legend, chart.Entry{Label: f.say("survival.legend", f.say("group."+k.Name), k.N), Stroke: stroke, Bold: k.Name == group})
	}
	c.Legend(chart.Point{X: 60, Y: 240}, 480, legend)
	return inline(c)
}

// steps are a Kaplan-Meier curve and its bounds; a bound that is not defined keeps its last value.
func steps(p *chart.Plot, k survival.KM) (line, lo, hi []chart.Point) {
	s, l, h := 1.0, 1.0, 1.0
	add := func(t float64) {
		line, lo, hi = append(line, p.At(t, s)), append(lo, p.At(t, l)), append(hi, p.At(t, h))
	}
	add(0)
	for _, q := range k.Points {
		add(q.Time)
		s = q.Survival
		if !q.Lo.IsNaN() && !q.Hi.IsNaN() {
			l, h = float64(q.Lo), float64(q.Hi)
		}
		add(q.Time)
	}
	return line, lo, hi
}
