package chart

import (
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Point is a position in CSS pixels, y downwards.
type Point struct{ X, Y float64 }

// Stroke is how a line is drawn; a zero Width is 1.5.
type Stroke struct {
	Colour  Colour
	Width   float64
	Dash    string // SVG's stroke-dasharray; empty is solid
	Opacity float64
}

// Dashes of reference lines and of external sets.
const (
	Dashed = "6 3"
	Dotted = "1.5 3"
)

// Text is how a label is set; a zero Size is 12.
type Text struct {
	Colour Colour
	Size   float64
	Anchor string // start (default), middle, end
	Bold   bool
	Turned bool // read from below
	Title  string
}

// Canvas is a figure under construction.
type Canvas struct {
	w, h float64
	alt  string
	b    strings.Builder
}

// New starts a figure of w x h pixels; alt describes it to those who cannot see it.
func New(w, h float64, alt string) *Canvas { return &Canvas{w: w, h: h, alt: alt} }

// Inline is the figure for a page that carries Style.
func (c *Canvas) Inline() string {
	return fmt.Sprintf(`<svg class="figure" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" width="%s" height="%s" role="img" aria-label="%s">`,
		px(c.w), px(c.h), px(c.w), px(c.h), Escape(c.alt)) + "\n" + c.b.String() + "</svg>\n"
}

// File is the figure as a file of its own, with style and background.
func (c *Canvas) File() []byte {
	head, body, _ := strings.Cut(c.Inline(), "\n")
	back := fmt.Sprintf(`<rect class="f-paper" width="%s" height="%s" fill="%s"/>`, px(c.w), px(c.h), Paper.Light)
	family := fmt.Sprintf(`<g font-family="%s">`, Escape(fonts))
	return []byte(head + "\n<style>" + Style() + "</style>\n" + back + family + "\n" + strings.TrimSuffix(body, "</svg>\n") + "</g></svg>\n")
}

// Escape makes s safe as XML text or attribute value; characters that XML forbids become U+FFFD.
func Escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder never fails
	return b.String()
}

