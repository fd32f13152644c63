package selection

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"sonotype/internal/problem"
)

// The LASSO's families and the rules that choose lambda.
const (
	Gaussian = "gaussian"
	Binomial = "binomial"
	RuleMin  = "min" // least cross-validated error
	Rule1SE  = "1se" // largest lambda within one standard error of the least
)

// LassoConfig sets a LASSO; zero values mean the defaults in brackets.
type LassoConfig struct {
	Family        string  // Gaussian [it] on 0/1 labels, or Binomial
	Rule          string  // RuleMin [it] or Rule1SE
	Lambdas       int     // values on the path [100]
	Ratio         float64 // smallest over largest lambda [gaussian 1e-3; binomial .01 if n < p, else 1e-4]
	Tolerance     float64 // duality gap over the null model's loss [gaussian 1e-8; binomial 1e-6]
	MaxIterations int     // sweeps or reweightings for one lambda [10000]
	Workers       int     // goroutines; <= 0 means GOMAXPROCS; never changes a result
}

// LassoResult is a LASSO path with its cross-validation and the coefficients at the chosen lambda.
// Coefficients are for the features as given.
type LassoResult struct {
	Family     string      `json:"family"`
	Rule       string      `json:"rule"`
	Lambdas    []float64   `json:"lambdas"`    // descending
	Entered    []int       `json:"entered"`    // features that are non-zero anywhere on the path, ascending
	Paths      [][]float64 `json:"paths"`      // coefficient of each of Entered along Lambdas
	Intercepts []float64   `json:"intercepts"` // along Lambdas
	Gaps       []float64   `json:"gaps"`       // duality gap over the null model's loss, along Lambdas
	Iterations []int       `json:"iterations"` // path events, sweeps or reweightings, along Lambdas

	CVMeasure string    `json:"cv_measure"` // "mean squared error" or "binomial deviance"
	CVMean    []float64 `json:"cv_mean"`
	CVSE      []float64 `json:"cv_se"`
	LambdaMin float64   `json:"lambda_min"`
	Lambda1SE float64   `json:"lambda_1se"`

	Lambda    float64   `json:"lambda"`    // the one used
	Coef      []float64 `json:"coef"`      // one a feature, at Lambda
	Intercept float64   `json:"intercept"` // at Lambda
	Kept      []int     `json:"kept"`      // features with a non-zero coefficient, ascending
	Gap       float64   `json:"gap"`       // largest of Gaps
	Converged bool      `json:"converged"` // every lambda, in every fold, met the tolerance
	Note      string    `json:"note,omitempty"`
}

// lassoPath is a solved path: one entry a lambda.
type lassoPath struct {
	lambdas    []float64
	coef       [][]float64 // p a lambda
	intercepts []float64
	gaps       []float64
	iterations []int
}

// lassoFamily is what the two families differ in.
type lassoFamily struct {
	solve   func(d *lassoData, lambdas []float64, c LassoConfig) (*lassoPath, error)
	loss    func(y, eta float64) float64
	measure string
	// byWeight averages folds by their weight, as cv.glmnet does; LassoCV takes the plain mean.
	byWeight bool
}

var (
	gaussianFamily = lassoFamily{solveGaussian, func(y, eta float64) float64 { return (y - eta) * (y - eta) }, "mean squared error", false}
	binomialFamily = lassoFamily{solveBinomial, binomialDeviance, "binomial deviance", true}
)

// FitLasso solves the LASSO for 100 lambdas on all of x (n x p) and y (n), cross-validates over the given folds
// (one number a row) and picks lambda by the rule. Gaussian: 1/(2 Σw) Σ w (y - b - x'β)² + λ‖β‖₁, as scikit-learn's
// LassoCV. Binomial: -1/Σw Σ w loglik + λ‖β‖₁ on features scaled to unit variance, as cv.glmnet. w nil means ones;
// a weight of 2 acts as the row twice. If lambda's rule keeps no feature, the largest lambda that keeps one is used and Note says so.
func FitLasso(x *mat.Dense, y, w []float64, fold []int, c LassoConfig) (*LassoResult, error) {
	c, family, err := c.complete()
	if err != nil {
		return nil, err
	}
	t, err := newLassoTable(x, y, w, fold, c)
	if err != nil {
		return nil, err
	}
	full, err := family.solve(t.all(), nil, c)
	if err != nil {
		return nil, err
	}
	r := newLassoResult(full, c, family)
	if err := r.crossValidate(t, family, c); err != nil {
		return nil, err
	}
	return r, r.choose(full, c)
}

