package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// trial makes the arguments of one comparison: every slice from alloc, just as long as needed.
type trial struct {
	t     *testing.T
	r     *rand.Rand
	alloc func(n int) []float32
	value func(r *rand.Rand) float32
}

// newTrial draws values that are exact in float32 arithmetic of this size (multiples of 1/4 below 4),
// so that any order and rounding of the sums gives the same bits.
func newTrial(t *testing.T, seed, stream uint64, alloc func(n int) []float32) *trial {
	return &trial{t, rand.New(rand.NewPCG(seed, stream)), alloc, func(r *rand.Rand) float32 { return float32(r.IntN(32)-16) / 4 }}
}

func newSlice(n int) []float32 { return make([]float32, n) }

// slice returns n values; some are not finite.
func (tr *trial) slice(n int) []float32 {
	x := tr.alloc(n)
	for i := range x {
		x[i] = tr.value(tr.r)
	}
	if tr.r.IntN(4) == 0 {
		x[tr.r.IntN(n)] = float32(math.NaN())
		x[tr.r.IntN(n)] = float32(math.Inf(1))
	}
	return x
}

func (tr *trial) copy(x []float32) []float32 {
	y := tr.alloc(len(x))
	copy(y, x)
	return y
}

// between returns a number in [low, high].
func (tr *trial) between(low, high int) int { return low + tr.r.IntN(high-low+1) }

// same compares all of two slices, so that a write beside the result shows as well.
func (tr *trial) same(what string, got, want []float32) {
	tr.t.Helper()
	for i := range want {
		g, w := got[i], want[i]
		if math.Float32bits(g) != math.Float32bits(w) && (g == g || w == w) {
			tr.t.Fatalf("%s: value %d is %v, the twin has %v", what, i, g, w)
		}
	}
}

// comparisons hold, for each kernel, the comparison with its twin on random arguments.
var comparisons = map[string]func(tr *trial, s, twin *Set){
	"gemm": compareGemm, "norm": compareNorm, "normMean4": compareNormMean4, "max3": compareMax3,
	"add": compareAdd, "winogradIn": compareWinogradIn, "winogradOut": compareWinogradOut,
	"gemmT": compareGemmT, "moments": compareMoments, "normBack": compareNormBack, "correct": compareCorrect,
	"maxBack": compareMaxBack, "adam": compareAdam, "filterBlock": compareFilterBlock,
}

func compareGemm(tr *trial, s, twin *Set) {
	t := Tile{Rows: tr.between(1, 35), K: tr.between(1, 40), Runs: tr.between(1, 4)}
	t.RowA, t.RunA = tr.between(0, 50), tr.between(0, 50)
	t.A = tr.slice((t.Rows-1)*t.RowA + (t.Runs-1)*t.RunA + t.K)
	t.B = tr.slice(t.Runs * t.K * s.Cols)
	t.RowC = s.Cols + tr.between(0, 9)
	t.C = tr.slice((t.Rows-1)*t.RowC + s.Cols)
	t.Floor = []float32{0, float32(math.Inf(-1)), 2}[tr.r.IntN(3)]
	want := t
	want.C = tr.copy(t.C)
	if t.Init, t.RowInit = t.C, t.RowC; tr.r.IntN(2) == 0 {
		t.RowInit = tr.between(0, 40)
		t.Init = tr.slice((t.Rows-1)*t.RowInit + s.Cols)
		want.Init, want.RowInit = t.Init, t.RowInit
	} else {
		want.Init, want.RowInit = want.C, want.RowC
	}
	inPanels(want, s.Cols, twin)
	s.Gemm(&t)
	tr.same(fmt.Sprintf("gemm, %d rows, %d x %d", t.Rows, t.Runs, t.K), t.C, want.C)
}

// inPanels runs t, which has cols columns, in the narrower panels of s.
func inPanels(t Tile, cols int, s *Set) {
	for n := 0; n < cols; n += s.Cols {
		var b []float32
		for k := range t.Runs * t.K {
			b = append(b, t.B[k*cols+n:][:s.Cols]...)
		}
		part := t
		part.B, part.C, part.Init = b, t.C[n:], t.Init[n:]
		s.Gemm(&part)
	}
}

