package selection

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"sonotype/internal/golden"
)

// sparse is the non-zero part of a coefficient vector.
type sparseVector struct {
	Index []int     `json:"index"`
	Value []float64 `json:"value"`
}

func (s sparseVector) dense(p int) []float64 {
	v := make([]float64, p)
	for k, j := range s.Index {
		v[j] = s.Value[k]
	}
	return v
}

type lassoCase struct {
	Table    string         `json:"table"`
	Weighted bool           `json:"weighted"`
	Alphas   []float64      `json:"alphas"`
	Lambdas  []float64      `json:"lambdas"`
	CVMean   []float64      `json:"cv_mean"`
	CVSE     []float64      `json:"cv_se"`
	At       []int          `json:"at"`
	Path     []sparseVector `json:"path"`
	// scikit-learn
	Alpha float64      `json:"alpha"`
	Coef  sparseVector `json:"coef"`
	// glmnet
	LambdaMin float64 `json:"lambda_min"`
	Lambda1SE float64 `json:"lambda_1se"`
}

type lassoGolden struct {
	golden.Meta
	Cases []lassoCase `json:"cases"`
}

// along returns the coefficients at the l-th lambda.
func along(r *LassoResult, l int) []float64 {
	b := make([]float64, len(r.Coef))
	for k, j := range r.Entered {
		b[j] = r.Paths[k][l]
	}
	return b
}

// compare reports the first entry of got that differs from want by more than tolerance times the largest of want.
func compare(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", what, len(got), len(want))
		return
	}
	limit := tolerance * floats.Norm(want, math.Inf(1))
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= limit) {
			t.Errorf("%s: value %d = %v, want %v (limit %g)", what, i, got[i], want[i], limit)
			return
		}
	}
}

func (c *lassoCase) fit(t *testing.T, config LassoConfig) *LassoResult {
	t.Helper()
	x, y, w, fold := lassoTableNamed(t, c.Table)
	if !c.Weighted {
		w = nil
	}
	r, err := FitLasso(x, y, w, fold, config)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Converged {
		t.Errorf("not converged: gap %g", r.Gap)
	}
	return r
}

func TestGaussianLassoAgreesWithScikitLearn(t *testing.T) {
	var g lassoGolden
	golden.Load(t, "testdata/oracle/lasso.json", &g)
	for _, c := range g.Cases {
		name := c.Table
		if c.Weighted {
			name += "/weighted"
		}
		t.Run(name, func(t *testing.T) {
			r := c.fit(t, LassoConfig{Tolerance: 1e-11})
			compare(t, "lambdas", r.Lambdas, c.Alphas, 1e-12)
			compare(t, "CV mean", r.CVMean, c.CVMean, g.Tolerance)
			compare(t, "CV SE", r.CVSE, c.CVSE, 10*g.Tolerance)
			if math.Abs(r.LambdaMin-c.Alpha) > 1e-12 || r.Lambda != r.LambdaMin {
				t.Errorf("lambda.min %v, used %v, want %v", r.LambdaMin, r.Lambda, c.Alpha)
			}
			compare(t, "coefficients", r.Coef, c.Coef.dense(len(r.Coef)), 10*g.Tolerance)
			for k, l := range c.At {
				compare(t, "path", along(r, l), c.Path[k].dense(len(r.Coef)), g.Tolerance)
			}
		})
	}
}

func TestBinomialLassoAgreesWithGlmnet(t *testing.T) {
	var g lassoGolden
	golden.Load(t, "testdata/oracle/glmnet.json", &g)
	for _, c := range g.Cases {
		name := c.Table
		if c.Weighted {
			name += "/weighted"
		}
		t.Run(name, func(t *testing.T) {
			r := c.fit(t, LassoConfig{Family: Binomial, Tolerance: 1e-12})
			compare(t, "lambdas", r.Lambdas, c.Lambdas, 1e-12)
			compare(t, "CV mean", r.CVMean, c.CVMean, g.Tolerance)
			compare(t, "CV SE", r.CVSE, c.CVSE, 10*g.Tolerance)
			if math.Abs(r.LambdaMin-c.LambdaMin) > 1e-12 || math.Abs(r.Lambda1SE-c.Lambda1SE) > 1e-12 {
				t.Errorf("lambda.min %v, lambda.1se %v, want %v and %v", r.LambdaMin, r.Lambda1SE, c.LambdaMin, c.Lambda1SE)
			}
			for k, l := range c.At {
				compare(t, "path", along(r, l), c.Path[k].dense(len(r.Coef)), g.Tolerance)
			}
		})
	}
}

