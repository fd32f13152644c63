package kernel

// filterTaps is the number of values of a filter.
const filterTaps = 9

// FilterBlock writes the planes of U = G g G' of many 3x3 filters in float32: dst[plane][i] from
// src[3*row+column][i], for i < len(src[0]), a multiple of 16.
func (s *Set) FilterBlock(w Winograd, dst, src [][]float32) {
	if (w != F2 && w != F4) || len(dst) < w.Planes() || len(src) < filterTaps {
		panic("kernel: impossible planes")
	}
	n := len(src[0])
	whole(n)
	for _, x := range src[:filterTaps] {
		need(x, n)
	}
	for _, x := range dst[:w.Planes()] {
		need(x, n)
	}
	s.fns.filterBlock(w, dst[:w.Planes()], src[:filterTaps])
}

// filterSums is the one-dimensional transform of g. Only the last product of each sum rounds, so that
// it has the same bits with and without fused multiply-add.
func (w Winograd) filterSums(g0, g1, g2 float32) [side]float32 {
	ends := g0 + g2
	if w == F2 {
		return [side]float32{g0, .5 * (ends + g1), .5 * (ends - g1), g2}
	}
	return [side]float32{
		g0,
		1. / 3 * (ends + g1),
		1. / 3 * (g1 - ends),
		-4. / 15 * (2*(2*g0+g1) + g2),
		1. / 15 * (2*(2*g2-g1) + g0),
		g2,
	}
}

func (portable) filterBlock(w Winograd, dst, src [][]float32) {
	n := w.Side()
	var t [3][side]float32 // by column
	for i := range src[0] {
		for k := range t {
			t[k] = w.filterSums(src[k][i], src[3+k][i], src[6+k][i])
		}
		for r := range n {
			row := w.filterSums(t[0][r], t[1][r], t[2][r])
			for j := range n {
				dst[r*n+j][i] = row[j]
			}
		}
	}
}
