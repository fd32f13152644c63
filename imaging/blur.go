package imaging

// MaxBlur is the largest side of the mean filter.
const MaxBlur = 31

// Blur is the k x k mean filter (k odd, 1 to MaxBlur), borders reflected without repeating the
// edge (reflect-101), bit-exact with cv::blur of OpenCV 4.6. The area of an odd square is odd,
// so a mean never lies half-way and "half to even" is plain rounding. Other k are raised to
// the next odd number and limited to MaxBlur; k of 1 or less copies.
func Blur(src *Gray, k int) *Gray {
	dst := NewGray(src.W, src.H)
	r := min(max(k, 1), MaxBlur) / 2
	if r == 0 {
		copy(dst.Pix, src.Pix)
		return dst
	}
	k = 2*r + 1
	area := uint64(k * k)
	inverse := (1<<40 + area - 1) / area // exact for every sum up to 255 k k + area/2 < 2^18
	wide := make([]uint32, src.W+2*r)    // sums down k rows, columns reflected on both sides
	sums := wide[r : r+src.W]
	for dy := -r; dy <= r; dy++ {
		for x, v := range src.Row(reflect101(dy, src.H)) {
			sums[x] += uint32(v)
		}
	}
	for y := range src.H {
		if y > 0 {
			enter := src.Row(reflect101(y+r, src.H))
			leave := src.Row(reflect101(y-r-1, src.H))
			for x := range sums {
				sums[x] += uint32(enter[x]) - uint32(leave[x])
			}
		}
		for i := 1; i <= r; i++ {
			wide[r-i] = sums[reflect101(-i, src.W)]
			wide[r+src.W-1+i] = sums[reflect101(src.W-1+i, src.W)]
		}
		meanRow(dst.Row(y), wide, k, uint32(area/2), inverse)
	}
	return dst
}

// meanRow slides a window of k column sums and divides by the rounded product with the inverse.
func meanRow(dst []uint8, sums []uint32, k int, half uint32, inverse uint64) {
	s := half
	for _, v := range sums[:k-1] {
		s += v
	}
	first, last := sums[:len(dst)], sums[k-1:][:len(dst)]
	for x := range dst {
		s += last[x]
		dst[x] = uint8(uint64(s) * inverse >> 40)
		s -= first[x]
	}
}

// reflect101 mirrors an index outside 0..n-1 about the border pixels, as often as needed.
func reflect101(i, n int) int {
	if n == 1 {
		return 0
	}
	for i < 0 || i >= n {
		if i < 0 {
			i = -i
		} else {
			i = 2*(n-1) - i
		}
	}
	return i
}
