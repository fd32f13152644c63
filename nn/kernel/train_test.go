package kernel

import (
	"fmt"
	"math"
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

func compareMoments(tr *trial, s, twin *Set) {
	c, rows := lane*tr.between(1, 9), 1<<tr.between(0, 3) // a power of two, for means that are exact
	rowX := c + tr.between(0, 7)
	x, sum, m2 := tr.slice((rows-1)*rowX+c), tr.slice(c), tr.slice(c)
	wantSum, wantM2 := tr.copy(sum), tr.copy(m2)
	twin.Moments(rows, x, rowX, wantSum, wantM2)
	s.Moments(rows, x, rowX, sum, m2)
	tr.same("moments, sums", sum, wantSum)
	tr.same("moments, squares", m2, wantM2)
}

func compareNormBack(tr *trial, s, twin *Set) {
	c := lane * tr.between(1, 17)
	n := NormBack{Rows: tr.between(1, 5), RowD: c + tr.between(0, 7), RowX: c + tr.between(0, 7)}
	n.Scale, n.Shift, n.Mean = tr.slice(c), tr.slice(c), tr.slice(c)
	n.Sum, n.SumX, n.X = tr.slice(c), tr.slice(c), tr.slice((n.Rows-1)*n.RowX+c)
	if tr.r.IntN(2) == 0 {
		n.RowG = c + tr.between(0, 7)
		n.G = tr.slice((n.Rows-1)*n.RowG + c)
		n.RowD *= tr.r.IntN(2)
	}
	n.D = tr.slice((n.Rows-1)*n.RowD + c)
	want := n
	want.D, want.Sum, want.SumX = tr.copy(n.D), tr.copy(n.Sum), tr.copy(n.SumX)
	if n.G != nil {
		want.G = tr.copy(n.G)
	}
	twin.NormBack(&want)
	s.NormBack(&n)
	tr.same("normBack, D", n.D, want.D)
	tr.same("normBack, G", n.G, want.G)
	tr.same("normBack, sums", n.Sum, want.Sum)
	tr.same("normBack, products", n.SumX, want.SumX)
}

func compareCorrect(tr *trial, s, twin *Set) {
	n := lane * tr.between(1, 5)
	c := Correct{Rows: tr.between(1, 5), RowDst: n + tr.between(0, 7), RowX: n + tr.between(0, 7)}
	c.A, c.B, c.C, c.X = tr.slice(n), tr.slice(n), tr.slice(n), tr.slice((c.Rows-1)*c.RowX+n)
	c.Dst = tr.slice((c.Rows-1)*c.RowDst + n)
	want := c
	want.Dst = tr.copy(c.Dst)
	if tr.r.IntN(2) == 0 {
		c.D, c.RowD = c.Dst, c.RowDst
		want.D, want.RowD = want.Dst, want.RowDst
	} else {
		c.RowD = n + tr.between(0, 7)
		c.D = tr.slice((c.Rows-1)*c.RowD + n)
		want.D, want.RowD = c.D, c.RowD
	}
	twin.Correct(&want)
	s.Correct(&c)
	tr.same("correct", c.Dst, want.Dst)
}

func compareMaxBack(tr *trial, s, twin *Set) {
	n, at, reach := lane*tr.between(1, 5), make([]int32, tr.between(1, 9)), 0
	start, pixel := tr.between(0, 9), n+tr.between(0, 7)
	for i, p := range tr.r.Perm(len(at)) {
		at[i] = int32(start + p*pixel)
		reach = max(reach, int(at[i]))
	}
	x, most, d, g := tr.slice(reach+n), tr.slice(n), tr.slice(n), tr.slice(reach+n)
	for c := range most {
		if tr.r.IntN(8) > 0 {
			most[c] = x[int(at[tr.r.IntN(len(at))])+c]
		}
	}
	want := tr.copy(g)
	twin.MaxBack(want, x, at, most, d)
	s.MaxBack(g, x, at, most, d)
	tr.same("maxBack", g, want)
}

// compareAdam takes factors for which all but the root, the quotient and what follows is exact.
func compareAdam(tr *trial, s, twin *Set) {
	n := lane * tr.between(1, 5)
	pick := func(of ...float32) float32 { return of[tr.r.IntN(len(of))] }
	a := Adam{P: tr.slice(n), G: tr.slice(n), M: tr.slice(n), V: tr.slice(n),
		Beta1: float64(pick(.5, .75)), Beta2: float64(pick(.5, .75)),
		Clip: pick(1, .5), L2: pick(0, .25), Keep: pick(1, .75), Step: pick(.25, 1), InvC2: pick(1, 1.5, 4), Epsilon: pick(1e-8, .1)}
	for i, v := range a.V {
		a.V[i] = v * v
	}
	want := a
	want.P, want.G, want.M, want.V = tr.copy(a.P), tr.copy(a.G), tr.copy(a.M), tr.copy(a.V)
	twin.Adam(&want)
	s.Adam(&a)
	tr.same("adam, P", a.P, want.P)
	tr.same("adam, G", a.G, want.G)
	tr.same("adam, M", a.M, want.M)
	tr.same("adam, V", a.V, want.V)
}

func compareFilterBlock(tr *trial, s, twin *Set) {
	w, n := tr.winograd(), lane*tr.between(1, 5)
	src, got, want := make([][]float32, filterTaps), make([][]float32, w.Planes()), make([][]float32, w.Planes())
	for i := range src {
		src[i] = tr.slice(n)
	}
	for i := range got {
		got[i], want[i] = tr.alloc(n), newSlice(n)
	}
	twin.FilterBlock(w, want, src)
	s.FilterBlock(w, got, src)
	for i := range got {
		tr.same(fmt.Sprintf("filterBlock, plane %d", i), got[i], want[i])
	}
}

func FuzzGemmT(f *testing.F)       { fuzz(f, "gemmT") }
func FuzzMoments(f *testing.F)     { fuzz(f, "moments") }
func FuzzNormBack(f *testing.F)    { fuzz(f, "normBack") }
func FuzzCorrect(f *testing.F)     { fuzz(f, "correct") }
func FuzzMaxBack(f *testing.F)     { fuzz(f, "maxBack") }
func FuzzAdam(f *testing.F)        { fuzz(f, "adam") }
func FuzzFilterBlock(f *testing.F) { fuzz(f, "filterBlock") }

// The portable kernel itself, against the definition.
func TestPortableGemmTIsTheSum(t *testing.T) {
	s, tr := For(Portable), newTrial(t, 5, 6, newSlice)
	for rows := range 10 {
		tile := TileT{Rows: rows + 1, K: 5, RowA: 11, RowB: 7, RowC: 6}
		tile.A, tile.B, tile.C = tr.slice(4*11+10), tr.slice(4*7+s.Cols), tr.slice(9*6+s.Cols)
		want := tr.copy(tile.C)
		for m := range rows + 1 {
			for j := range s.Cols {
				for p := range tile.K {
					want[m*6+j] += tile.A[p*11+m] * tile.B[p*7+j]
				}
			}
		}
		s.GemmT(&tile)
		tr.same("gemmT", tile.C, want)
	}
}

// FilterBlock is FilterTransform up to rounding.
func TestFilterBlockIsTheTransform(t *testing.T) {
	tr := newTrial(t, 7, 8, newSlice)
	for _, isa := range Available() {
		for _, w := range []Winograd{F2, F4} {
			src, dst := make([][]float32, filterTaps), make([][]float32, w.Planes())
			for i := range src {
				src[i] = newSlice(lane)
				for c := range src[i] {
					src[i][c] = tr.value(tr.r)
				}
			}
			for i := range dst {
				dst[i] = newSlice(lane)
			}
			For(isa).FilterBlock(w, dst, src)
			for c := range lane {
				var g []float32
				for _, x := range src {
					g = append(g, x[c])
				}
				for i, want := range w.FilterTransform(g) {
					if math.Abs(float64(dst[i][c])-want) > 4e-6 { // a few roundings of values below 8
						t.Errorf("%v, F%d, plane %d: %v, want %v", isa, w, i, dst[i][c], want)
					}
				}
			}
		}
	}
}

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
