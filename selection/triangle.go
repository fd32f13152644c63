package selection

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// triangle is a Cholesky factor L (A = L Lᵀ) that grows and shrinks by one row and column of A;
// row i holds i+1 numbers. gonum's Cholesky can be extended but not shrunk.
type triangle [][]float64

// grow appends a row of A (its last number is the diagonal); false, and no change, if the squared pivot is under least.
func (l *triangle) grow(a []float64, least float64) bool {
	n := len(*l)
	row := slices.Clone(a)
	for i := range n {
		row[i] = (row[i] - floats.Dot((*l)[i][:i], row[:i])) / (*l)[i][i]
	}
	pivot := row[n] - floats.Dot(row[:n], row[:n])
	if !(pivot > least) {
		return false
	}
	row[n] = math.Sqrt(pivot)
	*l = append(*l, row)
	return true
}

// shrink removes row and column k of A by Givens rotations of the rows below.
func (l *triangle) shrink(k int) {
	*l = slices.Delete(*l, k, k+1)
	var cos, sin []float64
	for i := k; i < len(*l); i++ {
		row := (*l)[i] // one number too long
		for t := range cos {
			a, b := row[k+t], row[k+t+1]
			row[k+t], row[k+t+1] = cos[t]*a+sin[t]*b, cos[t]*b-sin[t]*a
		}
		a, b := row[i], row[i+1]
		r := math.Hypot(a, b)
		cos, sin = append(cos, a/r), append(sin, b/r)
		row[i] = r
		(*l)[i] = row[:i+1]
	}
}

// solve returns x with A x = b.
func (l triangle) solve(b []float64) []float64 {
	x := slices.Clone(b)
	for i, row := range l {
		x[i] = (x[i] - floats.Dot(row[:i], x[:i])) / row[i]
	}
	for i := len(l) - 1; i >= 0; i-- {
		x[i] /= l[i][i]
		floats.AddScaled(x[:i], -x[i], l[i][:i])
	}
	return x
}
