package samplesize

import (
	"math"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat/distuv"
)

// The anticipated scores: a calibrated model whose log-odds are normal with the same spread among patients with and without
// the outcome. Then an AUC fixes everything: with v = 2 (probit AUC)^2 the log-odds have variance v in both groups and means
// logit(prevalence) -+ v/2 (the usual binormal model; Riley et al, Stat Med 2021;40:4230).
type binormal struct {
	prevalence, mean0, mean1, sd float64
}

func newBinormal(prevalence, auc float64) binormal {
	v := 2 * sq(distuv.UnitNormal.Quantile(auc))
	middle := math.Log(prevalence) - math.Log1p(-prevalence)
	return binormal{prevalence, middle - v/2, middle + v/2, math.Sqrt(v)}
}

func sq(x float64) float64 { return x * x }

// expect is the mean of f over a normal distribution: 400 Gauss-Legendre nodes over 12 standard deviations to either side,
// where the functions here are exact to 1e-12.
func expect(mean, sd float64, f func(float64) float64) float64 {
	return quad.Fixed(func(z float64) float64 {
		return f(mean+sd*z) * math.Exp(-z*z/2) / math.Sqrt(2*math.Pi)
	}, -12, 12, 400, quad.Legendre{}, 1)
}

// over is the mean of f over the log-odds of all patients.
func (b binormal) over(f func(float64) float64) float64 {
	return b.prevalence*expect(b.mean1, b.sd, f) + (1-b.prevalence)*expect(b.mean0, b.sd, f)
}

// rates are sensitivity and specificity at a risk threshold.
func (b binormal) rates(threshold float64) (sensitivity, specificity float64) {
	cut := math.Log(threshold) - math.Log1p(-threshold)
	return 1 - distuv.UnitNormal.CDF((cut-b.mean1)/b.sd), distuv.UnitNormal.CDF((cut - b.mean0) / b.sd)
}

// R2FromAUC is the Cox-Snell R2 of a calibrated model with this AUC, its log-odds normal with equal spread in both groups
// (Riley, Van Calster, Collins, Stat Med 2021;40:859, who simulate what is integrated here). auc is above 0.5.
func R2FromAUC(auc, prevalence float64) float64 {
	b := newBinormal(prevalence, auc)
	logP := func(x float64) float64 { return -softplus(-x) }
	logQ := func(x float64) float64 { return -softplus(x) }
	model := prevalence*expect(b.mean1, b.sd, logP) + (1-prevalence)*expect(b.mean0, b.sd, logQ)
	return -math.Expm1(2 * (nullLogLik(prevalence) - model))
}

// AUCFromR2 is the inverse of R2FromAUC, to 1e-12.
func AUCFromR2(r2, prevalence float64) float64 {
	lo, hi := 0.5, 1.0
	for hi-lo > 1e-12 {
		if mid := (lo + hi) / 2; R2FromAUC(mid, prevalence) < r2 {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi
}

// softplus is ln(1 + e^x).
func softplus(x float64) float64 {
	if x > 0 {
		return x + math.Log1p(math.Exp(-x))
	}
	return math.Log1p(math.Exp(x))
}

// DefaultNagelkerke is the share of the possible R2 to expect of a model when nothing is known (Riley et al, BMJ 2020;368:m441).
const DefaultNagelkerke = 0.15

// R2FromNagelkerke is the Cox-Snell R2 that is this share of the largest possible.
func R2FromNagelkerke(share, prevalence float64) float64 { return share * MaxR2(prevalence) }
