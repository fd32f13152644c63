package survival

import (
	"math"
	"slices"

	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/internal/stats"
)

// AddedValue fits the clinical covariates alone and with the added ones on the same patients, within strata (nil:
// one), and asks by the likelihood-ratio test whether the added ones tell more. The difference of Harrell's C has
// the interval of R's concordance(clinical, combined): the infinitesimal jackknife, the coefficients taken as given.
func AddedValue(time []float64, event []int, clinical, added []Covariate, strata []string) (*Added, *Cox, *Cox, error) {
	if len(added) == 0 {
		return nil, nil, nil, &problem.Error{What: "there is no covariate to add to the clinical ones"}
	}
	alone, err := fitCox(time, event, clinical, strata)
	if err != nil {
		return nil, nil, nil, err
	}
	both, err := fitCox(time, event, slices.Concat(clinical, added), strata)
	if err != nil {
		return nil, nil, nil, err
	}
	lr := 2 * (both.best.logLik - alone.best.logLik)
	a := &Added{LR: coxTest("likelihood ratio", lr, len(added)), Gain: num.NaN(), GainLo: num.NaN(), GainHi: num.NaN()}
	ca, ia := concordance(time, event, alone.predictor(), alone.stratum)
	cb, ib := concordance(time, event, both.predictor(), both.stratum)
	a.CClinical, a.CCombined = ca.C, cb.C
	if ia != nil && ib != nil {
		gain := float64(cb.C - ca.C)
		for i := range ib {
			ib[i] -= ia[i]
		}
		se := math.Sqrt(sumOfSquares(ib))
		a.Gain, a.GainLo, a.GainHi = num.Float(gain), num.Float(gain-stats.Z975*se), num.Float(gain+stats.Z975*se)
	}
	return a, alone.summary(), both.summary(), nil
}
