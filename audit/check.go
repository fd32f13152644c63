package audit

import (
	"fmt"
	"slices"
	"strings"

	"sonotype/internal/problem"
)

// Limits of an audit file: far above any paper, and low enough that the largest file is audited in seconds.
const (
	mostGroups   = 12
	mostLevels   = 60
	mostRows     = 400
	mostModels   = 60
	mostSections = 60
	mostPatients = 100_000 // of a set or a column
)

// check reads every figure and says in which line the first one is that cannot be.
func (p *Paper) check() error {
	for _, n := range []int{len(p.Totals), len(p.Shares), len(p.Tables), len(p.Sets), len(p.Models), len(p.Survival)} {
		if n > mostSections {
			return &problem.Error{What: "the audit file holds too many entries of one kind", Expected: fmt.Sprintf("at most %d", mostSections), Found: fmt.Sprint(n)}
		}
	}
	if len(p.Totals)+len(p.Shares)+len(p.Tables)+len(p.Models)+len(p.Survival) == 0 {
		return &problem.Error{What: "the audit file holds nothing to audit", Expected: "totals, shares, tables, models or survival", Try: "start from an example of docs/audit.md"}
	}
	for i := range p.Totals {
		if err := p.Totals[i].check(); err != nil {
			return err
		}
	}
	for i := range p.Shares {
		if err := p.Shares[i].check(); err != nil {
			return err
		}
	}
	for i := range p.Tables {
		if err := p.Tables[i].check(); err != nil {
			return err
		}
	}
	for i := range p.Sets {
		if err := p.checkSet(i); err != nil {
			return err
		}
	}
	for i := range p.Models {
		if err := p.checkModels(&p.Models[i]); err != nil {
			return err
		}
	}
	for i := range p.Survival {
		if err := p.Survival[i].check(); err != nil {
			return err
		}
	}
	return nil
}

// named complains of an entry without a name.
func named(what, name string) error {
	if strings.TrimSpace(name) == "" {
		return &problem.Error{What: what + " has no name", Try: "give it a `name:`"}
	}
	return nil
}

func (t *Total) check() error {
	if err := named("an entry of totals", t.Name); err != nil {
		return err
	}
	if len(t.Parts) < 2 || len(t.Parts) > mostRows || !t.Total.given() {
		return &problem.Error{What: "the total " + t.Name + " is not complete", Expected: "two or more `parts:` and a `total:`"}
	}
	for _, w := range t.Parts {
		if !w.given() {
			return &problem.Error{What: "the total " + t.Name + " has an empty part"}
		}
	}
	return nil
}

func (s *Share) check() (err error) {
	if err := named("an entry of shares", s.Name); err != nil {
		return err
	}
	if !s.Count.given() || !s.Of.given() || s.Of.N == 0 {
		return &problem.Error{What: "the share " + s.Name + " is not complete", Row: s.Of.Line, Expected: "`count:`, `of:` (above 0) and `printed:`"}
	}
	s.printed, err = s.Printed.number("the share "+s.Name, 0, 1)
	return err
}

func (t *Table) check() error {
	if err := named("a table", t.Name); err != nil {
		return err
	}
	if len(t.Groups) < 2 || len(t.Groups) > mostGroups {
		return &problem.Error{What: "the table " + t.Name + " needs its groups", Expected: fmt.Sprintf("2 to %d groups, each with name and n", mostGroups), Found: fmt.Sprint(len(t.Groups))}
	}
	for _, g := range t.Groups {
		if err := named("a group of "+t.Name, g.Name); err != nil {
			return err
		}
		if g.N.N < 1 || g.N.N > mostPatients {
			return &problem.Error{What: "the group " + g.Name + " of " + t.Name + " has no valid size", Row: g.N.Line, Expected: fmt.Sprintf("`n:` from 1 to %d", mostPatients), Found: fmt.Sprint(g.N.N)}
		}
	}
	if len(t.Rows) == 0 || len(t.Rows) > mostRows {
		return &problem.Error{What: "the table " + t.Name + " has no usable rows", Expected: fmt.Sprintf("1 to %d", mostRows), Found: fmt.Sprint(len(t.Rows))}
	}
	for i := range t.Rows {
		if err := t.checkRow(&t.Rows[i]); err != nil {
			return err
		}
	}
	return nil
}

