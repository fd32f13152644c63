// TEMPORARY stand-ins by the lead so that nn compiles. KERNEL: delete this file when yours is there.
package kernel

import "math"

type TileT struct {
	Rows, K int
	A       []float32
	RowA    int
	B       []float32
	RowB    int
	C       []float32
	RowC    int
}

func (s *Set) GemmT(t *TileT) {
	for m := range t.Rows {
		c := t.C[m*t.RowC:][:s.Cols]
		for p := range t.K {
			a := t.A[p*t.RowA+m]
			b := t.B[p*t.RowB:][:s.Cols]
			for j := range c {
				c[j] += a * b[j]
			}
		}
	}
}
func (s *Set) Moments(rows int, x []float32, rowX int, sum, m2 []float32) {
	for c := range sum {
		a := float32(0)
		for r := range rows {
			a += x[r*rowX+c]
		}
		mean, q := a/float32(rows), float32(0)
		for r := range rows {
			d := x[r*rowX+c] - mean
			q += d * d
		}
		sum[c], m2[c] = a, q
	}
}

type NormBack struct {
	Rows                          int
	D                             []float32
	RowD                          int
	X                             []float32
	RowX                          int
	Scale, Shift, Mean, Sum, SumX []float32
	G                             []float32
	RowG                          int
}

func (s *Set) NormBack(n *NormBack) {
	for r := range n.Rows {
		for c := range n.Scale {
			x := n.X[r*n.RowX+c]
			d := n.D[r*n.RowD+c]
			if !(x*n.Scale[c]+n.Shift[c] > 0) {
				d = 0
			}
			n.Sum[c] += d
			n.SumX[c] += d * (x - n.Mean[c])
			if n.G == nil {
				n.D[r*n.RowD+c] = d
			} else {
				n.G[r*n.RowG+c] += n.Scale[c] * d
			}
		}
	}
}

type Correct struct {
	Rows    int
	Dst     []float32
	RowDst  int
	D       []float32
	RowD    int
	X       []float32
	RowX    int
	A, B, C []float32
}

func (s *Set) Correct(c *Correct) {
	for r := range c.Rows {
		for i := range c.A {
			c.Dst[r*c.RowDst+i] = c.D[r*c.RowD+i]*c.A[i] + (c.X[r*c.RowX+i]*c.C[i] + c.B[i])
		}
	}
}
func (s *Set) MaxBack(g, x []float32, at []int32, max, d []float32) {
	for c := range max {
		for _, a := range at {
			if x[int(a)+c] == max[c] {
				g[int(a)+c] += d[c]
				break
			}
		}
	}
}

type Adam struct {
	P, G, M, V                                         []float32
	Clip, L2, Beta1, Beta2, Keep, Step, InvC2, Epsilon float32
}

func (s *Set) Adam(a *Adam) {
	for i := range a.P {
		g := a.G[i]*a.Clip + a.L2*a.P[i]
		a.M[i] = a.Beta1*a.M[i] + (1-a.Beta1)*g
		a.V[i] = a.Beta2*a.V[i] + (1-a.Beta2)*g*g
		a.P[i] = a.P[i]*a.Keep - a.Step*a.M[i]/(float32(math.Sqrt(float64(a.V[i]*a.InvC2)))+a.Epsilon)
	}
}
func (s *Set) FilterBlock(w Winograd, dst, src [][]float32) {
	n := w.Side()
	for i := range src[0] {
		var g [9]float32
		for t := range g {
			g[t] = src[t][i]
		}
		for p, v := range w.FilterTransform(g[:]) {
			dst[p][i] = float32(v)
		}
	}
	_ = n
}
