package report

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"strings"

	"sonotype/describe"
	"sonotype/evaluate"
	"sonotype/internal/num"
	"sonotype/report/chart"
)

// valueCell is a table cell: a value, a small second line, and a title that says why a dash is a dash.
type valueCell struct{ Value, Small, Title string }

// metric is a value with its interval below.
func metric(v, lo, hi num.Float, why string) valueCell {
	if !computable(v) {
		return valueCell{Value: dash, Title: note(why)}
	}
	c := valueCell{Value: share(v)}
	if computable(lo, hi) {
		c.Small = interval(lo, hi)
	}
	return c
}

// plain is a value without an interval.
func plain(v num.Float, why string) valueCell { return metric(v, num.NaN(), num.NaN(), why) }

// baseline is Table 1 or Table 2 as the page shows it.
type baseline struct {
	By      string
	Groups  []baselineGroup
	Rows    []baselineRow
	Missing string
	LeftOut []describe.LeftOut
}

type baselineGroup struct {
	Name string
	N    int
}

type baselineRow struct {
	Name           string // of the variable, in its first row
	Sub            string // level or kind of summary
	Cells          []string
	Test, Note     string
	P, SMD         valueCell
	Missing        string
	First, Numeric bool
}

func newBaseline(r *describe.Result) *baseline {
	if r == nil {
		return nil
	}
	b := &baseline{By: r.By, LeftOut: r.LeftOut}
	for i, g := range r.Groups {
		b.Groups = append(b.Groups, baselineGroup{setTitle(g), r.N[i]})
	}
	if r.MissingBy > 0 {
		b.Missing = fmt.Sprintf("%d without a value of %s take no part.", r.MissingBy, r.By)
	}
	for _, v := range r.Variables {
		b.Rows = append(b.Rows, baselineRows(v)...)
	}
	return b
}

