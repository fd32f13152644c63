package chart

import (
	"math"
	"strconv"
	"strings"
)

// Axis is a range with its label. Log axes need Min > 0.
type Axis struct {
	Min, Max float64
	Log      bool
	Label    string
	Ticks    []float64 // chosen when empty
	Bare     bool      // no tick labels
}

// Plot is a coordinate system on a canvas.
type Plot struct {
	*Canvas
	X, Y          Axis
	Left, Top     float64
	Width, Height float64
}

// NewPlot draws axes with light grid lines, ticks and labels inside the given margins.
func NewPlot(c *Canvas, left, top, right, bottom float64, x, y Axis) *Plot {
	p := &Plot{Canvas: c, X: x.settled(), Y: y.settled(), Left: left, Top: top, Width: c.w - left - right, Height: c.h - top - bottom}
	grid, axis := Stroke{Colour: Faint, Width: 1}, Stroke{Colour: Muted, Width: 1}
	base := p.Top + p.Height
	for _, t := range p.Y.Ticks {
		at := p.At(p.X.Min, t)
		c.Line(at, Point{left + p.Width, at.Y}, grid)
		if !p.Y.Bare {
			c.Label(Point{left - 7, at.Y + 4}, p.Y.tick(t), Text{Colour: Muted, Anchor: "end"})
		}
	}
	for _, t := range p.X.Ticks {
		at := p.At(t, p.Y.Min)
		if !p.X.Bare {
			c.Line(Point{at.X, base}, Point{at.X, base + 4}, axis)
			c.Label(Point{at.X, base + 17}, p.X.tick(t), Text{Colour: Muted, Anchor: "middle"})
		}
	}
	c.Line(Point{left, base}, Point{left + p.Width, base}, axis)
	c.Line(Point{left, top}, Point{left, base}, axis)
	c.Label(Point{left + p.Width/2, base + 36}, p.X.Label, Text{Size: 12.5, Anchor: "middle"})
	c.Label(Point{15, top + p.Height/2}, p.Y.Label, Text{Size: 12.5, Anchor: "middle", Turned: true})
	return p
}

// settled repairs an empty or impossible range and chooses ticks.
func (a Axis) settled() Axis {
	if !finite(a.Min, a.Max) || a.Log && a.Min <= 0 {
		a.Min, a.Max = 1, 10
	}
	if a.Max <= a.Min {
		if a.Log {
			a.Min, a.Max = a.Min/2, a.Min*2
		} else {
			a.Min, a.Max = a.Min-0.5, a.Min+0.5
		}
	}
	if len(a.Ticks) == 0 {
		a.Ticks = a.ticks()
	}
	return a
}

// ticks are at most about seven round values: multiples of 1, 2 or 5 times a power of ten, or on a log axis
// 1, 2, 5 in each decade (1 only over more than two decades).
func (a Axis) ticks() []float64 {
	var out []float64
	if a.Log {
		steps := []float64{1, 2, 5}
		if a.Max/a.Min > 100 {
			steps = steps[:1]
		}
		for d := math.Floor(math.Log10(a.Min)); d <= math.Ceil(math.Log10(a.Max)); d++ {
			for _, s := range steps {
				if v := s * math.Pow(10, d); v >= a.Min*(1-1e-9) && v <= a.Max*(1+1e-9) {
					out = append(out, v)
				}
			}
		}
		return out
	}
	step := math.Pow(10, math.Floor(math.Log10((a.Max-a.Min)/6)))
	for _, s := range []float64{1, 2, 5, 10} {
		if (a.Max-a.Min)/(step*s) <= 6.5 {
			step *= s
			break
		}
	}
	for k := math.Ceil(a.Min/step - 1e-9); k*step <= a.Max+step*1e-9; k++ {
		out = append(out, k*step+0) // + 0: no negative zero
	}
	return out
}

func (a Axis) tick(v float64) string {
	v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64)
	return strings.Replace(strconv.FormatFloat(v, 'f', -1, 64), "-", "−", 1)
}

// share is where v lies on the axis, 0 at Min and 1 at Max.
func (a Axis) share(v float64) float64 {
	if a.Log {
		return math.Log(v/a.Min) / math.Log(a.Max/a.Min)
	}
	return (v - a.Min) / (a.Max - a.Min)
}

// At is the pixel of a value pair.
func (p *Plot) At(x, y float64) Point {
	return Point{p.Left + p.X.share(x)*p.Width, p.Top + (1-p.Y.share(y))*p.Height}
}

// Points places value pairs.
func (p *Plot) Points(x, y []float64) []Point {
	out := make([]Point, min(len(x), len(y)))
	for i := range out {
		out[i] = p.At(x[i], y[i])
	}
	return out
}

// Inside draws what draw draws, cut at the axes (with room for lines and dots on the edge).
func (p *Plot) Inside(draw func()) {
	p.Clip(Point{p.Left - 3.5, p.Top - 3.5}, p.Width+7, p.Height+7, draw)
}

// Vertical draws a line across the plot at x.
func (p *Plot) Vertical(x float64, s Stroke) {
	p.Line(p.At(x, p.Y.Min), p.At(x, p.Y.Max), s)
}

// Horizontal draws a line across the plot at y.
func (p *Plot) Horizontal(y float64, s Stroke) {
	p.Line(p.At(p.X.Min, y), p.At(p.X.Max, y), s)
}

// Entry is a line of a legend; Value stands at its right edge.
type Entry struct {
	Label, Value string
	Stroke       Stroke
	Fill         bool // a patch instead of a line
	None         bool // text only
	Bold         bool
}

// LegendHeight is the room that n entries take.
func LegendHeight(n int) float64 { return 17 * float64(n) }

// Legend lists entries downwards from a point, in a width.
func (c *Canvas) Legend(at Point, width float64, entries []Entry) {
	for i, e := range entries {
		y := at.Y + 17*float64(i) + 12
		indent := 34.0
		switch {
		case e.None:
			indent = 0
		case e.Fill:
			c.Rect(Point{at.X + 6, y - 10}, 16, 11, e.Stroke.Colour, e.Stroke.Opacity, "")
		default:
			c.Line(Point{at.X, y - 4}, Point{at.X + 26, y - 4}, e.Stroke)
		}
		room := width - indent - Width(e.Value, 12) - 6
		label, full := Fit(e.Label, room, 12)
		c.Label(Point{at.X + indent, y}, label, Text{Bold: e.Bold, Title: full})
		if e.Value != "" {
			c.Label(Point{at.X + width, y}, e.Value, Text{Bold: e.Bold, Anchor: "end"})
		}
	}
}
