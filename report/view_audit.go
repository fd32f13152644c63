package report

import (
	"fmt"
	"html/template"
	"io"
	"strings"

	"sonotype/audit"
	"sonotype/internal/artifact"
	"sonotype/internal/num"
	"sonotype/report/chart"
)

// auditView is what templates/audit.html shows.
type auditView struct {
	*audit.Report
	CSS      template.CSS
	Headline string
	Groups   []auditGroup
	Quiet    []audit.Check // what agrees or cannot be tested
	Rows     []auditRow
	Models   []auditModel
	Luck     []auditLuck
	Badges   []string
	PFigures []figureView
	Errors   []figureView // standard errors of AUCs
	CSV      map[string]download
}

// auditGroup holds the findings of one verdict.
type auditGroup struct {
	Title, Meaning string
	Checks         []audit.Check
}

// auditRow is a row of a baseline table with its p-values.
type auditRow struct {
	Table, Row, Printed, Right, Overall, Others, Status string
	Failed, Changes                                     bool
}

// auditModel is a model with what was recovered.
type auditModel struct {
	Group, Model, Matrix, PPV, NPV, Accuracy, None, P, SE, Normal string
	Below                                                         bool
}

// auditLuck is the simulated gain of the best of several models.
type auditLuck struct {
	Group, AUC string
	K, Draws   int
	Gains      []auditGain
}

type auditGain struct{ Correlation, Mean, P95 string }

// WriteAudit writes the audit of a paper as one HTML file that needs nothing else.
func WriteAudit(path string, r *audit.Report) error {
	v := newAuditView(r)
	return artifact.Write(path, func(w io.Writer) error { return templates.ExecuteTemplate(w, "audit.html", v) })
}

func newAuditView(r *audit.Report) *auditView {
	css, _ := files.ReadFile("templates/style.css") // embedded, so it is there
	v := &auditView{Report: r, CSS: template.CSS(string(css) + chart.Style()), Headline: auditHeadline(r)}
	for _, g := range []struct {
		verdict        audit.Verdict
		title, meaning string
	}{
		{audit.Contradiction, "Contradictions", "These figures cannot all be true as printed, or a printed P is not what the printed counts give."},
		{audit.Doubt, "Doubts", "These figures are possible, but need an explanation."},
		{audit.Note, "Notes", "What a reader should know about these figures."},
	} {
		group := auditGroup{Title: g.title, Meaning: g.meaning}
		for _, c := range r.Checks {
			if c.Verdict == g.verdict {
				group.Checks = append(group.Checks, c)
			}
		}
		if len(group.Checks) > 0 {
			v.Groups = append(v.Groups, group)
			v.Badges = append(v.Badges, count(len(group.Checks), string(g.verdict)))
		}
	}
	for _, c := range r.Checks {
		if c.Verdict == audit.Agrees || c.Verdict == audit.Untestable {
			v.Quiet = append(v.Quiet, c)
		}
	}
	for _, row := range r.Rows {
		v.Rows = append(v.Rows, newAuditRow(row))
	}
	for _, m := range r.Models {
		v.Models = append(v.Models, newAuditModel(m))
	}
	for _, l := range r.Luck {
		v.Luck = append(v.Luck, newAuditLuck(l))
	}
	v.PFigures, v.Errors = views(auditPValues(r)), views(auditErrors(r))
	v.CSV = map[string]download{"checks": newDownload("audit-checks", checksTable(r))}
	return v
}

func auditHeadline(r *audit.Report) string {
	n := func(v audit.Verdict) int { return r.Counts[string(v)] }
	if n(audit.Contradiction)+n(audit.Doubt) == 0 {
		return fmt.Sprintf("Nothing among %s contradicts the others or needs an explanation.", count(len(r.Checks), "check"))
	}
	return fmt.Sprintf("Of %s of the printed figures, %d found a contradiction and %d a doubt; %d agree.", count(len(r.Checks), "check"), n(audit.Contradiction), n(audit.Doubt), n(audit.Agrees))
}