// px prints a coordinate to a tenth of a pixel.
func px(v float64) string {
	v = math.Round(v*10) / 10
	if v == 0 {
		return "0"
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

func finite(v ...float64) bool {
	for _, x := range v {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return false
		}
	}
	return true
}

func (s Stroke) attributes() string {
	if s.Width == 0 {
		s.Width = 1.5
	}
	out := fmt.Sprintf(` class="s-%s" stroke="%s" stroke-width="%s"`, s.Colour.Name, s.Colour.Light, px(s.Width))
	if s.Dash != "" {
		out += fmt.Sprintf(` stroke-dasharray="%s"`, s.Dash)
	}
	return out + opacity("stroke-opacity", s.Opacity)
}

// opacity is an attribute unless the value is 0 (not set) or 1.
func opacity(name string, v float64) string {
	if v == 0 || v == 1 {
		return ""
	}
	return fmt.Sprintf(` %s="%s"`, name, strconv.FormatFloat(v, 'g', 3, 64))
}

// Line draws a straight line.
func (c *Canvas) Line(from, to Point, s Stroke) {
	if finite(from.X, from.Y, to.X, to.Y) {
		fmt.Fprintf(&c.b, `<line x1="%s" y1="%s" x2="%s" y2="%s"%s/>`+"\n", px(from.X), px(from.Y), px(to.X), px(to.Y), s.attributes())
	}
}

// Path joins points; those that are not finite are left out.
func (c *Canvas) Path(points []Point, s Stroke) {
	if d := trace(simplify(points)); d != "" {
		fmt.Fprintf(&c.b, `<path d="%s" fill="none" stroke-linejoin="round"%s/>`+"\n", d, s.attributes())
	}
}

// Area fills the outline through points.
func (c *Canvas) Area(points []Point, fill Colour, alpha float64) {
	if d := trace(simplify(points)); d != "" {
		fmt.Fprintf(&c.b, `<path d="%sZ" class="f-%s" fill="%s"%s/>`+"\n", d, fill.Name, fill.Light, opacity("fill-opacity", alpha))
	}
}

func trace(points []Point) string {
	if len(points) < 2 {
		return ""
	}
	var b strings.Builder
	for i, p := range points {
		b.WriteString(map[bool]string{true: "M", false: "L"}[i == 0] + px(p.X) + " " + px(p.Y))
	}
	return b.String()
}

// Rect fills a rectangle; title shows when the pointer rests on it.
func (c *Canvas) Rect(at Point, w, h float64, fill Colour, alpha float64, title string) {
	if !finite(at.X, at.Y, w, h) || w <= 0 || h <= 0 {
		return
	}
	fmt.Fprintf(&c.b, `<rect x="%s" y="%s" width="%s" height="%s" class="f-%s" fill="%s"%s>%s</rect>`+"\n",
		px(at.X), px(at.Y), px(w), px(h), fill.Name, fill.Light, opacity("fill-opacity", alpha), titleElement(title))
}

// Box draws a rounded frame.
func (c *Canvas) Box(at Point, w, h float64, s Stroke) {
	fmt.Fprintf(&c.b, `<rect x="%s" y="%s" width="%s" height="%s" rx="4" fill="none"%s/>`+"\n", px(at.X), px(at.Y), px(w), px(h), s.attributes())
}

// Dot draws a filled circle.
func (c *Canvas) Dot(at Point, r float64, fill Colour, title string) {
	if finite(at.X, at.Y, r) {
		fmt.Fprintf(&c.b, `<circle cx="%s" cy="%s" r="%s" class="f-%s" fill="%s">%s</circle>`+"\n", px(at.X), px(at.Y), px(r), fill.Name, fill.Light, titleElement(title))
	}
}

func titleElement(title string) string {
	if title == "" {
		return ""
	}
	return "<title>" + Escape(title) + "</title>"
}

// Label writes text on the baseline at a point.
func (c *Canvas) Label(at Point, s string, t Text) {
	if t.Size == 0 {
		t.Size = 12
	}
	if t.Colour.Name == "" {
		t.Colour = Ink
	}
	extra := ""
	if t.Anchor != "" && t.Anchor != "start" {
		extra += fmt.Sprintf(` text-anchor="%s"`, t.Anchor)
	}
	if t.Bold {
		extra += ` font-weight="600"`
	}
	if t.Turned {
		extra += fmt.Sprintf(` transform="rotate(-90 %s %s)"`, px(at.X), px(at.Y))
	}
	fmt.Fprintf(&c.b, `<text x="%s" y="%s" font-size="%s" class="f-%s" fill="%s"%s>%s%s</text>`+"\n",
		px(at.X), px(at.Y), px(t.Size), t.Colour.Name, t.Colour.Light, extra, titleElement(t.Title), Escape(s))
}

// Clip draws what draw draws, cut at a rectangle.
func (c *Canvas) Clip(at Point, w, h float64, draw func()) {
	fmt.Fprintf(&c.b, `<svg x="%s" y="%s" width="%s" height="%s" viewBox="%s %s %s %s">`+"\n", px(at.X), px(at.Y), px(w), px(h), px(at.X), px(at.Y), px(w), px(h))
	draw()
	c.b.WriteString("</svg>\n")
}

// Width estimates how wide text runs in a system font, on the generous side.
func Width(s string, size float64) float64 { return 0.57 * size * float64(len([]rune(s))) }

// Fit shortens text to a width with an ellipsis; the second value is the full text when it was shortened, for a title.
func Fit(s string, width, size float64) (short, full string) {
	r := []rune(s)
	room := max(int(width/(0.57*size)), 2)
	if len(r) <= room {
		return s, ""
	}
	return string(r[:room-1]) + "…", s
}

// Wrap breaks text into lines of at most width; words that are longer are shortened.
func Wrap(s string, width, size float64) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		word, _ = Fit(word, width, size)
		switch {
		case line == "":
			line = word
		case Width(line+" "+word, size) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
