package classify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// The demands on every model, after scikit-learn's estimator_checks.

// eachModel runs check for all six.
func eachModel(t *testing.T, check func(t *testing.T, name string)) {
	t.Helper()
	for _, name := range Names {
		t.Run(name, func(t *testing.T) { check(t, name) })
	}
}

// small is a table that all models fit within milliseconds.
func small(p int) (train, test labelled) {
	all := recipe{seed: 31, n: 160, p: p, informative: min(p, 3), noise: 0.4}.generate()
	return all.rows(func(i int) bool { return i < 110 }), all.rows(func(i int) bool { return i >= 110 })
}

func TestModelsLearnAndGiveProbabilities(t *testing.T) {
	train, test := small(6)
	eachModel(t, func(t *testing.T, name string) {
		for _, w := range [][]float64{nil, train.w} {
			s := scores(t, fitted(t, name, Config{Seed: 1}, train, w), test.x)
			for i, v := range s {
				if !(v >= 0 && v <= 1) {
					t.Fatalf("score %d is %v", i, v)
				}
			}
			if a := auc(s, test.y); a < 0.75 {
				t.Errorf("AUC %.3f", a)
			}
		}
	})
}

func TestRefitForgets(t *testing.T) {
	train, test := small(6)
	other, _ := small(4)
	eachModel(t, func(t *testing.T, name string) {
		m := fitted(t, name, Config{Seed: 1}, other, nil)
		if err := m.Fit(train.x, train.y, nil); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(scores(t, m, test.x), scores(t, fitted(t, name, Config{Seed: 1}, train, nil), test.x)) {
			t.Error("a second fit remembers the first")
		}
	})
}

func TestFitAndPredictLeaveTheirInputAlone(t *testing.T) {
	train, test := small(5)
	eachModel(t, func(t *testing.T, name string) {
		x, y, w, xt := mat.DenseCopyOf(train.x), slices.Clone(train.y), slices.Clone(train.w), mat.DenseCopyOf(test.x)
		m := fitted(t, name, Config{}, train, train.w)
		first := scores(t, m, test.x)
		if !mat.Equal(x, train.x) || !slices.Equal(y, train.y) || !slices.Equal(w, train.w) || !mat.Equal(xt, test.x) {
			t.Error("the input was changed")
		}
		train.x.Set(0, 0, train.x.At(0, 0)+100) // a model must not hold on to the caller's table
		if !slices.Equal(first, scores(t, m, test.x)) {
			t.Error("the model changes with the caller's table")
		}
		train.x.Set(0, 0, x.At(0, 0))
	})
}

// The forest's bootstrap draws rows by number, so its scores may depend on their order; so may the SVM's own folds.
func TestRowOrderDoesNotMatter(t *testing.T) {
	train, test := small(6)
	n := len(train.y)
	turned := train.rows(func(int) bool { return true })
	fold, turnedFold := make([]int, n), make([]int, n)
	for i := range n {
		from := (i*37 + 11) % n
		turned.x.SetRow(i, train.x.RawRowView(from))
		turned.y[i], turned.w[i] = train.y[from], train.w[from]
		fold[i], turnedFold[i] = i%5, from%5
	}
	tolerance := map[string]float64{"lr": 1e-9, "svm": 2e-3, "knn": 0, "lightgbm": 1e-6, "adaboost": 1e-9}
	for name, limit := range tolerance {
		a := scores(t, fitted(t, name, Config{Folds: fold}, train, train.w), test.x)
		b := scores(t, fitted(t, name, Config{Folds: turnedFold}, turned, turned.w), test.x)
		near(t, name, b, a, limit)
	}
}

func TestScoresDoNotDependOnTheBatch(t *testing.T) {
	train, test := small(6)
	eachModel(t, func(t *testing.T, name string) {
		m := fitted(t, name, Config{}, train, nil)
		all := scores(t, m, test.x)
		for _, i := range []int{0, 17, 49} {
			one := mat.NewDense(1, 6, slices.Clone(test.x.RawRowView(i)))
			if s := scores(t, m, one); s[0] != all[i] {
				t.Errorf("row %d alone scores %v, among others %v", i, s[0], all[i])
			}
		}
	})
}

func TestWorkersDoNotChangeBytes(t *testing.T) {
	train, test := small(6)
	eachModel(t, func(t *testing.T, name string) {
		one := fitted(t, name, Config{Seed: 5, Workers: 1}, train, train.w)
		four := fitted(t, name, Config{Seed: 5, Workers: 4}, train, train.w)
		a, errA := json.Marshal(one)
		b, errB := json.Marshal(four)
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if !bytes.Equal(a, b) {
			t.Error("workers change the model")
		}
		if !slices.Equal(scores(t, one, test.x), scores(t, four, test.x)) {
			t.Error("workers change the scores")
		}
	})
}

