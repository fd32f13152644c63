package synth

import (
	"math"
	"math/rand/v2"
)

// grid is the acquisition grid: scan lines side by side, samples along each line from the skin down.
// Every field over it is stored line by line: index = line*samples + sample.
type grid struct {
	lines, samples int
	dx, dz         float64 // mm between lines, between samples
}

func (g grid) size() int                           { return g.lines * g.samples }
func (g grid) x(line int) float64                  { return (float64(line) + 0.5) * g.dx }
func (g grid) z(sample int) float64                { return (float64(sample) + 0.5) * g.dz }
func (g grid) line(x float64) int                  { return min(g.lines-1, max(0, int(x/g.dx))) }
func (g grid) sample(z float64) int                { return min(g.samples-1, max(0, int(z/g.dz))) }
func (g grid) width() float64                      { return float64(g.lines) * g.dx }
func (g grid) depth() float64                      { return float64(g.samples) * g.dz }
func (g grid) row(f []float32, line int) []float32 { return f[line*g.samples : (line+1)*g.samples] }

// splineSteps is how finely the cubic B-spline's weights are tabulated between two lattice points.
const splineSteps = 256

// splineGain brings the interpolated white lattice back to about unit SD (a B-spline averages its neighbours).
const splineGain = 2.08

var splineWeights = func() (w [splineSteps][4]float32) {
	for i := range w {
		t := (float64(i) + 0.5) / splineSteps
		u := 1 - t
		w[i] = [4]float32{
			float32(u * u * u / 6),
			float32((3*t*t*t - 6*t*t + 4) / 6),
			float32((3*u*u*u - 6*u*u + 4) / 6),
			float32(t * t * t / 6),
		}
	}
	return w
}()

// noise is a smooth Gaussian random field, mean 0, SD about 1, with correlation lengths lx and lz in mm.
// Lattice points of white noise are joined by cubic B-splines. shift (mm a line, nil = none) moves each
// line's pattern down, so that texture follows the layer that it lies in.
func noise(g grid, lx, lz float64, shift []float64, r *rand.Rand) []float32 {
	lowest, highest := 0.0, 0.0
	for _, s := range shift {
		lowest, highest = min(lowest, s), max(highest, s)
	}
	cols := int(g.width()/lx) + 5
	rows := int((g.depth()+highest-lowest)/lz) + 5
	lattice := make([]float32, cols*rows)
	for i := range lattice {
		lattice[i] = float32(splineGain * r.NormFloat64())
	}
	phase := r.Float64()
	out := make([]float32, g.size())
	column := make([]float32, rows)
	for line := range g.lines {
		i, w := splineAt(g.x(line)/lx + phase)
		for k := range column {
			column[k] = w[0]*lattice[i*rows+k] + w[1]*lattice[(i+1)*rows+k] + w[2]*lattice[(i+2)*rows+k] + w[3]*lattice[(i+3)*rows+k]
		}
		start := highest
		if shift != nil {
			start -= shift[line]
		}
		t, step := float32((start+g.dz/2)/lz+phase), float32(g.dz/lz)
		row := g.row(out, line)
		for s := range row {
			k := int(t)
			w := &splineWeights[int((t-float32(k))*splineSteps)&(splineSteps-1)]
			c := column[k : k+4 : k+4]
			row[s] = w[0]*c[0] + w[1]*c[1] + w[2]*c[2] + w[3]*c[3]
			t += step
		}
	}
	return out
}

func splineAt(t float64) (int, *[4]float32) {
	i := int(t)
	return i, &splineWeights[int((t-float64(i))*splineSteps)&(splineSteps-1)]
}

// curve is a smooth random line across the field: mean 0, SD about 1, correlation length l in mm, one value a scan line.
func curve(g grid, l float64, r *rand.Rand) []float64 {
	lattice := make([]float64, int(g.width()/l)+5)
	for i := range lattice {
		lattice[i] = math.Sqrt(splineGain) * r.NormFloat64()
	}
	phase := r.Float64()
	out := make([]float64, g.lines)
	for line := range out {
		i, w := splineAt(g.x(line)/l + phase)
		for k, v := range w {
			out[line] += float64(v) * lattice[i+k]
		}
	}
	return out
}

// sheets turns a smooth field into thin reflecting sheets along its zero contours: amplitude 0-1, thickness in mm.
// A sheet reflects most where it lies across the beam, falling with the cosine of its angle to the power of 4.
func sheets(g grid, f []float32, thickness float64) []float32 {
	out := make([]float32, g.size())
	inv := float32(1 / (thickness * thickness))
	rx, rz := float32(0.5/g.dx), float32(0.5/g.dz)
	for line := 1; line < g.lines-1; line++ {
		left, mid, right := g.row(f, line-1), g.row(f, line), g.row(f, line+1)
		row := g.row(out, line)
		for s := 1; s < len(mid)-1; s++ {
			fx, fz := (right[s]-left[s])*rx, (mid[s+1]-mid[s-1])*rz
			steep := fx*fx + fz*fz + 1e-9
			d2 := mid[s] * mid[s] / steep * inv // squared distance to the contour in thicknesses
			if d2 > 4 {
				continue
			}
			cos2 := fz * fz / steep
			fall := 1 - d2/4
			row[s] = cos2 * cos2 * fall * fall
		}
	}
	return out
}
