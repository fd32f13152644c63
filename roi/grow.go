package roi

import "math"

// Grow adds every pixel whose centre lies within radius of the centre of a pixel of m, in the unit of
// spacing (a pixel's width and height; 1, 1 for a radius in pixels): dilation by a Euclidean disk, which
// at radius 10 px is 317 pixels. What would lie outside the image is cut off. Distances equal to the
// radius but for rounding (1e-9 of it) count as within.
func Grow(m *Mask, radius float64, spacing [2]float64) *Mask {
	out := &Mask{W: m.W, H: m.H, Pix: append([]uint8(nil), m.Pix...)}
	b := m.Bounds()
	if b.W == 0 || !(radius > 0) {
		return out
	}
	box := widen(b, reach(radius, spacing[0], m.W), reach(radius, spacing[1], m.H), m.W, m.H)
	d := squaredDistance(m, box, spacing)
	limit := radius * radius * (1 + 2e-9)
	for y := range box.H {
		row := out.Row(box.Y + y)[box.X : box.X+box.W]
		for x, v := range d[y*box.W : (y+1)*box.W] {
			if v <= limit {
				row[x] = 1
			}
		}
	}
	return out
}

// reach is the number of pixels that a radius spans, at most the image's side.
func reach(radius, spacing float64, side int) int {
	return int(math.Min(math.Ceil(radius/spacing)+1, float64(side)))
}

// widen grows a box by dx and dy on each side, within a w x h image.
func widen(b Box, dx, dy, w, h int) Box {
	x0, y0 := max(b.X-dx, 0), max(b.Y-dy, 0)
	return Box{X: x0, Y: y0, W: min(b.X+b.W+dx, w) - x0, H: min(b.Y+b.H+dy, h) - y0}
}

// minus returns the pixels of a that are not in b.
func minus(a, b *Mask) *Mask {
	out := NewMask(a.W, a.H)
	box := a.Bounds()
	for y := box.Y; y < box.Y+box.H; y++ {
		to, from, cut := out.Row(y), a.Row(y), b.Row(y)
		for x := box.X; x < box.X+box.W; x++ {
			to[x] = from[x] &^ cut[x]
		}
	}
	return out
}
