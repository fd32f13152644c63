package survival

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/mat"

	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/internal/stats"
)

// Covariate is one column of a Cox model, a value per patient.
type Covariate struct {
	Name   string
	Values []float64
}

const (
	coxIterations = 50   // a fit that exists needs about five
	coxStep       = 1e-9 // converged when no standardised coefficient moves by more than this, relatively
)

// FitCox fits a proportional hazards model with Efron's handling of ties by Newton's method with step halving, on
// standardised columns. A constant or collinear covariate, and one whose coefficient runs to infinity (a group
// without events, perfect ordering), is an error that names it; so are no events at all.
func FitCox(time []float64, event []int, covariates []Covariate) (*Cox, error) {
	events, err := checkFollowUp(time, event)
	if err != nil {
		return nil, err
	}
	if len(covariates) == 0 {
		return nil, &problem.Error{What: "a Cox model needs at least one covariate"}
	}
	if events == 0 {
		return nil, &problem.Error{What: "a Cox model needs events", Found: fmt.Sprintf("none in %d patients", len(time))}
	}
	z, scale, err := standardise(covariates, len(time))
	if err != nil {
		return nil, err
	}
	l := newEfron(time, event, z)
	null := l.at(make([]float64, len(covariates)))
	beta, best, iterations, err := l.maximise(null, covariates)
	if err != nil {
		return nil, err
	}
	c := &Cox{N: len(time), Events: events, LogLikNull: null.logLik, LogLik: best.logLik, Iterations: iterations}
	var chol mat.Cholesky
	if !chol.Factorize(best.information) {
		return nil, infinite(covariates, event, beta)
	}
	var inverse mat.SymDense
	if err := chol.InverseTo(&inverse); err != nil {
		return nil, infinite(covariates, event, beta)
	}
	lp := make([]float64, len(time))
	for j, v := range covariates {
		b, se := beta[j]/scale[j], math.Sqrt(inverse.At(j, j))/scale[j]
		c.Terms = append(c.Terms, CoxTerm{Name: v.Name, Coef: num.Float(b), SE: num.Float(se), HR: num.Float(math.Exp(b)),
			Lo: num.Float(math.Exp(b - stats.Z975*se)), Hi: num.Float(math.Exp(b + stats.Z975*se)), Z: num.Float(b / se), P: num.Float(stats.NormalTwoSided(b / se))})
		for i := range lp {
			lp[i] += beta[j] * z[j][i]
		}
	}
	c.LR = coxTest("likelihood ratio", 2*(best.logLik-null.logLik), len(beta))
	c.Wald = coxTest("Wald", mat.Inner(mat.NewVecDense(len(beta), beta), best.information, mat.NewVecDense(len(beta), beta)), len(beta))
	score, _ := quadratic(null.gradient, null.information)
	c.Score = coxTest("score", score, len(beta))
	if c.Concordance, err = ConcordanceIndex(time, event, lp); err != nil {
		return nil, err
	}
	if events < 10*len(covariates) {
		c.Note = fmt.Sprintf("%d events for %d covariates: fewer than ten each", events, len(covariates))
	}
	return c, nil
}

func coxTest(name string, x float64, df int) stats.Test {
	return stats.Test{Name: name, Statistic: num.Float(x), DF: num.Float(df), DF2: num.NaN(), P: num.Float(stats.ChiSquareTail(x, float64(df)))}
}

// maximise runs Newton's method from zero.
func (l *efron) maximise(null *coxPoint, covariates []Covariate) (beta []float64, at *coxPoint, iterations int, err error) {
	beta, at = make([]float64, len(covariates)), null
	for iterations = 1; iterations <= coxIterations; iterations++ {
		var chol mat.Cholesky
		var step mat.VecDense
		if !chol.Factorize(at.information) || chol.Cond() > 1e14 {
			return nil, nil, 0, infinite(covariates, l.event, beta)
		}
		if err := chol.SolveVecTo(&step, at.gradient); err != nil {
			return nil, nil, 0, infinite(covariates, l.event, beta)
		}
		next := make([]float64, len(beta))
		var moved *coxPoint
		for h := 1.0; h > 1e-4; h /= 2 {
			for j := range beta {
				next[j] = beta[j] + h*step.AtVec(j)
			}
			if moved = l.at(next); moved.logLik >= at.logLik-1e-11*math.Abs(at.logLik) {
				break
			}
		}
		done := true
		for j := range beta {
			done = done && math.Abs(step.AtVec(j)) <= coxStep*(1+math.Abs(beta[j]))
		}
		beta, at = next, moved
		if done {
			return beta, at, iterations, nil
		}
	}
	return nil, nil, 0, infinite(covariates, l.event, beta)
}

