package nn

import "sonotype/nn/kernel"

// bandPlan cuts a block's images into bands of rows for the 3x3 convolutions of a training step: a
// worker holds a band, with the zeros around it, in its second-level cache.
type bandPlan struct {
	method kernel.Winograd
	h      int          // rows of an image
	most   int          // rows of a band, a multiple of the method's tile
	n      int          // bands of an image; the last may be lower
	pitch  int          // pixels of a padded row
	unit   int          // tiles that are transformed at a time
	fore   [2]bandTiles // neck to grow: of a whole band and of the last
	aft    [2]bandTiles // grow to neck, the way back
}

// bandTiles lists the tiles of a band for one direction of its convolution.
type bandTiles struct {
	method     kernel.Winograd
	unit       int
	in, out    int
	colX, rowX int // what pixels and rows of the output lie apart
	patches    []int32
	places     []kernel.Place
	patchReach int
	placeReach int
}

func newBandPlan(b *blockPlan) bandPlan {
	t := newTiling(b, 0)
	h, w, m := b.shape.H, b.shape.W, int(t.method)
	p := bandPlan{method: t.method, unit: t.unit, h: h, pitch: ceilDiv(w, m)*m + 2}
	p.most = max(1, min(ceilDiv(h, m), (bandFloats/(p.pitch*b.neck)-2)/m)) * m
	p.n = ceilDiv(h, p.most)
	for i, rows := range []int{min(p.most, h), h - (p.n-1)*p.most} {
		p.fore[i] = p.tiles(rows, w, b.neck, b.grow, b.shape.C)
		p.aft[i] = p.tiles(rows, w, b.grow, b.neck, b.neck)
	}
	return p
}

// tiles lists the tiles of h x w pixels from in to out channels, output pixels lying stride apart.
func (p *bandPlan) tiles(h, w, in, out, stride int) bandTiles {
	t := bandTiles{method: p.method, unit: p.unit, in: in, out: out, colX: stride, rowX: w * stride}
	m, side := int(p.method), p.method.Side()
	for y := 0; y < h; y += m {
		for x := 0; x < w; x += m {
			for j := range side * side {
				t.patches = append(t.patches, int32(((y+j/side)*p.pitch+x+j%side)*in))
			}
			t.places = append(t.places, kernel.Place{Offset: int32((y*w + x) * stride), Rows: int32(min(m, h-y)), Cols: int32(min(m, w-x))})
		}
	}
	t.patchReach, t.placeReach = (p.pixels()-1)*in, (h*w-1)*stride
	return t
}

// rows returns the rows [y0, y1) of band j.
func (p *bandPlan) rows(j int) (y0, y1 int) { return j * p.most, min((j+1)*p.most, p.h) }

// of returns the tiles of band j, neck to grow; back those from grow to neck.
func (p *bandPlan) of(j int) *bandTiles   { return &p.fore[p.last(j)] }
func (p *bandPlan) back(j int) *bandTiles { return &p.aft[p.last(j)] }

func (p *bandPlan) last(j int) int {
	if j == p.n-1 {
		return 1
	}
	return 0
}

// pixels is the size of a padded band.
func (p *bandPlan) pixels() int { return (p.most + 2) * p.pitch }

// weights makes room for the transforms of a layer's weights.
func (p *bandPlan) weights(b *blockPlan) [][]float32 {
	w := make([][]float32, p.method.Planes())
	for i := range w {
		w[i] = make([]float32, b.neck*b.grow)
	}
	return w
}
