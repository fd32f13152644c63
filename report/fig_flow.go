package report

import (
	"fmt"
	"strings"

	"sonotype/report/chart"
)

// The flow diagram's measures: text lines, the padding of boxes, the number of lines before "more".
const (
	flowW     = 760.0
	flowLine  = 17.0
	flowPad   = 12.0
	flowLines = 8
)

// flowText is a line of a box; two leading spaces indent it.
type flowText struct {
	text string
	bold bool
}

// flow draws the way from rows read to units analysed, with what was left out and why.
func (s *Study) flow() figure {
	f := figure{title: "From the tables to the analysis", id: "flow", wide: true}
	f.caption = fmt.Sprintf("Who is in the study. Left: what was read and what was analysed; right: what was left out, and why. %s is the positive class.", s.positive())
	read, left, used := s.flowRead(), s.flowLeft(), s.flowUsed()
	const mainW, sideX = 330.0, 400.0
	readH, leftH, usedH := boxHeight(read), boxHeight(left), boxHeight(used)
	gap := max(36, leftH+24) // the exclusions stand beside the way from read to analysed
	usedY := 36 + readH + gap
	sets := make([][]flowText, len(s.Flow.Sets))
	setH := 0.0
	for i, set := range s.Flow.Sets {
		sets[i] = flowSetText(set, s.positive(), s.unit(), flowW/float64(len(sets))-40)
		setH = max(setH, boxHeight(sets[i]))
	}
	setY := usedY + usedH + 40
	c := s.draw(&f, flowW, setY+setH+10, "Flow diagram: "+flowAlt(read, left, used))
	flowBox(c, 10, 36, mainW, readH, read, chart.Ink)
	mid := 10 + mainW/2
	arrow(c, at(mid, 36+readH), at(mid, usedY))
	if len(s.Flow.Exclusions) > 0 {
		y := 36 + readH + gap/2
		flowBox(c, sideX, y-leftH/2, flowW-sideX-10, leftH, left, chart.Grey)
		arrow(c, at(mid, y), at(sideX, y))
	}
	flowBox(c, 10, usedY, mainW, usedH, used, chart.Ink)
	for i, text := range sets {
		w := flowW / float64(len(sets))
		x := w * float64(i)
		c.Line(at(mid, usedY+usedH+18), at(x+w/2, usedY+usedH+18), chart.Stroke{Colour: chart.Muted, Width: 1.2})
		arrow(c, at(x+w/2, usedY+usedH+18), at(x+w/2, setY))
		flowBox(c, x+10, setY, w-20, setH, text, chart.Blue)
	}
	if len(sets) > 0 {
		c.Line(at(mid, usedY+usedH), at(mid, usedY+usedH+18), chart.Stroke{Colour: chart.Muted, Width: 1.2})
	}
	f.data = s.flowTable()
	return f
}

func (s *Study) flowRead() []flowText {
	out := []flowText{{"Read", true}}
	for i, t := range s.Flow.Tables {
		if i == flowLines && len(s.Flow.Tables) > flowLines+1 {
			return append(out, flowText{fmt.Sprintf("and %d more tables", len(s.Flow.Tables)-i), false})
		}
		name, _ := chart.Fit(t.Name, 300, 12)
		out = append(out, flowText{name, false}, flowText{"  " + count(t.Patients, "patient") + ", " + count(t.Images, "image") + ", " + count(t.Rows, "row"), false})
	}
	return out
}

func (s *Study) flowLeft() []flowText {
	out := []flowText{{"Left out", true}}
	for i, e := range s.Flow.Exclusions {
		if i == flowLines && len(s.Flow.Exclusions) > flowLines+1 {
			return append(out, flowText{fmt.Sprintf("and %d more reasons: see the list", len(s.Flow.Exclusions)-i), false})
		}
		lines := chart.Wrap(e.Reason, 320, 12)
		if len(lines) > 2 {
			lines[1] += " …"
			lines = lines[:2]
		}
		for _, l := range lines {
			out = append(out, flowText{l, false})
		}
		out = append(out, flowText{"  " + count(e.Patients, "patient") + ", " + count(e.Images, "image") + ", " + count(e.Rows, "row"), false})
	}
	return out
}

