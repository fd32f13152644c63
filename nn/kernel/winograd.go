package kernel

// Winograd is a method for 3x3 convolutions of stride 1: F(m x m, 3x3), by the side m of its output
// tiles. A tile takes (m+2)^2 products a pair of channels where the definition has 9m^2
// (Lavin and Gray, Fast algorithms for convolutional neural networks, CVPR 2016).
type Winograd int

// The methods: by Cook and Toom's construction at the points 0, 1, -1, infinity and 0, 1, -1, 1/2,
// -2, infinity. The latter's rounding errors are about three times a direct sum's.
const (
	F2 Winograd = 2
	F4 Winograd = 4
)

// Side is the side of the patch of input that a tile sees.
func (w Winograd) Side() int { return int(w) + 2 }

// Planes is the number of products of matrices that the method takes.
func (w Winograd) Planes() int { return w.Side() * w.Side() }

// Planes are the matrices of a transform in one slice: plane p, tile t, channel c lies at
// p*Plane + t*Row + c, c < N.
type Planes struct {
	Data       []float32
	Row, Plane int
	N          int
}

func (p *Planes) check(w Winograd, tiles int) {
	whole(p.N)
	if (w != F2 && w != F4) || tiles < 1 || p.Row < p.N || p.Plane < 0 {
		panic("kernel: impossible planes")
	}
	need(p.Data, (w.Planes()-1)*p.Plane+(tiles-1)*p.Row+p.N)
}

// Place is where an output tile goes: the offset of its first pixel in floats, and how many rows and
// columns of it lie in the image.
type Place struct{ Offset, Rows, Cols int32 }

// WinogradIn writes v = B'dB for tiles, d being their patches of y (v.N channels): patches holds, for
// each tile, where its Side x Side pixels begin in y; those outside the image point at zeros. reach is
// the largest of these offsets; none is negative.
func (s *Set) WinogradIn(w Winograd, tiles int, v *Planes, y []float32, patches []int32, reach int) {
	v.check(w, tiles)
	need(y, reach+v.N)
	if len(patches) < tiles*w.Planes() {
		panic("kernel: patches are missing")
	}
	s.fns.winogradIn(w, tiles, v, y, patches)
}

// WinogradOut writes x = A'mA for the tiles of p. Pixels of x lie colX floats apart, rows rowX. reach
// is the largest offset of a pixel that p writes; none is negative.
func (s *Set) WinogradOut(w Winograd, x []float32, colX, rowX int, m *Planes, p []Place, reach int) {
	m.check(w, len(p))
	need(x, reach+m.N)
	s.fns.winogradOut(w, x, colX, rowX, m, p)
}

// FilterTransform returns U = G g G' of a 3x3 filter g, in float64, plane by plane.
func (w Winograd) FilterTransform(g []float32) []float64 {
	n := w.Side()
	var matrix [side][3]float64 // G
	for i := range n {
		for k := range 3 {
			matrix[i][k] = w.filter(i, k)
		}
	}
	u := make([]float64, w.Planes())
	for i := range n {
		for j := range n {
			for k := range 9 {
				u[i*n+j] += matrix[i][k/3] * float64(g[k]) * matrix[j][k%3]
			}
		}
	}
	return u
}

// filter is entry (i, k) of G: point^k over the product of the point's distances from the others.
func (w Winograd) filter(i, k int) float64 {
	points, scale := []float64{0, 1, -1}, []float64{1, 2, 2}
	if w == F4 {
		points, scale = []float64{0, 1, -1, .5, -2}, []float64{1, 3, -3, -15. / 16, 15}
	}
	if i == len(points) { // infinity
		if k == 2 {
			return 1
		}
		return 0
	}
	g := 1 / scale[i]
	for range k {
		g *= points[i]
	}
	return g
}

// side is the largest Side.
const side = 6

// inSums is the one-dimensional input transform of d.
func (w Winograd) inSums(d *[side]float32) [side]float32 {
	if w == F2 {
		return [side]float32{d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]}
	}
	a, b := d[4]-d[2], d[3]-d[1]
	return [side]float32{
		d[0] + d[4] + 1.5*b - 2*d[2],
		d[4] - d[1] + .5*d[2] + 2.5*d[3],
		d[4] + d[1] - 2.5*d[2] + .5*d[3],
		a + 2*b,
		a - .5*b,
		d[1] + d[5] + 1.5*a - 2*d[3],
	}
}

// outSums is the one-dimensional output transform of m.
func (w Winograd) outSums(m *[side]float32) [4]float32 {
	if w == F2 {
		return [4]float32{m[0] + m[1] + m[2], m[1] - m[2] - m[3]}
	}
	return [4]float32{
		m[1] + m[2] + m[0] + m[3] + m[4],
		m[1] - m[2] + .5*m[3] - 2*m[4],
		m[1] + m[2] + .25*m[3] + 4*m[4],
		m[1] - m[2] + .125*m[3] - 8*m[4] + m[5],
	}
}

func (portable) winogradIn(w Winograd, tiles int, v *Planes, y []float32, patches []int32) {
	n := w.Side()
	var d [side]float32
	var t [side][side]float32 // by column
	for tile := range tiles {
		p, out := patches[tile*n*n:][:n*n], v.Data[tile*v.Row:]
		for c := range v.N {
			for j := range n {
				for i := range n {
					d[i] = y[int(p[i*n+j])+c]
				}
				t[j] = w.inSums(&d)
			}
			for i := range n {
				for j := range n {
					d[j] = t[j][i]
				}
				row := w.inSums(&d)
				for j := range n {
					out[(i*n+j)*v.Plane+c] = row[j]
				}
			}
		}
	}
}

func (portable) winogradOut(w Winograd, x []float32, colX, rowX int, m *Planes, places []Place) {
	n := w.Side()
	var d [side]float32
	var t [side][4]float32 // by column
	for tile, p := range places {
		in := m.Data[tile*m.Row:]
		for c := range m.N {
			for j := range n {
				for i := range n {
					d[i] = in[(i*n+j)*m.Plane+c]
				}
				t[j] = w.outSums(&d)
			}
			for i := range int(p.Rows) {
				for j := range n {
					d[j] = t[j][i]
				}
				row := w.outSums(&d)
				for j := range int(p.Cols) {
					x[int(p.Offset)+i*rowX+j*colX+c] = row[j]
				}
			}
		}
	}
}
