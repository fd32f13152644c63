package selection

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"

	"sonotype/internal/dots"
)

// quadratic is the weighted least-squares problem that approximates a binomial loss around the present
// coefficients, over the features that are non-zero or violate their optimality condition.
type quadratic struct {
	*binomial
	lambda   float64
	root     []float64 // m: square roots of the working weights; the intercept's column
	residual []float64 // m: working residuals times root
	active   []int
	columns  [][]float64 // of the active, times root
	square   []float64   // of the columns
}

func newQuadratic(b *binomial, lambda float64) *quadratic {
	m := len(b.y)
	q := &quadratic{binomial: b, lambda: lambda, root: make([]float64, m), residual: make([]float64, m)}
	for i, p := range b.prob {
		q.root[i] = math.Sqrt(b.w[i] * max(p*(1-p), 1e-9)) // glmnet's bound keeps the weights of certain rows positive
		q.residual[i] = b.w[i] * (b.y[i] - p) / q.root[i]
	}
	for j, v := range b.beta {
		if v != 0 || math.Abs(b.corr[j]) > lambda {
			col := floats.MulTo(make([]float64, m), q.root, b.columns.Row(j))
			q.active = append(q.active, j)
			q.columns = append(q.columns, col)
			q.square = append(q.square, floats.Dot(col, col))
		}
	}
	return q
}

// minimise runs coordinate descent and, where that has not settled, solves for the coefficients left non-zero.
func (q *quadratic) minimise(c LassoConfig) {
	if !q.descend(c) {
		q.polish()
	}
}

// descend finds out which coefficients are zero, and the signs of the others, by some sweeps of coordinate descent.
func (q *quadratic) descend(c LassoConfig) (settled bool) {
	const sweeps = 20
	weight := floats.Dot(q.root, q.root)
	// What the correlations are off by, times the norm of the coefficients, is about what the gap is off by.
	enough := 0.1 * c.Tolerance * q.null
	for range sweeps {
		step := floats.Dot(q.root, q.residual) / weight
		q.intercept += step
		floats.AddScaled(q.residual, -step, q.root)
		moved := weight * math.Abs(step)
		for k, j := range q.active {
			old := q.beta[j]
			q.beta[j] = softThreshold(floats.Dot(q.columns[k], q.residual)+q.square[k]*old, q.lambda) / q.square[k]
			if d := q.beta[j] - old; d != 0 {
				floats.AddScaled(q.residual, -d, q.columns[k])
				moved = max(moved, q.square[k]*math.Abs(d))
			}
		}
		if moved*max(1, floats.Norm(q.beta, 1)) <= enough {
			return true
		}
	}
	return false
}

// polish solves for the non-zero coefficients with their signs held; one that would change sign on the way becomes
// zero and leaves. Without it, ill-conditioned columns need thousands of sweeps.
func (q *quadratic) polish() {
	in := []int{-1} // the intercept, then positions in active
	for k, j := range q.active {
		if q.beta[j] != 0 {
			in = append(in, k)
		}
	}
	in, factor, right := q.newton(in)
	for len(in) > 0 {
		step := factor.solve(right)
		length, first := 1.0, -1
		for s, k := range in {
			if k < 0 {
				continue
			}
			if t := -q.beta[q.active[k]] / step[s]; t > 0 && t < length {
				length, first = t, s
			}
		}
		for s, k := range in {
			if k < 0 {
				q.intercept += length * step[s]
			} else {
				q.beta[q.active[k]] += length * step[s]
			}
		}
		if first < 0 {
			return
		}
		q.beta[q.active[in[first]]] = 0
		floats.Scale(1-length, right) // what remains of the gradient: H step was right
		in, right = slices.Delete(in, first, first+1), slices.Delete(right, first, first+1)
		factor.shrink(first)
	}
}

// newton returns the Cholesky factor of the Hessian and the descent direction of the coefficients in, signs held,
// and those of in that are in the factor: columns that depend on those before them stay as they are.
func (q *quadratic) newton(in []int) (moving []int, factor triangle, right []float64) {
	n, m := len(in), len(q.root)
	rows := dots.Rows{Data: make([]float64, n*m), N: n, Len: m, Stride: m}
	for r, k := range in {
		if k < 0 {
			copy(rows.Row(r), q.root)
		} else {
			copy(rows.Row(r), q.columns[k])
		}
	}
	hessian := make([]float64, n*n)
	for r := 0; r < n; r += stripe {
		end := min(r+stripe, n)
		dots.AddMulTBelow(hessian[r*n:], n, rows.Slice(r, end), rows.Slice(0, end), r)
	}
	var at []int // rows of the factor
	for r, k := range in {
		entry := make([]float64, 0, len(at)+1)
		for _, c := range at {
			entry = append(entry, hessian[r*n+c])
		}
		if !factor.grow(append(entry, hessian[r*n+r]), minPivot*hessian[r*n+r]) {
			continue
		}
		at, moving = append(at, r), append(moving, k)
		gradient := floats.Dot(rows.Row(r), q.residual)
		if k >= 0 {
			gradient -= math.Copysign(q.lambda, q.beta[q.active[k]])
		}
		right = append(right, gradient)
	}
	return moving, factor, right
}
