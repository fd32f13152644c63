package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"sonotype/internal/num"
	"sonotype/internal/stats"
	"sonotype/survival"
)

// survivalView is what the survival section shows in tables, a set after the other.
type survivalView struct {
	Contrasts  []contrastRow
	Stratified string // what the tests were stratified by; "" = nothing
	Ranking    []rankingRow
	Times      []string // heads of the time-dependent AUC
	Cox        []coxRow
	Hazards    bool // some model's proportional hazards were tested
	Periods    []periodRow
	Added      []string
	Notes      []string
}

// contrastRow is one comparison of two groups.
type contrastRow struct {
	Set, Name, Groups         string
	HR, P, Stratified, Months valueCell
}

// rankingRow is how well the score ranks one set's patients by time to event.
type rankingRow struct {
	Set          string
	Harrell, Uno valueCell
	Horizon      string
	AUC          []valueCell // at each time
}

// coxRow is one term of one Cox model.
type coxRow struct {
	Set, Model, Name, Groups string
	First                    bool // of its model
	HR, P, Hazard            valueCell
}

// periodRow is the score's hazard ratio in a part of the follow-up.
type periodRow struct {
	Set, Span, Groups string
	First             bool // of its set
	HR, P             valueCell
}

func (s *Study) survivalView() survivalView {
	var v survivalView
	for _, t := range s.reportedTimes() {
		v.Times = append(v.Times, plainNumber(t))
	}
	for _, sv := range s.Survival {
		v.Contrasts = append(v.Contrasts, sv.scoreRow())
		if len(sv.ByOutcome.Curves) > 0 {
			v.Contrasts = append(v.Contrasts, sv.outcomeRow())
		}
		if sv.ByScore.Strata > 1 {
			v.Stratified = cmp.Or(sv.Strata, "stratum")
		}
		v.Ranking = append(v.Ranking, sv.rankingRow(s.reportedTimes()))
		v.Cox = append(v.Cox, sv.coxRows()...)
		v.Periods = append(v.Periods, sv.periodRows()...)
		v.Hazards = v.Hazards || len(sv.ByScore.Hazards) > 0
		if a := sv.ByScore.Added; a != nil {
			v.Added = append(v.Added, addedInWords(sv, a))
		}
		for _, n := range sv.remarks() {
			v.Notes = append(v.Notes, sv.Title+": "+n+".")
		}
	}
	return v
}

// remarks are what stands against the tables of a set.
func (sv SurvivalSet) remarks() []string {
	a := sv.ByScore
	out := slices.Clone(a.Notes)
	for _, m := range modelsOf(a) {
		if m.cox.Note != "" {
			out = append(out, m.name+": "+m.cox.Note)
		}
	}
	for _, h := range a.Hazards {
		if h.Transform == survival.TimeKM && h.Global.P < 0.05 {
			out = append(out, "hazard ratios change during follow-up ("+pEquals(h.Global.P)+"): each is an average over it, and the restricted mean says more")
		}
	}
	return out
}

// plainNumber prints a time without needless digits: 36, 56.8.
func plainNumber(v float64) string { return strconv.FormatFloat(math.Round(10*v)/10, 'f', -1, 64) }