func compareNorm(tr *trial, s, twin *Set) {
	c := lane * tr.between(1, 5)
	n := Norm{Rows: tr.between(1, 5), RowDst: c + tr.between(0, 7), RowX: c + tr.between(0, 7)}
	n.X, n.Dst = tr.slice((n.Rows-1)*n.RowX+c), tr.slice((n.Rows-1)*n.RowDst+c)
	n.Scale, n.Shift = tr.slice(c), tr.slice(c)
	want := n
	want.Dst = tr.copy(n.Dst)
	twin.Norm(&want)
	s.Norm(&n)
	tr.same("norm", n.Dst, want.Dst)
}

func compareNormMean4(tr *trial, s, twin *Set) {
	c := lane * tr.between(1, 5)
	x := [4][]float32{tr.slice(c), tr.slice(c), tr.slice(c), tr.slice(c)}
	got, want, scale, shift := tr.slice(c), tr.alloc(c), tr.slice(c), tr.slice(c)
	twin.NormMean4(want, &x, scale, shift)
	s.NormMean4(got, &x, scale, shift)
	tr.same("normMean4", got, want)
}

func compareMax3(tr *trial, s, twin *Set) {
	n := lane * tr.between(1, 5)
	a, b, c, got, want := tr.slice(n), tr.slice(n), tr.slice(n), tr.slice(n), tr.alloc(n)
	twin.Max3(want, a, b, c)
	s.Max3(got, a, b, c)
	tr.same("max3", got, want)
}

func compareAdd(tr *trial, s, twin *Set) {
	n := lane * tr.between(1, 5)
	x, got := tr.slice(n), tr.slice(n)
	want := tr.copy(got)
	twin.Add(want, x)
	s.Add(got, x)
	tr.same("add", got, want)
}

// planes makes planes that end with their last value.
func (tr *trial) planes(w Winograd, tiles int) Planes {
	p := Planes{N: lane * tr.between(1, 4)}
	p.Row = p.N + tr.between(0, 5)
	p.Plane = tiles*p.Row + tr.between(0, 5)
	p.Data = tr.slice((w.Planes()-1)*p.Plane + (tiles-1)*p.Row + p.N)
	return p
}

func (tr *trial) winograd() Winograd { return []Winograd{F2, F4}[tr.r.IntN(2)] }

func compareWinogradIn(tr *trial, s, twin *Set) {
	w, tiles := tr.winograd(), tr.between(1, 4)
	patches := make([]int32, tiles*w.Planes())
	got, reach := tr.planes(w, tiles), 0
	for i := range patches {
		patches[i] = int32(tr.r.IntN(300))
		reach = max(reach, int(patches[i]))
	}
	y := tr.slice(reach + got.N)
	want := got
	want.Data = tr.copy(got.Data)
	twin.WinogradIn(w, tiles, &want, y, patches, reach)
	s.WinogradIn(w, tiles, &got, y, patches, reach)
	tr.same("winogradIn", got.Data, want.Data)
}

func compareWinogradOut(tr *trial, s, twin *Set) {
	w := tr.winograd()
	places := make([]Place, tr.between(1, 4))
	m, reach := tr.planes(w, len(places)), 0
	colX, rowX := m.N+tr.between(0, 9), 4*m.N+40+tr.between(0, 9)
	for i := range places {
		places[i] = Place{int32(tr.r.IntN(300)), int32(tr.between(1, int(w))), int32(tr.between(1, int(w)))}
		p := places[i]
		reach = max(reach, int(p.Offset)+int(p.Rows-1)*rowX+int(p.Cols-1)*colX)
	}
	got := tr.slice(reach + m.N)
	want := tr.copy(got)
	twin.WinogradOut(w, want, colX, rowX, &m, places, reach)
	s.WinogradOut(w, got, colX, rowX, &m, places, reach)
	tr.same("winogradOut", got, want)
}

// accelerated lists the sets that have a twin to differ from.
func accelerated() []*Set {
	var all []*Set
	for _, isa := range Available()[1:] {
		all = append(all, For(isa))
	}
	return all
}

// fuzz compares one kernel of every set with its portable twin on arguments drawn from a seed.
func fuzz(f *testing.F, name string) {
	for seed := range uint64(300) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		for _, s := range accelerated() {
			comparisons[name](newTrial(t, seed, 1, newSlice), s, For(Portable))
		}
	})
}

