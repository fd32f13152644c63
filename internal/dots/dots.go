// Package dots multiplies a matrix by the transpose of another: rows of float64 flow in, all their
// dot products flow out, with the same bits on every processor that has fused multiply-add.
//
// gonum's kernels are SSE2; for the Gram and projection products of an 81,536-wide PCA (25 GFLOP each)
// that alone would take the whole time budget, so this package has an AVX2 kernel of its own.
package dots

import "math"

// Rows is a matrix of N rows of Len numbers; row i starts at Data[i*Stride].
type Rows struct {
	Data           []float64
	N, Len, Stride int
}

// Row returns row i.
func (r Rows) Row(i int) []float64 { return r.Data[i*r.Stride : i*r.Stride+r.Len] }

// Slice returns rows i to j-1.
func (r Rows) Slice(i, j int) Rows {
	return Rows{Data: r.Data[i*r.Stride : (j-1)*r.Stride+r.Len], N: j - i, Len: r.Len, Stride: r.Stride}
}

// Blocking: kBlock numbers of jBlock rows of b (16 KiB) and of tileA rows of a stay in the first-level cache.
const (
	kBlock = 256
	jBlock = 8
	tileA  = 3
	tileB  = 4
)

// AddMulT adds a·bᵀ to c, whose element (i, j) is c[i*stride+j]: a and b have rows of equal length.
func AddMulT(c []float64, stride int, a, b Rows) {
	AddMulTBelow(c, stride, a, b, b.N+a.N)
}

// AddMulTBelow is AddMulT for the elements with j <= i+offset; a few others may be computed, too.
// With a = rows i0.. of b and offset = i0 it fills the lower triangle of a Gram matrix.
//
// The order of the sums is part of the contract: each dot product is taken over blocks of 256 numbers;
// in a block, four running fused sums take every fourth product, are added as (s0+s2)+(s1+s3), and
// the one to three last products follow. So an element does not depend on its neighbours or on the processor.
func AddMulTBelow(c []float64, stride int, a, b Rows, offset int) {
	for k := 0; k < a.Len; k += kBlock {
		n := min(kBlock, a.Len-k)
		for j := 0; j < b.N; j += jBlock {
			jEnd := min(j+jBlock, b.N)
			for i := 0; i < a.N; i += tileA {
				iEnd := min(i+tileA, a.N)
				for jj := j; jj < jEnd && jj <= iEnd-1+offset; jj += tileB {
					addTile(c, stride, a, b, i, iEnd, jj, min(jj+tileB, jEnd), k, n)
				}
			}
		}
	}
}

// addTile adds the products over numbers k to k+n-1 of up to tileA rows of a with up to tileB rows of b.
func addTile(c []float64, stride int, a, b Rows, i, iEnd, j, jEnd, k, n int) {
	var pa [tileA][]float64
	var pb [tileB][]float64
	for t := range pa {
		pa[t] = a.Row(min(i+t, iEnd-1))[k : k+n]
	}
	for t := range pb {
		pb[t] = b.Row(min(j+t, jEnd-1))[k : k+n]
	}
	var out [tileA * tileB]float64
	if whole := n &^ 3; whole > 0 {
		tile(&pa, &pb, whole, &out)
	}
	for s := range iEnd - i {
		row := c[(i+s)*stride+j : (i+s)*stride+jEnd]
		for t := range row {
			v := out[s*tileB+t]
			for l := n &^ 3; l < n; l++ {
				v = fma(pa[s][l], pb[t][l], v)
			}
			row[t] += v
		}
	}
}

// tilePortable computes what the assembly computes: see AddMulTBelow for the order.
func tilePortable(a *[tileA][]float64, b *[tileB][]float64, n int, out *[tileA * tileB]float64) {
	for s := range a {
		for t := range b {
			out[s*tileB+t] = dot4(a[s][:n], b[t][:n])
		}
	}
}

func dot4(a, b []float64) float64 {
	var s0, s1, s2, s3 float64
	for len(a) >= 4 && len(b) >= 4 {
		s0 = fma(a[0], b[0], s0)
		s1 = fma(a[1], b[1], s1)
		s2 = fma(a[2], b[2], s2)
		s3 = fma(a[3], b[3], s3)
		a, b = a[4:], b[4:]
	}
	return (s0 + s2) + (s1 + s3)
}

// fma is a*b + c, fused where the processor can: emulating it would be a hundred times slower.
func fma(a, b, c float64) float64 {
	if fused {
		return math.FMA(a, b, c)
	}
	return a*b + c
}
