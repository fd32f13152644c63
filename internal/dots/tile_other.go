//go:build !amd64

package dots

// fused is true: the 64-bit processors that Go supports besides amd64 have fused multiply-add, as math.FMA says.
const fused = true

// tile computes the dot products of n numbers, n a multiple of 4, of every row of a with every row of b.
func tile(a *[tileA][]float64, b *[tileB][]float64, n int, out *[tileA * tileB]float64) {
	tilePortable(a, b, n, out)
}
