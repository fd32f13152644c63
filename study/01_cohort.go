package study

import (
	"context"
	"errors"
	"path/filepath"

	"sonotype/cohort"
	"sonotype/internal/artifact"
)

// ErrBadCohort marks a cohort that no study can be run on (exit code 10).
var ErrBadCohort = errors.New("the cohort has errors: `sonotype check` lists them all")

// Stage 01 reads the tables, groups rows into patients and freezes the splits: it commits to them by hash before any image
// is read and before any outcome meets an image or a score.
func cohortStage() *stage {
	return &stage{
		number: 1, name: "cohort", version: 2,
		params: func(p *Plan) any {
			return []any{p.Cohorts, p.Development, p.Outcome.Outcome, p.Columns, p.Split, p.Seed}
		},
		outside: func(_ context.Context, r *Run) (any, error) {
			c, err := r.cohort()
			if err != nil {
				return nil, err
			}
			if err := c.Err(); err != nil {
				return nil, errors.Join(err, ErrBadCohort)
			}
			hashes := make([]string, len(c.Sources))
			for i, s := range c.Sources {
				hashes[i] = s.Hash
			}
			if r.given != nil {
				hashes = append(hashes, r.given.Hash)
			}
			return hashes, nil
		},
		run:    runCohort,
		sealed: planFits,
	}
}

// cohort reads and joins the study's tables; it is cheap, so every run reads them again.
func (r *Run) cohort() (*cohort.Cohort, error) {
	if r.cache.cohort != nil {
		return r.cache.cohort, nil
	}
	c, err := loadCohort(&r.Plan, r.StudyDir)
	r.cache.cohort = c
	return c, err
}

func loadCohort(p *Plan, dir string) (*cohort.Cohort, error) {
	paths := make([]string, len(p.Cohorts))
	for i, t := range p.Cohorts {
		paths[i] = tablePath(dir, t)
	}
	return cohort.Load(paths, p.Columns, cohort.Rules{Outcome: p.Outcome.Outcome})
}

// splits returns the frozen splits of stage 01.
func (r *Run) splits() (*cohort.Splits, error) {
	if r.cache.splits != nil {
		return r.cache.splits, nil
	}
	dir := r.dir(1, "cohort")
	s, err := cohort.ReadSplits(filepath.Join(dir, "splits.csv"))
	if err != nil {
		return nil, err
	}
	c, err := readCommitments(dir)
	if err != nil {
		return nil, err
	}
	r.cache.splits = s
	return s, c.holds(s)
}

// findingRow is a row of findings.csv: what the tables alone show.
type findingRow struct {
	Severity string `csv:"severity"`
	Code     string `csv:"code"`
	Table    string `csv:"table"`
	Row      int    `csv:"row"`
	Patient  string `csv:"patient_id"`
	Message  string `csv:"message"`
}

func runCohort(_ context.Context, r *Run, out string) error {
	c, err := r.cohort()
	if err != nil {
		return err
	}
	s, err := r.newSplits(c)
	if err != nil {
		return err
	}
	if err := s.Write(filepath.Join(out, "splits.csv")); err != nil {
		return err
	}
	if err := artifact.WriteJSON(filepath.Join(out, commitmentsFile), commit(s)); err != nil {
		return err
	}
	rows := make([]findingRow, len(c.Findings))
	for i, f := range c.Findings {
		rows[i] = findingRow{f.Severity, string(f.Code), filepath.Base(f.File), f.Row, f.Patient, f.Message}
	}
	if err := writeCSV(filepath.Join(out, "findings.csv"), rows); err != nil {
		return err
	}
	return artifact.WriteJSON(filepath.Join(out, "flow.json"), c.Flow(s))
}
