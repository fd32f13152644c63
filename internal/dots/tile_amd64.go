package dots

//go:generate go run ./gen

import "golang.org/x/sys/cpu"

var (
	fused   = cpu.X86.HasFMA
	hasAVX2 = cpu.X86.HasAVX2 && cpu.X86.HasFMA
)

// tile computes the dot products of n numbers, n a multiple of 4, from each of at in a with those from each of bt in b.
func tile(a []float64, at *[tileA]int, b []float64, bt *[tileB]int, n int, out *[tileA * tileB]float64) {
	if hasAVX2 {
		tileAVX2(&a[at[0]], &a[at[1]], &a[at[2]], &b[bt[0]], &b[bt[1]], &b[bt[2]], &b[bt[3]], n, &out[0])
		return
	}
	tilePortable(a, at, b, bt, n, out)
}

//go:noescape
func tileAVX2(a0, a1, a2, b0, b1, b2, b3 *float64, n int, out *float64)
