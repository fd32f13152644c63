package study

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"sonotype/cohort"
	"sonotype/cohort/table"
	"sonotype/internal/problem"
	"sonotype/internal/suggest"
	"sonotype/survival"
)

// followed are patients with follow-up and their scores. A patient has one disease-free survival, whatever the number of
// lesions, so each stands here once.
type followed struct {
	patients []cohort.Unit // what their units know together
	score    []float64
}

// follow joins units and their scores by patient: the mean score; positive where any unit is; of follow-up and clinical
// columns the first value that is known. Patients without follow-up are left out.
func follow(units []cohort.Unit, scores []float64) followed {
	var all followed
	at, count := map[string]int{}, []float64{}
	for i, u := range units {
		k, seen := at[u.Patient]
		if !seen {
			k = len(all.patients)
			at[u.Patient] = k
			u.Clinical = maps.Clone(u.Clinical)
			all.patients, all.score, count = append(all.patients, u), append(all.score, 0), append(count, 0)
		}
		all.score[k] += scores[i]
		count[k]++
		join(&all.patients[k], u)
	}
	var f followed
	for k, p := range all.patients {
		if !math.IsNaN(p.DFSMonths) && p.DFSEvent >= 0 {
			f.patients, f.score = append(f.patients, p), append(f.score, all.score[k]/count[k])
		}
	}
	return f
}

// join adds to a patient what another of their units says.
func join(p *cohort.Unit, u cohort.Unit) {
	p.Label = max(p.Label, u.Label)
	if math.IsNaN(p.DFSMonths) || p.DFSEvent < 0 {
		p.DFSMonths, p.DFSEvent = u.DFSMonths, u.DFSEvent
	}
	for name, v := range u.Clinical {
		if p.Clinical[name] == "" {
			p.Clinical[name] = v
		}
	}
}

// followScored is follow for the scores of a set.
func followScored(c *cohort.Cohort, s scored) followed {
	byID := map[string]cohort.Unit{}
	for _, u := range c.Units {
		byID[u.ID] = u
	}
	units := make([]cohort.Unit, len(s.units))
	for i, id := range s.units {
		units[i] = byID[id]
	}
	return follow(units, s.scores)
}

// FollowUp are the patients of the site that have follow-up, one entry each, with their measured outcomes as scores.
func (s *Site) FollowUp() (d survival.Data, labels []float64) {
	var units []cohort.Unit
	var scores []float64
	for _, u := range s.Units {
		units, scores = append(units, u.Unit), append(scores, u.Score)
	}
	f := follow(units, scores)
	d.Score = f.score
	d.Time, d.Event = f.followUp()
	return d, f.labels()
}

func (f followed) ids() []string {
	var out []string
	for _, p := range f.patients {
		out = append(out, p.Patient)
	}
	return out
}

func (f followed) followUp() (months []float64, event []int) {
	for _, p := range f.patients {
		months, event = append(months, p.DFSMonths), append(event, p.DFSEvent)
	}
	return months, event
}

// labels are the measured outcomes, as scores.
func (f followed) labels() []float64 {
	var out []float64
	for _, p := range f.patients {
		out = append(out, float64(p.Label))
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
