package study

import (
	"fmt"

	"sonotype/clinical"
	"sonotype/impute"
)

// ClinicalPlan sets the clinical models and what happens to patients with missing values.
type ClinicalPlan struct {
	Variables   []string          `yaml:"variables" json:"variables"` // clinical columns of the clinical and the combined model; empty = age
	Reference   map[string]string `yaml:"reference" json:"reference"` // column -> reference level; default: the first level
	Missing     string            `yaml:"missing" json:"missing"`     // complete (complete cases) | impute
	Imputations int               `yaml:"imputations" json:"imputations"`
	Iterations  int               `yaml:"iterations" json:"iterations"` // rounds of the chained equations
	Firth       clinical.Firth    `yaml:"firth" json:"firth"`           // auto | always | never
}

// What happens to patients with a missing value.
const (
	missingComplete = "complete"
	missingImpute   = "impute"
)

func defaultClinical() ClinicalPlan {
	d := impute.Defaults()
	return ClinicalPlan{Missing: missingComplete, Imputations: d.Imputations, Iterations: d.Iterations, Firth: clinical.Auto}
}

func (c ClinicalPlan) validate(bad func(key, want string, got any) error) error {
	switch {
	case c.Missing != missingComplete && c.Missing != missingImpute:
		return bad("clinical.missing", missingComplete+" or "+missingImpute, c.Missing)
	case c.Imputations < 2 || c.Imputations > 500:
		return bad("clinical.imputations", "between 2 and 500", c.Imputations)
	case c.Iterations < 1 || c.Iterations > 100:
		return bad("clinical.iterations", "between 1 and 100", c.Iterations)
	case c.Firth != clinical.Auto && c.Firth != clinical.Always && c.Firth != clinical.Never:
		return bad("clinical.firth", fmt.Sprintf("%s, %s or %s", clinical.Auto, clinical.Always, clinical.Never), c.Firth)
	}
	return nil
}
