package classify

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sonotype/internal/golden"
)

type linearCase struct {
	Table    string
	Weighted bool
	LR       struct {
		Coef      []float64
		Intercept float64
		Score     []float64
	}
	SVM struct {
		Gamma           float64
		Vectors         int
		Decision, Score []float64
		A, B            float64
	}
	KNN []float64
}

func linearCases(t *testing.T, check func(t *testing.T, c linearCase, train, test labelled, meta golden.Meta)) {
	t.Helper()
	var g struct {
		golden.Meta
		Cases []linearCase
	}
	golden.Load(t, "testdata/oracle/linear.json", &g)
	for _, c := range g.Cases {
		t.Run(fmt.Sprintf("%s/weighted=%v", c.Table, c.Weighted), func(t *testing.T) {
			train, test := treeTable(t, c.Table)
			check(t, c, train, test, g.Meta)
		})
	}
}

func fitted(t testing.TB, name string, c Config, train labelled, w []float64) Model {
	t.Helper()
	m, err := New(name, c)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Fit(train.x, train.y, w); err != nil {
		t.Fatal(err)
	}
	return m
}

func scores(t testing.TB, m Model, x *mat.Dense) []float64 {
	t.Helper()
	s, err := m.Predict(x)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// near reports the first entry of got that differs from want by more than tolerance.
func near(t testing.TB, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", what, len(got), len(want))
		return
	}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= tolerance) {
			t.Errorf("%s: value %d = %v, want %v (tolerance %g)", what, i, got[i], want[i], tolerance)
			return
		}
	}
}

func TestLogisticRegressionAgreesWithScikitLearn(t *testing.T) {
	linearCases(t, func(t *testing.T, c linearCase, train, test labelled, _ golden.Meta) {
		m := fitted(t, "lr", Config{}, train, train.weights(c.Weighted))
		lr := m.(*logistic)
		near(t, "coefficients", append(lr.coef, lr.intercept), append(c.LR.Coef, c.LR.Intercept), 1e-9)
		near(t, "scores", scores(t, m, test.x), c.LR.Score, 1e-10)
		if lr.iterations > 15 {
			t.Errorf("%d Newton steps", lr.iterations)
		}
	})
}

func TestSVMAgreesWithLibsvm(t *testing.T) {
	linearCases(t, func(t *testing.T, c linearCase, train, test labelled, meta golden.Meta) {
		fold := make([]int, len(train.y))
		for i := range fold {
			fold[i] = i % 5
		}
		m := fitted(t, "svm", Config{Folds: fold}, train, train.weights(c.Weighted)).(*svm)
		if math.Abs(m.Gamma/c.SVM.Gamma-1) > 1e-12 {
			t.Errorf("gamma %v, want %v", m.Gamma, c.SVM.Gamma)
		}
		if len(m.Coef) != c.SVM.Vectors {
			t.Errorf("%d support vectors, want %d", len(m.Coef), c.SVM.Vectors)
		}
		d, err := m.Decision(test.x)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "decision values", d, c.SVM.Decision, meta.Tolerance)
		near(t, "A and B", []float64{m.A, m.B}, []float64{c.SVM.A, c.SVM.B}, 1e-5)
		near(t, "scores", scores(t, m, test.x), c.SVM.Score, 1e-6)
	})
}

func TestNearestNeighboursAgreeWithScikitLearn(t *testing.T) {
	linearCases(t, func(t *testing.T, c linearCase, train, test labelled, _ golden.Meta) {
		near(t, "scores", scores(t, fitted(t, "knn", Config{}, train, train.weights(c.Weighted)), test.x), c.KNN, 1e-12)
	})
}

// More features than rows take Woodbury's route: padding with zero rows' features must not change the fit.
func TestLogisticRegressionRoutesAgree(t *testing.T) {
	train, _ := treeTable(t, "wide")
	n, p := train.x.Dims()
	f := newLRFit(train.x, train.y, train.w)
	curvature, mean, right := train.w, make([]float64, p), make([]float64, p)
	for j := range p {
		mean[j], right[j] = float64(j%7)/10, float64(j%5)-2
	}
	d, ok := f.solve(curvature, mean, right)
	if !ok {
		t.Fatal("no solution")
	}
	// (I + Z'Z) d must be right again.
	back := append([]float64(nil), d...)
	for i := range n {
		dot := 0.0
		for j := range p {
			dot += (train.x.At(i, j) - mean[j]) * d[j]
		}
		for j := range p {
			back[j] += curvature[i] * (train.x.At(i, j) - mean[j]) * dot
		}
	}
	near(t, "(I + Z'Z) d", back, right, 1e-9)
}

// The optimality conditions of the SVM's dual, checked from its file form alone.
func TestSVMSolutionIsFeasible(t *testing.T) {
	train, _ := treeTable(t, "imbalanced")
	m := fitted(t, "svm", Config{}, train, train.w).(*svm)
	sum := 0.0
	for _, c := range m.Coef {
		sum += c
		if math.Abs(c) > svmC {
			t.Errorf("coefficient %v exceeds C", c)
		}
	}
	if math.Abs(sum) > 1e-12 {
		t.Errorf("y'alpha = %g", sum)
	}
	d, err := m.Decision(m.Vectors.Dense)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range m.Coef {
		// A support vector is on its margin or inside.
		if margin := d[i] * math.Copysign(1, c); margin > 1+2*smoTolerance {
			t.Errorf("support vector %d lies at %v, outside its margin", i, margin)
		}
	}
}

// The targets pull probabilities off 0 and 1 by about 1/N, hence the tolerance.
func TestPlattRecoversItsOwnSigmoid(t *testing.T) {
	var d, w []float64
	var y []int
	for i := range 2001 {
		x := float64(i-1000) / 250
		p := 1 / (1 + math.Exp(-1.5*x+0.5))
		d, y, w = append(d, x, x), append(y, 1, 0), append(w, p, 1-p)
	}
	a, b := platt(d, y, w)
	if math.Abs(a+1.5) > 0.03 || math.Abs(b-0.5) > 0.03 {
		t.Errorf("A, B = %v, %v, want -1.5, 0.5", a, b)
	}
}

func TestPlattFoldsAreStratified(t *testing.T) {
	y := make([]int, 103)
	w := make([]float64, 103)
	for i := range y {
		w[i] = 1
		if i%4 == 0 {
			y[i] = 1
		}
	}
	fold, err := plattFolds(y, w, Config{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	var count [plattFoldCount][2]int
	for i, f := range fold {
		count[f][y[i]]++
	}
	for f, c := range count {
		if c[0] < 15 || c[0] > 16 || c[1] < 5 || c[1] > 6 {
			t.Errorf("fold %d holds %v of the classes", f, c)
		}
	}
	if _, err := plattFolds(y, w, Config{Folds: []int{1}}); err == nil {
		t.Error("too few folds: no error")
	}
}
