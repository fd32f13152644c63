package roi

import "math"

// Diameter is the largest distance between two points of the outline (the maximum Feret diameter), in the unit of
// spacing (a pixel's width and height); 0 when the mask is empty. The outline runs through the middles of the pixels'
// outer edges, so that a single pixel has the diameter 1. Only the ends of rows and columns can be farthest apart.
func Diameter(m *Mask, spacing [2]float64) float64 {
	type end struct{ x, y float64 }
	var ends []end
	b := m.Bounds()
	top, bottom := make([]int, b.W), make([]int, b.W)
	for i := range top {
		top[i] = -1
	}
	for y := b.Y; y < b.Y+b.H; y++ {
		first, last := -1, -1
		for x, v := range m.Row(y)[b.X : b.X+b.W] {
			if v == 0 {
				continue
			}
			if first < 0 {
				first = x
			}
			last = x
			if top[x] < 0 {
				top[x] = y
			}
			bottom[x] = y
		}
		if first >= 0 {
			ends = append(ends, end{float64(first) - 0.5, float64(y)}, end{float64(last) + 0.5, float64(y)})
		}
	}
	for x := range top {
		if top[x] >= 0 {
			ends = append(ends, end{float64(x), float64(top[x]) - 0.5}, end{float64(x), float64(bottom[x]) + 0.5})
		}
	}
	farthest := 0.0
	for i, p := range ends {
		for _, q := range ends[:i] {
			farthest = max(farthest, math.Hypot((p.x-q.x)*spacing[0], (p.y-q.y)*spacing[1]))
		}
	}
	return farthest
}
