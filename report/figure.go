package report

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"sonotype/internal/num"
	"sonotype/report/chart"
)

// figure is one figure of the report: the drawing, what to see in it, and its data.
type figure struct {
	id      string // file name without ending, of the SVG and the CSV
	number  string // e.g. 2A; empty for figures that the published study does not have
	title   string
	caption string // what to see, for a clinician
	canvas  *chart.Canvas
	data    table
	wide    bool // takes the full width of the page
}

// table is a CSV file.
type table struct {
	header []string
	rows   [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// cell prints a number for a CSV file: full precision, empty when it cannot be computed.
func cell[T ~float64](v T) string {
	if !isNumber(float64(v)) {
		return ""
	}
	return strconv.FormatFloat(float64(v), 'g', -1, 64)
}

func whole(n int) string { return strconv.Itoa(n) }

// Sizes of a panel: two stand side by side on a page.
const (
	panelW     = 440
	marginL    = 64
	marginR    = 16
	marginTop  = 40
	marginBase = 48
)

// draw starts a figure's canvas with its title, and a stamp when the data are synthetic.
func (s *Study) draw(f *figure, w, h float64, alt string) *chart.Canvas {
	if s.Synthetic {
		alt = "Synthetic data. " + alt
	}
	c := chart.New(w, h, alt)
	title := f.title
	if f.number != "" {
		title = f.number + "  " + title
	}
	stamp, room := "synthetic data", w-14
	if s.Synthetic {
		c.Label(chart.Point{X: w - 6, Y: 18}, stamp, chart.Text{Size: 11, Colour: chart.Vermillion, Anchor: "end", Bold: true})
		room -= chart.Width(stamp, 11) + 8
	}
	title, full := chart.Fit(title, room, 13)
	c.Label(chart.Point{X: 8, Y: 18}, title, chart.Text{Size: 13, Bold: true, Title: full})
	f.canvas = c
	return c
}

// regionColour is the fixed colour of a feature set.
func regionColour(set string) chart.Colour {
	switch set {
	case "ta":
		return chart.Orange
	case "pta":
		return chart.SkyBlue
	}
	return chart.Ink
}

// modelColour is the fixed colour of a model.
func modelColour(model string) chart.Colour {
	colours := map[string]chart.Colour{"lr": chart.Blue, "svm": chart.Vermillion, "knn": chart.Purple, "rf": chart.Green, "lightgbm": chart.Yellow, "adaboost": chart.Grey}
	if c, ok := colours[model]; ok {
		return c
	}
	return chart.Ink
}

// Colours of the two classes and of high and low scores.
var classColours = [2]chart.Colour{chart.Blue, chart.Vermillion}

// dashOf is dashed for the external set and its centres: internal is solid, external dashed throughout.
func dashOf(set Set) string {
	if set.Name == setExternal || set.Centre != "" {
		return chart.Dashed
	}
	return ""
}

func at(x, y float64) chart.Point { return chart.Point{X: x, Y: y} }

// shown are the sets whose figures stand side by side: internal and external, or training when there is neither.
func (s *Study) shown() []Set {
	var sets []Set
	for _, name := range []string{setInternal, setExternal} {
		if set, ok := s.set(name); ok {
			sets = append(sets, set)
		}
	}
	if set, ok := s.set(setTrain); ok && len(sets) == 0 {
		sets = append(sets, set)
	}
	return sets
}

// numbered gives a set's figures the number that the method gives them: 2 for internal, 3 for external.
func numbered(set Set, panel string) string {
	n := map[string]string{setInternal: "2", setExternal: "3"}[set.Name]
	if n == "" || panel == "" {
		return ""
	}
	return n + panel
}

// stem is a figure's file name, e.g. figure-2a-roc-internal.
func stem(number, what, set string) string {
	out := what
	if number != "" {
		out = "figure-" + strings.ToLower(number) + "-" + what
	}
	if set != "" {
		out += "-" + set
	}
	return out
}

// rocSet is the feature set whose six ROC curves are drawn: the primary model's, so that it is among them.
func (s *Study) rocSet() string { return s.Primary.Features }

// lassoSet is the feature set whose LASSO is drawn (1A to 1C): fusion, which shows TA and PTA side by side, or the only one.
func (s *Study) lassoSet() string {
	if slices.Contains(s.FeatureSets, "fusion") {
		return "fusion"
	}
	return s.Primary.Features
}

func note(n string) string { return cmp.Or(n, "not computable") }

func computable(v ...num.Float) bool {
	for _, x := range v {
		if !isNumber(float64(x)) {
			return false
		}
	}
	return true
}
