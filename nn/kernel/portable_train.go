package kernel

import "math"

func (portable) gemmT(t *TileT) {
	m := 0
	for ; m+portableRows <= t.Rows; m += portableRows {
		gemmT4x4(t, m)
	}
	for ; m < t.Rows; m++ {
		gemmT1x4(t, m)
	}
}

// gemmT4x4 adds to rows m to m+3.
func gemmT4x4(t *TileT, m int) {
	c := t.C[m*t.RowC:]
	c0, c1, c2, c3 := c[:4], c[t.RowC:][:4], c[2*t.RowC:][:4], c[3*t.RowC:][:4]
	c00, c01, c02, c03 := c0[0], c0[1], c0[2], c0[3]
	c10, c11, c12, c13 := c1[0], c1[1], c1[2], c1[3]
	c20, c21, c22, c23 := c2[0], c2[1], c2[2], c2[3]
	c30, c31, c32, c33 := c3[0], c3[1], c3[2], c3[3]
	for p := range t.K {
		a, b := t.A[p*t.RowA+m:][:4], t.B[p*t.RowB:][:4]
		b0, b1, b2, b3 := b[0], b[1], b[2], b[3]
		x := a[0]
		c00, c01, c02, c03 = c00+x*b0, c01+x*b1, c02+x*b2, c03+x*b3
		x = a[1]
		c10, c11, c12, c13 = c10+x*b0, c11+x*b1, c12+x*b2, c13+x*b3
		x = a[2]
		c20, c21, c22, c23 = c20+x*b0, c21+x*b1, c22+x*b2, c23+x*b3
		x = a[3]
		c30, c31, c32, c33 = c30+x*b0, c31+x*b1, c32+x*b2, c33+x*b3
	}
	c0[0], c0[1], c0[2], c0[3] = c00, c01, c02, c03
	c1[0], c1[1], c1[2], c1[3] = c10, c11, c12, c13
	c2[0], c2[1], c2[2], c2[3] = c20, c21, c22, c23
	c3[0], c3[1], c3[2], c3[3] = c30, c31, c32, c33
}

// gemmT1x4 adds to row m.
func gemmT1x4(t *TileT, m int) {
	c := t.C[m*t.RowC:][:4]
	c0, c1, c2, c3 := c[0], c[1], c[2], c[3]
	for p := range t.K {
		x, b := t.A[p*t.RowA+m], t.B[p*t.RowB:][:4]
		c0, c1, c2, c3 = c0+x*b[0], c1+x*b[1], c2+x*b[2], c3+x*b[3]
	}
	c[0], c[1], c[2], c[3] = c0, c1, c2, c3
}

func (portable) moments(rows int, x []float32, rowX int, sum, m2 []float32) {
	for c := 0; c < len(sum); c += lane {
		moments16(rows, x[c:], rowX, sum[c:], m2[c:])
	}
}

// moments16 takes the first 16 channels.
func moments16(rows int, x []float32, rowX int, sum, m2 []float32) {
	var s, q, mean [lane]float32
	for r := range rows {
		for c, v := range x[r*rowX:][:lane] {
			s[c] += v
		}
	}
	for c := range mean {
		mean[c] = s[c] / float32(rows)
	}
	for r := range rows {
		for c, v := range x[r*rowX:][:lane] {
			d := v - mean[c]
			q[c] += d * d
		}
	}
	copy(sum, s[:])
	copy(m2, q[:])
}

func (portable) normBack(n *NormBack) {
	for r := range n.Rows {
		d, g := n.D[r*n.RowD:], []float32(nil)
		if n.G != nil {
			g = n.G[r*n.RowG:]
		}
		normBackRow(n, d, n.X[r*n.RowX:], g)
	}
}

func normBackRow(n *NormBack, d, x, g []float32) {
	for c, s := range n.Scale {
		dz := d[c]
		if !(x[c]*s+n.Shift[c] > 0) {
			dz = 0
		}
		n.Sum[c] += dz
		n.SumX[c] += dz * (x[c] - n.Mean[c])
		if g == nil {
			d[c] = dz
		} else {
			g[c] += s * dz
		}
	}
}

func (portable) correct(c *Correct) {
	for r := range c.Rows {
		dst, d, x := c.Dst[r*c.RowDst:], c.D[r*c.RowD:], c.X[r*c.RowX:]
		for i, a := range c.A {
			dst[i] = d[i]*a + (x[i]*c.C[i] + c.B[i])
		}
	}
}

func (portable) maxBack(g, x []float32, at []int32, max, d []float32) {
	for c, m := range max {
		for _, a := range at {
			if x[int(a)+c] == m {
				g[int(a)+c] += d[c]
				break
			}
		}
	}
}

func (portable) adam(a *Adam, f *adamFactors) {
	for i := range a.P {
		g := a.G[i]*f.clip + f.l2*a.P[i]
		a.M[i] = f.beta1*a.M[i] + f.new1*g
		a.V[i] = f.beta2*a.V[i] + f.new2*g*g
		root := float32(math.Sqrt(float64(a.V[i] * f.invC2)))
		a.P[i] = a.P[i]*f.keep - f.step*a.M[i]/(root+f.epsilon)
	}
}