func TestJSONKeepsScores(t *testing.T) {
	train, test := small(6)
	eachModel(t, func(t *testing.T, name string) {
		m := fitted(t, name, Config{Seed: 2}, train, train.w)
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		back, err := New(name, Config{})
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, back); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(scores(t, m, test.x), scores(t, back, test.x)) {
			t.Error("a model read back gives other scores")
		}
		again, err := json.Marshal(back)
		if err != nil || !bytes.Equal(b, again) {
			t.Errorf("a model read back is written differently (%v)", err)
		}
	})
}

func TestBadJSONIsAnError(t *testing.T) {
	train, _ := small(3)
	eachModel(t, func(t *testing.T, name string) {
		b, err := json.Marshal(fitted(t, name, Config{}, train, nil))
		if err != nil {
			t.Fatal(err)
		}
		for _, cut := range []int{1, len(b) / 3, len(b) - 1} {
			m, _ := New(name, Config{})
			if json.Unmarshal(b[:cut], m) == nil {
				t.Errorf("cut to %d of %d bytes: no error", cut, len(b))
			}
		}
	})
}

func TestBadTrainingDataIsAnError(t *testing.T) {
	train, _ := small(4)
	n := len(train.y)
	hole := mat.DenseCopyOf(train.x)
	hole.Set(5, 2, math.NaN())
	infinite := mat.DenseCopyOf(train.x)
	infinite.Set(7, 1, math.Inf(-1))
	odd := slices.Clone(train.y)
	odd[3] = 2
	negative := slices.Clone(train.w)
	negative[4] = -1
	onlyZeros := make([]float64, n)
	for i, c := range train.y {
		onlyZeros[i] = float64(1 - c)
	}
	cases := []struct {
		name string
		x    *mat.Dense
		y    []int
		w    []float64
		says string
	}{
		{"empty", &mat.Dense{}, nil, nil, "no training data"},
		{"nil", nil, nil, nil, "no training data"},
		{"one class", train.x, make([]int, n), nil, "one class"},
		{"one class by weight", train.x, train.y, onlyZeros, "one class"},
		{"NaN", hole, train.y, nil, "column 3"},
		{"infinite", infinite, train.y, nil, "column 2"},
		{"label 2", train.x, odd, nil, "label"},
		{"short labels", train.x, train.y[:9], nil, "differ in number"},
		{"short weights", train.x, train.y, train.w[:9], "differ in number"},
		{"negative weight", train.x, train.y, negative, "weight"},
	}
	eachModel(t, func(t *testing.T, name string) {
		for _, c := range cases {
			m, err := New(name, Config{})
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Fit(c.x, c.y, c.w); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: error %v does not say %q", c.name, err, c.says)
			}
		}
	})
}

