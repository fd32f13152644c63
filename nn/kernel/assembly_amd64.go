package kernel

// gemmFunc is the matrix kernel of one tile height, for a number of tiles; strides in bytes.
type gemmFunc func(tiles, k, runs int, a *float32, rowA, runA int, b, c *float32, rowC int, init *float32, rowInit int, floor float32)

// assembly implements the kernels by generated functions. Set has checked the arguments, so that
// the first element of each slice and the counts are all that the functions need.
type assembly struct {
	gemmOf        []gemmFunc // by rows
	normFn        func(n, rows int, dst *float32, rowDst int, x *float32, rowX int, scale, shift *float32)
	normMean4Fn   func(n int, dst, a, b, c, d, scale, shift *float32)
	max3Fn        func(n int, dst, a, b, c *float32)
	addFn         func(n int, dst, x *float32)
	winogradInFn  map[int]winogradInFunc // by the tile's side
	winogradOutFn map[int]winogradOutFunc

	gemmTOf       []gemmTFunc // by rows
	momentsFn     func(n, rows int, x *float32, rowX int, sum, m2 *float32, count float32)
	normBackFn    func(n, rows int, d *float32, rowD int, x *float32, rowX int, scale, shift, mean, sum, sumX *float32)
	normBackAddFn func(n, rows int, d *float32, rowD int, x *float32, rowX int, scale, shift, mean, sum, sumX *float32,
		g *float32, rowG int)
	correctFn     func(n, rows int, dst *float32, rowDst int, d *float32, rowD int, x *float32, rowX int, a, b, c *float32)
	maxBackFn     func(n, count int, g, x *float32, at *int32, max, d *float32)
	adamFn        func(n int, p, g, m, v *float32, factors *adamFactors)
	filterBlockFn map[int]filterBlockFunc // by the tile's side
}

type (
	winogradInFunc  func(n, tiles int, v *float32, rowV, planeV int, y *float32, patches *int32)
	winogradOutFunc func(n, tiles int, x *float32, colX, rowX int, m *float32, rowM, planeM int, places *int32)
)

const floatBytes = 4

func (f *assembly) gemm(t *Tile) {
	height, tiles, taller := cut(t.Rows, len(f.gemmOf)-1)
	if taller > 0 {
		f.tiles(t, 0, taller, height+1)
	}
	f.tiles(t, taller*(height+1), tiles-taller, height)
}

// cut divides rows into as few tiles of at most so many rows as there must be, of equal height but for
// the first, taller ones, which have one row more.
func cut(rows, most int) (height, tiles, taller int) {
	tiles = (rows + most - 1) / most
	return rows / tiles, tiles, rows % tiles
}

// tiles runs n tiles of a height from row r on.
func (f *assembly) tiles(t *Tile, r, n, height int) {
	f.gemmOf[height](n, t.K, t.Runs, &t.A[r*t.RowA], t.RowA*floatBytes, t.RunA*floatBytes, &t.B[0],
		&t.C[r*t.RowC], t.RowC*floatBytes, &t.Init[r*t.RowInit], t.RowInit*floatBytes, t.Floor)
}

func (f *assembly) norm(n *Norm) {
	f.normFn(len(n.Scale), n.Rows, &n.Dst[0], n.RowDst*floatBytes, &n.X[0], n.RowX*floatBytes, &n.Scale[0], &n.Shift[0])
}

func (f *assembly) normMean4(dst []float32, x *[4][]float32, scale, shift []float32) {
	f.normMean4Fn(len(scale), &dst[0], &x[0][0], &x[1][0], &x[2][0], &x[3][0], &scale[0], &shift[0])
}

func (f *assembly) max3(dst, a, b, c []float32) { f.max3Fn(len(dst), &dst[0], &a[0], &b[0], &c[0]) }

func (f *assembly) add(dst, x []float32) { f.addFn(len(dst), &dst[0], &x[0]) }

func (f *assembly) winogradIn(w Winograd, tiles int, v *Planes, y []float32, patches []int32) {
	f.winogradInFn[int(w)](v.N, tiles, &v.Data[0], v.Row*floatBytes, v.Plane*floatBytes, &y[0], &patches[0])
}

func (f *assembly) winogradOut(w Winograd, x []float32, colX, rowX int, m *Planes, p []Place) {
	f.winogradOutFn[int(w)](m.N, len(p), &x[0], colX*floatBytes, rowX*floatBytes,
		&m.Data[0], m.Row*floatBytes, m.Plane*floatBytes, &p[0].Offset)
}

// sets returns the kernels of an isa that the machine has.
func sets(isa ISA) *Set {
	switch isa {
	case AVX512:
		return &Set{ISA: AVX512, Cols: 32, KRun: 512, fns: &tableAVX512}
	case AVX2:
		return &Set{ISA: AVX2, Cols: 16, KRun: 256, fns: &tableAVX2}
	default:
		return portableSet()
	}
}
