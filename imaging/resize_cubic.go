package imaging

import "math"

// resizeCubic is the bicubic rule (a = -0.75) with replicated borders: 11-bit weights along rows,
// then down columns. OpenCV's vertical pass works in float32 on whole groups of eight columns and
// in integers on the rest, which differ where a sum lies at a tie; both are followed.
func resizeCubic(dst, src *Gray, sx, sy float64) {
	index := make([][4]int32, dst.W)
	weight := make([][4]int32, dst.W)
	for x := range index {
		s, f := halfPixel(x, sx)
		weight[x] = cubicWeights(f)
		for k := range 4 {
			index[x][k] = int32(clamp(s-1+k, 0, src.W-1))
		}
	}
	const lanes = 8
	vector := dst.W - dst.W%lanes
	buf := make([]int32, 4*dst.W)
	at := [4]int{-1, -1, -1, -1} // source row held by slot row%4
	for y := range dst.H {
		s, f := halfPixel(y, sy)
		w := cubicWeights(f)
		var rows [4][]int32
		for k := range 4 {
			r := clamp(s-1+k, 0, src.H-1)
			slot := r % 4
			rows[k] = buf[slot*dst.W : (slot+1)*dst.W]
			if at[slot] != r {
				cubicRow(rows[k], src.Row(r), index, weight)
				at[slot] = r
			}
		}
		out := dst.Row(y)
		cubicBlendFloat(out[:vector], rows, w)
		for x := vector; x < dst.W; x++ {
			t := rows[0][x]*w[0] + rows[1][x]*w[1] + rows[2][x]*w[2] + rows[3][x]*w[3]
			out[x] = saturate((t + 1<<(2*weightBits-1)) >> (2 * weightBits))
		}
	}
}

// cubicWeights are the four weights at fraction x, each step rounded to float32 as in OpenCV.
func cubicWeights(x float32) [4]int32 {
	const a = float32(-0.75)
	u, v := x+1, 1-x
	c0 := float32(float32(float32(float32(float32(float32(a*u)-5*a)*u)+8*a)*u) - 4*a)
	c1 := float32(float32(float32(float32((a+2)*x)-(a+3))*x)*x) + 1
	c2 := float32(float32(float32(float32((a+2)*v)-(a+3))*v)*v) + 1
	c3 := 1 - c0 - c1 - c2
	return [4]int32{fixed(c0), fixed(c1), fixed(c2), fixed(c3)}
}

func cubicRow(dst []int32, src []uint8, index, weight [][4]int32) {
	dst, weight = dst[:len(index)], weight[:len(index)]
	for x := range index {
		i, w := &index[x], &weight[x]
		dst[x] = int32(src[i[0]])*w[0] + int32(src[i[1]])*w[1] + int32(src[i[2]])*w[2] + int32(src[i[3]])*w[3]
	}
}

func cubicBlendFloat(dst []uint8, rows [4][]int32, w [4]int32) {
	const scale = float32(1.0 / (1 << (2 * weightBits)))
	w0, w1, w2, w3 := float32(w[0])*scale, float32(w[1])*scale, float32(w[2])*scale, float32(w[3])*scale
	r0, r1, r2, r3 := rows[0][:len(dst)], rows[1][:len(dst)], rows[2][:len(dst)], rows[3][:len(dst)]
	for x := range dst {
		t := float32(float32(r3[x]) * w3)
		t = float32(float32(r2[x])*w2) + t
		t = float32(float32(r1[x])*w1) + t
		t = float32(float32(r0[x])*w0) + t
		dst[x] = saturate(int32(math.RoundToEven(float64(t))))
	}
}

func saturate(v int32) uint8 { return uint8(max(0, min(v, 255))) }
