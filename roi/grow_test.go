package roi

import (
	"math"
	"testing"

	"sonotype/internal/rng"
)

// bruteGrow compares every pixel with every pixel of the region.
func bruteGrow(m *Mask, radius float64, spacing [2]float64) *Mask {
	out := NewMask(m.W, m.H)
	for i := range out.Pix {
		for j, v := range m.Pix {
			if v == 0 {
				continue
			}
			dx, dy := float64(i%m.W-j%m.W)*spacing[0], float64(i/m.W-j/m.W)*spacing[1]
			if math.Sqrt(dx*dx+dy*dy) <= radius*(1+1e-9) {
				out.Pix[i] = 1
				break
			}
		}
	}
	return out
}

func TestDiskOfTenPixels(t *testing.T) {
	m := NewMask(41, 41)
	m.Pix[20*41+20] = 1
	if n := Grow(m, 10, [2]float64{1, 1}).Area(); n != 317 {
		t.Errorf("a pixel grown by 10 px has %d pixels, not 317", n)
	}
}

func TestRadiusInMillimetresIncludesItsRim(t *testing.T) {
	m := NewMask(41, 41)
	m.Pix[20*41+20] = 1
	if n := Grow(m, 1, [2]float64{0.1, 0.1}).Area(); n != 317 { // 10 x 0.1 mm is not exactly 1 in binary
		t.Errorf("a pixel grown by 1 mm at 0.1 mm a pixel has %d pixels, not 317", n)
	}
}

func TestGrowEqualsBruteForce(t *testing.T) {
	r := rng.Stream(7, "grow")
	for range 300 {
		m := NewMask(1+r.IntN(40), 1+r.IntN(40))
		for range r.IntN(6) {
			m.Pix[r.IntN(len(m.Pix))] = 1
		}
		spacing := [2]float64{0.05 + r.Float64(), 0.05 + r.Float64()}
		if r.IntN(2) == 0 {
			spacing = [2]float64{1, 1}
		}
		radius := r.Float64() * 12
		got, want := Grow(m, radius, spacing), bruteGrow(m, radius, spacing)
		for i := range got.Pix {
			if got.Pix[i] != want.Pix[i] {
				t.Fatalf("%d x %d, radius %g, spacing %v: pixel %d is %d, brute force has %d",
					m.W, m.H, radius, spacing, i, got.Pix[i], want.Pix[i])
			}
		}
	}
}

// TestGrowthProperties: the grown region holds the region, grows with the radius, and in two steps of
// whole radii never exceeds one step of their sum.
func TestGrowthProperties(t *testing.T) {
	r := rng.Stream(8, "grow")
	one := [2]float64{1, 1}
	for range 50 {
		m := NewMask(60, 50)
		for range 1 + r.IntN(10) {
			m.Pix[r.IntN(len(m.Pix))] = 1
		}
		a, b := float64(1+r.IntN(6)), float64(1+r.IntN(6))
		small, big, twice := Grow(m, a, one), Grow(m, a+b, one), Grow(Grow(m, a, one), b, one)
		for i := range m.Pix {
			if m.Pix[i] > small.Pix[i] || small.Pix[i] > big.Pix[i] || twice.Pix[i] > big.Pix[i] {
				t.Fatalf("pixel %d: %d %d %d %d", i, m.Pix[i], small.Pix[i], twice.Pix[i], big.Pix[i])
			}
		}
	}
}

func TestGrowOfNothing(t *testing.T) {
	if n := Grow(NewMask(9, 9), 3, [2]float64{1, 1}).Area(); n != 0 {
		t.Errorf("an empty mask grew to %d pixels", n)
	}
	if m := shape(); Grow(m, 0, [2]float64{1, 1}).Area() != m.Area() {
		t.Error("a radius of 0 changed the mask")
	}
}
