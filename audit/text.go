package audit

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"sonotype/internal/problem"
)

// Text is a figure exactly as it is written in the file, with its line.
type Text struct {
	Text string
	Line int
}

// UnmarshalYAML keeps the scalar's own characters: 0.870 keeps its last zero.
func (t *Text) UnmarshalYAML(node ast.Node) error {
	switch n := node.(type) {
	case *ast.StringNode:
		t.Text = n.Value
	case *ast.IntegerNode, *ast.FloatNode:
		t.Text = node.GetToken().Value
	case *ast.NullNode:
		return nil
	default:
		return &problem.Error{What: "a figure is not a number or text", Row: line(node), Found: node.Type().String()}
	}
	t.Text = strings.TrimSpace(t.Text)
	t.Line = line(node)
	return nil
}

func (t Text) given() bool { return t.Text != "" }

// Whole is a count of patients or events with its line; left out where Line is 0.
type Whole struct {
	N    int
	Line int
}

// largestCount keeps sums and products of counts far from overflow.
const largestCount = 1_000_000_000

// UnmarshalYAML reads a whole number that is not negative.
func (w *Whole) UnmarshalYAML(node ast.Node) error {
	if _, ok := node.(*ast.NullNode); ok {
		return nil
	}
	var text Text
	if err := text.UnmarshalYAML(node); err != nil {
		return err
	}
	n, err := strconv.Atoi(text.Text)
	if err != nil || n < 0 || n > largestCount {
		return &problem.Error{What: "a count is not valid", Row: line(node), Expected: "a whole number, 0 or more", Found: strconv.Quote(text.Text)}
	}
	w.N, w.Line = n, line(node)
	return nil
}

func (w Whole) given() bool { return w.Line > 0 }

func line(node ast.Node) int {
	if t := node.GetToken(); t != nil && t.Position != nil {
		return max(1, t.Position.Line)
	}
	return 1
}

// span is a closed interval: all values that a printed figure stands for.
type span struct{ lo, hi float64 }

// slack admits what floating-point arithmetic does at the edge of a rounding interval, both of whose ends
// are allowed since papers round halves either way.
const slack = 1e-9

func (s span) holds(x float64) bool { return x >= s.lo-slack && x <= s.hi+slack }
func (s span) meets(o span) bool    { return s.lo <= o.hi+slack && o.lo <= s.hi+slack }
func (s span) in(lo, hi float64) span {
	return span{min(max(s.lo, lo), hi), max(min(s.hi, hi), lo)}
}

// figure is a printed number.
type figure struct {
	text     string
	value    float64
	decimals int     // digits after the point, as printed
	unit     float64 // 1, or 0.01 of a percentage
	sign     byte    // '<' or '>' of a bound, else 0
}

// rounding is the interval of values that round to the figure; a bound's reaches to 0 or 1.
func (f figure) rounding() span {
	switch f.sign {
	case '<':
		return span{0, f.value}
	case '>':
		return span{f.value, 1}
	}
	h := f.half()
	return span{f.value - h, f.value + h}
}

// truncation is the interval of values that give the figure when further digits are cut off.
func (f figure) truncation() span { return span{f.value, f.value + 2*f.half()} }

func (f figure) half() float64 { return 0.5 * math.Pow(10, -float64(f.decimals)) * f.unit }

var (
	numberText = regexp.MustCompile(`^([<>]?)\s*([-+]?)(\d*)(?:\.(\d+))?\s*(%?)$`)
	countCell  = regexp.MustCompile(`^(\d+(?:\.0+)?)\s*(?:\(\s*(\d+(?:\.\d+)?)\s*%?\s*\))?$`)
	meanCell   = regexp.MustCompile(`^([-+]?\d+(?:\.\d+)?)\s*(?:\(\s*(\d+(?:\.\d+)?)\s*\)|(?:±|\+/-|\+-)\s*(\d+(?:\.\d+)?))$`)
)

// longestFigure keeps hostile text from the parsers.
const longestFigure = 64

// parseFigure reads a number as printed: "0.870", ".870", "82.3%", "<0.001".
func parseFigure(text string) (figure, bool) {
	if len(text) > longestFigure {
		return figure{}, false
	}
	m := numberText.FindStringSubmatch(strings.ReplaceAll(text, "−", "-"))
	if m == nil || m[3]+m[4] == "" {
		return figure{}, false
	}
	v, err := strconv.ParseFloat(m[2]+m[3]+"."+m[4]+"0", 64)
	if err != nil || math.IsInf(v, 0) {
		return figure{}, false
	}
	f := figure{text: text, value: v, decimals: len(m[4]), unit: 1}
	if m[1] != "" {
		f.sign = m[1][0]
	}
	if m[5] != "" {
		f.unit, f.value = 0.01, v/100
	}
	return f, true
}

// number reads a figure between lo and hi.
func (t Text) number(what string, lo, hi float64) (figure, error) {
	f, ok := parseFigure(t.Text)
	if !ok || f.value < lo || f.value > hi {
		return figure{}, t.bad(what, fmt.Sprintf("a number from %g to %g as printed, e.g. 0.870", lo, hi))
	}
	return f, nil
}

func (t Text) bad(what, want string) error {
	return &problem.Error{What: what + " is not valid", Row: t.Line, Expected: want, Found: strconv.Quote(t.Text)}
}

// count is a cell of a categorical row.
type count struct {
	n       int
	percent figure
	printed bool // the cell has a percentage
}

func (t Text) count(what string) (count, error) {
	const want = `a count with or without its percentage, e.g. "62 (23.2%)"`
	m := countCell.FindStringSubmatch(t.Text)
	if m == nil || len(t.Text) > longestFigure {
		return count{}, t.bad(what, want)
	}
	whole, _, _ := strings.Cut(m[1], ".")
	n, err := strconv.Atoi(whole)
	if err != nil || n > largestCount {
		return count{}, t.bad(what, want)
	}
	c := count{n: n}
	if m[2] != "" {
		c.percent, c.printed = parseFigure(m[2] + "%")
	}
	return c, nil
}

// moments is a cell of a continuous row.
type moments struct{ mean, sd figure }

func (t Text) moments(what string) (moments, error) {
	m := meanCell.FindStringSubmatch(strings.ReplaceAll(t.Text, "−", "-"))
	if m == nil || len(t.Text) > longestFigure {
		return moments{}, t.bad(what, `a mean with its standard deviation, e.g. "53.1 (10.2)"`)
	}
	mean, ok1 := parseFigure(m[1])
	sd, ok2 := parseFigure(m[2] + m[3])
	if !ok1 || !ok2 {
		return moments{}, t.bad(what, "a mean with its standard deviation")
	}
	return moments{mean, sd}, nil
}
