package agreement

import (
	"math"
	"testing"

	"sonotype/roi"
)

func square(x, y, side int) *roi.Mask {
	m := roi.NewMask(40, 30)
	for j := range side {
		for i := range side {
			m.Pix[(y+j)*m.W+x+i] = 1
		}
	}
	return m
}

// Squares shifted by 4 px overlap in 8 x 12 of 12 x 12 pixels: Dice 2/3; the outermost contour pixels are 4 px apart.
func TestCompareSquares(t *testing.T) {
	masks := []*roi.Mask{square(5, 5, 12), square(9, 5, 12), square(5, 5, 12)}
	all := Compare(masks, []string{"B", "A", "C"}, 0.1)
	if len(all) != 3 {
		t.Fatalf("%d pairs of three readers", len(all))
	}
	if o := all[0]; math.Abs(float64(o.Dice)-2.0/3) > 1e-12 || o.Hausdorff95 != 4 || math.Abs(float64(o.MM)-0.4) > 1e-12 {
		t.Errorf("shifted: %+v", o)
	}
	if o := all[1]; o.Dice != 1 || o.Hausdorff95 != 0 {
		t.Errorf("equal: %+v", o)
	}
	all = append(all, Compare([]*roi.Mask{square(5, 5, 10), square(5, 5, 10)}, []string{"A", "B"}, math.NaN())...)
	pairs := Pairs(all)
	if len(pairs) != 3 || pairs[0].A != "A" || pairs[0].B != "B" || pairs[1].B != "C" {
		t.Fatalf("pairs %+v", pairs)
	}
	p := pairs[0]
	if p.Images != 2 || p.Dice.N != 2 || math.Abs(float64(p.Dice.Mean)-5.0/6) > 1e-12 || p.MM.N != 1 || p.Hausdorff95.Max != 4 || p.Hausdorff95.Min != 0 {
		t.Errorf("A and B: %+v", p)
	}
}

func TestOutlinesThatCannotBeCompared(t *testing.T) {
	o := Compare([]*roi.Mask{square(5, 5, 3), roi.NewMask(40, 30), roi.NewMask(20, 20)}, []string{"A", "B", "C"}, 1)
	if !o[0].Hausdorff95.IsNaN() || !o[1].Dice.IsNaN() || !o[1].Hausdorff95.IsNaN() {
		t.Errorf("%+v", o)
	}
	p := Pairs(o)
	if p[0].Images != 1 || p[0].Dice.N != 1 || p[0].Hausdorff95.N != 0 || !p[0].Hausdorff95.Median.IsNaN() {
		t.Errorf("%+v", p[0])
	}
}
