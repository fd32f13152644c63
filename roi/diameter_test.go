package roi

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestDiameterOfKnownShapes(t *testing.T) {
	one := [2]float64{1, 1}
	dot := NewMask(9, 9)
	dot.Pix[4*9+4] = 1
	disk := NewMask(101, 101)
	for y := range 101 {
		for x := range 101 {
			if (x-50)*(x-50)+(y-50)*(y-50) <= 40*40 {
				disk.Pix[y*101+x] = 1
			}
		}
	}
	line := NewMask(20, 20)
	for i := range 10 {
		line.Pix[(3+i)*20+5+i] = 1
	}
	for what, c := range map[string]struct {
		mask    *Mask
		spacing [2]float64
		want    float64
	}{
		"empty":       {NewMask(5, 5), one, 0},
		"a pixel":     {dot, one, 1},
		"a wide one":  {dot, [2]float64{0.3, 0.1}, 0.3},
		"a disk":      {disk, one, 81},
		"a disk, mm":  {disk, [2]float64{0.1, 0.2}, 16.2},
		"a diagonal":  {line, one, math.Hypot(9, 10)},
		"its mm":      {line, [2]float64{0.5, 0.5}, math.Hypot(9, 10) / 2},
		"two corners": {corners(), one, math.Hypot(19, 20)},
	} {
		if got := Diameter(c.mask, c.spacing); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: %v, want %v", what, got, c.want)
		}
	}
}

func corners() *Mask {
	m := NewMask(20, 20)
	m.Pix[0], m.Pix[399] = 1, 1
	return m
}

// The twin takes every pixel's four edges.
func TestDiameterTwin(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 200 {
		m, spacing := NewMask(12, 10), [2]float64{0.2 + r.Float64(), 0.2 + r.Float64()}
		var points [][2]float64
		for i := range m.Pix {
			if r.IntN(6) == 0 {
				m.Pix[i] = 1
				x, y := float64(i%12), float64(i/12)
				points = append(points, [2]float64{x - 0.5, y}, [2]float64{x + 0.5, y}, [2]float64{x, y - 0.5}, [2]float64{x, y + 0.5})
			}
		}
		want := 0.0
		for _, p := range points {
			for _, q := range points {
				want = max(want, math.Hypot((p[0]-q[0])*spacing[0], (p[1]-q[1])*spacing[1]))
			}
		}
		if got := Diameter(m, spacing); math.Abs(got-want) > 1e-12 {
			t.Fatalf("%v, want %v", got, want)
		}
	}
}
