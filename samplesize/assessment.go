package samplesize

import (
	"fmt"

	"sonotype/internal/problem"
)

// Assessment holds a study's numbers against the criteria, at one moment: before the run with what is expected, after it
// with what was seen.
type Assessment struct {
	Development *DevelopmentCheck `json:"development,omitempty"`
	Validation  []ValidationCheck `json:"validation,omitempty"` // by test set
	Notes       []string          `json:"notes,omitempty"`      // why something could not be assessed
}

// Note records in one line why something could not be assessed; a nil error is nothing to record.
func (a *Assessment) Note(what string, err error) {
	if err == nil {
		return
	}
	words := err.Error()
	if e, ok := problem.As(err); ok {
		words = e.What
		if e.Expected != "" && e.Found != "" {
			words += fmt.Sprintf(" (%s; expected: %s)", e.Found, e.Expected)
		}
	}
	a.Notes = append(a.Notes, what+": "+words)
}

// DevelopmentCheck compares the patients that the models learn from with what their number of parameters asks for.
type DevelopmentCheck struct {
	DevelopmentNeed
	AUC        float64 `json:"auc"` // that the R2 stands for
	Patients   int     `json:"patients"`
	Positive   int     `json:"positive"`
	Affordable int     `json:"affordable_parameters"` // that the patients at hand allow
}

// Enough says whether all criteria are met.
func (c DevelopmentCheck) Enough() bool { return c.Patients >= c.N }

// CheckDevelopment assesses a model with so many candidate parameters that reaches this AUC.
func CheckDevelopment(patients, positive, parameters int, auc, shrinkage float64) (*DevelopmentCheck, error) {
	prevalence := share(positive, patients)
	if err := possible(prevalence, auc); err != nil {
		return nil, err
	}
	d := Development{Parameters: parameters, Prevalence: prevalence, R2: R2FromAUC(auc, prevalence), Shrinkage: shrinkage}
	c := &DevelopmentCheck{AUC: auc, Patients: patients, Positive: positive}
	var err error
	if c.DevelopmentNeed, err = d.Need(); err != nil {
		return nil, err
	}
	c.Affordable, err = d.Affordable(patients)
	return c, err
}

// ValidationCheck compares the patients of a test set with what precise figures ask for.
type ValidationCheck struct {
	Set string `json:"set"`
	ValidationNeed
	Patients int `json:"patients"`
	Positive int `json:"positive"`
}

// Enough says whether all criteria that could be computed are met; not where none could.
func (c ValidationCheck) Enough() bool { return c.N > 0 && c.Patients >= c.N }

// Validate assesses a test set for a model, and adds the answer or why there is none; v.Prevalence is set from the counts.
func (a *Assessment) Validate(set string, patients, positive int, v Validation, t Targets) {
	v.Prevalence = share(positive, patients)
	need, err := v.Need(t)
	if err != nil {
		a.Note(set, err)
		return
	}
	a.Validation = append(a.Validation, ValidationCheck{Set: set, ValidationNeed: need, Patients: patients, Positive: positive})
}

func share(part, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(part) / float64(of)
}
