package kernel

// Set is the kernels of one instruction set. All sets compute the same sums in the same order;
// those with fused multiply-add (AVX2, AVX512) give the same bits, the portable one rounds the
// products as well. Slices shorter than the arguments ask for panic before anything is written.
type Set struct {
	ISA  ISA
	Cols int // columns of a Tile
	KRun int // largest K for which a panel of B stays in the nearest cache
	fns  functions
}

// functions are a Set's kernels behind the checks; the arguments are known to be good.
type functions interface {
	gemm(t *Tile)
	norm(n *Norm)
	normMean4(dst []float32, x *[4][]float32, scale, shift []float32)
	max3(dst, a, b, c []float32)
	add(dst, x []float32)
	winogradIn(w Winograd, tiles int, v *Planes, y []float32, patches []int32)
	winogradOut(w Winograd, x []float32, colX, rowX int, m *Planes, p []Place)
	gemmT(t *TileT)
	moments(rows int, x []float32, rowX int, sum, m2 []float32)
	normBack(n *NormBack)
	correct(c *Correct)
	maxBack(g, x []float32, at []int32, max, d []float32)
	adam(a *Adam, f *adamFactors)
	filterBlock(w Winograd, dst, src [][]float32)
}

// lane is what every length of an element-wise kernel is a multiple of.
const lane = 16

// Tile is one call of the matrix kernel,
//
//	C[r][j] = max(Init[r][j] + sum over s < Runs, k < K of A[r*RowA + s*RunA + k] * B[(s*K + k)*Cols + j], Floor)
//
// for r < Rows, any number, and j < Cols, the Set's. The sum runs in the order of (s, k). Init may be C itself or, with
// RowInit 0, a bias. A NaN stays a NaN.
type Tile struct {
	Rows, K, Runs int
	A             []float32
	RowA, RunA    int
	B             []float32
	C             []float32
	RowC          int
	Init          []float32
	RowInit       int
	Floor         float32
}

// Gemm runs t.
func (s *Set) Gemm(t *Tile) {
	if t.Rows < 1 || t.K < 1 || t.Runs < 1 || t.RowA < 0 || t.RunA < 0 || t.RowC < 0 || t.RowInit < 0 {
		panic("kernel: impossible tile")
	}
	last := t.Rows - 1
	need(t.A, last*t.RowA+(t.Runs-1)*t.RunA+t.K)
	need(t.B, t.Runs*t.K*s.Cols)
	need(t.C, last*t.RowC+s.Cols)
	need(t.Init, last*t.RowInit+s.Cols)
	s.fns.gemm(t)
}

// Norm is a batch normalisation with ReLU of rows of pixels:
// Dst[r*RowDst+c] = max(X[r*RowX+c]*Scale[c] + Shift[c], 0) for c < len(Scale).
type Norm struct {
	Rows         int
	Dst          []float32
	RowDst       int
	X            []float32
	RowX         int
	Scale, Shift []float32
}

// Norm runs n; the number of channels is a multiple of 16.
func (s *Set) Norm(n *Norm) {
	c := len(n.Scale)
	whole(c)
	if n.Rows < 1 || n.RowDst < 0 || n.RowX < 0 {
		panic("kernel: impossible rows")
	}
	need(n.Shift, c)
	need(n.Dst, (n.Rows-1)*n.RowDst+c)
	need(n.X, (n.Rows-1)*n.RowX+c)
	s.fns.norm(n)
}

// NormMean4 writes the mean over the four pixels of max(x*scale + shift, 0); the number of
// channels, len(scale), is a multiple of 16.
func (s *Set) NormMean4(dst []float32, x *[4][]float32, scale, shift []float32) {
	c := len(scale)
	whole(c)
	need(dst, c)
	need(shift, c)
	for i := range x {
		need(x[i], c)
	}
	s.fns.normMean4(dst, x, scale, shift)
}

// Max3 writes dst = max(a, b, c), len(dst) values, a multiple of 16. A NaN in b or c is passed over.
func (s *Set) Max3(dst, a, b, c []float32) {
	n := len(dst)
	whole(n)
	need(a, n)
	need(b, n)
	need(c, n)
	s.fns.max3(dst, a, b, c)
}

// Add writes dst += x, len(dst) values, a multiple of 16.
func (s *Set) Add(dst, x []float32) {
	whole(len(dst))
	need(x, len(dst))
	s.fns.add(dst, x)
}

// need panics unless x has n values. (An index would do, but the race detector takes it for a read.)
func need(x []float32, n int) {
	if len(x) < n {
		panic("kernel: a slice is too short")
	}
}

func whole(n int) {
	if n < lane || n%lane != 0 {
		panic("kernel: lengths must be positive multiples of 16")
	}
}

// For returns the kernels of isa, or nil if this machine lacks it.
func For(isa ISA) *Set {
	if isa < Portable || isa > Detect() {
		return nil
	}
	return sets(isa)
}