func baselineRows(v describe.Variable) []baselineRow {
	var rows []baselineRow
	if v.Kind == describe.Numeric || len(v.Levels) == 0 {
		row := baselineRow{Sub: "mean (SD)", Numeric: true}
		for _, g := range v.Groups {
			row.Cells = append(row.Cells, spread(g.Mean, g.SD))
		}
		rows = append(rows, row)
		if v.Also != nil {
			row = baselineRow{Sub: "median (quartiles)"}
			for _, g := range v.Groups {
				row.Cells = append(row.Cells, significant(float64(g.Median))+" ("+ratioInterval(g.Q1, g.Q3)+")")
			}
			rows = append(rows, row)
		}
	}
	for _, l := range v.Levels {
		row := baselineRow{Sub: l.Name}
		for i, n := range l.Counts {
			row.Cells = append(row.Cells, fmt.Sprintf("%d (%s)", n, fixed(float64(l.Percent[i]), 1)))
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		rows = []baselineRow{{}}
	}
	first := &rows[0]
	first.First, first.Name, first.Test, first.Note = true, v.Name, v.Test, v.Note
	first.P = valueCell{Value: pValue(v.P)}
	if !computable(v.P) {
		first.P.Title = note(v.Note)
	}
	if v.Also != nil { // the second test stands in the second row
		if len(rows) == 1 {
			rows = append(rows, baselineRow{Cells: make([]string, len(rows[0].Cells))})
			first = &rows[0]
		}
		rows[1].Test, rows[1].P = v.Also.Name, valueCell{Value: pValue(v.Also.P)}
		if !computable(v.Also.P) {
			rows[1].P.Title = note(v.Also.Note)
		}
	}
	first.SMD = valueCell{Value: fixed(float64(v.SMD), 2)}
	if n := sum(v.Missing); n > 0 {
		first.Missing = whole(n)
	}
	return rows
}

// spread prints "52.4 (11.2)".
func spread(mean, sd num.Float) string {
	return significant(float64(mean)) + " (" + significant(float64(sd)) + ")"
}

// glanceRow is one set's figures of the primary model.
type glanceRow struct {
	Set                       string
	N, Positive               int
	AUC, Sens, Spec, PPV, NPV valueCell
	Calibration               valueCell
	Answer                    bool
}

func (s *Study) glance() []glanceRow {
	var out []glanceRow
	answer, _ := s.answer()
	for _, set := range s.Sets {
		r, ok := set.Results[s.Primary]
		if !ok {
			continue
		}
		p := r.Performance
		out = append(out, glanceRow{Set: set.Title, N: p.N, Positive: p.Positive, Answer: set.Name == answer.Name && set.Centre == "",
			AUC: metric(p.AUC, p.AUCLo, p.AUCHi, p.Note), Sens: metric(p.Sensitivity, p.SensitivityLo, p.SensitivityHi, p.Note),
			Spec: metric(p.Specificity, p.SpecificityLo, p.SpecificityHi, p.Note), PPV: metric(p.PPV, p.PPVLo, p.PPVHi, p.Note),
			NPV: metric(p.NPV, p.NPVLo, p.NPVHi, p.Note), Calibration: calibrationCell(r.Calibration)})
	}
	return out
}

func calibrationCell(c evaluate.Calibration) valueCell {
	verdict, figures := calibrationVerdict(c)
	if verdict == "" {
		return valueCell{Value: dash, Title: note(c.Note)}
	}
	return valueCell{Value: verdict, Small: figures}
}

// modelsView is the table of all models: AUC in every set, and a forest of the test sets' intervals.
type modelsView struct {
	Sets     []Set
	Rows     []modelRow
	Apparent bool
	// Optimistic: the networks were trained, so that the training set has a second AUC.
	Optimistic bool
	From       float64  // where the forest plots begin
	Published  []string // titles of the grey columns
}

type modelRow struct {
	Features, Model string
	First           bool // of its feature set
	Primary         bool
	Apparent        valueCell
	Optimistic      valueCell
	AUC             []valueCell // one per set
	Forest          template.HTML
	Published       []valueCell
}

// forestStart is where the forest plots begin: 0.4, or a tenth below the least AUC.
func (s *Study) forestStart() float64 {
	start := 0.4
	for _, set := range s.shown() {
		for _, r := range set.Results {
			if computable(r.Performance.AUC) {
				start = min(start, math.Floor(10*float64(r.Performance.AUC)-0.5)/10)
			}
		}
	}
	return max(start, 0)
}

func (s *Study) modelsView() modelsView {
	v := modelsView{From: s.forestStart()}
	for _, set := range s.Sets {
		if set.Centre == "" {
			v.Sets = append(v.Sets, set)
		}
	}
	published := []string{}
	for _, name := range []string{setInternal, setExternal} {
		for _, p := range s.Published {
			if p.Set == name {
				published = append(published, name)
				v.Published = append(v.Published, map[string]string{setInternal: "Internal", setExternal: "External"}[name])
				break
			}
		}
	}
	features := ""
	for _, key := range s.keys() {
		row := modelRow{Features: featureName(key.Features), Model: ModelName(key.Model), First: key.Features != features, Primary: key == s.Primary, Apparent: valueCell{Value: dash, Title: "not recorded"}, Optimistic: valueCell{Value: dash, Title: "not recorded"}}
		features = key.Features
		for _, set := range v.Sets {
			r, ok := set.Results[key]
			if !ok {
				row.AUC = append(row.AUC, valueCell{Value: dash, Title: "not run"})
				continue
			}
			p := r.Performance
			row.AUC = append(row.AUC, metric(p.AUC, p.AUCLo, p.AUCHi, p.Note))
			if r.Apparent != nil {
				v.Apparent = true
				row.Apparent = plain(r.Apparent.AUC, r.Apparent.Note)
			}
			if r.Optimistic != nil {
				v.Optimistic = true
				row.Optimistic = plain(r.Optimistic.AUC, r.Optimistic.Note)
			}
		}
		for _, name := range published {
			row.Published = append(row.Published, s.publishedAUC(name, key))
		}
		row.Forest = template.HTML(s.forest(key, v.From))
		v.Rows = append(v.Rows, row)
	}
	return v
}

func (s *Study) publishedAUC(set string, key Key) valueCell {
	for _, p := range s.Published {
		if p.Set == set && p.Features == key.Features && p.Model == key.Model {
			return metric(p.AUC, p.AUCLo, p.AUCHi, "not published")
		}
	}
	return valueCell{Value: dash, Title: "not published"}
}

// forest draws one model's AUC intervals, from start to 1, the shown sets below each other: internal solid, external dashed.
func (s *Study) forest(key Key, start float64) string {
	const w, h = 150.0, 30.0
	x := func(v num.Float) float64 { return 6 + (w-12)*(min(max(float64(v), start), 1)-start)/(1-start) }
	c := chart.New(w, h, "AUC intervals of "+strings.TrimPrefix(key.title(), "the "))
	c.Line(at(x(0.5), 0), at(x(0.5), h), chart.Stroke{Colour: chart.Grey, Width: 1})
	c.Line(at(x(1), 0), at(x(1), h), chart.Stroke{Colour: chart.Faint, Width: 1})
	sets := s.shown()
	for i, set := range sets {
		p := set.Results[key].Performance
		y := h * (float64(i) + 0.5) / float64(max(len(sets), 1))
		if computable(p.AUC) && p.N > 0 {
			c.Line(at(x(p.AUCLo), y), at(x(p.AUCHi), y), chart.Stroke{Colour: regionColour(key.Features), Width: 2, Dash: dashOf(set)})
			c.Dot(at(x(p.AUC), y), 4, regionColour(key.Features), set.Title+": "+share(p.AUC))
		}
	}
	return c.Inline()
}

// publishedView is one model of the published study.
type publishedView struct {
	Set, Model string
	Cells      []valueCell // AUC, accuracy, sensitivity, specificity, F1
}

func (s *Study) published() []publishedView {
	var out []publishedView
	for _, p := range s.Published {
		const why = "not published"
		out = append(out, publishedView{Set: p.Set, Model: featureName(p.Features) + " " + ModelName(p.Model),
			Cells: []valueCell{metric(p.AUC, p.AUCLo, p.AUCHi, why), plain(p.Accuracy, why), plain(p.Sensitivity, why), plain(p.Specificity, why), plain(p.F1, why)}})
	}
	return out
}

// detailView is one set's table of threshold metrics.
type detailView struct {
	Title string
	Rows  []detailRow
}

type detailRow struct {
	Features, Model string
	First, Primary  bool
	Threshold       valueCell
	Metrics         []valueCell // accuracy, sensitivity, specificity, PPV, NPV, F1, Brier
	Counts          string
	Note            string
}

func (s *Study) details() []detailView {
	var out []detailView
	for _, set := range s.Sets {
		d := detailView{Title: set.Title}
		features := ""
		for _, key := range s.keys() {
			r, ok := set.Results[key]
			if !ok {
				continue
			}
			p := r.Performance
			d.Rows = append(d.Rows, detailRow{Features: featureName(key.Features), Model: ModelName(key.Model), First: key.Features != features, Primary: key == s.Primary, Note: p.Note,
				Threshold: plain(p.Threshold, p.Note), Counts: fmt.Sprintf("%d / %d / %d / %d", p.TP, p.FP, p.TN, p.FN),
				Metrics: []valueCell{metric(p.Accuracy, p.AccuracyLo, p.AccuracyHi, p.Note), metric(p.Sensitivity, p.SensitivityLo, p.SensitivityHi, p.Note), metric(p.Specificity, p.SpecificityLo, p.SpecificityHi, p.Note),
					metric(p.PPV, p.PPVLo, p.PPVHi, p.Note), metric(p.NPV, p.NPVLo, p.NPVHi, p.Note), plain(p.F1, p.Note), plain(p.Brier, p.Note)}})
			features = key.Features
		}
		out = append(out, d)
	}
	return out
}

func ratio(v, lo, hi num.Float, why string) valueCell {
	if !computable(v) {
		return valueCell{Value: dash, Title: note(why)}
	}
	c := valueCell{Value: significant(float64(v))}
	if computable(lo, hi) {
		c.Small = ratioInterval(lo, hi)
	}
	return c
}

func pCell(p num.Float, why string) valueCell {
	if !computable(p) {
		return valueCell{Value: dash, Title: note(why)}
	}
	return valueCell{Value: pValue(p)}
}

// exclusion is one reason with its cases; the page lists the first and says how many more the table holds.
type exclusion struct {
	FlowExclusion
	More int
}

const casesShown = 200

func (s *Study) exclusions() []exclusion {
	var out []exclusion
	for _, e := range s.Flow.Exclusions {
		x := exclusion{FlowExclusion: e}
		x.Reason = cmp.Or(e.Reason, "no reason recorded")
		if len(e.Cases) > casesShown {
			x.Cases, x.More = e.Cases[:casesShown], len(e.Cases)-casesShown
		}
		out = append(out, x)
	}
	return out
}
