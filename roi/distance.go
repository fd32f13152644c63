package roi

import "math"

// squaredDistance returns, for each pixel of box (row-major), the squared Euclidean distance to the
// nearest pixel of m inside box; +Inf when there is none. spacing is a pixel's width and height.
// It is exact: distances down columns by two scans, then along rows the lower envelope of parabolas
// (Felzenszwalb and Huttenlocher, Distance Transforms of Sampled Functions, 2012).
func squaredDistance(m *Mask, box Box, spacing [2]float64) []float64 {
	d := columnDistances(m, box, spacing[1])
	e := newEnvelope(box.W, spacing[0]*spacing[0])
	for y := range box.H {
		e.transform(d[y*box.W : (y+1)*box.W])
	}
	return d
}

// columnDistances returns the squared distance to the nearest pixel of m in the same column.
func columnDistances(m *Mask, box Box, sy float64) []float64 {
	w, h := box.W, box.H
	const far = math.MaxInt32 / 2
	rows := make([]int32, w*h) // distance in rows
	near := make([]int32, w)
	for x := range near {
		near[x] = far
	}
	for y := range h {
		in, out := m.Row(box.Y + y)[box.X:box.X+w], rows[y*w:(y+1)*w]
		for x, v := range in {
			n := near[x] + 1
			if v != 0 {
				n = 0
			}
			near[x], out[x] = n, n
		}
	}
	table := make([]float64, h) // rows -> squared length
	for n := range table {
		t := float64(n) * sy
		table[n] = t * t
	}
	d := make([]float64, w*h)
	copy(near, rows[(h-1)*w:])
	for y := h - 1; y >= 0; y-- {
		for x, up := range rows[y*w : (y+1)*w] {
			n := min(up, near[x]+1)
			near[x] = n
			if n < int32(h) {
				d[y*w+x] = table[n]
			} else {
				d[y*w+x] = math.Inf(1)
			}
		}
	}
	return d
}

// envelope is the one-dimensional pass over rows of up to n samples.
type envelope struct {
	s2   float64   // squared width of a pixel
	at   []int     // parabolas of the lower envelope, left to right
	from []float64 // where each starts to be lowest
	f    []float64 // the row before the pass
}

func newEnvelope(n int, s2 float64) *envelope {
	return &envelope{s2: s2, at: make([]int, n), from: make([]float64, n), f: make([]float64, n)}
}

// transform replaces f(x) by the least f(q) + s2 (x-q)^2.
func (e *envelope) transform(row []float64) {
	f := e.f[:len(row)]
	copy(f, row)
	k := -1
	for q, v := range f {
		if math.IsInf(v, 1) {
			continue
		}
		start := math.Inf(-1)
		for k >= 0 {
			p := e.at[k]
			start = float64(q+p)/2 + (v-f[p])/(2*e.s2*float64(q-p))
			if start > e.from[k] {
				break
			}
			k--
			start = math.Inf(-1)
		}
		k++
		e.at[k], e.from[k] = q, start
	}
	if k < 0 {
		return
	}
	last, i := k, 0
	for x := range row {
		for i < last && e.from[i+1] < float64(x) {
			i++
		}
		p := e.at[i]
		dx := float64(x - p)
		row[x] = f[p] + e.s2*dx*dx
	}
}
