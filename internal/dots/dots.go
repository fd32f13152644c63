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

// Blocking: kBlock numbers of tileB rows of b (16 KiB) and of tileA rows of a stay in the first-level cache.
const (
	kBlock = 512
	tileA  = 3
	tileB  = 4
)

// AddMulT adds a·bᵀ to c, whose element (i, j) is c[i*stride+j]: a and b have rows of equal length.
func AddMulT(c []float64, stride int, a, b Rows) {
	AddMulTBelow(c, stride, a, b, b.N)
}

// AddMulTBelow is AddMulT for the elements with j <= i+offset; a few others may be computed, too.
// With a = rows i0.. of b and offset = i0 it fills the lower triangle of a Gram matrix.
//
// The order of the sums is part of the contract: each dot product is taken over blocks of 512 numbers;
// in a block, four running fused sums take every fourth product, are added as (s0+s2)+(s1+s3), and
// the one to three last products follow. So an element does not depend on its neighbours or on the processor.
func AddMulTBelow(c []float64, stride int, a, b Rows, offset int) {
	if a.N == 0 || b.N == 0 || a.Len == 0 {
		return
	}
	// The assembly checks no bounds: here is the last number of each matrix.
	_, _ = a.Data[(a.N-1)*a.Stride+a.Len-1], b.Data[(b.N-1)*b.Stride+a.Len-1]
	for k := 0; k < a.Len; k += kBlock {
		n := min(kBlock, a.Len-k)
		for j := 0; j < b.N; j += tileB {
			for i := 0; i < a.N; i += tileA {
				if j <= min(i+tileA, a.N)-1+offset {
					addTile(c, stride, a, b, i, j, k, n)
				}
			}
		}
	}
}

// addTile adds the products over numbers k to k+n-1 of up to tileA rows of a, from i on, with up to tileB rows of b, from j on.
func addTile(c []float64, stride int, a, b Rows, i, j, k, n int) {
	iEnd, jEnd := min(i+tileA, a.N), min(j+tileB, b.N)
	var at [tileA]int // where the rows start; the last one repeats at the edge
	var bt [tileB]int
	for t := range at {
		at[t] = min(i+t, iEnd-1)*a.Stride + k
	}
	for t := range bt {
		bt[t] = min(j+t, jEnd-1)*b.Stride + k
	}
	var out [tileA * tileB]float64
	whole := n &^ 3
	if whole > 0 {
		tile(a.Data, &at, b.Data, &bt, whole, &out)
	}
	for s := range iEnd - i {
		row := c[(i+s)*stride+j : (i+s)*stride+jEnd]
		for t := range row {
			v := out[s*tileB+t]
			for l := whole; l < n; l++ {
				v = fma(a.Data[at[s]+l], b.Data[bt[t]+l], v)
			}
			row[t] += v
		}
	}
}

// tilePortable computes what the assembly computes: see AddMulTBelow for the order.
func tilePortable(a []float64, at *[tileA]int, b []float64, bt *[tileB]int, n int, out *[tileA * tileB]float64) {
	for s, i := range at {
		for t, j := range bt {
			out[s*tileB+t] = dot4(a[i:i+n], b[j:j+n])
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
