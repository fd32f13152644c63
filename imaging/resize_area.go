package imaging

import "math"

// share is one source sample's part in one destination sample.
type share struct {
	dst, src int
	weight   float32
}

// areaShares lists, in order, how the source samples cover each destination sample.
func areaShares(srcN, dstN int, scale float64) []share {
	const negligible = 1e-3
	tab := make([]share, 0, dstN*(int(scale)+3))
	for d := range dstN {
		from := float64(d) * scale
		to := from + scale
		cell := min(scale, float64(srcN)-from)
		s1, s2 := int(math.Ceil(from)), int(math.Floor(to))
		s2 = min(s2, srcN-1)
		s1 = min(s1, s2)
		if float64(s1)-from > negligible {
			tab = append(tab, share{d, s1 - 1, float32((float64(s1) - from) / cell)})
		}
		for s := s1; s < s2; s++ {
			tab = append(tab, share{d, s, float32(1 / cell)})
		}
		if to-float64(s2) > negligible {
			tab = append(tab, share{d, s2, float32(min(to-float64(s2), 1, cell) / cell)})
		}
	}
	return tab
}

// resizeArea averages by coverage in float32, rounding half to even.
func resizeArea(dst, src *Gray, sx, sy float64) {
	xs, ys := areaShares(src.W, dst.W, sx), areaShares(src.H, dst.H, sy)
	row, sum := make([]float32, dst.W), make([]float32, dst.W)
	store := func(y int) {
		out := dst.Row(y)
		for x, v := range sum {
			out[x] = saturate(int32(math.RoundToEven(float64(v))))
		}
	}
	at := ys[0].dst
	for _, v := range ys {
		clear(row)
		s := src.Row(v.src)
		for _, h := range xs {
			row[h.dst] += float32(float32(s[h.src]) * h.weight)
		}
		if v.dst != at {
			store(at)
			at = v.dst
			clear(sum)
		}
		for x, r := range row {
			sum[x] += float32(r * v.weight)
		}
	}
	store(at)
}

// resizeAreaWhole averages blocks of nx x ny pixels. OpenCV rounds half up for 2 x 2 blocks
// and half to even, after a float32 product, for all others.
func resizeAreaWhole(dst, src *Gray, nx, ny int) {
	scale := 1 / float32(nx*ny)
	for y := range dst.H {
		out := dst.Row(y)
		for x := range out {
			n := int32(0)
			for dy := range ny {
				for _, v := range src.Row(y*ny + dy)[x*nx : (x+1)*nx] {
					n += int32(v)
				}
			}
			if nx == 2 && ny == 2 {
				out[x] = uint8((n + 2) >> 2)
			} else {
				out[x] = saturate(int32(math.RoundToEven(float64(float32(n) * scale))))
			}
		}
	}
}
