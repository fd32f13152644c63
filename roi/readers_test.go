package roi

import (
	"math"
	"testing"
)

func TestMajority(t *testing.T) {
	mask := func(bits ...uint8) *Mask { return &Mask{W: len(bits), H: 1, Pix: bits} }
	for _, c := range []struct {
		in   []*Mask
		want []uint8
	}{
		{[]*Mask{mask(1, 1, 0, 0)}, []uint8{1, 1, 0, 0}},
		{[]*Mask{mask(1, 1, 0, 0), mask(1, 0, 1, 0)}, []uint8{1, 0, 0, 0}},
		{[]*Mask{mask(1, 1, 0, 0), mask(1, 0, 1, 0), mask(0, 1, 1, 0)}, []uint8{1, 1, 1, 0}},
	} {
		m, err := Majority(c.in)
		if err != nil {
			t.Fatal(err)
		}
		for i := range c.want {
			if m.Pix[i] != c.want[i] {
				t.Errorf("%d readers: %v, want %v", len(c.in), m.Pix, c.want)
			}
		}
	}
	if _, err := Majority([]*Mask{mask(1), mask(1, 0)}); err == nil {
		t.Error("masks of different sizes have no majority")
	}
	if _, err := Majority(nil); err == nil {
		t.Error("no masks have no majority")
	}
}

func TestAgreementOfNothing(t *testing.T) {
	e, s := NewMask(37, 23), shape()
	one := [2]float64{1, 1}
	if !math.IsNaN(Dice(e, e)) || Dice(e, s) != 0 || !math.IsNaN(Dice(s, NewMask(3, 3))) {
		t.Error("Dice of empty masks")
	}
	if !math.IsNaN(Hausdorff95(e, s, one)) || !math.IsNaN(Hausdorff95(e, e, one)) || !math.IsNaN(Hausdorff95(s, NewMask(3, 3), one)) {
		t.Error("Hausdorff95 of empty masks")
	}
}
