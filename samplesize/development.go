// Package samplesize says how many patients a prediction model needs: outcome share, parameters and expected performance in, criteria out.
package samplesize

import (
	"fmt"
	"math"

	"sonotype/internal/problem"
)

// Development is a logistic prediction model that is to be developed.
type Development struct {
	Parameters int     `json:"parameters"`   // candidate predictor parameters, before any selection that looks at the outcome
	Prevalence float64 `json:"prevalence"`   // share of patients with the outcome
	R2         float64 `json:"cox_snell_r2"` // that the model is expected to reach
	Shrinkage  float64 `json:"shrinkage"`    // least uniform shrinkage factor wanted, usually 0.9
}

// Names of the criteria for development (Riley et al, Stat Med 2019;38:1276, and BMJ 2020;368:m441).
const (
	Overfitting = "shrinkage"    // predictor effects need shrinking by no more than 1 - Shrinkage
	Optimism    = "optimism"     // apparent and adjusted Nagelkerke R2 differ by at most 0.05
	OverallRisk = "overall_risk" // the overall risk is estimated within 0.05
)

// The margins of the criteria as published.
const (
	optimismMargin = 0.05
	riskMargin     = 0.05
	z975           = 1.96 // as in the papers and in pmsampsize, not the longer quantile
)

// Criterion is what one criterion asks for.
type Criterion struct {
	Name  string  `json:"name"`
	N     int     `json:"n"`
	Level float64 `json:"level"` // development: shrinkage that N gives; validation: width of the 95 % interval that N gives
}

// DevelopmentNeed is the answer for a model that is to be developed.
type DevelopmentNeed struct {
	Development
	MaxR2      float64     `json:"max_cox_snell_r2"` // the largest that the prevalence allows
	Nagelkerke float64     `json:"nagelkerke_r2"`    // R2 / MaxR2
	Criteria   []Criterion `json:"criteria"`
	N          int         `json:"n"`      // the largest of them
	Events     float64     `json:"events"` // N x prevalence
	EPP        float64     `json:"events_per_parameter"`
}

// MaxR2 is the largest Cox-Snell R2 of any model of an outcome with this prevalence: 1 - exp(2 lnL0 / n), L0 the likelihood
// of the overall risk alone.
func MaxR2(prevalence float64) float64 {
	return -math.Expm1(2 * nullLogLik(prevalence))
}

// nullLogLik is the log-likelihood a patient of a model that gives everybody the overall risk.
func nullLogLik(p float64) float64 { return p*math.Log(p) + (1-p)*math.Log1p(-p) }

func (d Development) validate() error {
	bad := func(what, expected string, found any) error {
		return &problem.Error{What: what, Expected: expected, Found: fmt.Sprint(found)}
	}
	switch {
	case d.Parameters < 1:
		return bad("no candidate parameters", "at least 1", d.Parameters)
	case !(d.Prevalence > 0 && d.Prevalence < 1):
		return bad("impossible share of patients with the outcome", "between 0 and 1", d.Prevalence)
	case !(d.Shrinkage > 0 && d.Shrinkage < 1):
		return bad("impossible shrinkage", "between 0 and 1", d.Shrinkage)
	case !(d.R2 > 0 && d.R2 < MaxR2(d.Prevalence)):
		return bad("impossible Cox-Snell R2", fmt.Sprintf("between 0 and %.3f, the most at this prevalence", MaxR2(d.Prevalence)), d.R2)
	case d.R2 >= d.Shrinkage:
		return bad("the R2 is above the shrinkage", fmt.Sprintf("below %g", d.Shrinkage), d.R2)
	}
	return nil
}

// Need applies the three criteria. Nothing is rounded on the way (older versions of pmsampsize round the shrinkage of the second).
func (d Development) Need() (DevelopmentNeed, error) {
	if err := d.validate(); err != nil {
		return DevelopmentNeed{}, err
	}
	need := DevelopmentNeed{Development: d, MaxR2: MaxR2(d.Prevalence)}
	need.Nagelkerke = d.R2 / need.MaxR2
	optimism := d.R2 / (d.R2 + optimismMargin*need.MaxR2)
	risk := z975 / riskMargin
	need.Criteria = []Criterion{
		{Overfitting, d.forShrinkage(d.Shrinkage), d.Shrinkage},
		{Optimism, d.forShrinkage(optimism), optimism},
		{OverallRisk, up(risk * risk * d.Prevalence * (1 - d.Prevalence)), max(d.Shrinkage, optimism)},
	}
	for _, c := range need.Criteria {
		need.N = max(need.N, c.N)
	}
	need.Events = float64(need.N) * d.Prevalence
	need.EPP = need.Events / float64(d.Parameters)
	return need, nil
}

// forShrinkage is the number of patients at which the expected shrinkage is s: P / ((s - 1) ln(1 - R2/s)).
func (d Development) forShrinkage(s float64) int {
	return up(float64(d.Parameters) / ((s - 1) * math.Log1p(-d.R2/s)))
}

// up rounds up, forgiving the last digits of a number that is whole. What no study can have is cut at the largest int32.
func up(x float64) int { return int(math.Ceil(min(x*(1-1e-12), math.MaxInt32))) }

// Affordable is the largest number of candidate parameters for which n patients meet all criteria; 0 when not even one.
// d.Parameters is not looked at.
func (d Development) Affordable(n int) (int, error) {
	d.Parameters = 1
	if err := d.validate(); err != nil {
		return 0, err
	}
	fits := func(p int) bool {
		d.Parameters = p
		need, err := d.Need()
		return err == nil && need.N <= n
	}
	if !fits(1) {
		return 0, nil
	}
	lo, hi := 1, 2 // fits(lo); the criteria grow with the parameters, so hi is found by doubling
	for fits(hi) {
		lo, hi = hi, 2*hi
	}
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; fits(mid) {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo, nil
}
