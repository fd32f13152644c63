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
	Term   string // shared by the columns of one categorical covariate; "" = Name
}

func (c Covariate) term() string {
	if c.Term == "" {
		return c.Name
	}
	return c.Term
}

const (
	coxIterations = 50   // a fit that exists needs about five
	coxStep       = 1e-9 // converged when no standardised coefficient moves by more than this, relatively
)

// FitCox fits a proportional hazards model with Efron's handling of ties by Newton's method with step halving, on
// standardised columns. A constant or collinear covariate, and one whose coefficient runs to infinity (a group
// without events, perfect ordering), is an error that names it; so are no events at all.
func FitCox(time []float64, event []int, covariates []Covariate) (*Cox, error) {
	return FitStratifiedCox(time, event, covariates, nil)
}

// FitStratifiedCox is FitCox with a baseline hazard of its own in each stratum (nil: one); a covariate must vary
// within strata. Concordance compares within strata.
func FitStratifiedCox(time []float64, event []int, covariates []Covariate, strata []string) (*Cox, error) {
	f, err := fitCox(time, event, covariates, strata)
	if err != nil {
		return nil, err
	}
	return f.summary(), nil
}

// coxFit is a fitted model with what further tests need.
type coxFit struct {
	covariates []Covariate
	stratum    []int // nil: one
	strata     int
	events     int
	scale      []float64
	likelihood *efron
	null, best *coxPoint
	inverse    mat.SymDense // of the information
	beta       []float64    // of the standardised columns
	iterations int
}

func fitCox(time []float64, event []int, covariates []Covariate, strata []string) (*coxFit, error) {
	f := &coxFit{covariates: covariates, strata: 1}
	var err error
	if f.events, err = checkFollowUp(time, event); err != nil {
		return nil, err
	}
	if len(covariates) == 0 {
		return nil, &problem.Error{What: "a Cox model needs at least one covariate"}
	}
	if f.events == 0 {
		return nil, &problem.Error{What: "a Cox model needs events", Found: fmt.Sprintf("none in %d patients", len(time))}
	}
	if f.stratum, f.strata, err = strataOf(strata, len(time)); err != nil {
		return nil, err
	}
	z, scale, err := standardise(covariates, len(time), f.stratum)
	if err != nil {
		return nil, err
	}
	f.scale, f.likelihood = scale, newEfron(time, event, z, f.stratum)
	f.null = f.likelihood.at(make([]float64, len(covariates)))
	if f.beta, f.best, f.iterations, err = f.likelihood.maximise(f.null, covariates); err != nil {
		return nil, err
	}
	var chol mat.Cholesky
	if !chol.Factorize(f.best.information) {
		return nil, infinite(covariates, event, f.beta)
	}
	if err := chol.InverseTo(&f.inverse); err != nil {
		return nil, infinite(covariates, event, f.beta)
	}
	return f, nil
}

// summary is the model as it is reported.
func (f *coxFit) summary() *Cox {
	l := f.likelihood
	c := &Cox{N: len(l.time), Events: f.events, Strata: f.strata, LogLikNull: f.null.logLik, LogLik: f.best.logLik, Iterations: f.iterations}
	for j, v := range f.covariates {
		b, se := f.beta[j]/f.scale[j], math.Sqrt(f.inverse.At(j, j))/f.scale[j]
		c.Terms = append(c.Terms, CoxTerm{Name: v.Name, Term: v.term(), Coef: num.Float(b), SE: num.Float(se), HR: num.Float(math.Exp(b)),
			Lo: num.Float(math.Exp(b - stats.Z975*se)), Hi: num.Float(math.Exp(b + stats.Z975*se)), Z: num.Float(b / se), P: num.Float(stats.NormalTwoSided(b / se))})
	}
	beta := mat.NewVecDense(len(f.beta), f.beta)
	c.LR = coxTest("likelihood ratio", 2*(f.best.logLik-f.null.logLik), len(f.beta))
	c.Wald = coxTest("Wald", mat.Inner(beta, f.best.information, beta), len(f.beta))
	score, _ := quadratic(f.null.gradient, f.null.information)
	c.Score = coxTest("score", score, len(f.beta))
	c.Concordance, _ = concordance(l.time, l.event, f.predictor(), f.stratum)
	if f.events < 10*len(f.covariates) {
		c.Note = fmt.Sprintf("%d events for %d covariates: fewer than ten each", f.events, len(f.covariates))
	}
	return c
}

// predictorGrid is the step of linear predictors, so that those of patients with equal covariates are equal.
const predictorGrid = 1e-9

// predictor is the linear predictor of every patient, up to a constant in each stratum.
func (f *coxFit) predictor() []float64 {
	out := make([]float64, len(f.likelihood.time))
	for j, b := range f.beta {
		for i, v := range f.likelihood.z[j] {
			out[i] += b * v
		}
	}
	for i, v := range out {
		out[i] = math.Round(v/predictorGrid) * predictorGrid
	}
	return out
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

// standardise centres the covariates within strata, which changes no likelihood, scales them, and refuses constant
// and collinear ones.
func standardise(covariates []Covariate, n int, stratum []int) (z [][]float64, scale []float64, err error) {
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
		mean, _ := stats.MeanVar(c.Values)
		col := centred(c.Values, stratum)
		_, variance := stats.MeanVar(col)
		sd := math.Sqrt(variance)
		if !(sd > 1e-12*math.Abs(mean)) {
			within := ""
			if stratum != nil {
				within = " within the strata"
			}
			return nil, nil, &problem.Error{What: fmt.Sprintf("covariate %q is constant%s", c.Name, within), Expected: "at least two different values", Try: "drop the covariate"}
		}
		for i := range col {
			col[i] /= sd
		}
		if err := collinear(covariates, z, col); err != nil {
			return nil, nil, err
		}
		z, scale = append(z, col), append(scale, sd)
	}
	return z, scale, nil
}

// centred subtracts the mean of each stratum; nil is one stratum.
func centred(x []float64, stratum []int) []float64 {
	out := make([]float64, len(x))
	every := make([]int, len(x))
	for i := range every {
		every[i] = i
	}
	for _, members := range withinStrata(every, stratum) {
		values := make([]float64, len(members))
		for k, i := range members {
			values[k] = x[i]
		}
		mean, _ := stats.MeanVar(values)
		for k, i := range members {
			out[i] = values[k] - mean
		}
	}
	return out
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