// reportedTimes are the times of the time-dependent AUC in any set.
func (s *Study) reportedTimes() []float64 {
	var out []float64
	for _, sv := range s.Survival {
		for _, a := range sv.ByScore.TimeAUC {
			out = append(out, a.Time)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func groupsOf(c survival.Contrast) string {
	return fmt.Sprintf("%d of %d / %d of %d", c.EventsHigh, c.NHigh, c.EventsLow, c.NLow)
}

func (sv SurvivalSet) scoreRow() contrastRow {
	a := sv.ByScore
	row := contrastRow{Set: sv.Title, Name: "score", Groups: groupsOf(a.Contrast), HR: ratio(a.HR, a.HRLo, a.HRHi, a.Note), P: pCell(a.LogRankP, a.Note),
		Stratified: valueCell{Value: dash, Title: "one stratum only"}}
	if a.Stratified != nil {
		row.Stratified = pCell(a.Stratified.P, a.Stratified.Note)
	}
	row.Months = ratio(a.Means.Difference, a.Means.Lo, a.Means.Hi, a.Means.Note)
	if computable(a.Means.P, a.Means.Difference, a.Means.Horizon) {
		row.Months.Small = significant(float64(a.Means.Lo)) + " to " + significant(float64(a.Means.Hi)) + ", " + pEquals(a.Means.P)
		row.Months.Title = fmt.Sprintf("up to %s %s", plainNumber(float64(a.Means.Horizon)), cmp.Or(sv.Unit, "months"))
	}
	return row
}

func (sv SurvivalSet) outcomeRow() contrastRow {
	c, none := sv.ByOutcome, valueCell{Value: dash, Title: "of the score only"}
	return contrastRow{Set: sv.Title, Name: "measured outcome", Groups: groupsOf(c), HR: ratio(c.HR, c.HRLo, c.HRHi, c.Note), P: pCell(c.LogRankP, c.Note), Stratified: none, Months: none}
}

func (sv SurvivalSet) rankingRow(times []float64) rankingRow {
	a := sv.ByScore
	row := rankingRow{Set: sv.Title, Harrell: metric(a.CIndex, a.CIndexLo, a.CIndexHi, a.Note), Uno: metric(a.Uno.C, a.Uno.Lo, a.Uno.Hi, a.Uno.Note), Horizon: dash}
	if computable(a.Means.Horizon) {
		row.Horizon = plainNumber(float64(a.Means.Horizon))
	}
	for _, t := range times {
		cell := valueCell{Value: dash, Title: "not computed"}
		for _, at := range a.TimeAUC {
			if at.Time == t {
				cell = metric(at.AUC, at.Lo, at.Hi, at.Note)
				cell.Title = cmp.Or(cell.Title, fmt.Sprintf("%d events by then, %d followed beyond", at.Cases, at.Controls))
			}
		}
		row.AUC = append(row.AUC, cell)
	}
	return row
}

// namedCox is a Cox model by what is in it.
type namedCox struct {
	name string
	cox  *survival.Cox
}

// modelsOf are the Cox models that could be fitted.
func modelsOf(a survival.Analysis) []namedCox {
	all := []namedCox{{"score alone", a.Score}, {"clinical alone", a.Clinical}, {"clinical and score", a.Combined}}
	return slices.DeleteFunc(all, func(m namedCox) bool { return m.cox == nil })
}

func (sv SurvivalSet) coxRows() []coxRow {
	a := sv.ByScore
	largest := cmp.Or(a.Combined, a.Score)
	var out []coxRow
	for _, m := range modelsOf(a) {
		for j, t := range m.cox.Terms {
			row := coxRow{Set: sv.Title, Model: m.name, Name: t.Name, Groups: fmt.Sprintf("%d / %d", m.cox.Events, m.cox.N), First: j == 0,
				HR: ratio(t.HR, t.Lo, t.Hi, m.cox.Note), P: pCell(t.P, m.cox.Note)}
			if m.cox == largest {
				row.Hazard = hazardCell(a, t.Term)
			}
			out = append(out, row)
		}
		if m.cox == largest && len(a.Hazards) > 0 && len(m.cox.Terms) > 1 {
			out = append(out, coxRow{Set: sv.Title, Model: m.name, Name: "all together", Groups: fmt.Sprintf("%d / %d", m.cox.Events, m.cox.N),
				P: pCell(m.cox.LR.P, m.cox.Note), Hazard: hazardCell(a, "")})
		}
	}
	return out
}

func (sv SurvivalSet) periodRows() []periodRow {
	var out []periodRow
	for k, p := range sv.ByScore.Periods {
		const why = "no finite solution in this period"
		out = append(out, periodRow{Set: sv.Title, Span: plainNumber(p.From) + "–" + plainNumber(p.To), Groups: fmt.Sprintf("%d / %d", p.Events, p.N), First: k == 0,
			HR: ratio(p.HR, p.Lo, p.Hi, why), P: pCell(p.P, why)})
	}
	return out
}

// hazardCell is the test of proportional hazards of one term, or of the whole model (""): on the scale of the
// Kaplan-Meier curve, and below it on that of time.
func hazardCell(a survival.Analysis, term string) valueCell {
	p := map[string]num.Float{}
	for _, h := range a.Hazards {
		test := h.Global
		if i := slices.IndexFunc(h.Terms, func(t stats.Test) bool { return t.Name == term }); i >= 0 {
			test = h.Terms[i]
		}
		p[h.Transform] = test.P
	}
	km, ok := p[survival.TimeKM]
	if !ok {
		return valueCell{Value: dash, Title: "not tested"}
	}
	cell := pCell(km, "too few events")
	if computable(p[survival.TimeIdentity]) {
		cell.Small = pValue(p[survival.TimeIdentity])
	}
	return cell
}

// addedInWords says what the score adds to the clinical model.
func addedInWords(sv SurvivalSet, a *survival.Added) string {
	var clinical []string
	for _, t := range sv.ByScore.Clinical.Terms {
		if !slices.Contains(clinical, t.Term) {
			clinical = append(clinical, t.Term)
		}
	}
	verdict := "the score does not demonstrably add to"
	if a.LR.P < 0.05 {
		verdict = "the score adds to"
	}
	out := fmt.Sprintf("%s: %s %s (likelihood-ratio test, chi-square %s on %s df, %s).", sv.Title, verdict, strings.Join(clinical, ", "),
		significant(float64(a.LR.Statistic)), fixed(float64(a.LR.DF), 0), pEquals(a.LR.P))
	if computable(a.Gain, a.GainLo, a.GainHi) {
		out += fmt.Sprintf(" C-index of the fitted models: %s clinical alone, %s with the score (difference %s, 95 %% CI %s to %s; fitted and measured on the same patients).",
			share(a.CClinical), share(a.CCombined), share(a.Gain), share(a.GainLo), share(a.GainHi))
	}
	return out
}

// survivalTable is the comparison of groups with unrounded figures.
func (s *Study) survivalTable() table {
	t := table{header: []string{"set", "by", "n", "cut", "n_high", "n_low", "events", "events_high", "events_low", "logrank_p", "logrank_stratified_p", "hazard_ratio", "hr_lo", "hr_hi", "c_index", "c_index_lo", "c_index_hi",
		"horizon", "mean_low", "mean_high", "mean_difference", "mean_difference_lo", "mean_difference_hi", "mean_difference_p", "note"}}
	for _, sv := range s.Survival {
		for _, by := range []string{"score", "outcome"} {
			c := sv.ByScore.Contrast
			if by == "outcome" {
				c = sv.ByOutcome
			}
			if c.N == 0 { // not compared
				continue
			}
			row := []string{sv.Set, by, whole(c.N), cell(c.Cut), whole(c.NHigh), whole(c.NLow), whole(c.Events), whole(c.EventsHigh), whole(c.EventsLow), cell(c.LogRankP)}
			rest := []string{cell(c.HR), cell(c.HRLo), cell(c.HRHi), cell(c.CIndex), cell(c.CIndexLo), cell(c.CIndexHi)}
			if by == "outcome" {
				t.add(append(append(append(row, ""), rest...), "", "", "", "", "", "", "", c.Note)...)
				continue
			}
			stratified, low, high, m := "", "", "", sv.ByScore.Means
			if l := sv.ByScore.Stratified; l != nil {
				stratified = cell(l.P)
			}
			if len(m.Groups) == 2 {
				low, high = cell(m.Groups[0].Value), cell(m.Groups[1].Value)
			}
			t.add(append(append(append(row, stratified), rest...), cell(m.Horizon), low, high, cell(m.Difference), cell(m.Lo), cell(m.Hi), cell(m.P), c.Note)...)
		}
	}
	return t
}

// rankingTable is the concordance and the time-dependent AUC, a line a figure.
func (s *Study) rankingTable() table {
	t := table{header: []string{"set", "measure", "time", "value", "lo", "hi", "se", "events_before", "followed_beyond", "note"}}
	for _, sv := range s.Survival {
		a := sv.ByScore
		t.add(sv.Set, "Harrell's C", "", cell(a.CIndex), cell(a.CIndexLo), cell(a.CIndexHi), "", "", "", a.Note)
		t.add(sv.Set, "Uno's C", cell(a.Means.Horizon), cell(a.Uno.C), cell(a.Uno.Lo), cell(a.Uno.Hi), cell(a.Uno.SE), "", "", a.Uno.Note)
		for _, at := range a.TimeAUC {
			t.add(sv.Set, "AUC", cell(at.Time), cell(at.AUC), cell(at.Lo), cell(at.Hi), cell(at.SE), whole(at.Cases), whole(at.Controls), at.Note)
		}
	}
	return t
}

// coxTable is the terms of all Cox models with the tests of proportional hazards, and what the score adds.
func (s *Study) coxTable() table {
	t := table{header: []string{"set", "model", "covariate", "n", "events", "strata", "coef", "se", "hazard_ratio", "hr_lo", "hr_hi", "p"}}
	tests := table{}
	for _, sv := range s.Survival {
		a := sv.ByScore
		for _, m := range modelsOf(a) {
			for _, term := range m.cox.Terms {
				t.add(sv.Set, m.name, term.Name, whole(m.cox.N), whole(m.cox.Events), whole(m.cox.Strata), cell(term.Coef), cell(term.SE), cell(term.HR), cell(term.Lo), cell(term.Hi), cell(term.P))
			}
		}
		for _, p := range a.Periods {
			t.add(sv.Set, "score alone, from "+cell(p.From)+" to "+cell(p.To), "score (per SD)", whole(p.N), whole(p.Events), "", "", "", cell(p.HR), cell(p.Lo), cell(p.Hi), cell(p.P))
		}
		for _, h := range a.Hazards {
			for _, test := range append(slices.Clone(h.Terms), h.Global) {
				tests.add(sv.Set, "proportional hazards, "+h.Transform, test.Name, "", "", "", "", "", "", "", "", cell(test.P))
			}
		}
		if a.Added != nil {
			tests.add(sv.Set, "clinical and score against clinical alone", a.Added.LR.Name, "", "", "", "", "", "", "", "", cell(a.Added.LR.P))
		}
	}
	t.rows = append(t.rows, tests.rows...)
	return t
}