// columns is the number of cells in a row.
func (t *Table) columns() int {
	if t.Overall.given() {
		return len(t.Groups) + 1
	}
	return len(t.Groups)
}

func (t *Table) checkRow(r *Row) error {
	if err := named("a row of "+t.Name, r.Name); err != nil {
		return err
	}
	where := t.Name + ", " + r.Name
	if (len(r.Cells) > 0) == (len(r.Levels) > 0) || len(r.Levels) > mostLevels {
		return &problem.Error{What: where + ": a row has either `cells:` (mean and SD) or `levels:` (counts)", Expected: fmt.Sprintf("one of them, and at most %d levels", mostLevels)}
	}
	if r.Test != "" && !slices.Contains(testNames, r.Test) {
		return &problem.Error{What: where + ": the test is not known", Expected: strings.Join(testNames, ", "), Found: r.Test}
	}
	if r.P.given() {
		p, err := r.P.number(where+": the p-value", 0, 1)
		if err != nil {
			return err
		}
		r.p = &p
	}
	if len(r.Cells) > 0 {
		if err := t.width(where, r.Cells); err != nil {
			return err
		}
		for _, c := range r.Cells {
			m, err := c.moments(where + ": the cell")
			if err != nil {
				return err
			}
			r.means = append(r.means, m)
		}
		return nil
	}
	for _, l := range r.Levels {
		if err := t.width(where+", level "+l.Name, l.Cells); err != nil {
			return err
		}
		var counts []count
		for _, c := range l.Cells {
			n, err := c.count(where + ", level " + l.Name + ": the cell")
			if err != nil {
				return err
			}
			if n.n > mostPatients {
				return c.bad(where+", level "+l.Name+": the cell", fmt.Sprintf("at most %d patients", mostPatients))
			}
			counts = append(counts, n)
		}
		r.counts = append(r.counts, counts)
	}
	return nil
}

func (t *Table) width(where string, cells []Text) error {
	if len(cells) == t.columns() {
		return nil
	}
	at := 0
	if len(cells) > 0 {
		at = cells[0].Line
	}
	want := fmt.Sprintf("%d, one a group", t.columns())
	if t.Overall.given() {
		want += ", the Overall column's last"
	}
	return &problem.Error{What: where + ": the number of cells is wrong", Row: at, Expected: want, Found: fmt.Sprint(len(cells))}
}

func (p *Paper) checkSet(i int) error {
	s := &p.Sets[i]
	if err := named("a set", s.Name); err != nil {
		return err
	}
	for _, o := range p.Sets[:i] {
		if o.Name == s.Name {
			return &problem.Error{What: "two sets have one name", Found: s.Name}
		}
	}
	classes := s.Positive.given() && s.Negative.given()
	if classes && s.N.given() {
		s.printed = s.N.N
		s.N.N = s.Positive.N + s.Negative.N
	}
	if s.Positive.given() != s.Negative.given() && s.N.given() { // the other class follows
		if s.Positive.given() {
			s.Negative = Whole{s.N.N - s.Positive.N, s.N.Line}
		} else {
			s.Positive = Whole{s.N.N - s.Negative.N, s.N.Line}
		}
		classes = true
	}
	if !s.N.given() && classes {
		s.N = Whole{s.Positive.N + s.Negative.N, s.Positive.Line}
	}
	if !s.N.given() || s.N.N < 2 || s.N.N > mostPatients || s.Positive.N < 0 || s.Negative.N < 0 {
		return &problem.Error{What: "the set " + s.Name + " has no valid size", Row: s.N.Line, Expected: fmt.Sprintf("`positive:` and `negative:`, or `n:` from 2 to %d", mostPatients)}
	}
	if classes && (s.Positive.N == 0 || s.Negative.N == 0) {
		return &problem.Error{What: "the set " + s.Name + " has one class only", Row: s.Positive.Line}
	}
	return nil
}

func (s *Set) classes() bool { return s.Positive.given() && s.Negative.given() }

