package classify

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"sonotype/internal/problem"
)

// checkFit refuses training data that no model can learn from and returns the weights,
// ones where w is nil. A row of weight 0 does not count as an example of its class.
func checkFit(x *mat.Dense, y []int, w []float64) ([]float64, error) {
	n, p := dims(x)
	if n == 0 || p == 0 {
		return nil, &problem.Error{What: "no training data", Found: fmt.Sprintf("%d rows, %d features", n, p)}
	}
	if len(y) != n || (w != nil && len(w) != n) {
		return nil, &problem.Error{What: "training rows, labels and weights differ in number",
			Found: fmt.Sprintf("%d rows, %d labels, %d weights", n, len(y), len(w))}
	}
	if w == nil {
		w = make([]float64, n)
		for i := range w {
			w[i] = 1
		}
	}
	var sum [2]float64
	for i, c := range y {
		if c != 0 && c != 1 {
			return nil, &problem.Error{What: fmt.Sprintf("label of training row %d is neither 0 nor 1", i+1), Found: fmt.Sprint(c)}
		}
		if !(w[i] >= 0) || math.IsInf(w[i], 1) {
			return nil, &problem.Error{What: fmt.Sprintf("weight of training row %d is not a finite number >= 0", i+1), Found: fmt.Sprint(w[i])}
		}
		sum[c] += w[i]
	}
	if sum[0] == 0 || sum[1] == 0 {
		return nil, &problem.Error{What: "training data hold one class only",
			Expected: "examples of class 0 and of class 1",
			Found:    fmt.Sprintf("total weight %g of class 0 and %g of class 1", sum[0], sum[1]),
			Try:      "check the outcome column and its cut-off, or the split"}
	}
	return w, checkFinite(x)
}

// checkPredict refuses rows that do not fit a model of p features; p = 0 says that the model is not fitted.
func checkPredict(x *mat.Dense, p int) error {
	if p == 0 {
		return &problem.Error{What: "the classifier has not been fitted", Try: "call Fit or read a fitted model first"}
	}
	if n, q := dims(x); n > 0 && q != p {
		return &problem.Error{What: "the table does not fit the classifier",
			Expected: fmt.Sprintf("%d features, as in training", p), Found: fmt.Sprintf("%d features", q)}
	}
	return checkFinite(x)
}

// checkFinite names the first column (from 1) and row that hold NaN or an infinity.
func checkFinite(x *mat.Dense) error {
	n, _ := dims(x)
	for i := range n {
		for j, v := range x.RawRowView(i) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return &problem.Error{What: fmt.Sprintf("feature column %d is not a finite number in row %d", j+1, i+1),
					Found: fmt.Sprint(v), Try: "remove or impute the value before fitting"}
			}
		}
	}
	return nil
}

// dims is x.Dims for a matrix that may be nil or empty.
func dims(x *mat.Dense) (n, p int) {
	if x == nil || x.IsEmpty() {
		return 0, 0
	}
	return x.Dims()
}
