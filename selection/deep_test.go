package selection

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sonotype/internal/golden"
)

type deepCase struct {
	Name       string      `json:"name"`
	Max        int         `json:"max"`
	Repeat     []float64   `json:"repeat"`
	Kept       int         `json:"kept"`
	Components int         `json:"components"`
	Variance   []float64   `json:"variance"`
	Ratio      []float64   `json:"ratio"`
	Shown      []int       `json:"shown"`
	Score      [][]float64 `json:"score"`
	Loadings   [][]float64 `json:"loadings"`
}

func upTo(n int) []int {
	idx := make([]int, n)
	for i := range idx {
		idx[i] = i
	}
	return idx
}

func fitDeep(t *testing.T, x Rows, idx []int, w []float64, components, workers int) *Deep {
	t.Helper()
	c := DeepDefaults()
	c.Components, c.Workers = components, workers
	d, err := FitDeep(context.Background(), x, idx, w, c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDeepAgreesWithScikitLearn(t *testing.T) {
	var g struct {
		golden.Meta
		N, P, Train int
		Cases       []deepCase
	}
	golden.Load(t, "testdata/oracle/deep.json", &g)
	x := deepFeatures(g.N, g.P)
	for _, c := range g.Cases {
		t.Run(c.Name, func(t *testing.T) {
			d := fitDeep(t, x, upTo(g.Train), c.Repeat, c.Max, 2)
			if len(d.Columns) != c.Kept || len(d.SD) != c.Components {
				t.Fatalf("%d columns, %d components, want %d and %d", len(d.Columns), len(d.SD), c.Kept, c.Components)
			}
			for i, r := range d.ExplainedVarianceRatio() {
				if math.Abs(d.Variance[i]-c.Variance[i]) > 1e-11*c.Variance[0] || math.Abs(r-c.Ratio[i]) > 1e-11 {
					t.Fatalf("component %d: variance %v (%v), want %v (%v)", i, d.Variance[i], r, c.Variance[i], c.Ratio[i])
				}
			}
			scores := d.Transform(x, upTo(g.N), 2)
			for r, row := range c.Score {
				for s, want := range row {
					if got := scores.At(7*r, c.Shown[s]); math.Abs(got-want) > g.Tolerance {
						t.Errorf("row %d, component %d: score %v, want %v", 7*r, c.Shown[s], got, want)
					}
				}
			}
			for s, row := range c.Loadings {
				for j, want := range row {
					if got := d.Components[c.Shown[s]*c.Kept+97*j]; math.Abs(float64(got)-want) > 1e-8+1e-7*math.Abs(want) {
						t.Errorf("component %d, feature %d: loading %v, want %v", c.Shown[s], 97*j, got, want)
					}
				}
			}
		})
	}
}

// The slow twin: a thin SVD of the centred z-scores.
func TestDeepAgreesWithThinSVD(t *testing.T) {
	const n, p = 40, 700
	x := deepFeatures(n, p)
	d := fitDeep(t, x, upTo(n), nil, 30, 2)
	z := mat.NewDense(n, len(d.Columns), nil)
	for i := range n {
		for c, j := range d.Columns {
			z.Set(i, c, zScore(x.Row(i)[j], d.Mean[c], d.Scale[c], d.Clip)-d.Centre[c])
		}
	}
	var svd mat.SVD
	if !svd.Factorize(z, mat.SVDThin) {
		t.Fatal("the SVD failed")
	}
	var u mat.Dense
	svd.UTo(&u)
	scores := d.Transform(x, upTo(n), 1)
	for c := range 30 {
		s := svd.Values(nil)[c]
		if v := s * s / (n - 1); math.Abs(v-d.Variance[c]) > 1e-12*d.Variance[0] {
			t.Errorf("variance %d = %v, want %v", c, d.Variance[c], v)
		}
		sign := 1.0
		for i, big := 0, 0.0; i < n; i++ {
			if a := math.Abs(u.At(i, c)); a > big {
				big, sign = a, math.Copysign(1, u.At(i, c))
			}
		}
		for i := range n {
			want := sign * u.At(i, c) * math.Sqrt(n)
			if got := scores.At(i, c); math.Abs(got-want) > 1e-6 {
				t.Errorf("score (%d,%d) = %v, want %v", i, c, got, want)
			}
		}
	}
}

func TestDeepIsTheSameForAnyWorkersAndBatch(t *testing.T) {
	x := deepFeatures(70, 1300)
	one := fitDeep(t, x, upTo(60), nil, 256, 1)
	three := fitDeep(t, x, upTo(60), nil, 256, 3)
	a, b := one.Transform(x, upTo(70), 1), three.Transform(x, upTo(70), 5)
	if !mat.Equal(a, b) {
		t.Error("workers change the scores")
	}
	for _, i := range []int{0, 33, 69} {
		if !mat.Equal(one.Transform(x, []int{i}, 2), a.Slice(i, i+1, 0, len(one.SD))) {
			t.Errorf("row %d's scores depend on its batch", i)
		}
	}
}

func TestDeepRowOrderChangesOnlyRounding(t *testing.T) {
	x := deepFeatures(60, 500)
	reversed := make([]int, 60)
	for i := range reversed {
		reversed[i] = 59 - i
	}
	a := fitDeep(t, x, upTo(60), nil, 20, 2).Transform(x, upTo(60), 2)
	b := fitDeep(t, x, reversed, nil, 20, 2).Transform(x, upTo(60), 2)
	if !mat.EqualApprox(a, b, 1e-5) {
		t.Error("row order changes the scores")
	}
}

func TestDeepSavesAndLoadsTheSameScores(t *testing.T) {
	x := deepFeatures(50, 600)
	d := fitDeep(t, x, upTo(40), nil, 256, 2)
	dir := t.TempDir()
	if err := d.Save(dir); err != nil {
		t.Fatal(err)
	}
	back, err := LoadDeep(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !mat.Equal(d.Transform(x, upTo(50), 2), back.Transform(x, upTo(50), 2)) {
		t.Error("a loaded reduction gives other scores")
	}
	a, _ := json.Marshal(d)
	b, _ := json.Marshal(back)
	if !bytes.Equal(a, b) {
		t.Error("a loaded reduction differs")
	}
	for _, name := range []string{componentsNPY, columnsNPY, scalingNPY, deepJSON} {
		path := filepath.Join(dir, name)
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, cut := range []int{0, 5, 60, len(good) / 2, len(good) - 8} {
			if err := os.WriteFile(path, good[:cut], 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := LoadDeep(dir); err == nil {
				t.Errorf("%s cut to %d bytes was read without an error", name, cut)
			}
		}
		if err := os.WriteFile(path, good, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDeepRefusesBadInput(t *testing.T) {
	x := deepFeatures(10, 60)
	nan := deepFeatures(10, 60)
	nan.Row(4)[16] = float32(math.NaN())
	flat := &table32{n: 5, p: 4, data: make([]float32, 20)}
	for name, f := range map[string]func() (*Deep, error){
		"one row":     func() (*Deep, error) { return FitDeep(context.Background(), x, []int{1}, nil, DeepDefaults()) },
		"row outside": func() (*Deep, error) { return FitDeep(context.Background(), x, []int{1, 10}, nil, DeepDefaults()) },
		"NaN":         func() (*Deep, error) { return FitDeep(context.Background(), nan, upTo(10), nil, DeepDefaults()) },
		"weight 0": func() (*Deep, error) {
			return FitDeep(context.Background(), x, []int{1, 2}, []float64{1, 0}, DeepDefaults())
		},
		"few weights": func() (*Deep, error) {
			return FitDeep(context.Background(), x, []int{1, 2}, []float64{1}, DeepDefaults())
		},
		"nothing varies": func() (*Deep, error) { return FitDeep(context.Background(), flat, upTo(5), nil, DeepDefaults()) },
		"same row":       func() (*Deep, error) { return FitDeep(context.Background(), x, []int{1, 1, 1}, nil, DeepDefaults()) },
	} {
		if _, err := f(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := FitDeep(cancelled, x, upTo(10), nil, DeepDefaults()); err == nil {
		t.Error("cancelled: no error")
	}
	d := fitDeep(t, x, upTo(10), nil, 5, 1)
	if d.Check(flat) == nil {
		t.Error("a table of another width passes Check")
	}
	if s := d.Transform(flat, []int{0}, 1); !math.IsNaN(s.At(0, 0)) {
		t.Error("a table of another width gets a score")
	}
}

// Repeated rows leave fewer dimensions than n-1: components of pure rounding must not be kept.
func TestDeepKeepsOnlyTheRank(t *testing.T) {
	x := deepFeatures(20, 200)
	d := fitDeep(t, x, append(upTo(20), upTo(20)...), nil, 256, 2)
	if len(d.SD) != 19 {
		t.Errorf("%d components of 20 distinct rows, want 19", len(d.SD))
	}
}

func TestDeepReportsProgress(t *testing.T) {
	x := deepFeatures(20, 1100)
	c := DeepDefaults()
	last := 0
	c.Progress = func(done, total int) {
		if done < last || done > total {
			t.Errorf("progress went from %d to %d of %d", last, done, total)
		}
		last = done
	}
	if _, err := FitDeep(context.Background(), x, upTo(20), nil, c); err != nil {
		t.Fatal(err)
	}
	if last != 2200 {
		t.Errorf("progress ended at %d of 2200", last)
	}
}

// BenchmarkDeep is the published shape: 557 images, 81,536 features, 256 components. Target: 1.5 s on two cores.
func BenchmarkDeep(b *testing.B) {
	x := deepFeatures(557, 81536)
	b.Run("fit", func(b *testing.B) {
		for b.Loop() {
			if _, err := FitDeep(context.Background(), x, upTo(557), nil, DeepDefaults()); err != nil {
				b.Fatal(err)
			}
		}
	})
	d, err := FitDeep(context.Background(), x, upTo(557), nil, DeepDefaults())
	if err != nil {
		b.Fatal(err)
	}
	b.Run("transform", func(b *testing.B) {
		for b.Loop() {
			d.Transform(x, upTo(557), 0)
		}
	})
	b.Run("transform one row", func(b *testing.B) {
		for b.Loop() {
			d.Transform(x, []int{7}, 0)
		}
	})
}