func (p *Paper) checkModels(g *Models) error {
	if err := named("an entry of models", g.Name); err != nil {
		return err
	}
	for i := range p.Sets {
		if p.Sets[i].Name == g.Set {
			g.set = &p.Sets[i]
		}
	}
	if g.set == nil {
		return &problem.Error{What: "the models " + g.Name + " name a set that is not in `sets:`", Found: g.Set}
	}
	if len(g.Models) == 0 || len(g.Models) > mostModels {
		return &problem.Error{What: "the models " + g.Name + " are none or too many", Expected: fmt.Sprintf("1 to %d", mostModels), Found: fmt.Sprint(len(g.Models))}
	}
	best := g.Best == ""
	for i := range g.Models {
		if err := g.Models[i].check(g.Name); err != nil {
			return err
		}
		best = best || g.Models[i].Name == g.Best
	}
	if !best {
		return &problem.Error{What: "the best of " + g.Name + " is not one of its models", Found: g.Best}
	}
	return nil
}

func (m *Model) check(group string) (err error) {
	if err := named("a model of "+group, m.Name); err != nil {
		return err
	}
	where := group + ", " + m.Name
	if m.auc, err = m.AUC.optional(where+": the AUC", 0, 1); err != nil {
		return err
	}
	if m.lo, m.hi, err = interval(m.CI, where+": the interval of the AUC", 1); err != nil {
		return err
	}
	if m.lo != nil && m.auc == nil {
		return &problem.Error{What: where + ": an interval without its AUC", Row: m.CI[0].Line}
	}
	return m.checkMeasures(where)
}

// optional reads a figure that may be left out.
func (t Text) optional(what string, lo, hi float64) (*figure, error) {
	if !t.given() {
		return nil, nil
	}
	f, err := t.number(what, lo, hi)
	if err != nil {
		return nil, err
	}
	if f.sign != 0 {
		return nil, t.bad(what, "a number, not a bound")
	}
	return &f, nil
}

// interval reads [lower, upper], or nothing.
func interval(ci []Text, what string, most float64) (lo, hi *figure, err error) {
	if len(ci) == 0 {
		return nil, nil, nil
	}
	if len(ci) != 2 || !ci[0].given() || !ci[1].given() {
		return nil, nil, &problem.Error{What: what + " is not valid", Row: ci[0].Line, Expected: "[lower, upper]"}
	}
	if lo, err = ci[0].optional(what, 0, most); err != nil {
		return nil, nil, err
	}
	if hi, err = ci[1].optional(what, 0, most); err != nil {
		return nil, nil, err
	}
	if lo.value > hi.value {
		return nil, nil, &problem.Error{What: what + " is not valid", Row: ci[0].Line, Expected: "the lower bound first", Found: ci[0].Text + " to " + ci[1].Text}
	}
	return lo, hi, nil
}

// largestRatio bounds hazard ratios.
const largestRatio = 1e6

func (s *Survival) check() (err error) {
	if err := named("an entry of survival", s.Name); err != nil {
		return err
	}
	if len(s.Groups) > mostGroups {
		return &problem.Error{What: s.Name + " has too many groups", Expected: fmt.Sprintf("at most %d", mostGroups)}
	}
	for _, g := range s.Groups {
		if g.N.given() && g.Events.N > g.N.N {
			return &problem.Error{What: s.Name + ": a group has more events than patients", Row: g.Events.Line, Found: fmt.Sprintf("%d of %d", g.Events.N, g.N.N)}
		}
	}
	if s.N.given() && s.Events.N > s.N.N {
		return &problem.Error{What: s.Name + ": more events than patients", Row: s.Events.Line, Found: fmt.Sprintf("%d of %d", s.Events.N, s.N.N)}
	}
	if s.hr, err = s.HR.optional(s.Name+": the hazard ratio", 0, largestRatio); err != nil {
		return err
	}
	if s.lo, s.hi, err = interval(s.CI, s.Name+": the interval of the hazard ratio", largestRatio); err != nil {
		return err
	}
	if s.P.given() {
		p, err := s.P.number(s.Name+": the p-value", 0, 1)
		if err != nil {
			return err
		}
		s.p = &p
	}
	if s.p == nil && s.lo == nil {
		return &problem.Error{What: s.Name + " has nothing to audit", Expected: "`p:` of the log-rank test, or `hr:` with its `ci:`"}
	}
	return nil
}
