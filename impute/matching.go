package impute

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"sonotype/internal/stats"
)

// ridge keeps collinear predictors from breaking an equation: this share of the diagonal is added, as mice does.
const ridge = 1e-5

// matching imputes a number by predictive mean matching (Little 1988): of the patients whose prediction is nearest to
// the drawn prediction of the missing one, a random one lends the measured value. Type 1 matching of van Buuren: donors
// are predicted with the estimated coefficients, the missing one with coefficients drawn from their posterior.
type matching struct {
	std    standardised
	drawn  []float64
	fitted []float64 // donors' predictions, ascending
	values []float64 // their measured values
	donors int
}

func fitMatching(x [][]float64, y []float64, donors int, r *rand.Rand) equation {
	std := standardise(x)
	n, p := len(x), len(x[0])
	gram, xy := mat.NewSymDense(p, nil), mat.NewVecDense(p, nil)
	rows := make([][]float64, n)
	for i := range x {
		rows[i] = std.apply(x[i])
		addOuter(gram, rows[i], 1)
		for j, v := range rows[i] {
			xy.SetVec(j, xy.AtVec(j)+v*y[i])
		}
	}
	for j := range p {
		gram.SetSym(j, j, gram.At(j, j)*(1+ridge)+1e-12)
	}
	var chol mat.Cholesky
	chol.Factorize(gram) // the ridge makes it positive definite
	var beta mat.VecDense
	_ = chol.SolveVecTo(&beta, xy) // a condition warning only
	eq := &matching{std: std, donors: min(donors, n)}
	residual := 0.0
	predicted := make([]float64, n)
	for i, row := range rows {
		predicted[i] = dot(row, beta.RawVector().Data)
		residual += (y[i] - predicted[i]) * (y[i] - predicted[i])
	}
	sigma := math.Sqrt(residual / chiSquare(float64(max(n-p, 1)), r))
	eq.drawn = drawNormal(beta.RawVector().Data, &chol, sigma, r)
	for _, i := range shuffledOrder(predicted, r) {
		eq.fitted, eq.values = append(eq.fitted, predicted[i]), append(eq.values, y[i])
	}
	return eq
}

// shuffledOrder sorts ascending, equal predictions in random order: else those that stand first or last in the table would
// always be the donors of categories that many patients share (mice shuffles as well).
func shuffledOrder(predicted []float64, r *rand.Rand) []int {
	order := r.Perm(len(predicted))
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(predicted[a], predicted[b]) })
	return order
}

func (m *matching) draw(row []float64, r *rand.Rand) float64 {
	target := dot(m.std.apply(row), m.drawn)
	hi, _ := slices.BinarySearch(m.fitted, target)
	lo := hi - 1 // the donors are fitted[lo+1:hi], nearest first
	for hi-lo-1 < m.donors {
		switch {
		case lo < 0:
			hi++
		case hi >= len(m.fitted) || target-m.fitted[lo] <= m.fitted[hi]-target:
			lo--
		default:
			hi++
		}
	}
	return m.values[lo+1+r.IntN(hi-lo-1)]
}

// standardised centres and scales predictors, so that ridge and prior mean the same for all.
type standardised struct{ mean, scale []float64 }

func standardise(x [][]float64) standardised {
	p := len(x[0])
	s := standardised{make([]float64, p), make([]float64, p)}
	col := make([]float64, len(x))
	for j := range p {
		for i := range x {
			col[i] = x[i][j]
		}
		mean, variance := stats.MeanVar(col)
		s.mean[j], s.scale[j] = mean, math.Sqrt(variance)
		if j == 0 || !(s.scale[j] > 1e-12*math.Abs(mean)) {
			s.mean[j], s.scale[j] = 0, 1
			if j > 0 {
				s.mean[j] = mean
			}
		}
	}
	return s
}

func (s standardised) apply(row []float64) []float64 {
	out := make([]float64, len(row))
	for j, v := range row {
		out[j] = (v - s.mean[j]) / s.scale[j]
	}
	return out
}

// drawNormal draws from N(mean, sigma^2 A^-1), A given by its Cholesky factor.
func drawNormal(mean []float64, chol *mat.Cholesky, sigma float64, r *rand.Rand) []float64 {
	p := len(mean)
	z := mat.NewVecDense(p, nil)
	for j := range p {
		z.SetVec(j, sigma*r.NormFloat64())
	}
	var u mat.TriDense
	chol.UTo(&u) // A = U'U, so that U^-1 z has covariance A^-1
	var d mat.VecDense
	_ = d.SolveVec(&u, z) // a condition warning only
	out := make([]float64, p)
	for j := range p {
		out[j] = mean[j] + d.AtVec(j)
	}
	return out
}

// chiSquare draws from a chi-square distribution with df degrees of freedom (Marsaglia and Tsang 2000).
func chiSquare(df float64, r *rand.Rand) float64 {
	d := df/2 - 1.0/3
	boost := 1.0
	if df < 2 {
		d = df/2 + 2.0/3
		boost = math.Pow(1-r.Float64(), 2/df)
	}
	c := 1 / math.Sqrt(9*d)
	for {
		z := r.NormFloat64()
		v := math.Pow(1+c*z, 3)
		if v > 0 && math.Log(1-r.Float64()) < z*z/2+d-d*v+d*math.Log(v) {
			return 2 * d * v * boost
		}
	}
}

func addOuter(a *mat.SymDense, x []float64, w float64) {
	for j, v := range x {
		for k := j; k < len(x); k++ {
			a.SetSym(j, k, a.At(j, k)+w*v*x[k])
		}
	}
}

func dot(a, b []float64) float64 {
	var s float64
	for i, v := range a {
		s += v * b[i]
	}
	return s
}
