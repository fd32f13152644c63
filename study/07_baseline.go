package study

import (
	"slices"

	"sonotype/cohort"
	"sonotype/describe"
)

// baselineTables makes Table 1 (low against high) and Table 2 (train, internal, external), a row a unit.
// Table 2 is nil when the study has one set only; both are nil when the cohort has no clinical columns.
func (r *Run) baselineTables() (byOutcome, bySet *describe.Result, err error) {
	c, err := r.analysed()
	if err != nil {
		return nil, nil, err
	}
	splits, err := r.splits()
	if err != nil {
		return nil, nil, err
	}
	names := r.Plan.Evaluate.Clinical
	if len(names) == 0 {
		names = c.Columns
	}
	var columns []describe.Column
	for _, name := range names {
		col := describe.Column{Name: name}
		for _, u := range c.Units {
			col.Values = append(col.Values, u.Clinical[name])
		}
		columns = append(columns, col)
	}
	outcome := describe.Column{Name: r.Plan.Outcome.High, Levels: []string{r.Plan.Outcome.Low, r.Plan.Outcome.High}}
	set := describe.Column{Name: "set"}
	for _, u := range c.Units {
		outcome.Values = append(outcome.Values, outcome.Levels[u.Label])
		a, _ := splits.Of(u.Patient)
		set.Values = append(set.Values, a.Set)
	}
	for _, s := range cohort.Sets {
		if slices.Contains(set.Values, s) {
			set.Levels = append(set.Levels, s)
		}
	}
	o := describe.Options{Seed: r.Plan.Seed}
	if len(columns) > 0 {
		if byOutcome, err = describe.Table(columns, outcome, o); err != nil {
			return nil, nil, err
		}
	}
	if len(set.Levels) > 1 {
		both := append([]describe.Column{{Name: "outcome", Kind: describe.Categorical, Values: outcome.Values, Levels: outcome.Levels}}, columns...)
		bySet, err = describe.Table(both, set, o)
	}
	return byOutcome, bySet, err
}

// analysed is the cohort without the images that stage 02 had to leave out.
func (r *Run) analysed() (*cohort.Cohort, error) {
	if r.cache.analysed != nil {
		return r.cache.analysed, nil
	}
	c, err := r.cohort()
	if err != nil {
		return nil, err
	}
	excluded, err := r.exclusions()
	if err != nil {
		return nil, err
	}
	reasons := map[int]string{}
	for _, e := range excluded {
		reasons[e.Source] = e.Reason
	}
	r.cache.analysed = c.DropImages("roi", reasons)
	return r.cache.analysed, nil
}