// slowLasso is coordinate descent over residuals, in its plainest form: the homotopy's slow twin.
func slowLasso(x *mat.Dense, y []float64, lambda float64) (beta []float64, intercept float64) {
	n, p := x.Dims()
	beta = make([]float64, p)
	residual := slices.Clone(y)
	for range 50000 {
		moved := 0.0
		mean := floats.Sum(residual) / float64(n)
		intercept += mean
		floats.AddConst(-mean, residual)
		for j := range p {
			c := mat.Col(nil, j, x)
			square := floats.Dot(c, c) / float64(n)
			if square == 0 {
				continue
			}
			next := softThreshold(floats.Dot(c, residual)/float64(n)+square*beta[j], lambda) / square
			floats.AddScaled(residual, beta[j]-next, c)
			moved = max(moved, math.Abs(next-beta[j]))
			beta[j] = next
		}
		if moved < 1e-12 {
			break
		}
	}
	return beta, intercept
}

func TestGaussianLassoAgreesWithItsSlowTwin(t *testing.T) {
	for seed := range uint64(8) {
		n, p := 20+5*int(seed), 40-4*int(seed)
		x, y, _ := generate(50+seed, n, p, 3, 0.5, 0)
		fold := make([]int, n)
		for i := range fold {
			fold[i] = i % 4
		}
		r, err := FitLasso(x, y, nil, fold, LassoConfig{Lambdas: 12, Ratio: 0.02})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range []int{2, 6, 11} {
			beta, intercept := slowLasso(x, y, r.Lambdas[l])
			compare(t, "coefficients", along(r, l), beta, 1e-7)
			if math.Abs(intercept-r.Intercepts[l]) > 1e-7 {
				t.Errorf("intercept %v, want %v", r.Intercepts[l], intercept)
			}
		}
	}
}

// Ties and dependent columns stop a naive homotopy: repeated, opposite, constant and summed columns, 0/1 values.
func TestGaussianLassoSurvivesTies(t *testing.T) {
	x, y, _ := generate(60, 40, 30, 3, 0.4, 0)
	for i := range 40 {
		for j := range 10 {
			x.Set(i, j, math.Round(x.At(i, j)))
		}
		x.Set(i, 10, x.At(i, 0))
		x.Set(i, 11, -x.At(i, 1))
		x.Set(i, 12, 5)
		x.Set(i, 13, x.At(i, 0)+x.At(i, 1))
		x.Set(i, 14, 2*x.At(i, 3))
		x.Set(i, 15, 0)
	}
	fold := make([]int, 40)
	for i := range fold {
		fold[i] = i % 5
	}
	for _, family := range []string{Gaussian, Binomial} {
		r, err := FitLasso(x, y, nil, fold, LassoConfig{Family: family})
		if err != nil {
			t.Fatal(err)
		}
		if !r.Converged {
			t.Errorf("%s: gap %g after %v iterations", family, r.Gap, r.Iterations)
		}
		if r.Coef[12] != 0 || r.Coef[15] != 0 {
			t.Errorf("%s: a constant column has weight %v, %v", family, r.Coef[12], r.Coef[15])
		}
	}
}

func TestLassoWeightOfTwoIsTheRowTwice(t *testing.T) {
	x, y, _, fold := lassoTableNamed(t, "imbalanced")
	n, p := x.Dims()
	w := ones(n)
	twice := mat.DenseCopyOf(x)
	y2, fold2 := slices.Clone(y), slices.Clone(fold)
	for i := 0; i < n; i += 3 {
		w[i] = 2
		twice = mat.DenseCopyOf(twice.Grow(1, 0))
		m, _ := twice.Dims()
		twice.SetRow(m-1, x.RawRowView(i)[:p])
		y2, fold2 = append(y2, y[i]), append(fold2, fold[i])
	}
	for _, family := range []string{Gaussian, Binomial} {
		c := LassoConfig{Family: family, Lambdas: 20, Tolerance: 1e-12}
		a, err := FitLasso(x, y, w, fold, c)
		if err != nil {
			t.Fatal(err)
		}
		b, err := FitLasso(twice, y2, nil, fold2, c)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, family+" lambdas", a.Lambdas, b.Lambdas, 1e-12)
		compare(t, family+" coefficients", a.Coef, b.Coef, 1e-5)
		compare(t, family+" CV mean", a.CVMean, b.CVMean, 1e-6)
	}
}

