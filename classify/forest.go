package classify

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strconv"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/mat"

	"sonotype/internal/problem"
	"sonotype/internal/rng"
)

// forestTrees is scikit-learn's default n_estimators.
const forestTrees = 100

// forest is scikit-learn's RandomForestClassifier at its defaults: 100 unlimited Gini trees, each on a
// bootstrap sample and sqrt(p) features a node; the score is the mean share of class 1 in the leaves.
type forest struct {
	config Config
	p      int
	trees  []*tree
}

func newForest(c Config) *forest { return &forest{config: c} }

// Fit grows the trees. Each has its own random stream, so that the result does not depend on Workers.
func (f *forest) Fit(x *mat.Dense, y []int, w []float64) error {
	w, err := checkFit(x, y, w)
	if err != nil {
		return err
	}
	c, err := float32Columns(x)
	if err != nil {
		return err
	}
	workers := cmp.Or(max(f.config.Workers, 0), runtime.GOMAXPROCS(0))
	s := presort(c, workers)
	trees := make([]*tree, forestTrees)
	growers := make(chan *treeGrower, workers)
	for range workers {
		growers <- newTreeGrower(s, max(1, int(math.Sqrt(float64(c.p)))))
	}
	var g errgroup.Group
	g.SetLimit(workers)
	for k := range trees {
		g.Go(func() error {
			grower := <-growers
			grower.rand = rng.Stream(f.config.Seed, "rf", strconv.Itoa(k))
			trees[k] = grower.grow(classWeights(y, bootstrap(grower.rand, w)))
			growers <- grower
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	f.p, f.trees = c.p, trees
	return nil
}

// bootstrap returns w times how often each row was drawn in n draws with replacement.
// A draw that hits only rows of weight 0 is repeated: no tree can grow on it.
func bootstrap(r *rand.Rand, w []float64) []float64 {
	drawn := make([]float64, len(w))
	for sum := 0.0; sum == 0; {
		clear(drawn)
		for range w {
			i := r.IntN(len(w))
			drawn[i] += 1
			sum += w[i]
		}
	}
	for i := range drawn {
		drawn[i] *= w[i]
	}
	return drawn
}

// Predict returns the mean over the trees of the leaf's share of class 1.
func (f *forest) Predict(x *mat.Dense) ([]float64, error) {
	if err := checkPredict(x, f.p); err != nil {
		return nil, err
	}
	c, err := float32Columns(x)
	if err != nil {
		return nil, err
	}
	score := make([]float64, c.n)
	inBlocks(f.config.Workers, c.n, 64, func(lo, hi int) {
		for _, t := range f.trees {
			for i := lo; i < hi; i++ {
				score[i] += t.Value[t.leaf(c, i)]
			}
		}
		for i := lo; i < hi; i++ {
			score[i] /= float64(len(f.trees))
		}
	})
	return score, nil
}

// forestJSON is a fitted forest's file form.
type forestJSON struct {
	Features int     `json:"features"`
	Trees    []*tree `json:"trees"`
}

// MarshalJSON writes the trees node by node.
func (f *forest) MarshalJSON() ([]byte, error) {
	return json.Marshal(forestJSON{f.p, f.trees})
}

// UnmarshalJSON reads what MarshalJSON wrote and checks every node.
func (f *forest) UnmarshalJSON(b []byte) error {
	var in forestJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return &problem.Error{What: "cannot read the random forest", Err: err}
	}
	if in.Features < 0 || (in.Features > 0) != (len(in.Trees) > 0) {
		return &problem.Error{What: "damaged random forest", Found: fmt.Sprintf("%d trees for %d features", len(in.Trees), in.Features)}
	}
	for _, t := range in.Trees {
		if t == nil {
			return &problem.Error{What: "damaged random forest", Found: "a missing tree"}
		}
		if err := t.check(in.Features); err != nil {
			return err
		}
	}
	f.p, f.trees = in.Features, in.Trees
	return nil
}
