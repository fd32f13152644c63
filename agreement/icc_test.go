package agreement

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"sonotype/internal/golden"
)

type iccGolden struct {
	golden.Meta
	Sets []struct {
		Name    string      `json:"name"`
		X       [][]float64 `json:"x"`
		ICC     float64     `json:"icc"`
		AOV     float64     `json:"aov"`
		Lo      float64     `json:"lo"`
		Hi      float64     `json:"hi"`
		Squares []float64   `json:"mean_squares"`
	} `json:"sets"`
}

func TestICCAgreesWithPsychAndANOVA(t *testing.T) {
	var g iccGolden
	golden.Load(t, "testdata/oracle/icc.json", &g)
	for _, set := range g.Sets {
		got, err := Readings(set.X)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			what      string
			got, want float64
		}{{"ICC", float64(got.ICC), set.ICC}, {"ANOVA's ICC", float64(got.ICC), set.AOV}, {"lower end", float64(got.Lo), set.Lo}, {"upper end", float64(got.Hi), set.Hi}} {
			if !(math.Abs(c.got-c.want) <= g.Tolerance) {
				t.Errorf("%s: %s %.12g, want %.12g", set.Name, c.what, c.got, c.want)
			}
		}
	}
}

// columns is a table of one feature a column, a row an outline.
type columns [][]float32

func (c columns) Dims() (n, p int)    { return len(c), len(c[0]) }
func (c columns) Row(i int) []float32 { return c[i] }

func TestFeaturesIsReadingsOfEveryColumn(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	const cases, readers, p = 7, 3, 2*panel + 5
	var table columns
	rows := make([][]int, cases)
	for _, i := range r.Perm(cases) {
		for range readers {
			rows[i] = append(rows[i], len(table))
			row := make([]float32, p)
			for j := range row {
				row[j] = float32(i)*float32(j%5) + float32(r.NormFloat64())
			}
			row[17] = 4
			table = append(table, row)
		}
	}
	got, err := Features(context.Background(), table, rows, 2)
	if err != nil {
		t.Fatal(err)
	}
	for j, v := range got {
		x := make([][]float64, cases)
		for i, of := range rows {
			for _, k := range of {
				x[i] = append(x[i], float64(table[k][j]))
			}
		}
		want, err := Readings(x)
		if err != nil {
			t.Fatal(err)
		}
		if same := math.Abs(v-float64(want.ICC)) <= 1e-12 || math.IsNaN(v) && want.ICC.IsNaN(); !same {
			t.Fatalf("feature %d: %v, want %v", j, v, want.ICC)
		}
	}
	if !math.IsNaN(got[17]) {
		t.Errorf("a constant feature has ICC %v", got[17])
	}
	s := Summarise(got)
	counted := 0
	for _, b := range s.Histogram {
		counted += b.N
	}
	if banded := s.Bands[0] + s.Bands[1] + s.Bands[2] + s.Bands[3]; s.Undefined != 1 || s.Features != p-1 || counted != p-1 || banded != p-1 {
		t.Errorf("the summary counts %d, %d, %d, %d of %d features", s.Undefined, s.Features, counted, banded, p)
	}
}

// ICC(2,1) does not change with the unit and origin of the measurement or the order of readers and cases; a shift of
// one reader lowers it, which is what absolute agreement means; readers who agree give 1.
func TestICCProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	x := make([][]float64, 20)
	for i := range x {
		v := 3 * r.NormFloat64()
		x[i] = []float64{v + r.NormFloat64(), v + r.NormFloat64(), v + r.NormFloat64()}
	}
	change := func(f func(i, j int) float64) float64 {
		y := make([][]float64, len(x))
		for i := range x {
			for j := range x[i] {
				y[i] = append(y[i], f(i, j))
			}
		}
		got, err := Readings(y)
		if err != nil {
			t.Fatal(err)
		}
		if !(got.Lo <= got.ICC && got.ICC <= got.Hi) {
			t.Errorf("ICC %v outside its interval %v to %v", got.ICC, got.Lo, got.Hi)
		}
		return float64(got.ICC)
	}
	base := change(func(i, j int) float64 { return x[i][j] })
	for what, v := range map[string]float64{
		"another unit":  change(func(i, j int) float64 { return 7 - 25.4*x[i][j] }),
		"another order": change(func(i, j int) float64 { return x[len(x)-1-i][(j+1)%3] }),
	} {
		if math.Abs(v-base) > 1e-12 {
			t.Errorf("%s: %v, want %v", what, v, base)
		}
	}
	if v := change(func(i, j int) float64 { return x[i][j] + float64(j) }); v >= base {
		t.Errorf("shifted readers agree as well as before: %v, %v", v, base)
	}
	if v := change(func(i, _ int) float64 { return x[i][0] }); v != 1 {
		t.Errorf("readers who agree: %v", v)
	}
}

func TestICCRefusesBadInput(t *testing.T) {
	for what, x := range map[string][][]float64{
		"none": nil, "one case": {{1, 2}}, "one reader": {{1}, {2}}, "a missing rating": {{1, 2}, {1}}, "not a number": {{1, 2}, {1, math.NaN()}},
	} {
		if _, err := Readings(x); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	flat, err := Readings([][]float64{{2, 2}, {2, 2}})
	if err != nil || !flat.ICC.IsNaN() || flat.Note == "" {
		t.Errorf("ratings that do not vary: %+v, %v", flat, err)
	}
	for what, rows := range map[string][][]int{"none": nil, "one reader": {{0}, {1}}, "unequal": {{0, 1}, {1}}, "outside": {{0, 1}, {1, 2}}} {
		if _, err := Features(context.Background(), columns{{1}, {2}}, rows, 1); err == nil {
			t.Errorf("features, %s: no error", what)
		}
	}
}
