package classify

import (
	"encoding/json"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"sonotype/internal/dots"
	"sonotype/internal/problem"
)

// logistic is scikit-learn's LogisticRegression at C = 1: it minimises 0.5 β'β + Σ w_i logloss_i, the intercept free,
// by Newton's method with the exact Hessian.
type logistic struct {
	coef       []float64
	intercept  float64
	iterations int
}

func newLR(Config) *logistic { return &logistic{} }

// Newton's method stops after the step whose decrement g'H⁻¹g is below lrDecrement of the objective: convergence
// is quadratic, so that what remains is about the square of that.
const (
	lrDecrement  = 1e-12
	lrIterations = 100
)

// Fit implements Model.
func (m *logistic) Fit(x *mat.Dense, y []int, w []float64) error {
	w, err := checkFit(x, y, w)
	if err != nil {
		return err
	}
	f := newLRFit(x, y, w)
	for iteration := 1; iteration <= lrIterations; iteration++ {
		decrement, ok := f.step()
		if !ok {
			return &problem.Error{What: "logistic regression: the Hessian is not positive definite", Try: "scale the features"}
		}
		if decrement <= lrDecrement*f.objective {
			m.coef, m.intercept, m.iterations = f.coef, f.intercept, iteration
			return nil
		}
	}
	return &problem.Error{What: fmt.Sprintf("logistic regression did not converge in %d iterations", lrIterations), Try: "scale the features"}
}

// Predict implements Model.
func (m *logistic) Predict(x *mat.Dense) ([]float64, error) {
	if err := checkPredict(x, len(m.coef)); err != nil {
		return nil, err
	}
	n, _ := dims(x)
	score := make([]float64, n)
	for i := range score {
		score[i] = sigmoid(m.intercept + floats.Dot(x.RawRowView(i), m.coef))
	}
	return score, nil
}

func sigmoid(v float64) float64 { return 1 / (1 + math.Exp(-v)) }

// lrFit is the state of Newton's method.
type lrFit struct {
	x         *mat.Dense
	y, w      []float64
	coef      []float64
	intercept float64
	eta       []float64 // intercept + Xβ
	objective float64
}

func newLRFit(x *mat.Dense, y []int, w []float64) *lrFit {
	n, p := x.Dims()
	f := &lrFit{x: x, y: make([]float64, n), w: w, coef: make([]float64, p), eta: make([]float64, n)}
	for i, c := range y {
		f.y[i] = float64(c)
	}
	f.objective = f.at(f.coef, f.eta)
	return f
}

// at is the objective for coefficients whose linear predictor is eta.
func (f *lrFit) at(coef, eta []float64) float64 {
	sum := 0.5 * floats.Dot(coef, coef)
	for i, e := range eta {
		margin := e * (2*f.y[i] - 1)
		sum += f.w[i] * (math.Log1p(math.Exp(-math.Abs(margin))) + max(-margin, 0))
	}
	return sum
}

// step takes one Newton step, halved until it descends, and returns its decrement.
func (f *lrFit) step() (decrement float64, ok bool) {
	n, p := f.x.Dims()
	gradient := append([]float64(nil), f.coef...)
	curvature := make([]float64, n)
	var gradientB, curvatureB float64
	for i, e := range f.eta {
		prob := sigmoid(e)
		r := f.w[i] * (prob - f.y[i])
		curvature[i] = f.w[i] * prob * (1 - prob)
		floats.AddScaled(gradient, r, f.x.RawRowView(i))
		gradientB += r
		curvatureB += curvature[i]
	}
	curvatureB = max(curvatureB, math.SmallestNonzeroFloat64)
	mean := make([]float64, p) // of the features, by curvature: eliminates the intercept
	for i, c := range curvature {
		floats.AddScaled(mean, c/curvatureB, f.x.RawRowView(i))
	}
	right := make([]float64, p)
	for j := range right {
		right[j] = mean[j]*gradientB - gradient[j]
	}
	direction, ok := f.solve(curvature, mean, right)
	if !ok {
		return 0, false
	}
	directionB := -gradientB/curvatureB - floats.Dot(mean, direction)
	decrement = -floats.Dot(gradient, direction) - gradientB*directionB
	f.move(direction, directionB, decrement)
	return decrement, true
}

// move goes along a descent direction: the full step, or half of it and so on until the objective falls enough.
func (f *lrFit) move(direction []float64, directionB, decrement float64) {
	n := len(f.eta)
	slope := make([]float64, n)
	for i := range slope {
		slope[i] = directionB + floats.Dot(f.x.RawRowView(i), direction)
	}
	coef, eta := make([]float64, len(f.coef)), make([]float64, n)
	for t := 1.0; t > 1e-10; t /= 2 {
		floats.AddScaledTo(coef, f.coef, t, direction)
		floats.AddScaledTo(eta, f.eta, t, slope)
		// Near the optimum the gain drowns in the objective's rounding, which must not stop the step.
		if v := f.at(coef, eta); v <= f.objective-1e-4*t*decrement+1e-14*f.objective {
			f.coef, f.eta, f.objective = coef, eta, v
			f.intercept += t * directionB
			return
		}
	}
}

// solve returns (I + Z'Z)⁻¹ right, where Z has rows sqrt(curvature)·(x - mean): by a p x p factor, or, for more
// features than rows, by an n x n one and Woodbury's identity.
func (f *lrFit) solve(curvature, mean, right []float64) ([]float64, bool) {
	n, p := f.x.Dims()
	z := mat.NewDense(n, p, nil)
	for i, c := range curvature {
		row := z.RawRowView(i)
		floats.SubTo(row, f.x.RawRowView(i), mean)
		floats.Scale(math.Sqrt(c), row)
	}
	var d mat.VecDense
	b := mat.NewVecDense(p, right)
	if p <= n {
		var factor mat.Cholesky
		if !factor.Factorize(onePlusGram(mat.DenseCopyOf(z.T()))) || factor.SolveVecTo(&d, b) != nil {
			return nil, false
		}
		return d.RawVector().Data, true
	}
	var factor mat.Cholesky
	var zb, inner mat.VecDense
	zb.MulVec(z, b)
	if !factor.Factorize(onePlusGram(z)) || factor.SolveVecTo(&inner, &zb) != nil {
		return nil, false
	}
	d.MulVec(z.T(), &inner)
	d.SubVec(b, &d)
	return d.RawVector().Data, true
}

// onePlusGram is I + RR', R's rows being those of r.
func onePlusGram(r *mat.Dense) *mat.SymDense {
	n, length := r.Dims()
	rows := dots.Rows{Data: r.RawMatrix().Data, N: n, Len: length, Stride: r.RawMatrix().Stride}
	g := make([]float64, n*n)
	for i := range n {
		g[i*n+i] = 1
	}
	dots.AddMulT(g, n, rows, rows)
	return mat.NewSymDense(n, g)
}

// logisticJSON is a fitted logistic regression's file form.
type logisticJSON struct {
	Coef       []float64 `json:"coef"`
	Intercept  float64   `json:"intercept"`
	Iterations int       `json:"iterations"` // Newton steps
}

// MarshalJSON implements Model.
func (m *logistic) MarshalJSON() ([]byte, error) {
	return json.Marshal(logisticJSON{m.coef, m.intercept, m.iterations})
}

// UnmarshalJSON implements Model.
func (m *logistic) UnmarshalJSON(b []byte) error {
	var in logisticJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return &problem.Error{What: "cannot read the logistic regression", Err: err}
	}
	m.coef, m.intercept, m.iterations = in.Coef, in.Intercept, in.Iterations
	return nil
}
