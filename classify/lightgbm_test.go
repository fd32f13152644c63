package classify

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sonotype/internal/golden"
)

// lightgbmGolden is what oracles/classify_trees_lightgbm.py writes.
type lightgbmGolden struct {
	golden.Meta
	First []struct {
		Table    string `json:"table"`
		Weighted bool   `json:"weighted"`
		Model    string `json:"model"` // after one round
		Trees    int    `json:"trees"` // after a hundred
		wholeModel
	} `json:"first"`
	Readable []struct {
		Kind  string    `json:"kind"`
		Model string    `json:"model"`
		Raw   []float64 `json:"raw"`
		Score []float64 `json:"score"`
	} `json:"readable"`
	Twenty []wholeModel `json:"twenty"`
}

// wholeModel is what a model of a hundred rounds makes of the test rows.
type wholeModel struct {
	AUC   float64   `json:"auc"`
	Score []float64 `json:"score"` // the first 20 rows
}

// check compares with the oracle. The scores are closer than the AUC needs: all hundred trees are LightGBM's here,
// which would break where another rounding of exp flips the choice between two nearly equal splits.
func (want wholeModel) check(t *testing.T, name string, m *lightGBM, test labelled) {
	t.Helper()
	score, err := m.Predict(test.x)
	if err != nil {
		t.Fatal(err)
	}
	if got := auc(score, test.y); math.Abs(got-want.AUC) > 0.005 {
		t.Errorf("%s: AUC %.4f, LightGBM %.4f", name, got, want.AUC)
	}
	if d := largestDifference(score[:len(want.Score)], want.Score); !(d <= 1e-9) {
		t.Errorf("%s: scores differ by %g", name, d)
	}
}

func loadLightGBM(t testing.TB) lightgbmGolden {
	var g lightgbmGolden
	golden.Load(t, "testdata/oracle/trees_lightgbm.json", &g)
	return g
}

func fitLightGBM(t testing.TB, l labelled, weighted bool) *lightGBM {
	t.Helper()
	m := newLightGBM(Config{Workers: 2})
	if err := m.Fit(l.x, l.y, l.weights(weighted)); err != nil {
		t.Fatal(err)
	}
	return m
}

// The model after one round is LightGBM's to the last character: header, ranges of the features, structure,
// thresholds, counts, weights and gains; leaf values may differ by the last digit of the start score's logarithm.
func TestLightGBMFirstTreeIsTheOracles(t *testing.T) {
	for _, c := range loadLightGBM(t).First {
		name := fmt.Sprintf("%s, weighted %t", c.Table, c.Weighted)
		train, test := treeTable(t, c.Table)
		m := fitLightGBM(t, train, c.Weighted)
		if len(m.booster.Trees) != c.Trees {
			t.Errorf("%s: %d trees, LightGBM has %d", name, len(m.booster.Trees), c.Trees)
		}
		c.check(t, name, m, test)
		first := *m.booster
		first.Trees = first.Trees[:1]
		var text bytes.Buffer
		if err := first.WriteText(&text); err != nil {
			t.Fatal(err)
		}
		got, want := strings.Split(strings.TrimSpace(text.String()), "\n"), strings.Split(strings.TrimSpace(c.Model), "\n")
		if len(got) != len(want) {
			t.Errorf("%s: %d lines, LightGBM has %d", name, len(got), len(want))
			continue
		}
		for k := range want {
			if !sameModelLine(got[k], want[k]) {
				t.Errorf("%s, line %d:\n got %.200s\nwant %.200s", name, k+1, got[k], want[k])
			}
		}
	}
}

func sameModelLine(got, want string) bool {
	key, values, _ := strings.Cut(want, "=")
	if key == "tree_sizes" {
		return strings.HasPrefix(got, "tree_sizes=") // the number of characters, and so of digits
	}
	if key != "leaf_value" {
		return got == want
	}
	g, w := strings.Fields(strings.TrimPrefix(got, "leaf_value=")), strings.Fields(values)
	if len(g) != len(w) {
		return false
	}
	for i := range w {
		a, errA := strconv.ParseFloat(g[i], 64)
		b, errB := strconv.ParseFloat(w[i], 64)
		if errA != nil || errB != nil || !(math.Abs(a-b) <= 1e-16) {
			return false
		}
	}
	return true
}

func TestLightGBMScoresOverTwentyTables(t *testing.T) {
	want := loadLightGBM(t).Twenty
	tables, cut := twentyTables()
	for k, r := range tables {
		all := r.generate()
		train, test := all.rows(func(i int) bool { return i < cut[k] }), all.rows(func(i int) bool { return i >= cut[k] })
		want[k].check(t, fmt.Sprintf("table %d (%d x %d)", k, r.n, r.p), fitLightGBM(t, train, false), test)
	}
}

