package harmonise

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"sonotype/internal/golden"
	"sonotype/internal/problem"
)

type rows [][]float32

func (r rows) Dims() (n, p int)    { return len(r), len(r[0]) }
func (r rows) Row(i int) []float32 { return r[i] }

type combatGolden struct {
	golden.Meta
	X        rows        `json:"x"`
	Batch    []int       `json:"batch"`
	Features []bool      `json:"adjusted_features"`
	Alpha    []float64   `json:"alpha"`
	Sigma    []float64   `json:"sigma"`
	Gamma    [][]float64 `json:"gamma"`
	Delta    [][]float64 `json:"delta"`
	Adjusted [][]float64 `json:"adjusted"`
}

var names = []string{"A", "B", "C"}

func (g combatGolden) fit(t *testing.T, workers int) *Combat {
	t.Helper()
	golden.Load(t, "testdata/oracle/combat.json", &g)
	idx, batch := make([]int, len(g.X)), make([]string, len(g.X))
	for i, b := range g.Batch {
		idx[i], batch[i] = i, names[b]
	}
	c, err := Fit(context.Background(), g.X, idx, batch, "centre", workers)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCombatAgreesWithThePublishedFormulas(t *testing.T) {
	var g combatGolden
	golden.Load(t, "testdata/oracle/combat.json", &g)
	c := g.fit(t, 1)
	near := func(what string, got, want float64) {
		if !(math.Abs(got-want) <= g.Tolerance*(1+math.Abs(want))) {
			t.Errorf("%s: %.12g, want %.12g", what, got, want)
		}
	}
	k := 0
	for j, ok := range g.Features {
		if !ok {
			if c.Scale[j] != 0 {
				t.Errorf("feature %d is adjusted", j)
			}
			continue
		}
		near("mean", c.Mean[j], g.Alpha[k])
		near("scale", c.Scale[j], g.Sigma[k])
		for b := range names {
			near("gamma", c.Gamma[b][j], g.Gamma[b][k])
			near("delta", c.Delta[b][j], g.Delta[b][k])
		}
		k++
	}
	if c.Left != len(g.Features)-k {
		t.Errorf("%d features left as they are, want %d", c.Left, len(g.Features)-k)
	}
	g.adjustedAgree(t, c, g.Adjusted, 2e-6)
}

func TestCombatAgreesWithSVA(t *testing.T) {
	var g combatGolden
	golden.Load(t, "testdata/oracle/combat.json", &g)
	var sva struct {
		golden.Meta
		Adjusted [][]float64 `json:"adjusted"`
	}
	golden.Load(t, "testdata/oracle/sva.json", &sva)
	g.adjustedAgree(t, g.fit(t, 2), sva.Adjusted, sva.Tolerance)
}

func (g combatGolden) adjustedAgree(t *testing.T, c *Combat, want [][]float64, tolerance float64) {
	t.Helper()
	dst := make([]float32, c.Features)
	worst := 0.0
	for i, row := range g.X {
		if err := c.Apply(row, names[g.Batch[i]], dst); err != nil {
			t.Fatal(err)
		}
		for j, v := range dst {
			worst = max(worst, math.Abs(float64(v)-want[i][j])/(1+math.Abs(want[i][j])))
		}
	}
	if !(worst <= tolerance) {
		t.Errorf("adjusted values differ by up to %.3g, allowed %.3g", worst, tolerance)
	}
}

func TestCombatIsTheSameForAnyWorkersAndNeedsNoTestImages(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	const n, p = 20, 2*panel + 7
	x := make(rows, n+1)
	batch := make([]string, n)
	idx := make([]int, n)
	for i := range x {
		x[i] = make([]float32, p)
		for j := range x[i] {
			x[i][j] = float32(r.NormFloat64() + float64(i%2))
		}
		if i < n {
			idx[i], batch[i] = i, names[i%2]
		}
	}
	a, err := Fit(context.Background(), x, idx, batch, "device", 1)
	if err != nil {
		t.Fatal(err)
	}
	for j := range x[n] {
		x[n][j] = 1e6 // not a training image
	}
	b, err := Fit(context.Background(), x, idx, batch, "device", 3)
	if err != nil {
		t.Fatal(err)
	}
	for j := range p {
		if a.Gamma[1][j] != b.Gamma[1][j] || a.Delta[0][j] != b.Delta[0][j] || a.Mean[j] != b.Mean[j] {
			t.Fatalf("feature %d differs", j)
		}
	}
}

// After harmonisation the batches' means lie closer together, and the mean over all training images stays.
func TestCombatTakesShiftsAway(t *testing.T) {
	var g combatGolden
	golden.Load(t, "testdata/oracle/combat.json", &g)
	c := g.fit(t, 1)
	before, after := g.spread(t, c)
	if after > before/4 {
		t.Errorf("the centres' means spread by %.3g before and %.3g after", before, after)
	}
}

// spread is the mean distance of the centres' means from the overall mean, in pooled standard deviations.
func (g combatGolden) spread(t *testing.T, c *Combat) (before, after float64) {
	count := [3]float64{}
	sums := [2][3][]float64{}
	for i := range sums {
		for b := range names {
			sums[i][b] = make([]float64, c.Features)
		}
	}
	dst := make([]float32, c.Features)
	for i, row := range g.X {
		b := g.Batch[i]
		count[b]++
		if err := c.Apply(row, names[b], dst); err != nil {
			t.Fatal(err)
		}
		for j := range row {
			sums[0][b][j] += float64(row[j])
			sums[1][b][j] += float64(dst[j])
		}
	}
	out := [2]float64{}
	for i := range sums {
		for b := range names {
			for j, s := range c.Scale {
				if s > 0 {
					out[i] += math.Abs(sums[i][b][j]/count[b]-c.Mean[j]) / s
				}
			}
		}
	}
	return out[0], out[1]
}

func TestCombatRefuses(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	x := make(rows, 6)
	for i := range x {
		x[i] = []float32{r.Float32(), r.Float32(), r.Float32()}
	}
	idx := []int{0, 1, 2, 3, 4, 5}
	for what, batch := range map[string][]string{
		"one centre": {"A", "A", "A", "A", "A", "A"}, "a single image": {"A", "A", "A", "B", "B", "C"}, "fewer batches than images": {"A", "B"},
	} {
		_, err := Fit(context.Background(), x, idx, batch, "centre", 1)
		if _, ok := problem.As(err); !ok {
			t.Errorf("%s: %v", what, err)
		}
	}
	c, err := Fit(context.Background(), x, idx, []string{"A", "B", "A", "B", "A", "B"}, "centre", 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Apply(x[0], "C", make([]float32, 3)); err == nil {
		t.Error("an unknown centre is harmonised")
	}
	if err := c.Apply(x[0], "A", make([]float32, 2)); err == nil {
		t.Error("a row of another width is harmonised")
	}
	if _, err := Fit(context.Background(), x, []int{0, 9}, []string{"A", "B"}, "centre", 1); err == nil {
		t.Error("a row outside the table")
	}
}

func TestCombatSavesAndLoadsTheSameValues(t *testing.T) {
	var g combatGolden
	golden.Load(t, "testdata/oracle/combat.json", &g)
	c, dir := g.fit(t, 1), t.TempDir()
	if err := c.Save(dir); err != nil {
		t.Fatal(err)
	}
	back, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(c, back) {
		t.Error("the loaded harmonisation differs")
	}
	for name, text := range map[string]string{"combat.json": `{"version":1,"features":7,"batches":["A","B"],"images":[2,2]}`, "combat.npy": "\x93NUMPY"} {
		good, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(dir); err == nil {
			t.Errorf("a damaged %s is read", name)
		}
		if err := os.WriteFile(filepath.Join(dir, name), good, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c.Delta[1][0] = 0
	if err := c.Save(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); err == nil {
		t.Error("a scale of 0, by which Apply would divide, is read")
	}
	c = g.fit(t, 1)
	slices.Reverse(c.Batches)
	if err := c.Save(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); err == nil {
		t.Error("centres out of order, of which Apply would miss some, are read")
	}
}