// complete fills in the defaults and refuses what is out of range.
func (c LassoConfig) complete() (LassoConfig, lassoFamily, error) {
	if c.Family == "" {
		c.Family = Gaussian
	}
	if c.Rule == "" {
		c.Rule = RuleMin
	}
	if c.Lambdas == 0 {
		c.Lambdas = 100
	}
	if c.Tolerance == 0 {
		c.Tolerance = 1e-8
		if c.Family == Binomial {
			c.Tolerance = 1e-6
		}
	}
	if c.MaxIterations == 0 {
		c.MaxIterations = 10000
	}
	families := map[string]lassoFamily{Gaussian: gaussianFamily, Binomial: binomialFamily}
	family, ok := families[c.Family]
	switch {
	case !ok:
		return c, family, &problem.Error{What: "unknown LASSO family " + c.Family, Expected: Gaussian + " or " + Binomial}
	case c.Rule != RuleMin && c.Rule != Rule1SE:
		return c, family, &problem.Error{What: "unknown rule for the LASSO's lambda " + c.Rule, Expected: RuleMin + " or " + Rule1SE}
	case c.Lambdas < 2 || c.Ratio < 0 || c.Ratio >= 1 || c.Tolerance < 0 || c.MaxIterations < 0:
		return c, family, &problem.Error{What: "a LASSO setting is out of range",
			Expected: "at least 2 lambdas, 0 <= ratio < 1, tolerance and iterations >= 0",
			Found:    fmt.Sprintf("%d lambdas, ratio %g, tolerance %g, %d iterations", c.Lambdas, c.Ratio, c.Tolerance, c.MaxIterations)}
	}
	return c, family, nil
}

func newLassoResult(full *lassoPath, c LassoConfig, family lassoFamily) *LassoResult {
	r := &LassoResult{
		Family: c.Family, Rule: c.Rule, CVMeasure: family.measure,
		Lambdas: full.lambdas, Intercepts: full.intercepts, Gaps: full.gaps, Iterations: full.iterations,
		Gap: slices.Max(full.gaps),
	}
	for j := range full.coef[0] {
		if slices.ContainsFunc(full.coef, func(b []float64) bool { return b[j] != 0 }) {
			along := make([]float64, len(full.coef))
			for l, b := range full.coef {
				along[l] = b[j]
			}
			r.Entered = append(r.Entered, j)
			r.Paths = append(r.Paths, along)
		}
	}
	r.Converged = r.Gap <= c.Tolerance
	return r
}

// crossValidate solves the path without each fold and measures it on that fold.
func (r *LassoResult) crossValidate(t *lassoTable, family lassoFamily, c LassoConfig) error {
	folds := slices.Compact(slices.Sorted(slices.Values(t.fold)))
	loss := make([][]float64, len(folds)) // fold x lambda
	weight := make([]float64, len(folds))
	gap := make([]float64, len(folds))
	err := parallel(goroutines(c.Workers), 0, len(folds), 1, func(f, _ int) error {
		train, err := t.without(folds[f])
		if err != nil {
			return err
		}
		path, err := family.solve(train, r.Lambdas, c)
		if err != nil {
			return err
		}
		gap[f] = slices.Max(path.gaps)
		loss[f], weight[f] = t.lossOn(folds[f], path, family.loss)
		return nil
	})
	if err != nil {
		return err
	}
	r.Converged = r.Converged && slices.Max(gap) <= c.Tolerance
	if !family.byWeight {
		weight = ones(len(folds))
	}
	at := make([]float64, len(folds))
	for l := range r.Lambdas {
		for f := range folds {
			at[f] = loss[f][l]
		}
		mean := stat.Mean(at, weight)
		// The standard error of cv.glmnet; with equal weights, the folds' standard deviation over sqrt(folds).
		r.CVMean = append(r.CVMean, mean)
		r.CVSE = append(r.CVSE, math.Sqrt(stat.MomentAbout(2, at, mean, weight)/float64(len(folds)-1)))
	}
	return nil
}

// choose applies the rule and, if it keeps nothing, falls back on the largest lambda that keeps a feature.
func (r *LassoResult) choose(full *lassoPath, c LassoConfig) error {
	least := 0
	for l, m := range r.CVMean {
		if m < r.CVMean[least] {
			least = l
		}
	}
	within := 0 // lambdas descend: the first one within a standard error is the largest
	for r.CVMean[within] > r.CVMean[least]+r.CVSE[least] {
		within++
	}
	r.LambdaMin, r.Lambda1SE = r.Lambdas[least], r.Lambdas[within]
	chosen := least
	if c.Rule == Rule1SE {
		chosen = within
	}
	if keepsNothing(full.coef[chosen]) {
		first := slices.IndexFunc(full.coef, func(b []float64) bool { return !keepsNothing(b) })
		if first < 0 {
			return &problem.Error{What: "the LASSO keeps no feature at any lambda",
				Try: "check that the outcome and the features belong together"}
		}
		r.Note = fmt.Sprintf("lambda.%s keeps no feature; the largest lambda that keeps one is used instead", c.Rule)
		chosen = first
	}
	r.Lambda, r.Coef, r.Intercept = r.Lambdas[chosen], full.coef[chosen], full.intercepts[chosen]
	for j, b := range r.Coef {
		if b != 0 {
			r.Kept = append(r.Kept, j)
		}
	}
	return nil
}

func keepsNothing(coef []float64) bool {
	return !slices.ContainsFunc(coef, func(b float64) bool { return b != 0 })
}
