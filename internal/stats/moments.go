package stats

import "math"

// MeanVar returns the mean and the unbiased variance (NaN for one value), both by a second, correcting pass as
// in R, so that a large common offset costs no digits.
func MeanVar(x []float64) (mean, variance float64) {
	n := float64(len(x))
	if n == 0 {
		return math.NaN(), math.NaN()
	}
	for _, v := range x {
		mean += v
	}
	mean /= n
	var rest float64
	for _, v := range x {
		rest += v - mean
	}
	mean += rest / n
	var squares float64
	for _, v := range x {
		squares += (v - mean) * (v - mean)
	}
	if n == 1 {
		return mean, math.NaN()
	}
	return mean, squares / (n - 1)
}
