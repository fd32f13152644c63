package classify

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sonotype/internal/golden"
)

// sklearnGolden is what oracles/classify_trees_sklearn.py writes.
type sklearnGolden struct {
	golden.Meta
	Trees []struct {
		Table    string `json:"table"`
		Weighted bool   `json:"weighted"`
		Nodes    []struct {
			Path      string  `json:"path"` // "LR" is the right child of the root's left child
			Feature   int32   `json:"feature"`
			Threshold float64 `json:"threshold"`
			Value     float64 `json:"value"`
		} `json:"nodes"`
	} `json:"trees"`
	AdaBoost []struct {
		Table    string    `json:"table"`
		Weighted bool      `json:"weighted"`
		Score    []float64 `json:"score"`
	} `json:"adaboost"`
	Forests []struct {
		Table string  `json:"table"`
		Mean  float64 `json:"mean"`
		SD    float64 `json:"sd"`
		Min   float64 `json:"min"`
		Max   float64 `json:"max"`
	} `json:"forests"`
}

func loadSklearn(t testing.TB) sklearnGolden {
	var g sklearnGolden
	golden.Load(t, "testdata/oracle/trees_sklearn.json", &g)
	return g
}

// growTree grows one tree with all features at every node.
func growTree(t testing.TB, l labelled, weighted bool) (*tree, *columns) {
	t.Helper()
	w, err := checkFit(l.x, l.y, l.weights(weighted))
	if err != nil {
		t.Fatal(err)
	}
	c, err := float32Columns(l.x)
	if err != nil {
		t.Fatal(err)
	}
	return newTreeGrower(presort(c, 1), c.p).grow(classWeights(l.y, w)), c
}

// One tree with all features is scikit-learn's wherever that does not depend on its seed.
func TestTreeIsTheOracles(t *testing.T) {
	g := loadSklearn(t)
	for _, c := range g.Trees {
		train, _ := treeTable(t, c.Table)
		tr, _ := growTree(t, train, c.Weighted)
		for _, want := range c.Nodes {
			k := int32(0)
			for _, side := range want.Path {
				if side == 'L' {
					k = tr.Left[k]
				} else {
					k = tr.Right[k]
				}
			}
			if tr.Feature[k] != want.Feature || tr.Threshold[k] != want.Threshold || !(math.Abs(tr.Value[k]-want.Value) <= g.Tolerance) {
				t.Errorf("%s, weighted %t, node %q: feature %d at %v, value %v; scikit-learn %d at %v, value %v", c.Table, c.Weighted,
					want.Path, tr.Feature[k], tr.Threshold[k], tr.Value[k], want.Feature, want.Threshold, want.Value)
			}
		}
	}
}

// bruteSplit is the obvious twin of the split search: every cut of every feature, weighed from scratch.
func bruteSplit(c *columns, cw []classWeight, rows []int32) (best float64) {
	best = math.Inf(-1)
	for j := range c.p {
		column := c.v[j*c.n : (j+1)*c.n]
		for _, cut := range rows {
			var l, r classWeight
			separated := false
			for _, i := range rows {
				if column[i] <= column[cut] {
					l = l.plus(cw[i])
				} else {
					r = r.plus(cw[i])
					separated = true
				}
			}
			if separated {
				best = max(best, -l.sum()*gini(l, l.sum())-r.sum()*gini(r, r.sum()))
			}
		}
	}
	return best
}

// Every split of a grown tree is as good as the best of the twin, and its thresholds separate the rows as it says.
func TestTreeSplitsAreOptimal(t *testing.T) {
	for seed := range uint64(6) {
		l := recipe{seed: 50 + seed, n: 60, p: 5, informative: 2, noise: 0.8, cut: 0.2, grid: float64(seed%3) * 3, zeroShare: 0.2}.generate()
		tr, c := growTree(t, l, seed%2 == 1)
		cw := classWeights(l.y, l.w)
		if seed%2 == 0 {
			cw = classWeights(l.y, slices.Repeat([]float64{1}, len(l.y)))
		}
		all := make([]int32, c.n)
		for i := range all {
			all[i] = int32(i)
		}
		checkSplits(t, tr, 0, c, cw, all)
	}
}

