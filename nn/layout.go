package nn

import "sonotype/nn/kernel"

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

func newLayout(p *plan, k *kernel.Set) *layout {
	l := &layout{group: groupImages}
	for l.front < len(p.blocks)-1 && p.blocks[l.front].pixels() > groupPixels {
		l.front++
	}
	for i := range p.blocks {
		l.tiles = append(l.tiles, newTiling(&p.blocks[i], l.images(i)))
	}
	return l
}

// images is the number of images that block i's buffers hold.
func (l *layout) images(block int) int {
	if block < l.front {
		return 1
	}
	return l.group
}

// tiling lists the 2x2 output tiles of a block's 3x3 convolutions, image after image.
type tiling struct {
	perImage int
	patches  []kernel.Patch // where the neck's pixels lie; the first row of the buffer is zeros
	places   []kernel.Place // where the block's pixels lie
}

func newTiling(b *blockPlan, images int) tiling {
	h, w := b.shape.H, b.shape.W
	t := tiling{perImage: ceilDiv(h, 2) * ceilDiv(w, 2)}
	for i := range images {
		for y := 0; y < h; y += 2 {
			for x := 0; x < w; x += 2 {
				t.patches = append(t.patches, patch(b, i, y, x))
				place := kernel.Place{Offset: int32(((i*h+y)*w + x) * b.shape.C)}
				if x+1 < w {
					place.Flags |= kernel.HasRight
				}
				if y+1 < h {
					place.Flags |= kernel.HasLower
				}
				t.places = append(t.places, place)
			}
		}
	}
	return t
}

// patch lists the 4x4 pixels around the tile at (y, x) of image i, in floats from the neck's start.
func patch(b *blockPlan, i, y, x int) (p kernel.Patch) {
	h, w := b.shape.H, b.shape.W
	for j := range p {
		py, px := y-1+j/4, x-1+j%4
		if py >= 0 && py < h && px >= 0 && px < w {
			p[j] = int32((1 + (i*h+py)*w + px) * b.neck)
		}
	}
	return p
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

// Units of work: so many rows of a matrix product, tiles of a 3x3 convolution, rows of the stem's
// pool, channels of the head.
const (
	unitRows     = 56
	unitTiles    = 28
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

func newScratch(p *plan, k *kernel.Set) *scratch {
	s := &scratch{stem: newStemScratch(p)}
	rows, v, m, zeros := 0, 0, 0, k.Cols
	for i := range p.blocks {
		b := &p.blocks[i]
		rows = max(rows, unitRows*(b.shape.C+rowPad))
		v = max(v, 16*(unitTiles*b.neck+rowPad))
		m = max(m, 16*(unitTiles*b.grow+rowPad))
		zeros = max(zeros, b.grow)
	}
	last := &p.blocks[len(p.blocks)-1]
	rows = max(rows, (last.pixels()+1)*unitChannels)
	s.rows, s.zeros = make([]float32, rows), make([]float32, zeros)
	s.v.Data, s.m.Data = make([]float32, v), make([]float32, m)
	return s
}

func (s *scratch) bytes() int64 {
	return int64(len(s.rows)+len(s.v.Data)+len(s.m.Data)+len(s.zeros)+len(s.stem.in)+len(s.stem.ring)+len(s.stem.column)) * 4
}
