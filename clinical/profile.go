package clinical

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// fall is how far the log-likelihood falls from its maximum to the ends of a 95 % profile interval: half the 95 %
// quantile of chi-square with one degree of freedom.
const fall = 1.920729410347062

// profile is the 95 % profile-likelihood interval of column j's coefficient in a Firth fit, whose likelihood is too
// lopsided under separation for Wald's: the values at which the penalised likelihood, maximised over the others, has
// fallen by fall. An end that is not found is NaN.
func profile(x *mat.Dense, y []int, f *fit, j int) (lo, hi float64) {
	se := math.Sqrt(f.cov.At(j, j))
	return profileEnd(x, y, f, j, -se), profileEnd(x, y, f, j, se)
}

// profileEnd walks in steps of growing length until the likelihood has fallen far enough, then closes in by regula falsi
// (Illinois).
func profileEnd(x *mat.Dense, y []int, f *fit, j int, step float64) float64 {
	beta := slices.Clone(f.beta)
	excess := func(b float64) float64 { // positive inside the interval
		beta[j] = b
		g := maximiseFrom(beta, x, y, true, []int{j})
		if !g.converged {
			return math.NaN()
		}
		copy(beta, g.beta)
		return g.loglik - f.loglik + fall
	}
	in, out := f.beta[j], f.beta[j]
	atIn, atOut := fall, fall
	for k := 0; atOut > 0; k++ {
		if k == 40 {
			return math.NaN()
		}
		in, atIn = out, atOut
		out += step * math.Pow(1.3, float64(k))
		atOut = excess(out)
	}
	for range 100 {
		if math.IsNaN(atOut) || math.Abs(out-in) <= 1e-8*math.Abs(step) {
			break
		}
		b := out - atOut*(out-in)/(atOut-atIn)
		v := excess(b)
		if math.IsNaN(v) {
			return v
		}
		if v*atOut < 0 {
			in, atIn = out, atOut
		} else {
			atIn /= 2
		}
		out, atOut = b, v
		if math.Abs(v) < 1e-10 {
			break
		}
	}
	if math.IsNaN(atOut) {
		return math.NaN()
	}
	return out
}
