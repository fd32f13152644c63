package study

import (
	"context"

	"sonotype/cohort"
)

// Check reads the study's tables and every image and mask, and lists what is wrong, errors first.
func Check(ctx context.Context, p Plan, dir string, jobs int, progress func(done, total int)) (*cohort.Cohort, []cohort.Finding, error) {
	c, err := loadCohort(&p, dir)
	if err != nil {
		return nil, nil, err
	}
	config := cohort.CheckConfig{Workers: jobs, Progress: progress}
	// Findings of the tables may forbid a split; the files are checked all the same.
	if s, err := cohort.Split(c, p.splitConfig(), p.Seed); err == nil {
		config.Splits = s
	}
	findings, err := cohort.Check(ctx, c, config)
	if config.Splits != nil {
		if misfits := p.fitsCohort(c, config.Splits); misfits != nil {
			findings = append([]cohort.Finding{misfit(misfits)}, findings...)
		}
	}
	return c, findings, err
}

func (p *Plan) splitConfig() cohort.SplitConfig {
	return cohort.SplitConfig{Development: p.Development, LeaveOut: p.Split.LeaveOut, TrainFraction: p.Split.Train, Folds: p.Split.Folds}
}
