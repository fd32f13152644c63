package selection

import (
	"math"

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

// descend finds out which coefficients are zero, and the signs of the others, by some sweeps of coordinate descent.
func (q *quadratic) descend(c LassoConfig) {
	const sweeps = 25
	weight := floats.Dot(q.root, q.root)
	enough := 0.01 * c.Tolerance * q.null
	for range sweeps {
		step := floats.Dot(q.root, q.residual) / weight
		q.intercept += step
		floats.AddScaled(q.residual, -step, q.root)
		moved := weight * step * step
		for k, j := range q.active {
			old := q.beta[j]
			q.beta[j] = softThreshold(floats.Dot(q.columns[k], q.residual)+q.square[k]*old, q.lambda) / q.square[k]
			if d := q.beta[j] - old; d != 0 {
				floats.AddScaled(q.residual, -d, q.columns[k])
				moved = max(moved, q.square[k]*d*d)
			}
		}
		if moved <= enough {
			return
		}
	}
}

// polish solves for the non-zero coefficients with their signs held, up to the first that would change sign:
// that one becomes zero. Without it, ill-conditioned columns need thousands of sweeps. Columns that depend on
// those before them stay as they are.
func (q *quadratic) polish() {
	var in []int // positions in active
	for k, j := range q.active {
		if q.beta[j] != 0 {
			in = append(in, k)
		}
	}
	n, m := len(in)+1, len(q.root)
	rows := dots.Rows{Data: make([]float64, n*m), N: n, Len: m, Stride: m}
	copy(rows.Row(0), q.root)
	for r, k := range in {
		copy(rows.Row(r+1), q.columns[k])
	}
	hessian := make([]float64, n*n)
	dots.AddMulT(hessian, n, rows, rows)
	var factor triangle
	var rowsIn []int // rows of the factor: row 0 is the intercept, row r+1 is in[r]
	var right []float64
	for r := range n {
		entry := make([]float64, 0, len(rowsIn)+1)
		for _, c := range rowsIn {
			entry = append(entry, hessian[r*n+c])
		}
		if !factor.grow(append(entry, hessian[r*n+r]), minPivot*hessian[r*n+r]) {
			continue
		}
		rowsIn = append(rowsIn, r)
		gradient := floats.Dot(rows.Row(r), q.residual)
		if r > 0 {
			gradient -= math.Copysign(q.lambda, q.beta[q.active[in[r-1]]])
		}
		right = append(right, gradient)
	}
	step := factor.solve(right)
	length, first := 1.0, -1
	for s, r := range rowsIn {
		if r == 0 {
			continue
		}
		j := q.active[in[r-1]]
		if t := -q.beta[j] / step[s]; t > 0 && t < length {
			length, first = t, j
		}
	}
	for s, r := range rowsIn {
		if r == 0 {
			q.intercept += length * step[s]
			continue
		}
		q.beta[q.active[in[r-1]]] += length * step[s]
	}
	if first >= 0 {
		q.beta[first] = 0
	}
}
