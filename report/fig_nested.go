package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"sonotype/internal/num"
	"sonotype/report/chart"
)

// honestyFigures are the distribution over splits; none without repeats or permutations.
func (s *Study) honestyFigures() []figure {
	if s.Nested == nil && s.Permuted == nil {
		return nil
	}
	return []figure{s.nestedFigure()}
}

// strip is a row of the figure: one dot a repeat.
type strip struct {
	name   string
	values []num.Float
	mid    num.Float
	lo, hi num.Float
	colour chart.Colour
	bold   bool
}

// strips are the rows: the whole procedure, each model by its mean, and the permuted labels.
func (s *Study) strips() []strip {
	var out []strip
	if n := s.Nested; n != nil {
		chosen := strip{name: "whole choice, made inside", mid: n.Chosen.Median, lo: n.Chosen.Lo, hi: n.Chosen.Hi, colour: chart.Vermillion, bold: true}
		for _, r := range n.Repeats {
			chosen.values = append(chosen.values, r.AUC)
		}
		var models []strip
		for _, key := range s.keys() {
			spread, ok := n.Models[key]
			if !ok {
				continue
			}
			m := strip{name: featureName(key.Features) + ", " + ModelName(key.Model), mid: spread.Median, lo: spread.Lo, hi: spread.Hi, colour: regionColour(key.Features)}
			for _, r := range n.Repeats {
				m.values = append(m.values, r.Models[key])
			}
			models = append(models, m)
		}
		slices.SortStableFunc(models, func(a, b strip) int { return cmp.Compare(b.mid, a.mid) })
		out = append(append(out, chosen), models...)
	}
	if p := s.Permuted; p != nil {
		out = append(out, strip{name: "labels permuted", values: p.AUC, mid: p.Mean, lo: p.Mean - 2*p.SE, hi: p.Mean + 2*p.SE, colour: chart.Grey, bold: true})
	}
	return out
}

// nestedFigure draws every repeat's AUC, a row a model.
func (s *Study) nestedFigure() figure {
	f := figure{title: "AUC over divisions of the patients", id: "nested-cross-validation", wide: true}
	rows := s.strips()
	f.caption = s.nestedCaption()
	const w, rowH, left = 760.0, 19.0, 220.0
	lo, hi := 0.5, 0.5
	for _, r := range rows {
		for _, v := range r.values {
			if computable(v) {
				lo, hi = min(lo, float64(v)), max(hi, float64(v))
			}
		}
	}
	if n := s.Nested; n != nil && computable(n.Study) {
		lo, hi = min(lo, float64(n.Study)), max(hi, float64(n.Study))
	}
	lo, hi = max(0, math.Floor(lo*20-0.5)/20), min(1, math.Ceil(hi*20+0.5)/20)
	c := s.draw(&f, w, marginTop+rowH*float64(len(rows))+marginBase+10, f.caption)
	p := chart.NewPlot(c, left, marginTop, marginR, marginBase, chart.Axis{Min: lo, Max: hi, Label: "AUC, mean over the outer folds of a division"}, chart.Axis{Min: 0, Max: float64(len(rows)), Bare: true, Ticks: []float64{0}})
	p.Vertical(0.5, chart.Stroke{Colour: chart.Muted, Width: 1})
	if n := s.Nested; n != nil && computable(n.Study) {
		p.Vertical(float64(n.Study), chart.Stroke{Colour: chart.Ink, Width: 1.2, Dash: chart.Dashed})
	}
	f.data.header = []string{"row", "repeat", "auc"}
	for i, r := range rows {
		y := float64(len(rows)-i) - 0.5
		r.draw(c, p, y, left)
		for k, v := range r.values {
			f.data.add(r.name, whole(k+1), cell(v))
		}
	}
	return f
}

func (r strip) draw(c *chart.Canvas, p *chart.Plot, y, left float64) {
	mid := p.At(0, y).Y
	name, full := chart.Fit(r.name, left-14, 12)
	c.Label(at(left-8, mid+4), name, chart.Text{Anchor: "end", Bold: r.bold, Title: full})
	if computable(r.lo, r.hi) {
		p.Line(p.At(float64(r.lo), y), p.At(float64(r.hi), y), chart.Stroke{Colour: r.colour, Width: 3})
	}
	for k, v := range r.values {
		if computable(v) {
			p.Dot(p.At(float64(v), y), 2.4, r.colour, fmt.Sprintf("%s, %d: %s", r.name, k+1, share(v)))
		}
	}
	if computable(r.mid) {
		m := p.At(float64(r.mid), y)
		p.Line(at(m.X, m.Y-7), at(m.X, m.Y+7), chart.Stroke{Colour: chart.Ink, Width: 2})
	}
}

func (s *Study) nestedCaption() string {
	words := "Each dot is one random division of the development patients, by patient and stratified by outcome. "
	if n := s.Nested; n != nil {
		words += fmt.Sprintf("Bars: 95 %% of the %d divisions; tick: median. Bars show the luck of the division alone and are no confidence intervals: all divisions share the same patients. ", n.Chosen.N)
		if computable(n.Study) {
			words += "Dashed: the study’s own split, primary model, internal test set. "
		}
	}
	if s.Permuted != nil {
		words += "Grey: labels dealt anew, with the mean and two standard errors; it must include 0.5, the thin line."
	}
	return words
}
