package selection

import (
	"context"
	"slices"
	"testing"
)

// without is a table without some columns.
type without struct {
	Rows
	keep []int
}

func (w without) Dims() (n, p int) { n, _ = w.Rows.Dims(); return n, len(w.keep) }

func (w without) Row(i int) []float32 {
	out := make([]float32, len(w.keep))
	for j, c := range w.keep {
		out[j] = w.Rows.Row(i)[c]
	}
	return out
}

// Features that the caller drops are as if the table did not have them.
func TestDeepDropsWhatTheCallerLeavesOut(t *testing.T) {
	const n, p = 30, 700
	x := deepFeatures(n, p)
	c := DeepDefaults()
	c.Components, c.Workers, c.Drop = 8, 1, make([]bool, p)
	var keep []int
	for j := range p {
		if c.Drop[j] = j%3 == 0 || j > 650; !c.Drop[j] {
			keep = append(keep, j)
		}
	}
	d, err := FitDeep(context.Background(), x, upTo(20), nil, c)
	if err != nil {
		t.Fatal(err)
	}
	twin := fitDeep(t, without{x, keep}, upTo(20), nil, 8, 1)
	for i, j := range twin.Columns {
		if d.Columns[i] != keep[j] {
			t.Fatalf("kept feature %d is %d, want %d", i, d.Columns[i], keep[j])
		}
	}
	if !slices.Equal(d.Mean, twin.Mean) || !slices.Equal(d.Scale, twin.Scale) || len(d.Columns) != len(twin.Columns) {
		t.Error("the kept features are scaled otherwise")
	}
	a, b := d.Transform(x, upTo(n), 1), twin.Transform(without{x, keep}, upTo(n), 1)
	for i := range n {
		for k := range 8 {
			if diff := a.At(i, k) - b.At(i, k); diff > 1e-9 || diff < -1e-9 {
				t.Fatalf("row %d, component %d differ by %v", i, k, diff)
			}
		}
	}
	if dropped := d.SparseDropped + d.ConstantDropped + d.CallerDropped; d.CallerDropped == 0 || dropped+len(d.Columns) != p {
		t.Errorf("%d dropped, %d kept of %d", dropped, len(d.Columns), p)
	}
	c.Drop = c.Drop[1:]
	if _, err := FitDeep(context.Background(), x, upTo(20), nil, c); err == nil {
		t.Error("a list of another length is accepted")
	}
}
