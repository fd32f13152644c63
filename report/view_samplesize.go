package report

import (
	"fmt"
	"strconv"

	"sonotype/internal/num"
	"sonotype/samplesize"
)

// Planning is what reviewers ask of a study's plan: its size, and the reporting checklists.
type Planning struct {
	SampleSize *SampleSize
	Checklists Checklists
}

// SampleSize is the study's numbers against the criteria, before the run and after it.
type SampleSize struct {
	Before samplesize.Assessment `json:"before"`
	After  samplesize.Assessment `json:"after"`
}

// moment is an assessment with its name.
type moment struct {
	name, id string
	samplesize.Assessment
}

func (s *SampleSize) moments() []moment {
	return []moment{{"Before the run", "before", s.Before}, {"After the run", "after", s.After}}
}

// DevelopmentSizeRow is a row of the table on development.
type DevelopmentSizeRow struct {
	When, Patients, Parameters, AUC, R2   string
	Overfitting, Optimism, OverallRisk, N string
	Affordable                            string
	Enough                                bool
}

// ValidationSizeRow is a row of the table on the test sets.
type ValidationSizeRow struct {
	When, Set, Patients, AUC       string
	OE, Slope, AUCNeed, NetBenefit string
	N                              string
	Enough                         bool
}

// DevelopmentSize are the rows of the table on development.
func (s *SampleSize) DevelopmentSize() []DevelopmentSizeRow {
	var rows []DevelopmentSizeRow
	for _, m := range s.moments() {
		d := m.Development
		if d == nil {
			continue
		}
		rows = append(rows, DevelopmentSizeRow{
			When: m.name, Patients: of(d.Patients, d.Positive), Parameters: whole(d.Parameters), AUC: share(num.Float(d.AUC)),
			R2:          fmt.Sprintf("%s of %s", significant(d.R2), significant(d.MaxR2)),
			Overfitting: needs(d.Criteria, samplesize.Overfitting), Optimism: needs(d.Criteria, samplesize.Optimism),
			OverallRisk: needs(d.Criteria, samplesize.OverallRisk), N: whole(d.N), Affordable: whole(d.Affordable), Enough: d.Enough(),
		})
	}
	return rows
}

// ValidationSize are the rows of the table on the test sets.
func (s *SampleSize) ValidationSize() []ValidationSizeRow {
	var rows []ValidationSizeRow
	for _, m := range s.moments() {
		for _, v := range m.Validation {
			rows = append(rows, ValidationSizeRow{
				When: m.name, Set: setTitle(v.Set), Patients: of(v.Patients, v.Positive), AUC: share(num.Float(v.AUC)),
				OE: needs(v.Criteria, samplesize.PreciseOE), Slope: needs(v.Criteria, samplesize.PreciseSlope),
				AUCNeed: needs(v.Criteria, samplesize.PreciseAUC), NetBenefit: needs(v.Criteria, samplesize.PreciseNetBenefit),
				N: whole(v.N), Enough: v.Enough(),
			})
		}
	}
	return rows
}

// Widths are the targets of the validation, for the table's head.
func (s *SampleSize) Widths() samplesize.Targets {
	for _, m := range s.moments() {
		for _, v := range m.Validation {
			return v.Targets
		}
	}
	return samplesize.DefaultTargets()
}

// Shrinkage is the target of the development, for the table's head.
func (s *SampleSize) Shrinkage() string {
	for _, m := range s.moments() {
		if m.Development != nil {
			return strconv.FormatFloat(m.Development.Shrinkage, 'g', -1, 64)
		}
	}
	return dash
}

// Unassessed says what could not be assessed, and why.
func (s *SampleSize) Unassessed() []string {
	var out []string
	for _, m := range s.moments() {
		for _, n := range m.Notes {
			out = append(out, m.name+", "+n)
		}
	}
	return out
}

// needs is the number of patients that one criterion asks for, or a dash where it could not be applied.
func needs(criteria []samplesize.Criterion, name string) string {
	for _, c := range criteria {
		if c.Name == name {
			return whole(c.N)
		}
	}
	return dash
}

func of(n, positive int) string { return fmt.Sprintf("%d (%d)", n, positive) }

// table holds every criterion in a row of its own.
func (s *SampleSize) table() table {
	t := table{header: []string{"when", "part", "patients", "positive", "auc", "candidate_parameters", "criterion", "n_needed"}}
	for _, m := range s.moments() {
		if d := m.Development; d != nil {
			for _, c := range d.Criteria {
				t.add(m.id, "development", whole(d.Patients), whole(d.Positive), cell(num.Float(d.AUC)), whole(d.Parameters), c.Name, whole(c.N))
			}
		}
		for _, v := range m.Validation {
			for _, c := range v.Criteria {
				t.add(m.id, v.Set, whole(v.Patients), whole(v.Positive), cell(num.Float(v.AUC)), "", c.Name, whole(c.N))
			}
		}
	}
	return t
}
