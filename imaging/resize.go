package imaging

import "math"

// Resize scales src to w x h pixels (each at least 1), bit-exact with cv::resize of OpenCV 4.6
// on 8-bit single-channel images. Like OpenCV it does no low-pass filtering when it shrinks,
// except with Area, and it turns some rules into others: Linear at exactly half size is Area,
// and Area that enlarges in either direction is a bilinear rule with other weights.
func Resize(src *Gray, w, h int, in Interp) *Gray {
	w, h = max(w, 1), max(h, 1)
	dst := NewGray(w, h)
	if src.W == w && src.H == h {
		copy(dst.Pix, src.Pix)
		return dst
	}
	// The factors are computed as OpenCV does: an exact ratio of 49 becomes 48.99..., which changes the branch.
	sx, sy := 1/(float64(w)/float64(src.W)), 1/(float64(h)/float64(src.H))
	nx, ny, whole := wholeFactors(sx, sy)
	if in == Linear && whole && nx == 2 && ny == 2 {
		in = Area
	}
	switch {
	case in == Nearest:
		resizeNearest(dst, src, sx, sy)
	case in == Area && whole && sx >= 1 && sy >= 1:
		resizeAreaWhole(dst, src, nx, ny)
	case in == Area && sx >= 1 && sy >= 1:
		resizeArea(dst, src, sx, sy)
	case in == Cubic:
		resizeCubic(dst, src, sx, sy)
	default:
		resizeLinear(dst, src, sx, sy, in == Area)
	}
	return dst
}

// wholeFactors rounds the scale factors and reports whether both are whole numbers.
func wholeFactors(sx, sy float64) (nx, ny int, whole bool) {
	const eps = 2.220446049250313e-16 // DBL_EPSILON
	nx, ny = int(math.RoundToEven(sx)), int(math.RoundToEven(sy))
	return nx, ny, math.Abs(sx-float64(nx)) < eps && math.Abs(sy-float64(ny)) < eps
}

// resizeNearest takes the source pixel at floor(x * scale).
func resizeNearest(dst, src *Gray, sx, sy float64) {
	cols := make([]int, dst.W)
	for x := range cols {
		cols[x] = min(int(math.Floor(float64(x)*sx)), src.W-1)
	}
	last := -1
	for y := range dst.H {
		from := min(int(math.Floor(float64(y)*sy)), src.H-1)
		row := dst.Row(y)
		if from == last {
			copy(row, dst.Row(y-1))
			continue
		}
		last = from
		s := src.Row(from)
		for x, c := range cols {
			row[x] = s[c]
		}
	}
}

// weightBits is the fixed-point precision of the linear and cubic weights.
const weightBits = 11

// fixed rounds a weight to weightBits fractional bits, half to even.
func fixed(w float32) int32 {
	return int32(math.RoundToEven(float64(w * (1 << weightBits))))
}

// halfPixel returns the source position of destination sample i with pixel centres at one half:
// the sample to the left and the fraction beyond it. The conversions keep compilers from fusing
// the multiply and the add, which would change the last bit.
func halfPixel(i int, scale float64) (int, float32) {
	f := float32(float64((float64(i)+0.5)*scale) - 0.5)
	s := int(math.Floor(float64(f)))
	return s, f - float32(s)
}

// areaPosition is the position that OpenCV uses when Area enlarges.
func areaPosition(i int, scale float64) (int, float32) {
	s := int(math.Floor(float64(i) * scale))
	f := float32(float64(i+1) - float64(float64(s+1)*(1/scale)))
	if f <= 0 {
		return s, 0
	}
	return s, f - float32(math.Floor(float64(f)))
}

func clamp(v, lo, hi int) int { return max(lo, min(v, hi)) }
