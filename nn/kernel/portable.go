package kernel

// portable implements the kernels in Go: the twin that the assembly is tested against.
type portable struct{}

// The portable tile, whose 4 x 4 sums stay in registers where there are 32 (arm64).
const portableRows, portableCols = 4, 4

func portableSet() *Set {
	return &Set{ISA: Portable, Cols: portableCols, KRun: 512, fns: portable{}}
}

func (portable) gemm(t *Tile) {
	r := 0
	for ; r+portableRows <= t.Rows; r += portableRows {
		gemm4x4(t, r)
	}
	for ; r < t.Rows; r++ {
		gemm1x4(t, r)
	}
}

// gemm4x4 computes rows r to r+3.
func gemm4x4(t *Tile, r int) {
	in := t.Init[r*t.RowInit:]
	i0, i1, i2, i3 := in, in[t.RowInit:], in[2*t.RowInit:], in[3*t.RowInit:]
	c00, c01, c02, c03 := i0[0], i0[1], i0[2], i0[3]
	c10, c11, c12, c13 := i1[0], i1[1], i1[2], i1[3]
	c20, c21, c22, c23 := i2[0], i2[1], i2[2], i2[3]
	c30, c31, c32, c33 := i3[0], i3[1], i3[2], i3[3]
	for s := range t.Runs {
		a := t.A[r*t.RowA+s*t.RunA:]
		a0, a1, a2, a3 := a[:t.K], a[t.RowA:][:t.K], a[2*t.RowA:][:t.K], a[3*t.RowA:][:t.K]
		b := t.B[s*t.K*portableCols:][:t.K*portableCols]
		for k := range a0 {
			b0, b1, b2, b3 := b[4*k], b[4*k+1], b[4*k+2], b[4*k+3]
			x := a0[k]
			c00, c01, c02, c03 = c00+x*b0, c01+x*b1, c02+x*b2, c03+x*b3
			x = a1[k]
			c10, c11, c12, c13 = c10+x*b0, c11+x*b1, c12+x*b2, c13+x*b3
			x = a2[k]
			c20, c21, c22, c23 = c20+x*b0, c21+x*b1, c22+x*b2, c23+x*b3
			x = a3[k]
			c30, c31, c32, c33 = c30+x*b0, c31+x*b1, c32+x*b2, c33+x*b3
		}
	}
	c := t.C[r*t.RowC:]
	store4(c, t.Floor, c00, c01, c02, c03)
	store4(c[t.RowC:], t.Floor, c10, c11, c12, c13)
	store4(c[2*t.RowC:], t.Floor, c20, c21, c22, c23)
	store4(c[3*t.RowC:], t.Floor, c30, c31, c32, c33)
}

// gemm1x4 computes row r.
func gemm1x4(t *Tile, r int) {
	in := t.Init[r*t.RowInit:]
	c0, c1, c2, c3 := in[0], in[1], in[2], in[3]
	for s := range t.Runs {
		a := t.A[r*t.RowA+s*t.RunA:][:t.K]
		b := t.B[s*t.K*portableCols:][:t.K*portableCols]
		for k, x := range a {
			c0, c1, c2, c3 = c0+x*b[4*k], c1+x*b[4*k+1], c2+x*b[4*k+2], c3+x*b[4*k+3]
		}
	}
	store4(t.C[r*t.RowC:], t.Floor, c0, c1, c2, c3)
}

func store4(c []float32, floor, c0, c1, c2, c3 float32) {
	c[0], c[1], c[2], c[3] = atLeast(c0, floor), atLeast(c1, floor), atLeast(c2, floor), atLeast(c3, floor)
}

// atLeast is max(x, floor) that keeps NaN, as the assembly's.
func atLeast(x, floor float32) float32 {
	if x < floor {
		return floor
	}
	return x
}

func (portable) norm(n *Norm) {
	for r := range n.Rows {
		normRow(n.Dst[r*n.RowDst:], n.X[r*n.RowX:], n.Scale, n.Shift)
	}
}

func normRow(dst, x, scale, shift []float32) {
	dst, x, shift = dst[:len(scale)], x[:len(scale)], shift[:len(scale)]
	for c, s := range scale {
		dst[c] = atLeast(x[c]*s+shift[c], 0)
	}
}

func (portable) normMean4(dst []float32, x *[4][]float32, scale, shift []float32) {
	for c, s := range scale {
		t := shift[c]
		sum := atLeast(x[0][c]*s+t, 0)
		for _, p := range x[1:] {
			sum += atLeast(p[c]*s+t, 0)
		}
		dst[c] = sum * 0.25
	}
}

func (portable) max3(dst, a, b, c []float32) {
	for i := range dst {
		m := a[i]
		if b[i] > m {
			m = b[i]
		}
		if c[i] > m {
			m = c[i]
		}
		dst[i] = m
	}
}

func (portable) add(dst, x []float32) {
	for i := range dst {
		dst[i] += x[i]
	}
}
