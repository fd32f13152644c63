package selection

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/floats"
	lapack "gonum.org/v1/gonum/lapack/gonum"

	"sonotype/internal/dots"
	"sonotype/internal/rng"
)

// largestEigen returns the most largest eigenvalues of a symmetric matrix, descending, that exceed rank times the
// largest, and their eigenvectors as rows. a (n x n, its lower triangle) is overwritten.
//
// Reduction to a tridiagonal matrix, all its eigenvalues, and inverse iteration for those wanted, each vector kept
// orthogonal to all before it. LAPACK's QR iteration, which computes all n vectors, takes three times as long at n = 1300.
func largestEigen(a []float64, n, most int, rank float64) (values []float64, vectors dots.Rows, ok bool) {
	var l lapack.Implementation
	d, e, tau := make([]float64, n), make([]float64, n-1), make([]float64, n-1)
	work := make([]float64, 1)
	l.Dsytrd(blas.Lower, n, a, n, d, e, tau, work, -1)
	work = make([]float64, int(work[0]))
	l.Dsytrd(blas.Lower, n, a, n, d, e, tau, work, len(work))
	all, rest := append([]float64(nil), d...), append([]float64(nil), e...)
	if !l.Dsterf(n, all, rest) {
		return nil, vectors, false
	}
	for c := 0; c < most && all[n-1-c] > rank*all[n-1]; c++ {
		values = append(values, all[n-1-c])
	}
	k := len(values)
	if k == 0 {
		return nil, vectors, true
	}
	vectors, ok = tridiagonalVectors(d, e, values)
	if !ok {
		return nil, vectors, false
	}
	// Back to the matrix itself: its reflectors lie below the subdiagonal, as those of a QR factor lie below its diagonal.
	z := make([]float64, n*k)
	for c := range k {
		for i, v := range vectors.Row(c) {
			z[i*k+c] = v
		}
	}
	if n > 1 {
		l.Dormqr(blas.Left, blas.NoTrans, n-1, k, n-1, a[n:], n, tau, z[k:], k, work[:1], -1)
		work = make([]float64, int(work[0]))
		l.Dormqr(blas.Left, blas.NoTrans, n-1, k, n-1, a[n:], n, tau, z[k:], k, work, len(work))
	}
	for c := range k {
		for i := range n {
			vectors.Row(c)[i] = z[i*k+c]
		}
	}
	return values, vectors, true
}

// tridiagonalVectors returns orthonormal eigenvectors, as rows, of the symmetric tridiagonal matrix with diagonal d
// and subdiagonal e for its largest eigenvalues.
func tridiagonalVectors(d, e, values []float64) (vectors dots.Rows, ok bool) {
	const attempts = 10
	n := len(d)
	vectors = dots.Rows{Data: make([]float64, len(values)*n), N: len(values), Len: n, Stride: n}
	r := rng.Stream(0, "selection", "eigen")
	norm := math.Abs(values[0])
	shift := math.Inf(1)
	for c, value := range values {
		// Equal shifts would find equal vectors: keep them a few roundings apart.
		shift = min(value, shift-4*epsilon*norm)
		v := vectors.Row(c)
		for i := range v {
			v[i] = r.Float64() - 0.5
		}
		converged := 0 // one more iteration after the first that is good enough removes what rounding left
		for range attempts {
			if !inverseIteration(d, e, shift, v) { // the shift is an eigenvalue to the last bit
				shift -= 4 * epsilon * norm
				continue
			}
			for b := range c {
				floats.AddScaled(v, -floats.Dot(v, vectors.Row(b)), vectors.Row(b))
			}
			floats.Scale(1/floats.Norm(v, 2), v)
			if residual(d, e, value, v) <= 8*float64(n)*epsilon*norm {
				if converged++; converged == 2 {
					break
				}
			}
		}
		if converged == 0 {
			return vectors, false
		}
	}
	return vectors, true
}

// inverseIteration replaces v by (T - shift)⁻¹ v, scaled; false, and v as it was, if the matrix is singular.
func inverseIteration(d, e []float64, shift float64, v []float64) bool {
	n := len(d)
	lower, upper := append([]float64(nil), e...), append([]float64(nil), e...)
	diagonal := make([]float64, n)
	for i, x := range d {
		diagonal[i] = x - shift
	}
	x := append([]float64(nil), v...)
	var l lapack.Implementation
	if !l.Dgtsv(n, 1, lower, diagonal, upper, x, 1) {
		return false
	}
	largest := floats.Norm(x, math.Inf(1))
	if !(largest > 0) || math.IsInf(largest, 0) {
		return false
	}
	floats.ScaleTo(v, 1/largest, x)
	return true
}

// residual is the norm of T v - value v.
func residual(d, e []float64, value float64, v []float64) float64 {
	sum := 0.0
	for i := range v {
		r := (d[i] - value) * v[i]
		if i > 0 {
			r += e[i-1] * v[i-1]
		}
		if i < len(e) {
			r += e[i] * v[i+1]
		}
		sum += r * r
	}
	return math.Sqrt(sum)
}