// infinite is the error for a likelihood without a finite maximum; it names the covariates that run away.
func infinite(covariates []Covariate, event []int, beta []float64) error {
	largest := 0.0
	for _, b := range beta {
		largest = max(largest, math.Abs(b))
	}
	var names []string
	found := "it keeps improving with ever larger coefficients"
	for j, c := range covariates {
		if math.Abs(beta[j]) >= largest/2 {
			names = append(names, fmt.Sprintf("%q", c.Name))
		}
		if why := withoutEvents(c, event); why != "" {
			found = why
		}
	}
	return &problem.Error{What: "the Cox model has no finite solution for " + strings.Join(names, ", "), Expected: "a likelihood with a maximum", Found: found,
		Try: "drop the covariate, merge rare groups, or report the log-rank test alone"}
}

// withoutEvents names the group of a two-valued covariate in which nobody had an event.
func withoutEvents(c Covariate, event []int) string {
	events := map[float64]int{}
	for i, v := range c.Values {
		events[v] += event[i]
	}
	if len(events) != 2 {
		return ""
	}
	for v, n := range events {
		if n == 0 {
			return fmt.Sprintf("no events where %s = %v", c.Name, v)
		}
	}
	return ""
}

// standardise centres and scales the covariates and refuses constant and collinear ones.
func standardise(covariates []Covariate, n int) (z [][]float64, scale []float64, err error) {
	for _, c := range covariates {
		if err := checkLength(fmt.Sprintf("values of %q", c.Name), len(c.Values), n); err != nil {
			return nil, nil, err
		}
		for i, v := range c.Values {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, nil, &problem.Error{What: fmt.Sprintf("covariate %q is not a finite number", c.Name), Found: fmt.Sprintf("%v for patient %d of %d", v, i+1, n),
					Try: "leave the patient out, with the reason, before the analysis"}
			}
		}
		mean, variance := stats.MeanVar(c.Values)
		sd := math.Sqrt(variance)
		if !(sd > 1e-12*math.Abs(mean)) {
			return nil, nil, &problem.Error{What: fmt.Sprintf("covariate %q is constant", c.Name), Expected: "at least two different values", Try: "drop the covariate"}
		}
		col := make([]float64, n)
		for i, v := range c.Values {
			col[i] = (v - mean) / sd
		}
		if err := collinear(covariates, z, col); err != nil {
			return nil, nil, err
		}
		z, scale = append(z, col), append(scale, sd)
	}
	return z, scale, nil
}

// collinear regresses the next column on the earlier ones; a residual without variance is an error.
func collinear(covariates []Covariate, earlier [][]float64, next []float64) error {
	k, n := len(earlier), len(next)
	if k == 0 {
		return nil
	}
	name := covariates[k].Name
	var coefficients mat.VecDense
	residual := append([]float64(nil), next...)
	if k < n {
		a := mat.NewDense(n, k, nil)
		for j, col := range earlier {
			a.SetCol(j, col)
		}
		if err := coefficients.SolveVec(a, mat.NewVecDense(n, next)); err != nil {
			return &problem.Error{What: fmt.Sprintf("covariate %q is collinear with the others", name), Err: err, Try: "drop one of them"}
		}
		for j, col := range earlier {
			for i := range residual {
				residual[i] -= coefficients.AtVec(j) * col[i]
			}
		}
	}
	if mat.Norm(mat.NewVecDense(n, residual), 2) > 1e-7*math.Sqrt(float64(n)) && k < n {
		return nil
	}
	var with []string
	for j := range coefficients.Len() {
		if math.Abs(coefficients.AtVec(j)) > 1e-6 {
			with = append(with, fmt.Sprintf("%q", covariates[j].Name))
		}
	}
	return &problem.Error{What: fmt.Sprintf("covariate %q is collinear with %s", name, strings.Join(with, ", ")), Expected: "linearly independent covariates", Try: "drop one of them"}
}