func newAuditRow(r audit.RowResult) auditRow {
	out := auditRow{Table: r.Table, Row: r.Row, Printed: r.Printed, Right: dash, Overall: dash, Status: r.Status, Changes: r.Changes}
	var others []string
	for i, p := range r.Tests {
		text := pValue(p.Lo)
		if hi := pValue(p.Hi); hi != text {
			text += " to " + hi
		}
		switch {
		case i == 0:
			out.Right = p.Test + " " + text
		case p.Overall:
			out.Overall = text
		case p.Matches:
			others = append(others, p.Test+" "+text)
		}
	}
	out.Others = strings.Join(others, "; ")
	if r.Status == audit.StatusReproduced && r.Kind == "continuous" {
		out.Status = "possible" // its rounding allows it, and much else
	}
	out.Failed = r.Status == audit.StatusNone || r.Status == audit.StatusOverall
	return out
}

func newAuditModel(m audit.ModelResult) auditModel {
	out := auditModel{Group: m.Group, Model: m.Model, Matrix: "none", PPV: dash, NPV: dash, Accuracy: share(m.Accuracy), None: share(m.NoInformation), P: pValue(m.AboveP), SE: dash, Normal: dash}
	out.Below = m.Accuracy < m.NoInformation
	switch {
	case m.Matrices == 1:
		x := m.Examples[0]
		out.Matrix = fmt.Sprintf("TP %d, FN %d, TN %d, FP %d", x.TP, x.FN, x.TN, x.FP)
		out.PPV, out.NPV = share(x.PPV), share(x.NPV)
	case m.Matrices > 1:
		out.Matrix = fmt.Sprintf("%d fit", m.Matrices)
	}
	if m.SE != nil {
		out.SE = fixed(float64(m.SE.Lo+m.SE.Hi)/2, 4)
		out.Normal = fixed(float64(m.SE.BinormLo), 4) + "–" + fixed(float64(m.SE.BinormHi), 4)
	}
	return out
}

func newAuditLuck(l audit.LuckResult) auditLuck {
	out := auditLuck{Group: l.Group, AUC: share(l.AUC), K: l.K, Draws: l.Draws}
	for _, g := range l.Gains {
		out.Gains = append(out.Gains, auditGain{fixed(g.Correlation, 1), share(g.Mean), share(g.P95)})
	}
	return out
}

func checksTable(r *audit.Report) table {
	t := table{header: []string{"check", "where", "verdict", "message"}}
	for _, c := range r.Checks {
		t.add(c.Kind, c.Where, string(c.Verdict), c.Message)
	}
	return t
}

// Sizes of the audit's figures.
const (
	auditWidth = 820
	auditLeft  = 250
	auditLine  = 22
)

// auditPlot starts a figure with one line an entry, named at the left.
func auditPlot(f *figure, names []string, x chart.Axis, legend []chart.Entry) *chart.Plot {
	n := float64(len(names))
	height := marginTop + n*auditLine + marginBase + 16 + chart.LegendHeight(len(legend))
	c := new(Study).draw(f, auditWidth, height, f.caption)
	p := chart.NewPlot(c, auditLeft, marginTop, marginR, height-marginTop-n*auditLine, x, chart.Axis{Min: 0, Max: n, Bare: true, Ticks: []float64{0}})
	for i, name := range names {
		short, full := chart.Fit(name, auditLeft-20, 12)
		c.Label(at(auditLeft-8, p.At(p.X.Min, n-float64(i)-0.5).Y+4), short, chart.Text{Anchor: "end", Title: full})
	}
	c.Legend(at(auditLeft, height-chart.LegendHeight(len(legend))), 500, legend)
	return p
}

