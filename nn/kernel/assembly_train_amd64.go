package kernel

// gemmTFunc is the outer-product kernel of one tile height, for a number of tiles; strides in bytes.
type gemmTFunc func(tiles, k int, a *float32, rowA int, b *float32, rowB int, c *float32, rowC int)

func (f *assembly) gemmT(t *TileT) {
	height, tiles, taller := cut(t.Rows, len(f.gemmTOf)-1)
	if taller > 0 {
		f.tilesT(t, 0, taller, height+1)
	}
	f.tilesT(t, taller*(height+1), tiles-taller, height)
}

// tilesT runs n tiles of a height from row m on.
func (f *assembly) tilesT(t *TileT, m, n, height int) {
	f.gemmTOf[height](n, t.K, &t.A[m], t.RowA*floatBytes, &t.B[0], t.RowB*floatBytes, &t.C[m*t.RowC], t.RowC*floatBytes)
}

func (*assembly) moments(rows int, x []float32, rowX int, sum, m2 []float32) {
	portable{}.moments(rows, x, rowX, sum, m2)
}
func (*assembly) normBack(n *NormBack) { portable{}.normBack(n) }
func (*assembly) correct(c *Correct)   { portable{}.correct(c) }
func (*assembly) maxBack(g, x []float32, at []int32, max, d []float32) {
	portable{}.maxBack(g, x, at, max, d)
}
func (*assembly) adam(a *Adam, f *adamFactors)                 { portable{}.adam(a, f) }
func (*assembly) filterBlock(w Winograd, dst, src [][]float32) { portable{}.filterBlock(w, dst, src) }
