package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// TQuantile975 is the 97.5 % quantile of Student's t with df > 0 degrees of freedom, for 95 % intervals.
func TQuantile975(df float64) float64 {
	if math.IsInf(df, 1) {
		return Z975
	}
	if math.IsNaN(df) || !(df > 0) {
		return math.NaN()
	}
	x := mathext.InvRegIncBeta(df/2, 0.5, 0.05) // df / (df + t^2)
	return math.Sqrt(df * (1/x - 1))
}
