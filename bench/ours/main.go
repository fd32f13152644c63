// Command ours does the work that bench/peer_select.py describes, with the packages of stages 05 to 07,
// and prints the seconds it took as JSON. It reads bench/out/inputs, made by peer_select.py make.
package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/mat"

	"sonotype/classify"
	"sonotype/evaluate"
	"sonotype/features"
	"sonotype/selection"
)

const region, folds, lassoFolds = 256, 5, 10

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: ours select|pca FOLDER")
		os.Exit(2)
	}
	run := map[string]func(string) (float64, error){"select": selectAll, "pca": pca}[os.Args[1]]
	seconds, err := run(os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{"metrics": map[string]float64{os.Args[1]: seconds}})
}

// pca times the exact PCA of 557 x 81,536 to 256 components, z-score included.
func pca(dir string) (float64, error) {
	m, err := features.Open(filepath.Join(dir, "pca.npy"))
	if err != nil {
		return 0, err
	}
	defer m.Close()
	n, _ := m.Dims()
	start := time.Now()
	if _, err := selection.FitDeep(context.Background(), m, all(n), nil, selection.DeepDefaults()); err != nil {
		return 0, err
	}
	return time.Since(start).Seconds(), nil
}

// columns views a range of columns of a feature file as a table of its own.
type columns struct {
	*features.Matrix
	from, to int
}

func (c columns) Dims() (n, p int)    { n, _ = c.Matrix.Dims(); return n, c.to - c.from }
func (c columns) Row(i int) []float32 { return c.Matrix.Row(i)[c.from:c.to] }

type job struct {
	x       *features.Matrix
	y, fold []int
	scores  map[string][]float64 // out-of-fold, by features/model
}

func selectAll(dir string) (float64, error) {
	m, err := features.Open(filepath.Join(dir, "select.npy"))
	if err != nil {
		return 0, err
	}
	defer m.Close()
	j := &job{x: m, scores: map[string][]float64{}}
	if j.y, j.fold, err = readLabels(filepath.Join(dir, "labels.csv")); err != nil {
		return 0, err
	}
	start := time.Now()
	for k := -1; k < folds; k++ {
		if err := j.fit(k); err != nil {
			return 0, err
		}
	}
	for _, s := range j.scores {
		if err := j.measure(s); err != nil {
			return 0, err
		}
	}
	return time.Since(start).Seconds(), nil
}

// fit does one of the six fits: selection and six models on three feature sets; fold k is scored (-1: nobody).
func (j *job) fit(k int) error {
	var rows []int
	for i, f := range j.fold {
		if f != k {
			rows = append(rows, i)
		}
	}
	sets := map[string]*mat.Dense{}
	for i, name := range []string{"ta", "pta"} {
		view := columns{j.x, i * region, (i + 1) * region}
		d, err := selection.FitDeep(context.Background(), view, rows, nil, selection.DeepDefaults())
		if err != nil {
			return err
		}
		sets[name] = d.Transform(view, all(len(j.y)), 0)
	}
	var both mat.Dense
	both.Augment(sets["ta"], sets["pta"])
	sets["fusion"] = &both
	for _, name := range []string{"ta", "pta", "fusion"} {
		if err := j.models(name, sets[name], rows, k); err != nil {
			return err
		}
	}
	return nil
}

func (j *job) models(name string, x *mat.Dense, rows []int, k int) error {
	y, yf, inner := make([]int, len(rows)), make([]float64, len(rows)), make([]int, len(rows))
	seen := [2]int{}
	for r, i := range rows {
		y[r], yf[r] = j.y[i], float64(j.y[i])
		inner[r] = seen[y[r]] % lassoFolds
		seen[y[r]]++
	}
	train := choose(x, rows, nil)
	apart := selection.Spearman(train, 0.9, 0)
	lasso, err := selection.FitLasso(choose(train, nil, apart), yf, nil, inner, selection.LassoConfig{})
	if err != nil {
		return err
	}
	kept := make([]int, len(lasso.Kept))
	for i, c := range lasso.Kept {
		kept[i] = apart[c]
	}
	train, whole := choose(train, nil, kept), choose(x, nil, kept)
	models := make([]classify.Model, len(classify.Names))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, model := range classify.Names {
		g.Go(func() (err error) {
			if models[i], err = classify.New(model, classify.Config{Seed: 1, Workers: 1}); err != nil {
				return err
			}
			return models[i].Fit(train, y, nil)
		})
	}
	if err := g.Wait(); err != nil || k < 0 {
		return err
	}
	for i, model := range classify.Names {
		p, err := models[i].Predict(whole)
		if err != nil {
			return err
		}
		key := name + "/" + model
		if j.scores[key] == nil {
			j.scores[key] = make([]float64, len(j.y))
		}
		for i, f := range j.fold {
			if f == k {
				j.scores[key][i] = p[i]
			}
		}
	}
	return nil
}

// measure computes the statistics of one model's out-of-fold scores.
func (j *job) measure(s []float64) error {
	cut, err := evaluate.Youden(s, j.y)
	if err != nil {
		return err
	}
	if _, err := evaluate.Measure(s, j.y, float64(cut.Threshold)); err != nil {
		return err
	}
	if _, err := evaluate.Calibrate(s, j.y); err != nil {
		return err
	}
	if _, err := evaluate.Decision(s, j.y, nil); err != nil {
		return err
	}
	_, err = evaluate.Distribute(s, j.y)
	return err
}

func all(n int) []int {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	return rows
}

// choose copies rows and columns of x; nil means all.
func choose(x *mat.Dense, rows, cols []int) *mat.Dense {
	n, p := x.Dims()
	if rows == nil {
		rows = all(n)
	}
	if cols == nil {
		cols = all(p)
	}
	out := mat.NewDense(len(rows), len(cols), nil)
	for i, r := range rows {
		for k, c := range cols {
			out.Set(i, k, x.At(r, c))
		}
	}
	return out
}

// readLabels reads label and fold of each patient.
func readLabels(path string) (y, fold []int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, nil, err
	}
	for _, r := range rows[1:] {
		a, err := strconv.Atoi(r[0])
		if err != nil {
			return nil, nil, err
		}
		b, err := strconv.Atoi(r[1])
		if err != nil {
			return nil, nil, err
		}
		y, fold = append(y, a), append(fold, b)
	}
	return y, fold, nil
}