// auditPValues draws the rows that have both a printed and a recomputed P.
func auditPValues(r *audit.Report) []figure {
	var rows []audit.RowResult
	for _, row := range r.Rows {
		if len(row.Tests) > 0 && isNumber(float64(row.Value)) {
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	f := figure{title: "P-values: printed and recomputed", id: "audit-p-values", wide: true}
	f.caption = "Where the blue mark does not reach the black tick, the printed P is not what the printed figures give. Where the orange mark does, P was computed with the Overall column as a further group. A bar spans all values that the rounding of means and SDs allows. Dashed: P = 0.05."
	f.data.header = []string{"table", "row", "printed", "test", "overall_as_group", "p_lo", "p_hi", "matches"}
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = r.Table + ", " + r.Row
	}
	p := auditPlot(&f, names, chart.Axis{Min: 0, Max: 1, Label: "P"}, []chart.Entry{
		{Label: "printed", Stroke: chart.Stroke{Colour: chart.Ink, Width: 2}},
		{Label: "recomputed from the groups", Stroke: chart.Stroke{Colour: chart.Blue, Width: 5}},
		{Label: "with the Overall column as a further group", Stroke: chart.Stroke{Colour: chart.Orange, Width: 5}},
	})
	p.Vertical(0.05, chart.Stroke{Colour: chart.Muted, Width: 1, Dash: chart.Dashed})
	for i, r := range rows {
		y := float64(len(rows)-i) - 0.5
		for k, t := range r.Tests {
			f.data.add(r.Table, r.Row, r.Printed, t.Test, fmt.Sprint(t.Overall), cell(t.Lo), cell(t.Hi), fmt.Sprint(t.Matches))
			switch {
			case k == 0:
				auditSpan(p, t.Lo, t.Hi, y+0.14, chart.Blue)
			case t.Overall:
				auditSpan(p, t.Lo, t.Hi, y-0.14, chart.Orange)
			}
		}
		x := p.At(float64(r.Value), y)
		p.Line(at(x.X, x.Y-8), at(x.X, x.Y+8), chart.Stroke{Colour: chart.Ink, Width: 2})
	}
	return []figure{f}
}

// auditSpan draws a range with dots at its ends, or one dot.
func auditSpan(p *chart.Plot, lo, hi num.Float, y float64, colour chart.Colour) {
	a, b := p.At(float64(lo), y), p.At(float64(hi), y)
	p.Line(a, b, chart.Stroke{Colour: colour, Width: 3})
	p.Dot(a, 3.2, colour, pValue(lo))
	p.Dot(b, 3.2, colour, pValue(hi))
}

// auditErrors draws the models whose interval shows a standard error.
func auditErrors(r *audit.Report) []figure {
	var models []audit.ModelResult
	for _, m := range r.Models {
		if m.SE != nil {
			models = append(models, m)
		}
	}
	if len(models) == 0 {
		return nil
	}
	f := figure{title: "Standard errors of AUCs: printed intervals against class counts", id: "audit-standard-errors", wide: true}
	f.caption = "The dot is the standard error that the printed interval implies. Grey band: scores that are normal in each class, with SDs from 1:3 to 3:1. Thin line: the extremes of any scores without ties. Tick: Hanley and McNeil's formula."
	f.data.header = []string{"group", "model", "auc", "implied_lo", "implied_hi", "hanley_mcneil", "binormal_lo", "binormal_hi", "least", "most"}
	names, most := make([]string, len(models)), 0.0
	for i, m := range models {
		names[i] = m.Group + ", " + m.Model
		most = max(most, float64(m.SE.Most), float64(m.SE.Hi))
	}
	p := auditPlot(&f, names, chart.Axis{Min: 0, Max: most * 1.05, Label: "standard error of the AUC"}, []chart.Entry{
		{Label: "implied by the printed interval", Stroke: chart.Stroke{Colour: chart.Vermillion, Width: 5}},
		{Label: "normal scores", Stroke: chart.Stroke{Colour: chart.Faint, Width: 9}},
		{Label: "Hanley and McNeil", Stroke: chart.Stroke{Colour: chart.Ink, Width: 2}},
	})
	for i, m := range models {
		s, y := m.SE, float64(len(models)-i)-0.5
		p.Line(p.At(float64(s.Least), y), p.At(float64(s.Most), y), chart.Stroke{Colour: chart.Muted, Width: 1})
		p.Line(p.At(float64(s.BinormLo), y), p.At(float64(s.BinormHi), y), chart.Stroke{Colour: chart.Faint, Width: 11})
		h := p.At(float64(s.Hanley), y)
		p.Line(at(h.X, h.Y-6), at(h.X, h.Y+6), chart.Stroke{Colour: chart.Ink, Width: 2})
		p.Line(p.At(float64(s.Lo), y), p.At(float64(s.Hi), y), chart.Stroke{Colour: chart.Vermillion, Width: 3})
		p.Dot(p.At(float64(s.Lo+s.Hi)/2, y), 3.6, chart.Vermillion, fixed(float64(s.Lo+s.Hi)/2, 4))
		f.data.add(m.Group, m.Model, cell(s.AUC), cell(s.Lo), cell(s.Hi), cell(s.Hanley), cell(s.BinormLo), cell(s.BinormHi), cell(s.Least), cell(s.Most))
	}
	return []figure{f}
}
