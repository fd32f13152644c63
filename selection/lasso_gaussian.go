package selection

import (
	"math"

	"gonum.org/v1/gonum/floats"

	"sonotype/internal/dots"
	"sonotype/internal/problem"
)

// gaussian is the state of a gaussian path: min 1/2 Σ w (y - x'β)² + λ‖β‖₁ over centred data, in terms of
// G = X'WX and X'Wy. Columns of G are computed when their feature first moves, so p may be large.
type gaussian struct {
	columns dots.Rows // p rows: sqrt(w)·x
	gram    [][]float64
	square  []float64 // G_jj
	beta    []float64
	start   []float64 // X'Wy: the correlations at β = 0
	corr    []float64 // X'W(y - Xβ)
	yy      float64   // Σ w y²
}

func newGaussian(d *lassoData) (*gaussian, float64) {
	p, m := d.columns.N, len(d.y)
	yMean := floats.Dot(d.w, d.y)
	y := make([]float64, m)
	g := &gaussian{
		columns: dots.Rows{Data: make([]float64, p*m), N: p, Len: m, Stride: m}, gram: make([][]float64, p),
		square: make([]float64, p), beta: make([]float64, p), start: make([]float64, p), corr: make([]float64, p),
	}
	root := make([]float64, m)
	for i, w := range d.w {
		root[i] = math.Sqrt(w)
		y[i] = root[i] * (d.y[i] - yMean)
	}
	g.yy = floats.Dot(y, y)
	for j := range p {
		col := g.columns.Row(j)
		floats.MulTo(col, d.columns.Row(j), root)
		g.square[j] = floats.Dot(col, col)
		g.start[j] = floats.Dot(col, y)
	}
	copy(g.corr, g.start)
	return g, yMean
}

// solveGaussian follows the path by the homotopy and certifies every lambda by its duality gap;
// coordinate descent finishes where the homotopy stops short.
func solveGaussian(d *lassoData, lambdas []float64, c LassoConfig) (*lassoPath, error) {
	g, yMean := newGaussian(d)
	if lambdas == nil {
		largest := floats.Norm(g.start, math.Inf(1))
		if largest <= epsilon*math.Sqrt(g.yy*floats.Max(g.square)) {
			return nil, &problem.Error{What: "no feature is correlated with the outcome", Try: "check that the features vary"}
		}
		ratio := c.Ratio
		if ratio == 0 {
			ratio = 1e-3
		}
		lambdas = logSpaced(largest, ratio, c.Lambdas)
	}
	path := &lassoPath{lambdas: lambdas}
	h := newHomotopy(g)
	for _, lambda := range lambdas {
		steps := h.follow(lambda)
		gap := g.gap(lambda)
		if gap > c.Tolerance {
			steps += g.descend(lambda, c)
			gap = g.gap(lambda)
			h.resume(lambda)
		}
		coef := append([]float64(nil), g.beta...)
		path.coef = append(path.coef, coef)
		path.intercepts = append(path.intercepts, yMean-floats.Dot(d.mean, coef))
		path.gaps = append(path.gaps, gap)
		path.iterations = append(path.iterations, steps)
	}
	return path, nil
}

// column is column j of G.
func (g *gaussian) column(j int) []float64 {
	if g.gram[j] == nil {
		g.gram[j] = make([]float64, g.columns.N)
		dots.AddMulT(g.gram[j], g.columns.N, g.columns.Slice(j, j+1), g.columns)
	}
	return g.gram[j]
}

// refresh computes the correlations anew from β, so that rounding does not pile up along the path.
func (g *gaussian) refresh() {
	copy(g.corr, g.start)
	for j, b := range g.beta {
		if b != 0 {
			floats.AddScaled(g.corr, -b, g.column(j))
		}
	}
}

// gap is scikit-learn's duality gap, over the null model's loss scale Σ w y².
func (g *gaussian) gap(lambda float64) float64 {
	g.refresh()
	var fitted, explained, norm float64 // y'(y-r), (y-r)'(y+r) and ‖β‖₁
	for j, b := range g.beta {
		if b != 0 {
			fitted += b * g.start[j]
			explained += b * (g.start[j] + g.corr[j])
			norm += math.Abs(b)
		}
	}
	rr := max(g.yy-explained, 0)
	scale := 1.0 // of the residual that makes it a feasible dual point
	if largest := floats.Norm(g.corr, math.Inf(1)); largest > lambda {
		scale = lambda / largest
	}
	return max(0, 0.5*rr*(1+scale*scale)+lambda*norm-scale*(g.yy-fitted)) / g.yy
}

// descend runs cyclic coordinate descent to the tolerance: sweeps over the non-zero coefficients until they
// settle, then one over all. It returns the number of sweeps.
func (g *gaussian) descend(lambda float64, c LassoConfig) (sweeps int) {
	for sweeps < c.MaxIterations {
		g.sweep(lambda, true)
		sweeps++
		if g.gap(lambda) <= c.Tolerance {
			return sweeps
		}
		for sweeps < c.MaxIterations {
			moved := g.sweep(lambda, false)
			sweeps++
			if moved <= c.Tolerance*math.Sqrt(g.yy) {
				break
			}
		}
	}
	return sweeps
}

// sweep updates every coefficient, or the non-zero ones, once and returns the largest move in units of the outcome.
func (g *gaussian) sweep(lambda float64, all bool) (moved float64) {
	for j, b := range g.beta {
		if g.square[j] == 0 || (b == 0 && !all) {
			continue
		}
		next := softThreshold(g.corr[j]+g.square[j]*b, lambda) / g.square[j]
		if next != b {
			g.beta[j] = next
			floats.AddScaled(g.corr, b-next, g.column(j))
			moved = max(moved, math.Abs(next-b)*math.Sqrt(g.square[j]))
		}
	}
	return moved
}