// readableRows are the rows that the oracle scored with its model of the given kind.
func readableRows(t testing.TB, kind string) *mat.Dense {
	_, test := treeTable(t, "tied")
	x := mat.DenseCopyOf(test.x.Slice(0, 60, 0, 12))
	n, p := x.Dims()
	for i := range n {
		for j := range p {
			v := x.At(i, j)
			switch {
			case kind == "categorical" && j == 0:
				x.Set(i, j, math.Floor(math.Abs(v)*4+0.5))
			case (kind == "nan" || kind == "categorical") && math.Mod(math.Floor(math.Abs(v)*64), 7) == 1:
				x.Set(i, j, math.NaN())
			}
		}
	}
	return x
}

func TestReadBoosterScoresAsLightGBM(t *testing.T) {
	g := loadLightGBM(t)
	for _, c := range g.Readable {
		b, err := ReadBooster(strings.NewReader(c.Model))
		if err != nil {
			t.Fatalf("%s: %v", c.Kind, err)
		}
		x := readableRows(t, c.Kind)
		raw, err := b.Score(x)
		if err != nil {
			t.Fatal(err)
		}
		score, err := b.Predict(x)
		if err != nil {
			t.Fatal(err)
		}
		if d := max(largestDifference(raw, c.Raw), largestDifference(score, c.Score)); !(d <= g.Tolerance) {
			t.Errorf("%s: scores differ by %g", c.Kind, d)
		}
		var text bytes.Buffer
		if err := b.WriteText(&text); err != nil {
			t.Fatal(err)
		}
		if want, _, _ := strings.Cut(c.Model, "\nparameters:"); strings.TrimSpace(text.String()) != strings.TrimSpace(want) {
			t.Errorf("%s: the model written again is not the one read", c.Kind)
		}
	}
}

// The real LightGBM loads our file and scores the same.
func TestLightGBMReadsOurModel(t *testing.T) {
	python := os.Getenv("SONOTYPE_ORACLE_PYTHON")
	if python == "" {
		t.Skip("SONOTYPE_ORACLE_PYTHON is not set: it names a Python with lightgbm")
	}
	if out, err := exec.Command(python, "-c", "import lightgbm").CombinedOutput(); err != nil {
		t.Skipf("%s has no lightgbm: %s", python, out)
	}
	for _, name := range []string{"breast_cancer", "wide", "tied"} {
		train, test := treeTable(t, name)
		b := fitLightGBM(t, train, true).Booster()
		ours, err := b.Score(test.x)
		if err != nil {
			t.Fatal(err)
		}
		theirs := realScores(t, python, b, test.x)
		if len(theirs) != len(ours) || !(largestDifference(ours, theirs) <= 1e-12) {
			t.Errorf("%s: %d scores for %d rows, or they differ by more than 1e-12", name, len(theirs), len(ours))
		}
	}
}

// realScores are the raw scores that the real LightGBM gives x with the model b.
func realScores(t *testing.T, python string, b *Booster, x *mat.Dense) []float64 {
	t.Helper()
	dir := t.TempDir()
	var text, table bytes.Buffer
	if err := b.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	n, _ := x.Dims()
	for i := range n {
		table.WriteString(join(x.RawRowView(i), exact))
		table.WriteByte('\n')
	}
	model, rows := filepath.Join(dir, "model.txt"), filepath.Join(dir, "rows.txt")
	if err := os.WriteFile(model, text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(rows, table.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(python, "../oracles/classify_trees_lightgbm_roundtrip.py", model, rows).Output()
	if err != nil {
		t.Fatal(err)
	}
	var scores []float64
	for _, line := range strings.Fields(string(out)) {
		v, err := strconv.ParseFloat(line, 64)
		if err != nil {
			t.Fatal(err)
		}
		scores = append(scores, v)
	}
	return scores
}

// Too few rows for a split, or nothing to split on: the score is the weighted share of class 1.
func TestLightGBMWithoutSplits(t *testing.T) {
	few := recipe{seed: 1, n: 30, p: 3, informative: 1, noise: 1}.generate()
	flat := recipe{seed: 2, n: 90, p: 2, informative: 1, noise: 1}.generate()
	for i := range 90 {
		flat.x.Set(i, 0, 7)
		flat.x.Set(i, 1, 0)
	}
	for _, l := range []labelled{few, flat} {
		score, err := fitLightGBM(t, l, true).Predict(l.x)
		if err != nil {
			t.Fatal(err)
		}
		var total classWeight
		for _, c := range classWeights(l.y, l.w) {
			total = total.plus(c)
		}
		if want := total.pos / total.sum(); !(math.Abs(score[0]-want) < 1e-7) {
			t.Errorf("score %v, want %v", score[0], want)
		}
	}
}
