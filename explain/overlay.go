package explain

import (
	"image"
	"image/color"
	"math"

	"sonotype/imaging"
)

// opaque is how much of the crop the map's largest value hides; smaller values hide in proportion.
const opaque = 0.75

// Overlay draws a map of h x w values (row by row, see CAM) over its crop: the map enlarged bilinearly to the crop's
// size, as a share of its largest value, in a ramp whose lightness rises with the share and which hides the more of
// the grey crop the larger it is; a light line with a dark rim follows half the largest value, so that a grey print
// tells the place too. A map without a positive value, or of another length, leaves the crop alone. Values that are
// not finite or below zero count as zero.
func Overlay(crop *imaging.Gray, cam []float32, h, w int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, crop.W, crop.H))
	for i, v := range crop.Pix {
		p := img.Pix[4*i:][:4]
		p[0], p[1], p[2], p[3] = v, v, v, 255
	}
	shares := shareOfLargest(cam)
	if h < 1 || w < 1 || shares == nil || len(shares) != h*w {
		return img
	}
	var colours [256]color.RGBA
	for i := range colours {
		colours[i] = ramp(float64(i) / 255)
	}
	full := enlarge(shares, h, w, crop.H, crop.W)
	for i, v := range full {
		c, p := colours[int(math.Round(255*v))], img.Pix[4*i:][:3]
		for k, top := range []uint8{c.R, c.G, c.B} {
			p[k] = uint8(math.Round((1-opaque*v)*float64(p[k]) + opaque*v*float64(top)))
		}
	}
	outline(img, full)
	return img
}

// shareOfLargest divides a map by its largest value; nil when no value is above zero.
func shareOfLargest(cam []float32) []float64 {
	out, top := make([]float64, len(cam)), 0.0
	for i, v := range cam {
		if f := float64(v); f > 0 && !math.IsInf(f, 1) {
			out[i], top = f, max(top, f)
		}
	}
	if top == 0 {
		return nil
	}
	for i := range out {
		out[i] /= top
	}
	return out
}

// enlarge interpolates a map of h x w values bilinearly to bigH x bigW, pixel centres at halves and the edge values
// going on outwards, as PyTorch's interpolate with align_corners=False.
func enlarge(m []float64, h, w, bigH, bigW int) []float64 {
	out := make([]float64, bigH*bigW)
	for y := range bigH {
		y0, y1, fy := between(y, bigH, h)
		for x := range bigW {
			x0, x1, fx := between(x, bigW, w)
			top := m[y0*w+x0] + fx*(m[y0*w+x1]-m[y0*w+x0])
			base := m[y1*w+x0] + fx*(m[y1*w+x1]-m[y1*w+x0])
			out[y*bigW+x] = top + fy*(base-top)
		}
	}
	return out
}

// between finds the two of n samples that pixel i of big lies between, and how far towards the second.
func between(i, big, n int) (lo, hi int, f float64) {
	at := min(max((float64(i)+0.5)*float64(n)/float64(big)-0.5, 0), float64(n-1))
	lo = int(at)
	return lo, min(lo+1, n-1), at - float64(lo)
}

// outline follows half the largest value: light on its inside, dark around it, each as thick as stays visible when
// the picture is shown small.
func outline(img *image.RGBA, full []float64) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	reach := max(1, min(w, h)/112)
	above := func(p image.Point) bool { return full[p.Y*w+p.X] >= 0.5 }
	for y := range h {
		for x := range w {
			at := image.Pt(x, y)
			for k := 1; k <= reach; k++ {
				for _, next := range []image.Point{{X: x - k, Y: y}, {X: x + k, Y: y}, {X: x, Y: y - k}, {X: x, Y: y + k}} {
					if next.In(img.Rect) && above(next) != above(at) {
						img.SetRGBA(x, y, rims[above(at)])
					}
				}
			}
		}
	}
}

var rims = map[bool]color.RGBA{true: {255, 255, 255, 255}, false: {20, 20, 20, 255}}
