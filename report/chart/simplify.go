package chart

import "math"

// tolerance is how far, in pixels, a simplified line may leave the points that it drops.
const tolerance = 0.15

// simplify drops points that are not finite and, by Douglas and Peucker's rule, those that cannot be seen.
func simplify(points []Point) []Point {
	var in []Point
	for _, p := range points {
		if !finite(p.X, p.Y) || len(in) > 0 && p == in[len(in)-1] {
			continue
		}
		in = append(in, p)
	}
	if len(in) < 3 {
		return in
	}
	keep := make([]bool, len(in))
	keep[0], keep[len(in)-1] = true, true
	stack := [][2]int{{0, len(in) - 1}}
	for len(stack) > 0 {
		a, b := stack[len(stack)-1][0], stack[len(stack)-1][1]
		stack = stack[:len(stack)-1]
		far, at := tolerance, -1
		for i := a + 1; i < b; i++ {
			if d := offset(in[i], in[a], in[b]); d > far {
				far, at = d, i
			}
		}
		if at >= 0 {
			keep[at] = true
			stack = append(stack, [2]int{a, at}, [2]int{at, b})
		}
	}
	out := in[:0]
	for i, p := range in {
		if keep[i] {
			out = append(out, p)
		}
	}
	return out
}

// offset is the distance of p from the segment a-b.
func offset(p, a, b Point) float64 {
	dx, dy := b.X-a.X, b.Y-a.Y
	t := 0.0
	if l := dx*dx + dy*dy; l > 0 {
		t = min(max(((p.X-a.X)*dx+(p.Y-a.Y)*dy)/l, 0), 1)
	}
	return math.Hypot(p.X-a.X-t*dx, p.Y-a.Y-t*dy)
}