func checkSplits(t *testing.T, tr *tree, k int32, c *columns, cw []classWeight, rows []int32) {
	t.Helper()
	node := newSplitSearch(cw, rows)
	if got, want := tr.Value[k], node.total.pos/node.sum; math.Abs(got-want) > 1e-12 {
		t.Errorf("node %d: value %v, want %v", k, got, want)
	}
	best := bruteSplit(c, cw, rows)
	if tr.Feature[k] < 0 {
		if gini(node.total, node.sum) > 1e-12 && !math.IsInf(best, -1) {
			t.Errorf("node %d of %d rows is a leaf, but can be split", k, len(rows))
		}
		return
	}
	var left, right []int32
	for _, i := range rows {
		if float64(c.v[int(tr.Feature[k])*c.n+int(i)]) <= tr.Threshold[k] {
			left = append(left, i)
		} else {
			right = append(right, i)
		}
	}
	l, r := newSplitSearch(cw, left), newSplitSearch(cw, right)
	if got := -l.sum*gini(l.total, l.sum) - r.sum*gini(r.total, r.sum); !(math.Abs(got-best) <= 1e-9) {
		t.Errorf("node %d: split of worth %v, the best is %v", k, got, best)
	}
	checkSplits(t, tr, tr.Left[k], c, cw, left)
	checkSplits(t, tr, tr.Right[k], c, cw, right)
}

// A forest's AUC lies in the distribution of scikit-learn's over its seeds.
func TestForestAUCIsTheOracles(t *testing.T) {
	const seeds = 10
	for _, c := range loadSklearn(t).Forests {
		train, test := treeTable(t, c.Table)
		mean := 0.0
		for seed := range uint64(seeds) {
			m := newForest(Config{Seed: seed, Workers: 2})
			if err := m.Fit(train.x, train.y, nil); err != nil {
				t.Fatal(err)
			}
			score, err := m.Predict(test.x)
			if err != nil {
				t.Fatal(err)
			}
			a := auc(score, test.y)
			mean += a / seeds
			if math.Abs(a-c.Mean) > 4*c.SD {
				t.Errorf("%s, seed %d: AUC %.4f, scikit-learn %.4f (SD %.4f)", c.Table, seed, a, c.Mean, c.SD)
			}
		}
		if limit := 3 * c.SD * math.Sqrt(1.0/seeds+1.0/30); math.Abs(mean-c.Mean) > limit {
			t.Errorf("%s: mean AUC %.5f, scikit-learn %.5f, more than %.5f apart", c.Table, mean, c.Mean, limit)
		}
	}
}

func TestAdaBoostScoresAreTheOracles(t *testing.T) {
	g := loadSklearn(t)
	for _, c := range g.AdaBoost {
		train, test := treeTable(t, c.Table)
		m := newAdaBoost(Config{Workers: 2})
		if err := m.Fit(train.x, train.y, train.weights(c.Weighted)); err != nil {
			t.Fatal(err)
		}
		score, err := m.Predict(test.x)
		if err != nil {
			t.Fatal(err)
		}
		if d := largestDifference(score, c.Score); !(d <= g.Tolerance) {
			t.Errorf("%s, weighted %t: scores differ by %g", c.Table, c.Weighted, d)
		}
	}
}

// A separable feature ends boosting at once with one stump of weight 1, as in scikit-learn.
func TestAdaBoostStopsAtAPerfectStump(t *testing.T) {
	x := mat.NewDense(4, 2, []float64{1, 0, 2, 0, 3, 1, 4, 0})
	m := newAdaBoost(Config{})
	if err := m.Fit(x, []int{0, 0, 1, 1}, nil); err != nil {
		t.Fatal(err)
	}
	if len(m.stumps) != 1 || m.stumps[0] != (stump{Feature: 0, Threshold: 2.5, Low: 0, High: 1, Weight: 1}) {
		t.Errorf("stumps %+v", m.stumps)
	}
}

func TestAdaBoostRefusesChance(t *testing.T) {
	x := mat.NewDense(4, 1, []float64{7, 7, 7, 7})
	if err := newAdaBoost(Config{}).Fit(x, []int{0, 1, 0, 1}, nil); err == nil {
		t.Error("a constant column with equal classes was fitted")
	}
}

// Worker counts and files change nothing, weights do.
func TestTreeModelsAreReproducible(t *testing.T) {
	train, test := treeTable(t, "wide") // large enough for the split search to run in parallel
	for _, name := range []string{"rf", "lightgbm", "adaboost"} {
		fit := func(workers int, w []float64) (Model, []float64) {
			m, err := New(name, Config{Seed: 3, Workers: workers})
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Fit(train.x, train.y, w); err != nil {
				t.Fatal(err)
			}
			score, err := m.Predict(test.x)
			if err != nil {
				t.Fatal(err)
			}
			return m, score
		}
		m, want := fit(1, train.w)
		for _, workers := range []int{0, 2, 5} {
			if _, got := fit(workers, train.w); !slices.Equal(got, want) {
				t.Errorf("%s: %d workers change the scores", name, workers)
			}
		}
		if _, got := fit(1, nil); slices.Equal(got, want) {
			t.Errorf("%s: weights change nothing", name)
		}
		file, err := m.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		back, _ := New(name, Config{})
		if err := back.UnmarshalJSON(file); err != nil {
			t.Fatal(err)
		}
		if got, err := back.Predict(test.x); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: scores change through a file (%v)", name, err)
		}
	}
}