func TestLassoIsTheSameForAnyWorkersAndRule(t *testing.T) {
	x, y, w, fold := lassoTableNamed(t, "imbalanced")
	for _, family := range []string{Gaussian, Binomial} {
		var first *LassoResult
		for _, workers := range []int{1, 4} {
			r, err := FitLasso(x, y, w, fold, LassoConfig{Family: family, Rule: Rule1SE, Workers: workers})
			if err != nil {
				t.Fatal(err)
			}
			if r.Lambda != r.Lambda1SE || r.Lambda1SE < r.LambdaMin {
				t.Errorf("%s: lambda %v, 1se %v, min %v", family, r.Lambda, r.Lambda1SE, r.LambdaMin)
			}
			if first == nil {
				first = r
			} else if !slices.Equal(first.CVMean, r.CVMean) || !slices.Equal(first.Coef, r.Coef) {
				t.Errorf("%s: workers change the result", family)
			}
		}
	}
}

// Pure noise: lambda.min is the largest lambda, which keeps nothing.
func TestLassoKeepsOneFeatureAtLeast(t *testing.T) {
	x, _, _ := generate(70, 60, 20, 1, 0, 0)
	y := make([]float64, 60)
	fold := make([]int, 60)
	for i, u := range uniform(71, 60) {
		y[i] = math.Round(u)
		fold[i] = i % 10
	}
	r, err := FitLasso(x, y, nil, fold, LassoConfig{Rule: Rule1SE})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Kept) == 0 || r.Note == "" || r.Lambda >= r.Lambdas[0] {
		t.Errorf("kept %v at %v, note %q", r.Kept, r.Lambda, r.Note)
	}
}

func TestLassoRefusesBadInput(t *testing.T) {
	x, y, w, fold := lassoTableNamed(t, "imbalanced")
	n, _ := x.Dims()
	nan := mat.DenseCopyOf(x)
	nan.Set(3, 7, math.NaN())
	flat := mat.NewDense(n, 2, nil)
	negative := slices.Clone(w)
	negative[0] = -1
	for name, f := range map[string]func() (*LassoResult, error){
		"empty":        func() (*LassoResult, error) { return FitLasso(&mat.Dense{}, nil, nil, nil, LassoConfig{}) },
		"short y":      func() (*LassoResult, error) { return FitLasso(x, y[:5], w, fold, LassoConfig{}) },
		"NaN":          func() (*LassoResult, error) { return FitLasso(nan, y, w, fold, LassoConfig{}) },
		"weight":       func() (*LassoResult, error) { return FitLasso(x, y, negative, fold, LassoConfig{}) },
		"one class":    func() (*LassoResult, error) { return FitLasso(x, make([]float64, n), w, fold, LassoConfig{}) },
		"one fold":     func() (*LassoResult, error) { return FitLasso(x, y, w, make([]int, n), LassoConfig{}) },
		"family":       func() (*LassoResult, error) { return FitLasso(x, y, w, fold, LassoConfig{Family: "poisson"}) },
		"rule":         func() (*LassoResult, error) { return FitLasso(x, y, w, fold, LassoConfig{Rule: "2se"}) },
		"flat":         func() (*LassoResult, error) { return FitLasso(flat, y, w, fold, LassoConfig{}) },
		"flat, binary": func() (*LassoResult, error) { return FitLasso(flat, y, w, fold, LassoConfig{Family: Binomial}) },
	} {
		if _, err := f(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// A factor that grew and shrank solves as gonum's Cholesky does.
func TestTriangleGrowsAndShrinks(t *testing.T) {
	x, _, _ := generate(80, 60, 20, 1, 0, 0)
	var full mat.SymDense
	full.SymOuterK(1, x.T())
	var l triangle
	var in []int
	u := uniform(81, 400)
	for step := range 200 {
		if len(in) > 0 && (len(in) == 20 || u[2*step] < 0.45) {
			k := int(u[2*step+1] * float64(len(in)))
			in = slices.Delete(in, k, k+1)
			l.shrink(k)
		} else {
			j := int(u[2*step+1] * 20)
			if slices.Contains(in, j) {
				continue
			}
			row := make([]float64, 0, len(in)+1)
			for _, i := range append(slices.Clone(in), j) {
				row = append(row, full.At(i, j))
			}
			if !l.grow(row, 1e-12) {
				t.Fatal("a positive definite matrix was refused")
			}
			in = append(in, j)
		}
		if len(in) == 0 {
			continue
		}
		b := u[:len(in)]
		got := l.solve(b)
		for r, i := range in {
			sum := 0.0
			for s, j := range in {
				sum += full.At(i, j) * got[s]
			}
			if math.Abs(sum-b[r]) > 1e-9 {
				t.Fatalf("step %d: residual %g", step, sum-b[r])
			}
		}
	}
}
