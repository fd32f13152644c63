package synth

import (
	"image"
	"math"
)

// raster is the field of view in the picture: w x h px of pixel mm each, at (x, y) of the canvas.
type raster struct {
	x, y, w, h int
	pixel      float64
}

// linesPerPixel: a scan line for every second pixel column, as scanners have; the rest is interpolated.
const linesPerPixel = 0.5

func (v raster) grid() grid {
	return grid{lines: int(math.Ceil(float64(v.w)*linesPerPixel)) + 2, samples: v.h, dx: v.pixel / linesPerPixel, dz: v.pixel}
}

// mm is the middle of a picture element in scene coordinates: the scene begins one line left of the picture.
func (v raster) mm(col, row int) (x, z float64) {
	return (float64(col)+0.5)*v.pixel + v.pixel/linesPerPixel, (float64(row) + 0.5) * v.pixel
}

// px is the canvas element that holds a scene point.
func (v raster) px(x, z float64) (col, row int) {
	return v.x + int((x-v.pixel/linesPerPixel)/v.pixel), v.y + int(z/v.pixel)
}

// compress turns the envelope into grey values 0-255, gain in dB; still one value a line and sample.
func compress(env []float32, p picture, gain float64) []float32 {
	out := make([]float32, len(env))
	for i, v := range env {
		db := 20*math.Log10(float64(v)+1e-9) + gain
		u := min(1, max(0, 1+(db-p.white)/p.dynamicRange))
		s := u * u * (3 - 2*u)
		out[i] = float32(255 * (u + p.contrast*(s-u)))
	}
	return out
}

// scanConvert interpolates lines to pixel columns (Catmull-Rom), giving v.w x v.h values row by row.
func scanConvert(g grid, f []float32, v raster) []float32 {
	out := make([]float32, v.w*v.h)
	for col := range v.w {
		x, _ := v.mm(col, 0)
		t := x/g.dx - 0.5
		i := int(t)
		u := float32(t - float64(i))
		line := func(k int) []float32 { return g.row(f, min(g.lines-1, max(0, k))) }
		a, b, c, d := line(i-1), line(i), line(i+1), line(i+2)
		wa, wb := u*(-0.5+u*(1-0.5*u)), 1+u*u*(-2.5+1.5*u)
		wc, wd := u*(0.5+u*(2-1.5*u)), u*u*(-0.5+0.5*u)
		for z := range v.h {
			out[z*v.w+col] = wa*a[z] + wb*b[z] + wc*c[z] + wd*d[z]
		}
	}
	return out
}

// enhance applies the scanner's speckle reduction and edge enhancement.
func enhance(f []float32, w, h int, p picture) []float32 {
	if p.smooth > 0 {
		mix(f, boxMean(f, w, h, 1), float32(p.smooth))
	}
	if p.sharpen > 0 {
		mix(f, boxMean(f, w, h, 2), -float32(p.sharpen))
	}
	return f
}

// mix moves f towards g by the share k (away from it when k < 0).
func mix(f, g []float32, k float32) {
	for i := range f {
		f[i] += k * (g[i] - f[i])
	}
}

// boxMean is the mean over (2r+1)x(2r+1) px, borders repeated.
func boxMean(f []float32, w, h, r int) []float32 {
	tmp, out := make([]float32, len(f)), make([]float32, len(f))
	scale := 1 / float32((2*r+1)*(2*r+1))
	for y := range h {
		row := f[y*w : (y+1)*w]
		sum := float32(0)
		for x := -r; x <= r; x++ {
			sum += row[min(w-1, max(0, x))]
		}
		for x := range w {
			tmp[y*w+x] = sum
			sum += row[min(w-1, x+r+1)] - row[max(0, x-r)]
		}
	}
	for y := range h {
		row := out[y*w : (y+1)*w]
		for k := -r; k <= r; k++ {
			from := tmp[min(h-1, max(0, y+k))*w:]
			for x := range row {
				row[x] += from[x] * scale
			}
		}
	}
	return out
}

// place writes the field of view onto the canvas; outside a trapezoid field (slope > 0, px a row) it stays black.
func place(dst *image.Gray, f []float32, v raster, slope float64) {
	for y := range v.h {
		cut := 0
		if slope > 0 {
			cut = int(slope * float64(v.h-1-y))
		}
		row := dst.Pix[(v.y+y)*dst.Stride+v.x:]
		for x := cut; x < v.w-cut; x++ {
			if slope > 0 && belowArc(x, y, v) {
				continue
			}
			row[x] = uint8(min(255, max(0, f[y*v.w+x]+0.5)))
		}
	}
}

// belowArc cuts the lower corners of a trapezoid field along the deepest equal range.
func belowArc(x, y int, v raster) bool {
	u := float64(2*x-v.w) / float64(v.w)
	return float64(y) > float64(v.h)*(1-0.09*u*u)
}
