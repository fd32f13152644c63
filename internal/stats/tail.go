package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// Z975 is the 97.5 % quantile of the standard normal distribution, for 95 % intervals.
const Z975 = 1.959963984540054

// The tails below are written without 1 - CDF, which gonum's Normal and F Survival use and
// which loses every digit of a p-value under 1e-16.

// NormalTwoSided is P(|Z| > |z|).
func NormalTwoSided(z float64) float64 {
	return math.Erfc(math.Abs(z) / math.Sqrt2)
}

// ChiSquareTail is P(X > x) for a chi-square distribution with df > 0 degrees of freedom.
func ChiSquareTail(x, df float64) float64 {
	switch {
	case math.IsNaN(x) || !(df > 0):
		return math.NaN()
	case x <= 0:
		return 1
	case df == 1:
		return math.Erfc(math.Sqrt(x / 2))
	}
	return mathext.GammaIncRegComp(df/2, x/2)
}

// TTwoSided is P(|T| > |t|) for Student's t with df > 0 degrees of freedom.
func TTwoSided(t, df float64) float64 {
	switch {
	case math.IsNaN(t) || !(df > 0):
		return math.NaN()
	case math.IsInf(df, 1):
		return NormalTwoSided(t)
	case t*t < 1: // near the centre the complement keeps the digits that df/(df+t*t), close to 1, would lose
		return 1 - mathext.RegIncBeta(0.5, df/2, t*t/(df+t*t))
	}
	return mathext.RegIncBeta(df/2, 0.5, df/(df+t*t))
}

// FTail is P(F > f) with d1 and d2 > 0 degrees of freedom.
func FTail(f, d1, d2 float64) float64 {
	switch {
	case math.IsNaN(f) || !(d1 > 0) || !(d2 > 0):
		return math.NaN()
	case f <= 0:
		return 1
	}
	return mathext.RegIncBeta(d2/2, d1/2, d2/(d2+d1*f))
}
