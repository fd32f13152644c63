package clinical

import (
	"math"
	"path/filepath"
	"testing"

	"sonotype/impute"
	"sonotype/internal/golden"
	"sonotype/internal/num"
)

// A model of imputed data agrees with mice's: estimates within a fifth of their standard error, standard errors within
// a tenth (other random draws, and priors that mice does not have).
func TestImputedModelAgainstMice(t *testing.T) {
	var o struct {
		golden.Meta
		Data         struct{ Age, Size, ER, Stage, Y []num.Float }
		Estimate, SE []float64
	}
	golden.Load(t, filepath.Join("..", "impute", "testdata", "oracle", "mice.json"), &o)
	var columns []impute.Column
	for j, f := range [][]num.Float{o.Data.Age, o.Data.Size, o.Data.ER, o.Data.Stage, o.Data.Y} {
		c := impute.Column{Name: string(rune('a' + j)), Levels: []int{0, 0, 2, 3, 2}[j]}
		for _, v := range f {
			c.Values = append(c.Values, float64(v))
		}
		columns = append(columns, c)
	}
	y := make([]int, len(columns[4].Values))
	for i, v := range columns[4].Values {
		y[i] = int(v)
	}
	im, err := impute.Fit(t.Context(), columns, impute.Config{Imputations: 100, Iterations: 10, Donors: 5, Seed: 5, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	var copies [][][]float64
	for m := range im.Imputations() {
		copies = append(copies, im.Completed(m)[:4])
	}
	vars := []Variable{{Name: "age"}, {Name: "size"}, {Name: "er", Levels: []string{"0", "1"}}, {Name: "stage", Levels: []string{"0", "1", "2"}}}
	m, err := FitImputed(vars, copies, y, Auto)
	if err != nil {
		t.Fatal(err)
	}
	for j, c := range m.Terms {
		t.Logf("%s %s: %.4f (%.4f), mice %.4f (%.4f)", c.Variable, c.Level, c.Beta, c.SE, o.Estimate[j+1], o.SE[j+1])
		if math.Abs(float64(c.Beta)-o.Estimate[j+1]) > 0.2*o.SE[j+1] || math.Abs(float64(c.SE)/o.SE[j+1]-1) > 0.1 {
			t.Errorf("%s %s: %.4f (%.4f), mice %.4f (%.4f)", c.Variable, c.Level, c.Beta, c.SE, o.Estimate[j+1], o.SE[j+1])
		}
	}
}
