package imaging

// DHash is the 64-bit difference hash: the image shrunk to 9 x 8 by area, one bit for each
// neighbouring pair of a row, set where the right pixel is brighter; row by row, the first bit
// highest. Near-duplicates differ in few bits (bits.OnesCount64 of the exclusive or).
func DHash(src *Gray) uint64 {
	s := Resize(src, 9, 8, Area)
	var h uint64
	for y := range s.H {
		row := s.Row(y)
		for x := range 8 {
			h <<= 1
			if row[x+1] > row[x] {
				h |= 1
			}
		}
	}
	return h
}
