package study

import (
	"sonotype/cohort"
	"sonotype/internal/problem"
)

// fitsCohort checks, before any image is read, what the plan demands of the tables: subgroup and clinical columns, and centres that
// can be harmonised.
func (p *Plan) fitsCohort(c *cohort.Cohort, splits *cohort.Splits) error {
	if err := p.Subgroups.haveColumns(c); err != nil {
		return err
	}
	if err := p.Clinical.haveColumns(c); err != nil {
		return err
	}
	return p.mayHarmonise(c, splits)
}

// planFits is fitsCohort of a run whose cohort is divided.
func planFits(r *Run) error {
	c, err := r.cohort()
	if err != nil {
		return err
	}
	splits, err := r.splits()
	if err != nil {
		return err
	}
	return r.Plan.fitsCohort(c, splits)
}

// PlanMisfit is the finding that the study file demands what the tables do not have.
const PlanMisfit cohort.Code = "plan-misfit"

// misfit turns what fitsCohort found into a finding of `sonotype check`.
func misfit(err error) cohort.Finding {
	f := cohort.Finding{Severity: cohort.SeverityError, Code: PlanMisfit, Message: err.Error()}
	if p, ok := problem.As(err); ok {
		f.Message, f.Try = p.What, p.Try
		if p.Found != "" {
			f.Message += ": " + p.Found
		}
	}
	return f
}
