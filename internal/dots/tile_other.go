//go:build !amd64

package dots

// fused is true: the 64-bit processors that Go supports besides amd64 have fused multiply-add, as math.FMA says.
const fused = true

// tile computes the dot products of n numbers, n a multiple of 4, from each of at in a with those from each of bt in b.
func tile(a []float64, at *[tileA]int, b []float64, bt *[tileB]int, n int, out *[tileA * tileB]float64) {
	tilePortable(a, at, b, bt, n, out)
}
