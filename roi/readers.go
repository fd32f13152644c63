package roi

import (
	"fmt"
	"math"
	"slices"

	"sonotype/internal/problem"
)

// Majority returns the pixels that more than half of the readers marked: for two readers, what both did.
func Majority(masks []*Mask) (*Mask, error) {
	if len(masks) == 0 {
		return nil, &problem.Error{What: "no masks to take a majority of"}
	}
	out := NewMask(masks[0].W, masks[0].H)
	votes := make([]int, len(out.Pix))
	for _, m := range masks {
		if m.W != out.W || m.H != out.H {
			return nil, &problem.Error{What: "the readers' masks differ in size",
				Expected: fmt.Sprintf("%d x %d", out.W, out.H), Found: fmt.Sprintf("%d x %d", m.W, m.H),
				Try: "draw all masks of an image on the same file"}
		}
		for i, v := range m.Pix {
			votes[i] += int(v)
		}
	}
	for i, n := range votes {
		if 2*n > len(masks) {
			out.Pix[i] = 1
		}
	}
	return out, nil
}

// Dice is 2 |A and B| / (|A| + |B|); NaN when both are empty or the sizes differ.
func Dice(a, b *Mask) float64 {
	if a.W != b.W || a.H != b.H {
		return math.NaN()
	}
	both, all := 0, 0
	for i := range a.Pix {
		both += int(a.Pix[i] & b.Pix[i])
		all += int(a.Pix[i]) + int(b.Pix[i])
	}
	if all == 0 {
		return math.NaN()
	}
	return 2 * float64(both) / float64(all)
}

// Hausdorff95 is the larger of the two 95th percentiles of the distances from each contour pixel of one
// mask to the nearest contour pixel of the other, in the unit of spacing (a pixel's width and height).
// A contour pixel lies in the mask and has a neighbour (of four) outside it or off the image;
// percentiles are interpolated linearly. NaN when a mask is empty or the sizes differ.
func Hausdorff95(a, b *Mask, spacing [2]float64) float64 {
	if a.W != b.W || a.H != b.H {
		return math.NaN()
	}
	ca, cb := a.contour(), b.contour()
	return max(directed95(ca, cb, spacing), directed95(cb, ca, spacing))
}

func directed95(from, to *Mask, spacing [2]float64) float64 {
	box := union(from.Bounds(), to.Bounds())
	if from.Area() == 0 || to.Area() == 0 {
		return math.NaN()
	}
	d2 := squaredDistance(to, box, spacing)
	var d []float64
	for y := range box.H {
		for x, v := range from.Row(box.Y + y)[box.X : box.X+box.W] {
			if v != 0 {
				d = append(d, math.Sqrt(d2[y*box.W+x]))
			}
		}
	}
	slices.Sort(d)
	at := 0.95 * float64(len(d)-1)
	i := int(at)
	return d[i] + (at-float64(i))*(d[min(i+1, len(d)-1)]-d[i])
}

func union(a, b Box) Box {
	x, y := min(a.X, b.X), min(a.Y, b.Y)
	return Box{X: x, Y: y, W: max(a.X+a.W, b.X+b.W) - x, H: max(a.Y+a.H, b.Y+b.H) - y}
}

// contour keeps the pixels that have one of their four neighbours outside the mask or the image.
func (m *Mask) contour() *Mask {
	out := NewMask(m.W, m.H)
	b := m.Bounds()
	for y := b.Y; y < b.Y+b.H; y++ {
		row := m.Row(y)
		for x := b.X; x < b.X+b.W; x++ {
			if row[x] != 0 && (x == 0 || y == 0 || x == m.W-1 || y == m.H-1 ||
				row[x-1]&row[x+1]&m.Pix[(y-1)*m.W+x]&m.Pix[(y+1)*m.W+x] == 0) {
				out.Pix[y*m.W+x] = 1
			}
		}
	}
	return out
}
