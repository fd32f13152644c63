package synth

import (
	"math"
	"testing"
)

func TestCompressionEndsAndOrder(t *testing.T) {
	for _, d := range devices {
		p := d.picture
		at := func(db float64) float64 {
			return float64(compress([]float32{float32(math.Pow(10, db/20))}, p, 0)[0])
		}
		if w, b := at(p.white), at(p.white-p.dynamicRange); math.Abs(w-255) > 0.1 || math.Abs(b) > 0.1 {
			t.Errorf("%s: white %.2f, black %.2f", d.name, w, b)
		}
		for db := p.white - p.dynamicRange; db < p.white; db++ {
			if at(db+1) <= at(db) {
				t.Errorf("%s: grey does not rise at %g dB", d.name, db)
			}
		}
	}
}

// A ramp across the lines comes out as the same ramp in mm.
func TestScanConversionKeepsPlace(t *testing.T) {
	v := raster{w: 81, h: 5, pixel: 0.1}
	g := v.grid()
	f := make([]float32, g.size())
	for line := range g.lines {
		for z := range g.samples {
			f[line*g.samples+z] = float32(g.x(line))
		}
	}
	out := scanConvert(g, f, v)
	for col := 2; col < v.w-2; col++ {
		if x, _ := v.mm(col, 2); math.Abs(float64(out[2*v.w+col])-x) > 1e-4 {
			t.Errorf("column %d shows %.4f mm, want %.4f", col, out[2*v.w+col], x)
		}
	}
	x, z := v.mm(40, 3)
	if col, row := v.px(x, z); col != 40 || row != 3 {
		t.Errorf("px(mm(40, 3)) = %d, %d", col, row)
	}
}

func TestBoxMean(t *testing.T) {
	const w, h, r = 7, 5, 2
	f := make([]float32, w*h)
	for i := range f {
		f[i] = float32(i*i%23) - 4
	}
	got := boxMean(f, w, h, r)
	for y := range h {
		for x := range w {
			sum := 0.0
			for j := -r; j <= r; j++ {
				for i := -r; i <= r; i++ {
					sum += float64(f[min(h-1, max(0, y+j))*w+min(w-1, max(0, x+i))])
				}
			}
			if d := math.Abs(float64(got[y*w+x]) - sum/25); d > 1e-4 {
				t.Fatalf("(%d, %d) off by %g", x, y, d)
			}
		}
	}
}