// Rows of weight 0 count for nothing, and constant columns are never split on.
func TestTreesIgnoreWeightlessRowsAndConstants(t *testing.T) {
	train, _ := treeTable(t, "narrow")
	n, p := train.x.Dims()
	wide := mat.NewDense(n+40, p+2, nil)
	y, w := slices.Clone(train.y), slices.Repeat([]float64{1}, n)
	for i := range n + 40 {
		wide.Set(i, p, 5)
		if i < n {
			copy(wide.RawRowView(i), train.x.RawRowView(i))
		} else {
			wide.Set(i, 0, float64(i))
			y, w = append(y, i%2), append(w, 0)
		}
	}
	var stumps [2]string
	for k, l := range []labelled{{train.x, train.y, nil}, {wide, y, w}} {
		a := newAdaBoost(Config{})
		if err := a.Fit(l.x, l.y, l.w); err != nil {
			t.Fatal(err)
		}
		stumps[k] = fmt.Sprint(a.stumps)
	}
	if stumps[0] != stumps[1] {
		t.Errorf("AdaBoost: %.200s\n and %.200s", stumps[0], stumps[1])
	}
	with, _ := growTree(t, labelled{wide, y, w}, true)
	without, _ := growTree(t, labelled{train.x, train.y, nil}, false)
	if fmt.Sprint(with) != fmt.Sprint(without) {
		t.Error("the tree changes")
	}
}

func TestDamagedTreeModelsAreRefused(t *testing.T) {
	for name, files := range map[string][]string{
		"rf": {`{`, `{"features":1,"trees":[null]}`, `{"features":0,"trees":[{}]}`, `{"features":2,"trees":[]}`,
			`{"features":1,"trees":[{"feature":[0],"threshold":[0],"left":[0],"right":[0],"value":[0]}]}`,
			`{"features":1,"trees":[{"feature":[1,-1,-1],"threshold":[0,0,0],"left":[1,0,0],"right":[2,0,0],"value":[0,0,0]}]}`},
		"adaboost": {`[]`, `{"features":1,"stumps":[{"feature":1,"weight":1}]}`, `{"features":1,"stumps":[{"feature":0,"low":2,"weight":1}]}`,
			`{"features":1,"stumps":[{"feature":0}]}`, `{"features":-1}`},
		"lightgbm": {`7`, `{"lightgbm_text":"tree"}`},
	} {
		for _, file := range files {
			m, err := New(name, Config{})
			if err != nil {
				t.Fatal(err)
			}
			if err := m.UnmarshalJSON([]byte(file)); err == nil {
				t.Errorf("%s read %s", name, file)
			}
		}
	}
}

// FuzzTreeModelFile: any file gives an error or a model that predicts without a panic.
func FuzzTreeModelFile(f *testing.F) {
	x := mat.NewDense(20, 2, nil)
	y := make([]int, 20)
	for i := range y {
		x.Set(i, 0, float64(i%7))
		x.Set(i, 1, float64(i*i%11))
		y[i] = i % 2
	}
	names := []string{"rf", "adaboost", "lightgbm"}
	for k, name := range names {
		m, err := New(name, Config{})
		if err != nil {
			f.Fatal(err)
		}
		if err := m.Fit(x, y, nil); err != nil {
			f.Fatal(err)
		}
		if rf, ok := m.(*forest); ok {
			rf.trees = rf.trees[:2]
		}
		file, err := m.MarshalJSON()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(k, file)
	}
	f.Fuzz(func(t *testing.T, k int, file []byte) {
		m, err := New(names[uint(k)%3], Config{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		if m.UnmarshalJSON(file) == nil {
			_, _ = m.Predict(x) // the features may differ in number
		}
	})
}

func TestLightGBMRefusesWeightsBeyondFloat32(t *testing.T) {
	train, _ := treeTable(t, "narrow")
	for _, w := range []float64{1e-60, 1e60} {
		if err := newLightGBM(Config{}).Fit(train.x, train.y, slices.Repeat([]float64{w}, len(train.y))); err == nil {
			t.Errorf("weights of %g were accepted", w)
		}
	}
}
