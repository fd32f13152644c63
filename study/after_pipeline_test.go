package study

import (
	"context"
	"testing"

	"sonotype/selection"
)

// Fits in memory take the features as the plan has them: harmonised, and without those that readers disagree on, both
// learnt from the fitted images.
func TestPipelineTakesTamedFeatures(t *testing.T) {
	n := noisyStudy(t, 40, 1, 1, 5)
	fitted, others := []int{}, []int{}
	for i := range n.images {
		if i < 28 {
			fitted = append(fitted, i)
		} else {
			others = append(others, i)
		}
	}
	smaller := noisyStudy(t, 40, 1, 1, 5) // the twin's table: half as many features, all doubled
	for _, region := range regions {
		var rows memoryRows
		for i := range n.images {
			var row []float32
			for _, v := range n.deep[region].Row(i)[20:] {
				row = append(row, 2*v)
			}
			rows = append(rows, row)
		}
		smaller.deep[region] = rows
	}
	asked := 0
	n.tame = func(_ context.Context, region string, rows selection.Rows, f, applied []int) (tamed, error) {
		asked++
		if len(f) != len(fitted) || len(applied) != len(n.images) {
			t.Errorf("%s: asked for %d fitted and %d applied images", region, len(f), len(applied))
		}
		drop := make([]bool, 40)
		for j := range 20 {
			drop[j] = true
		}
		var doubled memoryRows
		for i := range n.images {
			row := make([]float32, 40)
			for j, v := range rows.Row(i) {
				row[j] = 2 * v
			}
			doubled = append(doubled, row)
		}
		return tamed{rows: doubled, drop: drop}, nil
	}
	got, err := n.reduce(context.Background(), fitted, others)
	if err != nil {
		t.Fatal(err)
	}
	want, err := smaller.reduce(context.Background(), fitted, others)
	if err != nil {
		t.Fatal(err)
	}
	if asked != len(regions) {
		t.Errorf("asked %d times", asked)
	}
	a, b := got.of("fusion", others), want.of("fusion", others)
	r, c := b.Dims()
	for i := range r {
		for j := range c {
			if d := a.At(i, j) - b.At(i, j); d > 1e-9 || d < -1e-9 {
				t.Fatalf("row %d, component %d differ by %v", i, j, d)
			}
		}
	}
}
