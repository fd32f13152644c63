package report

import (
	"cmp"
	"fmt"
	"slices"

	"sonotype/internal/num"
	"sonotype/report/chart"
	"sonotype/survival"
)

// followUpFigures are the curves of all sets, then their AUCs along follow-up.
func (s *Study) followUpFigures() []figure {
	var curves, aucs []figure
	for _, sv := range s.Survival {
		curves = append(curves, s.survivalFigures(sv)...)
		if len(sv.ByScore.AUCCurve) > 1 {
			aucs = append(aucs, s.timeAUC(sv))
		}
	}
	return append(curves, aucs...)
}

// survivalFigures are the Kaplan-Meier curves by score (4A internal, 4B external) and by the measured outcome.
func (s *Study) survivalFigures(sv SurvivalSet) []figure {
	number := map[string]string{setInternal: "4A", setExternal: "4B"}[sv.Set]
	var out []figure
	if len(sv.ByScore.Curves) > 0 {
		origin := ""
		if len(s.Methods) > 0 {
			origin = " (a cut fixed as the methods say)"
		}
		f := figure{number: number, title: "Survival by score, " + sv.Title, id: stem(number, "km-score", sv.Set)}
		f.caption = fmt.Sprintf("Share of %ss without recurrence or death over time, for scores above and up to %s%s. Bands: 95 %% intervals; ticks: end of follow-up. %s",
			s.unit(), cutInWords(sv.ByScore.Cut), origin, contrastCaption(sv.ByScore.Contrast))
		s.kaplanMeier(&f, sv, sv.ByScore.Contrast, sv.AtRiskScore, [2]string{"low score", "high score"})
		out = append(out, f)
	}
	if len(sv.ByOutcome.Curves) > 0 {
		f := figure{title: "Survival by measured outcome, " + sv.Title, id: stem(number, "km-outcome", sv.Set)}
		f.caption = fmt.Sprintf("The same %ss grouped by what was measured: what a perfect model would show. %s", s.unit(), contrastCaption(sv.ByOutcome))
		s.kaplanMeier(&f, sv, sv.ByOutcome, sv.AtRiskOutcome, [2]string{s.negative(), s.positive()})
		out = append(out, f)
	}
	return out
}

// cutInWords prints a cut of probabilities as the page prints those, and any other to three significant digits.
func cutInWords(cut num.Float) string {
	if cut >= 0 && cut <= 1 {
		return share(cut)
	}
	return significant(float64(cut))
}

func contrastCaption(c survival.Contrast) string {
	if !computable(c.LogRankP) {
		return "No comparison: " + note(c.Note) + "."
	}
	out := fmt.Sprintf("Log-rank %s; %d events in %d, %d in %d.", pEquals(c.LogRankP), c.EventsHigh, c.NHigh, c.EventsLow, c.NLow)
	if computable(c.HR) {
		out = fmt.Sprintf("Hazard ratio (high against low) %s, 95 %% CI %s; log-rank %s; events: %d of %d high, %d of %d low.",
			significant(float64(c.HR)), ratioInterval(c.HRLo, c.HRHi), pEquals(c.LogRankP), c.EventsHigh, c.NHigh, c.EventsLow, c.NLow)
	}
	return out
}

