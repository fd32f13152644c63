package imaging

// tap2 is one column of the horizontal linear pass: two source columns and their weights.
type tap2 struct {
	i0, i1 int32
	w0, w1 int32
}

// resizeLinear is the bilinear rule in fixed point. In the columns outside the outermost pixel
// centres the fraction is zeroed; in such rows only the row index is clipped.
func resizeLinear(dst, src *Gray, sx, sy float64, area bool) {
	position := halfPixel
	if area {
		position = areaPosition
	}
	taps := linearTaps(dst.W, src.W, sx, position)
	var rows [2][]int32
	at := [2]int{-1, -1}
	buf := make([]int32, 2*dst.W)
	rows[0], rows[1] = buf[:dst.W], buf[dst.W:]
	for y := range dst.H {
		s, f := position(y, sy)
		y0, y1 := clamp(s, 0, src.H-1), clamp(s+1, 0, src.H-1)
		if at[1] == y0 { // the upper row was the lower row before
			rows[0], rows[1], at[0], at[1] = rows[1], rows[0], at[1], at[0]
		}
		if at[0] != y0 {
			linearRow(rows[0], src.Row(y0), taps)
			at[0] = y0
		}
		low := rows[0]
		if y1 != y0 {
			if at[1] != y1 {
				linearRow(rows[1], src.Row(y1), taps)
				at[1] = y1
			}
			low = rows[1]
		}
		blendRows(dst.Row(y), rows[0], low, fixed(1-f), fixed(f))
	}
}

func linearTaps(dstW, srcW int, scale float64, position func(int, float64) (int, float32)) []tap2 {
	taps := make([]tap2, dstW)
	for x := range taps {
		s, f := position(x, scale)
		if s < 0 {
			s, f = 0, 0
		}
		if s >= srcW-1 {
			s, f = srcW-1, 0
		}
		taps[x] = tap2{int32(s), int32(min(s+1, srcW-1)), fixed(1 - f), fixed(f)}
	}
	return taps
}

// linearRow interpolates one source row; the sums lose the four bits that the vertical pass does not use.
func linearRow(dst []int32, src []uint8, taps []tap2) {
	dst = dst[:len(taps)]
	for x := range taps {
		t := &taps[x]
		dst[x] = (int32(src[t.i0])*t.w0 + int32(src[t.i1])*t.w1) >> 4
	}
}

func blendRows(dst []uint8, upper, lower []int32, w0, w1 int32) {
	upper, lower = upper[:len(dst)], lower[:len(dst)]
	for x := range dst {
		dst[x] = uint8(((w0*upper[x])>>16 + (w1*lower[x])>>16 + 2) >> 2)
	}
}
