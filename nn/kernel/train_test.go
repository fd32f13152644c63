package kernel

import (
	"fmt"
	"testing"
)

func compareGemmT(tr *trial, s, twin *Set) {
	t := TileT{Rows: tr.between(1, 35), K: tr.between(1, 40)}
	t.RowA, t.RowB, t.RowC = tr.between(0, 50), tr.between(0, 50), s.Cols+tr.between(0, 9)
	t.A = tr.slice((t.K-1)*t.RowA + t.Rows)
	t.B = tr.slice((t.K-1)*t.RowB + s.Cols)
	t.C = tr.slice((t.Rows-1)*t.RowC + s.Cols)
	want := t
	want.C = tr.copy(t.C)
	for n := 0; n < s.Cols; n += twin.Cols {
		part := want
		part.B, part.C = t.B[n:], want.C[n:]
		twin.GemmT(&part)
	}
	s.GemmT(&t)
	tr.same(fmt.Sprintf("gemmT, %d rows, %d products", t.Rows, t.K), t.C, want.C)
}

func FuzzGemmT(f *testing.F) { fuzz(f, "gemmT") }

// BenchmarkGemmT multiplies tiles of the size that the backward pass through a neck does.
func BenchmarkGemmT(b *testing.B) {
	for _, isa := range Available() {
		b.Run(isa.String(), func(b *testing.B) {
			s := For(isa)
			t := TileT{Rows: 126, K: 128, RowA: 144, RowB: 128, RowC: s.Cols}
			t.A, t.B, t.C = make([]float32, t.K*t.RowA), make([]float32, t.K*t.RowB), make([]float32, t.Rows*t.RowC)
			for b.Loop() {
				s.GemmT(&t)
			}
			flop := 2 * float64(t.Rows*t.K*s.Cols) * float64(b.N)
			b.ReportMetric(flop/1e9/b.Elapsed().Seconds(), "GFLOP/s")
		})
	}
}
