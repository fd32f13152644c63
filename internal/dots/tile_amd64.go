package dots

import "golang.org/x/sys/cpu"

var (
	fused   = cpu.X86.HasFMA
	hasAVX2 = cpu.X86.HasAVX2 && cpu.X86.HasFMA
)

// tile computes the dot products of n numbers, n a multiple of 4, of every row of a with every row of b.
func tile(a *[tileA][]float64, b *[tileB][]float64, n int, out *[tileA * tileB]float64) {
	if hasAVX2 {
		tileAVX2(&a[0][0], &a[1][0], &a[2][0], &b[0][0], &b[1][0], &b[2][0], &b[3][0], n, &out[0])
		return
	}
	tilePortable(a, b, n, out)
}

//go:noescape
func tileAVX2(a0, a1, a2, b0, b1, b2, b3 *float64, n int, out *float64)