// kaplanMeier draws curves with bands and censoring ticks, the test, and the numbers at risk below.
func (s *Study) kaplanMeier(f *figure, sv SurvivalSet, c survival.Contrast, atRisk [][]int, names [2]string) {
	last := 1.0
	if n := len(sv.RiskTimes); n > 0 {
		last = max(last, sv.RiskTimes[n-1])
	}
	for _, k := range c.Curves {
		if n := len(k.Points); n > 0 {
			last = max(last, k.Points[n-1].Time)
		}
	}
	h := 392 + 17*float64(len(c.Curves))
	canvas := s.draw(f, panelW, h, f.caption)
	p := chart.NewPlot(canvas, marginL+42, marginTop+18, marginR, h-marginTop-18-260, chart.Axis{Min: 0, Max: last, Label: "time since surgery, " + cmp.Or(sv.Unit, "months"), Ticks: sv.RiskTimes},
		chart.Axis{Min: 0, Max: 1, Label: "disease-free survival", Ticks: []float64{0, 0.25, 0.5, 0.75, 1}})
	f.data.header = []string{"group", "time", "at_risk", "events", "censored", "survival", "lo", "hi"}
	canvas.Label(at(p.Left, marginTop+6), contrastLine(c), chart.Text{Size: 12})
	base := p.Top + p.Height
	canvas.Label(at(8, base+58), "number at risk", chart.Text{Size: 11.5, Colour: chart.Muted})
	for i, k := range c.Curves {
		group := min(i, 1)
		if k.Name == survival.HighGroup {
			group = 1
		}
		colour := classColours[group]
		p.Inside(func() { kmCurve(p, k, colour, dashOf(Set{Name: sv.Set})) })
		canvas.Legend(at(p.Left+8, base-22-17*float64(len(c.Curves)-1-i)), p.Width-16, []chart.Entry{{Label: fmt.Sprintf("%s (n = %d)", names[group], k.N), Stroke: chart.Stroke{Colour: colour, Width: 2.2, Dash: dashOf(Set{Name: sv.Set})}}})
		y := base + 75 + 17*float64(i)
		short, full := chart.Fit(names[group], p.Left-34, 11.5)
		canvas.Label(at(8, y), short, chart.Text{Size: 11.5, Colour: colour, Title: full, Bold: true})
		if i < len(atRisk) {
			for j, n := range atRisk[i][:min(len(atRisk[i]), len(sv.RiskTimes))] {
				canvas.Label(at(p.At(sv.RiskTimes[j], 0).X, y), whole(n), chart.Text{Size: 11.5, Anchor: "middle"})
			}
		}
		for _, q := range k.Points {
			f.data.add(names[group], cell(q.Time), whole(q.AtRisk), whole(q.Events), whole(q.Censored), cell(q.Survival), cell(q.Lo), cell(q.Hi))
		}
	}
}

func contrastLine(c survival.Contrast) string {
	switch {
	case computable(c.HR, c.LogRankP):
		return fmt.Sprintf("HR %s (95 %% CI %s), log-rank %s", significant(float64(c.HR)), ratioInterval(c.HRLo, c.HRHi), pEquals(c.LogRankP))
	case computable(c.LogRankP):
		return "log-rank " + pEquals(c.LogRankP)
	}
	short, _ := chart.Fit(note(c.Note), 330, 12)
	return short
}

// kmCurve draws one step curve with its band; the curve starts at (0, 1).
func kmCurve(p *chart.Plot, k survival.KM, colour chart.Colour, dash string) {
	line, lower, upper := []chart.Point{p.At(0, 1)}, []chart.Point{p.At(0, 1)}, []chart.Point{p.At(0, 1)}
	step := func(pts []chart.Point, t, v float64) []chart.Point {
		return append(pts, at(p.At(t, 0).X, pts[len(pts)-1].Y), p.At(t, v))
	}
	var censored []chart.Point
	for _, q := range k.Points {
		line = step(line, q.Time, q.Survival)
		if computable(q.Lo, q.Hi) {
			lower, upper = step(lower, q.Time, float64(q.Lo)), step(upper, q.Time, float64(q.Hi))
		}
		if q.Censored > 0 {
			censored = append(censored, p.At(q.Time, q.Survival))
		}
	}
	slices.Reverse(lower)
	p.Area(append(upper, lower...), colour, 0.15)
	p.Path(line, chart.Stroke{Colour: colour, Width: 2.2, Dash: dash})
	for _, q := range censored {
		p.Line(at(q.X, q.Y-4), at(q.X, q.Y+1), chart.Stroke{Colour: colour, Width: 1})
	}
}