// The sets with fused multiply-add agree to the bit on any values.
func TestFusedSetsAgree(t *testing.T) {
	fused := accelerated()
	if len(fused) < 2 {
		t.Skip("this machine has no AVX-512")
	}
	for name, compare := range comparisons {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(100) {
				tr := newTrial(t, seed, 3, newSlice)
				tr.value = func(r *rand.Rand) float32 { return float32(r.NormFloat64()) }
				compare(tr, fused[1], fused[0])
			}
		})
	}
}

func FuzzGemm(f *testing.F)        { fuzz(f, "gemm") }
func FuzzNorm(f *testing.F)        { fuzz(f, "norm") }
func FuzzNormMean4(f *testing.F)   { fuzz(f, "normMean4") }
func FuzzMax3(f *testing.F)        { fuzz(f, "max3") }
func FuzzAdd(f *testing.F)         { fuzz(f, "add") }
func FuzzWinogradIn(f *testing.F)  { fuzz(f, "winogradIn") }
func FuzzWinogradOut(f *testing.F) { fuzz(f, "winogradOut") }

// The portable kernel itself, against the definition.
func TestPortableGemmIsTheSum(t *testing.T) {
	s := For(Portable)
	tr := newTrial(t, 1, 2, newSlice)
	for rows := range 10 {
		tile := Tile{Rows: rows + 1, K: 5, Runs: 3, RowA: 7, RunA: 11, RowC: 6, Floor: -3}
		tile.A, tile.B = tr.slice(9*7+2*11+5), tr.slice(15*s.Cols)
		tile.C, tile.Init = make([]float32, 9*6+s.Cols), tr.slice(s.Cols)
		s.Gemm(&tile)
		for r := range rows + 1 {
			for j := range s.Cols {
				want := tile.Init[j]
				for i := range 15 {
					want += tile.A[r*7+i/5*11+i%5] * tile.B[i*s.Cols+j]
				}
				if want < tile.Floor {
					want = tile.Floor
				}
				tr.same("gemm", tile.C[r*6+j:][:1], []float32{want})
			}
		}
	}
}

// The transforms of filter, input and output on the portable kernels give a 3x3 convolution.
func TestWinogradIsTheConvolution(t *testing.T) {
	for _, w := range []Winograd{F2, F4} {
		s, n, r := For(Portable), w.Side(), rand.New(rand.NewPCG(3, 4))
		y := make([]float32, w.Planes()*lane) // an image of one patch
		patch := make([]int32, w.Planes())
		for i := range patch {
			patch[i] = int32(i * lane)
			y[i*lane] = float32(r.IntN(9) - 4)
		}
		v := Planes{Data: make([]float32, w.Planes()*lane), Row: lane, Plane: lane, N: lane}
		s.WinogradIn(w, 1, &v, y, patch, len(y)-lane)
		g := make([]float32, 9)
		for i := range g {
			g[i] = float32(r.IntN(9) - 4)
		}
		for i, u := range w.FilterTransform(g) {
			v.Data[i*lane] *= float32(u)
		}
		m := int(w)
		x := make([]float32, m*m*lane)
		s.WinogradOut(w, x, lane, m*lane, &v, []Place{{0, int32(m), int32(m)}}, len(x)-lane)
		for i := range m * m {
			want := float32(0)
			for k := range 9 {
				want += g[k] * y[((i/m+k/3)*n+i%m+k%3)*lane]
			}
			if math.Abs(float64(x[i*lane]-want)) > 1e-3 {
				t.Errorf("F%d, pixel %d: %v, want %v", m, i, x[i*lane], want)
			}
		}
	}
}

func TestParseISA(t *testing.T) {
	for _, isa := range []ISA{Portable, AVX2, AVX512} {
		if got, err := ParseISA(isa.String()); got != isa || err != nil {
			t.Errorf("ParseISA(%q) = %v, %v", isa, got, err)
		}
	}
	if got, err := ParseISA("auto"); got != Detect() || err != nil {
		t.Errorf("ParseISA(auto) = %v, %v", got, err)
	}
	if _, err := ParseISA("sse"); err == nil {
		t.Error("ParseISA(sse) gave no error")
	}
}
