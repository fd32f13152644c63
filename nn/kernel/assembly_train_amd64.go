package kernel

// gemmTFunc is the outer-product kernel of one tile height, for a number of tiles; strides in bytes.
type gemmTFunc func(tiles, k int, a *float32, rowA int, b *float32, rowB int, c *float32, rowC int)

type filterBlockFunc func(n int, dst, src **float32)

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

func (f *assembly) moments(rows int, x []float32, rowX int, sum, m2 []float32) {
	f.momentsFn(len(sum), rows, &x[0], rowX*floatBytes, &sum[0], &m2[0], float32(rows))
}

func (f *assembly) normBack(n *NormBack) {
	c, rowD, rowX := len(n.Scale), n.RowD*floatBytes, n.RowX*floatBytes
	if n.G == nil {
		f.normBackFn(c, n.Rows, &n.D[0], rowD, &n.X[0], rowX, &n.Scale[0], &n.Shift[0], &n.Mean[0], &n.Sum[0], &n.SumX[0])
		return
	}
	f.normBackAddFn(c, n.Rows, &n.D[0], rowD, &n.X[0], rowX, &n.Scale[0], &n.Shift[0], &n.Mean[0], &n.Sum[0], &n.SumX[0],
		&n.G[0], n.RowG*floatBytes)
}

func (f *assembly) correct(c *Correct) {
	f.correctFn(len(c.A), c.Rows, &c.Dst[0], c.RowDst*floatBytes, &c.D[0], c.RowD*floatBytes, &c.X[0], c.RowX*floatBytes,
		&c.A[0], &c.B[0], &c.C[0])
}

func (f *assembly) maxBack(g, x []float32, at []int32, max, d []float32) {
	f.maxBackFn(len(max), len(at), &g[0], &x[0], &at[0], &max[0], &d[0])
}

func (f *assembly) adam(a *Adam, factors *adamFactors) {
	f.adamFn(len(a.P), &a.P[0], &a.G[0], &a.M[0], &a.V[0], factors)
}

func (f *assembly) filterBlock(w Winograd, dst, src [][]float32) {
	var to [side * side]*float32
	var from [filterTaps]*float32
	for i := range dst {
		to[i] = &dst[i][0]
	}
	for i := range src {
		from[i] = &src[i][0]
	}
	f.filterBlockFn[int(w)](len(src[0]), &to[0], &from[0])
}
