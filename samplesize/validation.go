package samplesize

import (
	"fmt"
	"math"

	"sonotype/internal/problem"
)

// Targets are the widths of 95 % intervals that a validation is to reach; the defaults are pmvalsampsize's.
type Targets struct {
	OE         float64 `json:"observed_expected" yaml:"observed_expected"`
	Slope      float64 `json:"calibration_slope" yaml:"calibration_slope"`
	AUC        float64 `json:"auc" yaml:"auc"`
	NetBenefit float64 `json:"net_benefit" yaml:"net_benefit"` // of the standardised net benefit, which is at most 1
}

// DefaultTargets are the usual widths.
func DefaultTargets() Targets { return Targets{OE: 0.2, Slope: 0.2, AUC: 0.1, NetBenefit: 0.2} }

// Validation is a model that is to be validated on other patients.
type Validation struct {
	Prevalence  float64     `json:"prevalence"`
	AUC         float64     `json:"auc"`               // expected
	OE          float64     `json:"observed_expected"` // expected ratio of observed to expected events, usually 1
	Information Information `json:"information"`       // of the scores about the calibration line
	Threshold   float64     `json:"threshold"`         // risk above which one would act; 0: unknown, and no net benefit
	Sensitivity float64     `json:"sensitivity"`       // expected at Threshold
	Specificity float64     `json:"specificity"`
}

// Names of the criteria for validation (Riley et al, Stat Med 2021;40:4230).
const (
	PreciseOE         = "observed_expected"
	PreciseSlope      = "calibration_slope"
	PreciseAUC        = "auc"
	PreciseNetBenefit = "net_benefit"
)

// ValidationNeed is the answer for a validation.
type ValidationNeed struct {
	Validation
	Targets  Targets     `json:"targets"`
	Criteria []Criterion `json:"criteria"`
	N        int         `json:"n"`
	Events   float64     `json:"events"`
}

// Information is the expected information a patient about intercept and slope of the calibration line at 0 and 1: the means
// of w, w x and w x^2 with x the log-odds and w = p (1 - p).
type Information struct {
	I00 float64 `json:"i00"`
	I01 float64 `json:"i01"`
	I11 float64 `json:"i11"`
}

// weights is one patient's share of the information; nothing where the score is 0 or 1, the limit.
func weights(x float64) Information {
	if math.IsInf(x, 0) {
		return Information{}
	}
	w := math.Exp(-softplus(x) - softplus(-x))
	return Information{w, w * x, w * x * x}
}

// Anticipate is the validation of a calibrated model of which only the AUC and, perhaps, a risk threshold (else 0) are known.
func Anticipate(prevalence, auc, threshold float64) (Validation, error) {
	if err := possible(prevalence, auc); err != nil {
		return Validation{}, err
	}
	b := newBinormal(prevalence, auc)
	v := Validation{Prevalence: prevalence, AUC: auc, OE: 1, Information: Information{
		I00: b.over(func(x float64) float64 { return weights(x).I00 }),
		I01: b.over(func(x float64) float64 { return weights(x).I01 }),
		I11: b.over(func(x float64) float64 { return weights(x).I11 }),
	}}
	if threshold > 0 && threshold < 1 {
		v.Threshold = threshold
		v.Sensitivity, v.Specificity = b.rates(threshold)
	}
	return v, nil
}

func possible(prevalence, auc float64) error {
	switch {
	case !(prevalence > 0 && prevalence < 1):
		return &problem.Error{What: "impossible share of patients with the outcome", Expected: "between 0 and 1", Found: fmt.Sprint(prevalence)}
	case !(auc > 0.5 && auc < 1):
		return &problem.Error{What: "the AUC is of no use", Expected: "between 0.5 and 1", Found: fmt.Sprint(auc)}
	}
	return nil
}

// Observed is the information of scores (probabilities) that exist.
func Observed(scores []float64) Information {
	var sum Information
	for _, p := range scores {
		i := weights(math.Log(p) - math.Log1p(-p))
		sum.I00, sum.I01, sum.I11 = sum.I00+i.I00, sum.I01+i.I01, sum.I11+i.I11
	}
	n := float64(len(scores))
	return Information{sum.I00 / n, sum.I01 / n, sum.I11 / n}
}

// Need is the least number of patients at which each interval is as narrow as t asks. A criterion that cannot be computed
// (scores all alike, no threshold) is left out.
func (v Validation) Need(t Targets) (ValidationNeed, error) {
	if err := possible(v.Prevalence, v.AUC); err != nil {
		return ValidationNeed{}, err
	}
	need := ValidationNeed{Validation: v, Targets: t}
	add := func(name string, n, width float64) {
		if n > 0 && n < math.MaxInt32 {
			need.Criteria = append(need.Criteria, Criterion{name, up(n), width})
		}
	}
	add(PreciseOE, v.forOE(t.OE), t.OE)
	add(PreciseSlope, v.forSlope(t.Slope), t.Slope)
	add(PreciseAUC, v.forAUC(t.AUC), t.AUC)
	if v.Threshold > 0 && v.Threshold < 1 {
		add(PreciseNetBenefit, v.forNetBenefit(t.NetBenefit), t.NetBenefit)
	}
	for _, c := range need.Criteria {
		need.N = max(need.N, c.N)
	}
	need.Events = float64(need.N) * v.Prevalence
	return need, nil
}

// forOE: the interval of O:E is OE exp(-+ 1.96 s), s^2 = (1 - prevalence) / (n prevalence), so its width is 2 OE sinh(1.96 s).
func (v Validation) forOE(width float64) float64 {
	s := math.Asinh(width/(2*v.OE)) / z975
	return (1 - v.Prevalence) / (v.Prevalence * s * s)
}

// forSlope inverts the information matrix of the calibration line.
func (v Validation) forSlope(width float64) float64 {
	i, s := v.Information, width/(2*z975)
	return i.I00 / (s * s * (i.I00*i.I11 - i.I01*i.I01))
}

// forAUC finds the least n by Newcombe's standard error (method 4, Stat Med 2006;25:559), which falls with n.
func (v Validation) forAUC(width float64) float64 {
	lo, hi := 1, 2
	for v.widthAUC(hi) > width {
		if lo, hi = hi, 2*hi; hi > math.MaxInt32 {
			return math.Inf(1)
		}
	}
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; v.widthAUC(mid) > width {
			lo = mid
		} else {
			hi = mid
		}
	}
	return float64(hi)
}

// widthAUC is the width of the AUC's interval with n patients.
func (v Validation) widthAUC(n int) float64 {
	c, size := v.AUC, float64(n)
	half := size/2 - 1
	variance := c * (1 - c) * (1 + half*(1-c)/(2-c) + half*c/(1+c)) / (size * size * v.Prevalence * (1 - v.Prevalence))
	return 2 * z975 * math.Sqrt(variance)
}

// forNetBenefit: the variance of the standardised net benefit at the threshold, times n.
func (v Validation) forNetBenefit(width float64) float64 {
	s, p := width/(2*z975), v.Prevalence
	w := (1 - p) / p * v.Threshold / (1 - v.Threshold)
	fp := 1 - v.Specificity
	return (v.Sensitivity*(1-v.Sensitivity)/p + w*w*v.Specificity*fp/(1-p) + w*w*fp*fp/(p*(1-p))) / (s * s)
}
