package dots

import (
	"encoding/binary"
	"math"
	"testing"
)

// FuzzTile holds the assembly to its portable twin, bit for bit, on any numbers but NaN (whose payload is not specified).
func FuzzTile(f *testing.F) {
	f.Add([]byte("seventy-seven bytes of something, so that a few rows of four numbers come out."))
	f.Fuzz(func(t *testing.T, raw []byte) {
		v := make([]float64, 0, len(raw)/8)
		for ; len(raw) >= 8; raw = raw[8:] {
			x := math.Float64frombits(binary.LittleEndian.Uint64(raw))
			if math.IsNaN(x) || math.IsInf(x, 0) {
				x = 1
			}
			v = append(v, x)
		}
		n := len(v) / (tileA + tileB) &^ 3
		if n == 0 {
			return
		}
		at, bt := [tileA]int{0, n, 2 * n}, [tileB]int{0, n, 2 * n, 3 * n}
		a, b := v[:tileA*n], v[tileA*n:(tileA+tileB)*n]
		var got, want [tileA * tileB]float64
		tile(a, &at, b, &bt, n, &got)
		tilePortable(a, &at, b, &bt, n, &want)
		for i := range got {
			if math.Float64bits(got[i]) != math.Float64bits(want[i]) && !(math.IsNaN(got[i]) && math.IsNaN(want[i])) {
				t.Fatalf("sum %d: %v, portable %v", i, got[i], want[i])
			}
		}
	})
}
