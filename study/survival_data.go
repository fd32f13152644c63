package study

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"sonotype/cohort"
	"sonotype/cohort/table"
	"sonotype/internal/problem"
	"sonotype/internal/suggest"
	"sonotype/survival"
)

// followed is a set's units with follow-up and their scores.
type followed struct {
	units []cohort.Unit
	score []float64
}

// follow joins scores with the follow-up of their units; units without one are left out.
func follow(c *cohort.Cohort, s scored) followed {
	units := map[string]cohort.Unit{}
	for _, u := range c.Units {
		units[u.ID] = u
	}
	var f followed
	for i, id := range s.units {
		u := units[id]
		if math.IsNaN(u.DFSMonths) || u.DFSEvent < 0 {
			continue
		}
		f.units, f.score = append(f.units, u), append(f.score, s.scores[i])
	}
	return f
}

func (f followed) ids() []string {
	var out []string
	for _, u := range f.units {
		out = append(out, u.ID)
	}
	return out
}

func (f followed) followUp() (months []float64, event []int) {
	for _, u := range f.units {
		months, event = append(months, u.DFSMonths), append(event, u.DFSEvent)
	}
	return months, event
}

// labels are the measured outcomes, as scores.
func (f followed) labels() []float64 {
	var out []float64
	for _, u := range f.units {
		out = append(out, float64(u.Label))
	}
	return out
}

// validate checks the figures of the plan's survival part.
func (p SurvivalPlan) validate(bad complain) error {
	const longest = 1200 // months
	for _, t := range p.Times {
		if !(t > 0 && t <= longest) {
			return bad("survival.times", fmt.Sprintf("months above 0, up to %d", longest), t)
		}
	}
	if !(p.Horizon >= 0 && p.Horizon <= longest) {
		return bad("survival.horizon", fmt.Sprintf("months up to %d, or 0", longest), p.Horizon)
	}
	if p.Strata == "" {
		return bad("survival.strata", "centre, none, or a clinical column", "nothing")
	}
	return nil
}

// survivalCovariates are the columns of the clinical Cox model: those of the plan for survival, else those of its
// clinical models, else the age where some unit has one.
func (r *Run) survivalCovariates(c *cohort.Cohort, units []cohort.Unit) ([]survival.Covariate, error) {
	names := r.Plan.Survival.Covariates
	if len(names) == 0 {
		names = r.Plan.Clinical.Variables
	}
	if len(names) == 0 {
		age := cmp.Or(r.Plan.Columns.Age, "age")
		if !slices.ContainsFunc(units, func(u cohort.Unit) bool { return u.Clinical[age] != "" }) {
			return nil, nil
		}
		names = []string{age}
	}
	var out []survival.Covariate
	for _, name := range names {
		values, err := clinicalColumn(c, units, "survival.covariates", name)
		if err != nil {
			return nil, err
		}
		out = append(out, Covariates(name, values, r.Plan.Clinical.Reference[name])...)
	}
	return out, nil
}

// survivalStrata are the values by which tests and models are stratified; nil for none.
func (r *Run) survivalStrata(c *cohort.Cohort, units []cohort.Unit) ([]string, error) {
	switch r.Plan.Survival.Strata {
	case "none":
		return nil, nil
	case "centre":
		var out []string
		for _, u := range units {
			out = append(out, u.Centre)
		}
		return out, nil
	}
	return clinicalColumn(c, units, "survival.strata", r.Plan.Survival.Strata)
}

func clinicalColumn(c *cohort.Cohort, units []cohort.Unit, key, name string) ([]string, error) {
	if !slices.Contains(c.Columns, name) {
		e := &problem.Error{What: fmt.Sprintf("the study's %s names a column that the tables lack", key), Found: name, Expected: "one of " + strings.Join(c.Columns, ", ")}
		if near := suggest.Close(name, c.Columns); near != "" {
			e.Try = fmt.Sprintf("did you mean %q?", near)
		}
		return nil, e
	}
	var out []string
	for _, u := range units {
		out = append(out, u.Clinical[name])
	}
	return out, nil
}

// Covariates turns a clinical column into columns of a Cox model: numbers as they are, categories as one column for
// each level but the reference ("", or one that nobody has: the most frequent). What is missing is NaN.
func Covariates(name string, values []string, reference string) []survival.Covariate {
	number := survival.Covariate{Name: name + " (per unit)", Term: name, Values: make([]float64, len(values))}
	numeric, counts := true, map[string]int{}
	for i, v := range values {
		number.Values[i] = math.NaN()
		if v == "" {
			continue
		}
		counts[v]++
		x, err := table.Number(v)
		number.Values[i], numeric = x, numeric && err == nil
	}
	if numeric {
		return []survival.Covariate{number}
	}
	var levels []string
	for v := range counts {
		levels = append(levels, v)
	}
	slices.SortFunc(levels, func(a, b string) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) })
	if i := slices.Index(levels, reference); i > 0 {
		levels = slices.Concat([]string{reference}, levels[:i], levels[i+1:])
	}
	var out []survival.Covariate
	for _, level := range levels[1:] {
		c := survival.Covariate{Name: fmt.Sprintf("%s: %s against %s", name, level, levels[0]), Term: name, Values: make([]float64, len(values))}
		for i, v := range values {
			switch v {
			case "":
				c.Values[i] = math.NaN()
			case level:
				c.Values[i] = 1
			}
		}
		out = append(out, c)
	}
	return out
}