func TestBadPredictionDataIsAnError(t *testing.T) {
	train, test := small(4)
	hole := mat.DenseCopyOf(test.x)
	hole.Set(2, 3, math.NaN())
	eachModel(t, func(t *testing.T, name string) {
		unfitted, err := New(name, Config{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := unfitted.Predict(test.x); err == nil {
			t.Error("not fitted: no error")
		}
		m := fitted(t, name, Config{}, train, nil)
		if _, err := m.Predict(hole); err == nil || !strings.Contains(err.Error(), "column 4") {
			t.Errorf("NaN: error %v does not name the column", err)
		}
		if _, err := m.Predict(mat.NewDense(2, 3, nil)); err == nil {
			t.Error("fewer features: no error")
		}
		if s, err := m.Predict(&mat.Dense{}); err != nil || len(s) != 0 {
			t.Errorf("no rows: %v, %v", s, err)
		}
	})
	if _, err := New("perceptron", Config{}); err == nil {
		t.Error("unknown model: no error")
	}
}

func TestConstantColumnsAndManyFeatures(t *testing.T) {
	few, fewTest := small(3)
	eachModel(t, func(t *testing.T, name string) {
		flat := mat.NewDense(len(few.y), 1, nil)
		for i := range few.y {
			flat.Set(i, 0, 3)
		}
		m := fitted(t, name, Config{}, labelled{flat, few.y, few.w}, nil)
		for _, v := range scores(t, m, flat) {
			if !(v >= 0 && v <= 1) {
				t.Fatalf("one constant column: score %v", v)
			}
		}
		padded := mat.NewDense(len(few.y), 4, nil)
		paddedTest := mat.NewDense(len(fewTest.y), 4, nil)
		padded.Slice(0, len(few.y), 0, 3).(*mat.Dense).Copy(few.x)
		paddedTest.Slice(0, len(fewTest.y), 0, 3).(*mat.Dense).Copy(fewTest.x)
		if a := auc(scores(t, fitted(t, name, Config{}, labelled{padded, few.y, few.w}, nil), paddedTest), fewTest.y); a < 0.75 {
			t.Errorf("with a constant column, AUC %.3f", a)
		}
		wide, wideTest := small(400)
		if a := auc(scores(t, fitted(t, name, Config{}, wide, nil), wideTest.x), wideTest.y); math.IsNaN(a) {
			t.Error("more features than rows: no AUC")
		}
	})
}

// Two rows, one of each class, are the least that anything can be learnt from.
func TestTwoRowsAreEnough(t *testing.T) {
	x := mat.NewDense(2, 2, []float64{0, 1, 2, 3})
	eachModel(t, func(t *testing.T, name string) {
		m := fitted(t, name, Config{}, labelled{x, []int{0, 1}, nil}, nil)
		for _, v := range scores(t, m, x) {
			if !(v >= 0 && v <= 1) {
				t.Errorf("score %v", v)
			}
		}
	})
}

// A weight of 2 is the row twice, except where rows are counted or drawn: the 5 nearest neighbours, the
// forest's bootstrap and LightGBM's least rows of a leaf.
func TestWeightOfTwoIsTheRowTwice(t *testing.T) {
	train, test := small(5)
	n := len(train.y)
	w := make([]float64, n)
	fold := make([]int, n)
	twice := train.rows(func(int) bool { return true })
	twiceFold := make([]int, 0, 2*n)
	for i := range n {
		w[i], fold[i] = 1, i%5
		twiceFold = append(twiceFold, fold[i])
	}
	for i := 0; i < n; i += 3 {
		w[i] = 2
		m := len(twice.y)
		twice.x = twice.x.Grow(1, 0).(*mat.Dense)
		twice.x.SetRow(m, train.x.RawRowView(i))
		twice.y = append(twice.y, train.y[i])
		twiceFold = append(twiceFold, fold[i])
	}
	tolerance := map[string]float64{"lr": 1e-9, "svm": 5e-3, "adaboost": 1e-9}
	for name, limit := range tolerance {
		a := scores(t, fitted(t, name, Config{Folds: fold}, train, w), test.x)
		b := scores(t, fitted(t, name, Config{Folds: twiceFold}, twice, nil), test.x)
		near(t, name, a, b, limit)
	}
}

// A row of weight 0 is no row.
func TestWeightOfZeroIsNoRow(t *testing.T) {
	train, test := small(5)
	n := len(train.y)
	w := make([]float64, n)
	var fold, keptFold []int
	for i := range w {
		fold = append(fold, i%5)
		if i%4 != 0 {
			w[i] = 1
			keptFold = append(keptFold, i%5)
		}
	}
	kept := train.rows(func(i int) bool { return w[i] > 0 })
	tolerance := map[string]float64{"lr": 1e-9, "svm": 1e-9, "knn": 0, "adaboost": 1e-9}
	for name, limit := range tolerance {
		a := scores(t, fitted(t, name, Config{Folds: fold}, train, w), test.x)
		b := scores(t, fitted(t, name, Config{Folds: keptFold}, kept, nil), test.x)
		near(t, name, a, b, limit)
	}
}

// Labels turned round turn the score round: no class is special.
func TestClassesAreSymmetric(t *testing.T) {
	train, test := small(5)
	turned := make([]int, len(train.y))
	fold := make([]int, len(train.y))
	for i, c := range train.y {
		turned[i], fold[i] = 1-c, i%5
	}
	for name, limit := range map[string]float64{"lr": 1e-9, "svm": 2e-3, "knn": 1e-15, "adaboost": 1e-9} {
		a := scores(t, fitted(t, name, Config{Folds: fold}, train, nil), test.x)
		b := scores(t, fitted(t, name, Config{Folds: fold}, labelled{train.x, turned, nil}, nil), test.x)
		for i := range b {
			b[i] = 1 - b[i]
		}
		near(t, name, a, b, limit)
	}
}

func ExampleNew() {
	x := mat.NewDense(6, 1, []float64{1, 2, 3, 11, 12, 13})
	m, err := New("lr", Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := m.Fit(x, []int{0, 0, 0, 1, 1, 1}, nil); err != nil {
		fmt.Println(err)
		return
	}
	p, err := m.Predict(mat.NewDense(2, 1, []float64{2, 12}))
	fmt.Printf("%.3f %v\n", p, err)
	// Output: [0.023 0.977] <nil>
}
