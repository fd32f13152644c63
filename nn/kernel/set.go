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
	_ = t.A[last*t.RowA+(t.Runs-1)*t.RunA+t.K-1]
	_ = t.B[t.Runs*t.K*s.Cols-1]
	_ = t.C[last*t.RowC+s.Cols-1]
	_ = t.Init[last*t.RowInit+s.Cols-1]
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
	_ = n.Shift[c-1]
	_ = n.Dst[(n.Rows-1)*n.RowDst+c-1]
	_ = n.X[(n.Rows-1)*n.RowX+c-1]
	s.fns.norm(n)
}

// NormMean4 writes the mean over the four pixels of max(x*scale + shift, 0); the number of
// channels, len(scale), is a multiple of 16.
func (s *Set) NormMean4(dst []float32, x *[4][]float32, scale, shift []float32) {
	c := len(scale)
	whole(c)
	_, _ = dst[c-1], shift[c-1]
	for i := range x {
		_ = x[i][c-1]
	}
	s.fns.normMean4(dst, x, scale, shift)
}

// Max3 writes dst = max(a, b, c), len(dst) values, a multiple of 16. A NaN in b or c is passed over.
func (s *Set) Max3(dst, a, b, c []float32) {
	n := len(dst)
	whole(n)
	_, _, _ = a[n-1], b[n-1], c[n-1]
	s.fns.max3(dst, a, b, c)
}

// Add writes dst += x, len(dst) values, a multiple of 16.
func (s *Set) Add(dst, x []float32) {
	whole(len(dst))
	_ = x[len(dst)-1]
	s.fns.add(dst, x)
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
