package synth

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat"

	"sonotype/internal/rng"
)

func TestNoiseMomentsAndScale(t *testing.T) {
	g := grid{lines: 400, samples: 800, dx: 0.15, dz: 0.075}
	f := noise(g, 2, 1, nil, rng.Stream(1, "field"))
	all := make([]float64, len(f))
	for i, v := range f {
		all[i] = float64(v)
	}
	mean, sd := stat.MeanStdDev(all, nil)
	if math.Abs(mean) > 0.08 || math.Abs(sd-1) > 0.08 {
		t.Errorf("mean %.3f, SD %.3f", mean, sd)
	}
	correlation := func(lines, samples int) float64 {
		var a, b []float64
		for line := range g.lines - lines {
			for z := range g.samples - samples {
				a = append(a, all[line*g.samples+z])
				b = append(b, all[(line+lines)*g.samples+z+samples])
			}
		}
		return stat.Correlation(a, b, nil)
	}
	near := correlation(int(1/g.dx), 0) // half a cell across
	down := correlation(0, int(0.5/g.dz))
	far := correlation(0, int(4/g.dz))
	if near < 0.7 || down < 0.7 || math.Abs(far) > 0.1 {
		t.Errorf("correlation half a cell away %.2f, %.2f; four cells away %.2f", near, down, far)
	}
}

// A shifted line shows the same pattern, that much deeper.
func TestNoiseFollowsShift(t *testing.T) {
	g := grid{lines: 8, samples: 300, dx: 0.15, dz: 0.1}
	flat := make([]float64, g.lines)
	down := make([]float64, g.lines)
	for i := range down {
		down[i] = float64(i) // lines 0 to 7 mm deeper
	}
	down[0] = 0
	flat[7] = 7 // the same highest shift, so that both draw the same lattice
	a := noise(g, 50, 1, flat, rng.Stream(1, "shift"))
	b := noise(g, 50, 1, down, rng.Stream(1, "shift"))
	const line, by = 3, 30 // 3 mm = 30 samples
	for z := by; z < g.samples; z++ {
		if d := math.Abs(float64(b[line*g.samples+z] - a[line*g.samples+z-by])); d > 0.03 {
			t.Fatalf("sample %d differs by %.3f", z, d)
		}
	}
}

func TestSheetsAreThinAndAngleDependent(t *testing.T) {
	g := grid{lines: 60, samples: 200, dx: 0.1, dz: 0.1}
	plane := func(slope float64) []float32 { // zero contour: z = 10 + slope*(x-3)
		f := make([]float32, g.size())
		for line := range g.lines {
			for z := range g.samples {
				f[line*g.samples+z] = float32(g.z(z) - 10 - slope*(g.x(line)-3))
			}
		}
		return f
	}
	for _, slope := range []float64{0, 0.5, 1} {
		out := sheets(g, plane(slope), 0.3)
		peak, thick := 0.0, 0
		for _, v := range g.row(out, 30) {
			peak = max(peak, float64(v))
			if v > 0 {
				thick++
			}
		}
		cos2 := 1 / (1 + slope*slope)
		if want := cos2 * cos2; math.Abs(peak-want) > 0.08 {
			t.Errorf("slope %g: peak %.3f, want %.3f", slope, peak, want)
		}
		if want := 1.2 / math.Sqrt(cos2) / g.dz; math.Abs(float64(thick)-want) > 2 {
			t.Errorf("slope %g: %d samples thick, want %.0f", slope, thick, want)
		}
	}
}
