package selection

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"

	"sonotype/internal/dots"
	"sonotype/internal/problem"
)

// glmnet's rules for ending a path that it makes itself.
const (
	leastLambdas   = 5     // never stop earlier
	leastGain      = 1e-5  // of the explained deviance from one lambda to the next
	enoughDeviance = 0.999 // explained
)

// binomial is the state of a binomial path: min -Σ w loglik(y, b + x'β) + λ‖β‖₁, Σ w = 1, over features
// centred and scaled to unit weighted variance.
type binomial struct {
	*lassoData
	columns   dots.Rows // p rows of m
	sd        []float64 // 0: constant, never enters
	beta      []float64
	intercept float64
	eta, prob []float64 // m
	corr      []float64 // p: Σ w x (y - prob)
	null      float64   // loss of the null model
}

// solveBinomial reweights least squares for each lambda until the duality gap meets the tolerance.
func solveBinomial(d *lassoData, lambdas []float64, c LassoConfig) (*lassoPath, error) {
	b := newBinomial(d)
	own := lambdas == nil
	if own {
		largest := floats.Norm(b.corr, math.Inf(1))
		if largest <= epsilon {
			return nil, &problem.Error{What: "no feature is correlated with the outcome", Try: "check that the features vary"}
		}
		lambdas = logSpaced(largest, b.ratio(c), c.Lambdas)
	}
	path := &lassoPath{}
	explained := 0.0
	for l, lambda := range lambdas {
		iterations, gap := b.fit(lambda, c)
		coef := make([]float64, len(b.beta))
		for j, v := range b.beta {
			if v != 0 {
				coef[j] = v / b.sd[j]
			}
		}
		path.lambdas = append(path.lambdas, lambda)
		path.coef = append(path.coef, coef)
		path.intercepts = append(path.intercepts, b.intercept-floats.Dot(coef, b.mean))
		path.gaps = append(path.gaps, gap)
		path.iterations = append(path.iterations, iterations)
		before := explained
		explained = 1 - b.loss()/b.null
		if own && l+1 >= leastLambdas && (explained > enoughDeviance || explained-before < leastGain) {
			break
		}
	}
	return path, nil
}

func newBinomial(d *lassoData) *binomial {
	p, m := d.columns.N, len(d.y)
	b := &binomial{
		lassoData: d, columns: dots.Rows{Data: make([]float64, p*m), N: p, Len: m, Stride: m},
		sd: make([]float64, p), beta: make([]float64, p), corr: make([]float64, p), eta: make([]float64, m), prob: make([]float64, m),
	}
	for j := range p {
		from, to := d.columns.Row(j), b.columns.Row(j)
		for i, v := range from {
			b.sd[j] += d.w[i] * v * v
		}
		b.sd[j] = math.Sqrt(b.sd[j])
		if b.sd[j] <= float64(m)*epsilon*math.Abs(d.mean[j]) {
			b.sd[j] = 0
			continue
		}
		for i, v := range from {
			to[i] = v / b.sd[j]
		}
	}
	mean := floats.Dot(d.w, d.y)
	b.intercept = math.Log(mean / (1 - mean))
	b.update()
	b.null = b.loss()
	return b
}

// ratio of the smallest to the largest lambda: glmnet's default.
func (b *binomial) ratio(c LassoConfig) float64 {
	switch {
	case c.Ratio > 0:
		return c.Ratio
	case len(b.y) < len(b.beta):
		return 0.01
	}
	return 1e-4
}

// update computes eta, probabilities and correlations from the coefficients.
func (b *binomial) update() {
	for i := range b.eta {
		b.eta[i] = b.intercept
	}
	for j, v := range b.beta {
		if v != 0 {
			floats.AddScaled(b.eta, v, b.columns.Row(j))
		}
	}
	b.centre()
	residual := make([]float64, len(b.y))
	for i, y := range b.y {
		residual[i] = b.w[i] * (y - b.prob[i])
	}
	clear(b.corr)
	dots.AddMulT(b.corr, len(b.corr), dots.Rows{Data: residual, N: 1, Len: len(residual), Stride: len(residual)}, b.columns)
}

// centre moves the intercept until the residuals sum to zero, which the dual point needs, by Newton's method.
func (b *binomial) centre() {
	for range 50 {
		var slope, curvature float64
		for i, e := range b.eta {
			b.prob[i] = logistic(e)
			slope += b.w[i] * (b.y[i] - b.prob[i])
			curvature += b.w[i] * b.prob[i] * (1 - b.prob[i])
		}
		if math.Abs(slope) < 1e-15 || curvature < 1e-300 {
			return
		}
		step := max(-1, min(1, slope/curvature))
		b.intercept += step
		floats.AddConst(step, b.eta)
	}
}

func logistic(eta float64) float64 { return 1 / (1 + math.Exp(-eta)) }

// loss is -Σ w loglik.
func (b *binomial) loss() (sum float64) {
	for i, e := range b.eta {
		// log(1 + e^-m) for the margin m, without overflow
		m := e * (2*b.y[i] - 1)
		sum += b.w[i] * (math.Log1p(math.Exp(-math.Abs(m))) + max(-m, 0))
	}
	return sum
}

func (b *binomial) objective(lambda float64) float64 { return b.loss() + lambda*floats.Norm(b.beta, 1) }

// gap is the duality gap over the null loss: the dual point is the residual, shrunk until it is feasible.
func (b *binomial) gap(lambda float64) float64 {
	scale := 1.0
	if largest := floats.Norm(b.corr, math.Inf(1)); largest > lambda {
		scale = lambda / largest
	}
	dual := 0.0
	for i, y := range b.y {
		q := scale * math.Abs(y-b.prob[i])
		if q > 0 && q < 1 {
			dual -= b.w[i] * (q*math.Log(q) + (1-q)*math.Log1p(-q))
		}
	}
	return max(0, b.objective(lambda)-dual) / b.null
}

// fit solves for one lambda and returns the number of reweightings and the gap. It gives up when the gap
// has not shrunk for a while: rounding is all that is left, or the classes are nearly separated.
func (b *binomial) fit(lambda float64, c LassoConfig) (iterations int, gap float64) {
	const patience = 20
	gap = b.gap(lambda)
	for stalled := 0; gap > c.Tolerance && iterations < c.MaxIterations && stalled < patience; iterations++ {
		b.step(lambda, c)
		stalled++
		if g := b.gap(lambda); g < 0.99*gap {
			gap, stalled = g, 0
		}
	}
	return iterations, b.gap(lambda)
}

// step is one reweighting. A full step nearly always descends; far from the optimum it may need halving.
func (b *binomial) step(lambda float64, c LassoConfig) {
	before := b.objective(lambda)
	beta, intercept := slices.Clone(b.beta), b.intercept
	newQuadratic(b, lambda).minimise(c)
	b.update()
	for half := 0; b.objective(lambda) > before*(1+16*epsilon) && half < 30; half++ {
		floats.Add(b.beta, beta)
		floats.Scale(0.5, b.beta)
		b.intercept = (b.intercept + intercept) / 2
		b.update()
	}
}

// binomialDeviance is a row's deviance, probabilities held within 1e-5 of 0 and 1 as cv.glmnet does.
func binomialDeviance(y, eta float64) float64 {
	p := min(max(logistic(eta), 1e-5), 1-1e-5)
	return -2 * (y*math.Log(p) + (1-y)*math.Log(1-p))
}