func (s *Study) flowUsed() []flowText {
	units, images := 0, 0
	for _, set := range s.Flow.Sets {
		units, images = units+set.Patients, images+set.Images
	}
	return []flowText{{"Analysed", true}, {count(units, "patient") + ", " + count(images, "image"), false}}
}

func flowSetText(set FlowSet, positive, unit string, width float64) []flowText {
	out := []flowText{{setTitle(set.Name), true}, {count(set.Patients, "patient") + ", " + count(set.Images, "image"), false},
		{fmt.Sprintf("%d %s (%s %%)", set.Positive, positive, percent(set.Positive, set.Patients)), false}}
	for _, p := range set.Parts {
		for _, l := range chart.Wrap(p, width-14, 12) {
			out = append(out, flowText{"  " + l, false})
		}
	}
	if len(set.Centres) == 0 {
		return out
	}
	most := len(out) + 3
	for _, l := range chart.Wrap("from "+strings.Join(set.Centres, ", "), width, 12) {
		if len(out) == most {
			return append(out, flowText{"…", false})
		}
		out = append(out, flowText{l, false})
	}
	return out
}

func boxHeight(lines []flowText) float64 { return flowLine*float64(len(lines)) + 2*flowPad - 4 }

func flowBox(c *chart.Canvas, x, y, w, h float64, lines []flowText, colour chart.Colour) {
	c.Box(at(x, y), w, h, chart.Stroke{Colour: colour, Width: 1.2})
	for i, l := range lines {
		text, full := chart.Fit(l.text, w-2*flowPad, 12)
		if indented, ok := strings.CutPrefix(text, "  "); ok {
			c.Label(at(x+flowPad+10, y+flowPad+10+flowLine*float64(i)), indented, chart.Text{Colour: chart.Muted, Title: full})
			continue
		}
		c.Label(at(x+flowPad, y+flowPad+10+flowLine*float64(i)), text, chart.Text{Bold: l.bold, Title: full})
	}
}

// arrow is a horizontal or vertical line with a head at its end.
func arrow(c *chart.Canvas, from, to chart.Point) {
	c.Line(from, to, chart.Stroke{Colour: chart.Muted, Width: 1.2})
	head := []chart.Point{at(to.X-4, to.Y-7), to, at(to.X+4, to.Y-7)}
	if from.Y == to.Y {
		head = []chart.Point{at(to.X-7, to.Y-4), to, at(to.X-7, to.Y+4)}
	}
	c.Area(head, chart.Muted, 1)
}

func flowAlt(boxes ...[]flowText) string {
	var parts []string
	for _, box := range boxes {
		var lines []string
		for _, l := range box {
			lines = append(lines, strings.TrimSpace(l.text))
		}
		parts = append(parts, strings.Join(lines, ", "))
	}
	return strings.Join(parts, "; ")
}

func (s *Study) flowTable() table {
	t := table{header: []string{"step", "name", "rows", "images", "patients", "positive"}}
	for _, r := range s.Flow.Tables {
		t.add("read", r.Name, whole(r.Rows), whole(r.Images), whole(r.Patients), "")
	}
	for _, e := range s.Flow.Exclusions {
		t.add("left out", e.Reason, whole(e.Rows), whole(e.Images), whole(e.Patients), "")
	}
	for _, set := range s.Flow.Sets {
		t.add("analysed", set.Name, "", whole(set.Images), whole(set.Patients), whole(set.Positive))
		for _, p := range set.Parts {
			t.add("of them", set.Name+": "+p, "", "", "", "")
		}
	}
	return t
}
