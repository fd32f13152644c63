package kernel

// gemmT runs the columns by the portable kernel.
func (f *assembly) gemmT(t *TileT) {
	cols := 32
	if f == &tableAVX2 {
		cols = 16
	}
	for n := 0; n < cols; n += portableCols {
		part := *t
		part.B, part.C = t.B[n:], t.C[n:]
		portable{}.gemmT(&part)
	}
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
