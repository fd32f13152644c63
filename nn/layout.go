package nn

import (
	"fmt"
	"math"

	"sonotype/internal/problem"
	"sonotype/nn/kernel"
)

// layout is what follows from a plan before any weights: which blocks run image by image, and
// where their tiles lie.
type layout struct {
	front int // blocks that run one image at a time
	group int // images that the later blocks take together
	tiles []tiling
}

// Late blocks have few pixels and most of the weights, so several images share one pass over the
// weights there; early blocks have activations that would fall out of the cache.
const (
	groupPixels = 400 // blocks of at most so many pixels run in groups
	groupImages = 4
)

// newLayout lays out p; offsets must fit the 32 bits that the kernels' tables have.
func newLayout(p *plan) (*layout, error) {
	l := &layout{group: groupImages}
	for l.front < len(p.blocks)-1 && p.blocks[l.front].pixels() > groupPixels {
		l.front++
	}
	for i := range p.blocks {
		b := &p.blocks[i]
		if l.images(i)*(b.pixels()+1) > math.MaxInt32/max(b.shape.C, b.neck) {
			in := p.input
			return nil, &problem.Error{What: "the network's input is too large", Found: fmt.Sprintf("%dx%d", in.H, in.W)}
		}
		l.tiles = append(l.tiles, newTiling(b, l.images(i)))
	}
	return l, nil
}

// images is the number of images that block i's buffers hold.
func (l *layout) images(block int) int {
	if block < l.front {
		return 1
	}
	return l.group
}

// tiling lists the output tiles of a block's 3x3 convolutions, image after image.
type tiling struct {
	method   kernel.Winograd
	perImage int
	unit     int            // tiles of a unit of work
	patches  []int32        // where the neck's pixels lie; the first row of the buffer is zeros
	places   []kernel.Place // where the block's pixels lie
}

// The larger tiles pay from so many on an image: below, their edges waste products, and there are
// too few rows to each of the 36 matrices of weights.
const manyTiles = 49

// Tiles of a unit of work: what a worker's second-level cache holds of their transforms.
const (
	unitTiles2 = 28
	unitTiles4 = 18
)

func newTiling(b *blockPlan, images int) tiling {
	t := tiling{method: kernel.F2, unit: unitTiles2}
	h, w := b.shape.H, b.shape.W
	if ceilDiv(h, int(kernel.F4))*ceilDiv(w, int(kernel.F4)) >= manyTiles {
		t.method, t.unit = kernel.F4, unitTiles4
	}
	m := int(t.method)
	t.perImage = ceilDiv(h, m) * ceilDiv(w, m)
	for i := range images {
		for y := 0; y < h; y += m {
			for x := 0; x < w; x += m {
				t.addPatch(b, i, y, x)
				t.places = append(t.places, kernel.Place{
					Offset: int32(((i*h+y)*w + x) * b.shape.C),
					Rows:   int32(min(m, h-y)), Cols: int32(min(m, w-x)),
				})
			}
		}
	}
	return t
}

// addPatch lists the pixels that the tile at (y, x) of image i sees, in floats from the neck's start.
func (t *tiling) addPatch(b *blockPlan, i, y, x int) {
	h, w, side := b.shape.H, b.shape.W, t.method.Side()
	for j := range side * side {
		py, px, at := y-1+j/side, x-1+j%side, 0
		if py >= 0 && py < h && px >= 0 && px < w {
			at = (1 + (i*h+py)*w + px) * b.neck
		}
		t.patches = append(t.patches, int32(at))
	}
}

// slot is the activations of one group of images.
type slot struct {
	x    [][]float32 // by block: images x pixels x channels
	neck []float32   // a row of zeros, then images x pixels x neck of the layer at work
}

func newSlot(p *plan, l *layout) *slot {
	s := &slot{}
	most := 0
	for i := range p.blocks {
		b := &p.blocks[i]
		s.x = append(s.x, make([]float32, l.images(i)*b.pixels()*b.shape.C))
		most = max(most, (1+l.images(i)*b.pixels())*b.neck)
	}
	s.neck = make([]float32, most)
	return s
}

func (s *slot) bytes() int64 {
	if s == nil {
		return 0
	}
	n := len(s.neck)
	for _, x := range s.x {
		n += len(x)
	}
	return int64(n) * 4
}

// Units of work: so many rows of a matrix product, rows of the stem's pool, channels of the head.
const (
	unitRows     = 66
	unitStemRows = 14
	unitChannels = 128
)

// rowPad keeps the rows of packed activations from falling on the same cache sets.
const rowPad = 16

// scratch is a worker's own memory.
type scratch struct {
	tile  kernel.Tile
	norm  kernel.Norm
	rows  []float32 // normalised activations of a unit
	v, m  kernel.Planes
	zeros []float32 // a bias of nothing
	stem  stemScratch
}

func newScratch(p *plan, l *layout, k *kernel.Set) *scratch {
	s := &scratch{stem: newStemScratch(p, 2*unitStemRows+1)}
	rows, v, m, zeros := 0, 0, 0, k.Cols
	for i := range p.blocks {
		b, t := &p.blocks[i], &l.tiles[i]
		rows = max(rows, unitRows*(b.shape.C+rowPad))
		v = max(v, t.method.Planes()*(t.unit*b.neck+rowPad))
		m = max(m, t.method.Planes()*(t.unit*b.grow+rowPad))
		zeros = max(zeros, b.grow)
	}
	last := &p.blocks[len(p.blocks)-1]
	rows = max(rows, (last.pixels()+1)*unitChannels)
	s.rows, s.zeros = make([]float32, rows), make([]float32, zeros)
	s.v.Data, s.m.Data = make([]float32, v), make([]float32, m)
	return s
}

func (s *scratch) bytes() int64 {
	return int64(len(s.rows)+len(s.v.Data)+len(s.m.Data)+len(s.zeros))*4 + s.stem.bytes()
}
