package nn

import (
	"math"

	"sonotype/nn/kernel"
)

// stemScratch is a worker's memory for a few rows of the stem's pool.
type stemScratch struct {
	in     []float32 // padded input rows, each as its channels' lines
	pitch  int       // length of a line
	ring   []float32 // the last three rows of the convolution
	column []float32 // their maximum, pixel by pixel
}

const poolRows = 3 // of the stem's max pool

// newStemScratch makes room for so many rows of the convolution at a time.
func newStemScratch(p *plan, convRows int) stemScratch {
	s := &p.stem
	row := s.convShape.W * s.convShape.C
	convRows = min(convRows, s.convShape.H)
	pitch := max(p.input.W+2*s.window.Pad, (s.convShape.W-1)*s.window.Stride+s.window.Kernel)
	inRows := (convRows-1)*s.window.Stride + s.window.Kernel
	return stemScratch{
		in: make([]float32, inRows*p.input.C*pitch), pitch: pitch,
		ring: make([]float32, poolRows*row), column: make([]float32, row),
	}
}

// stem runs convolution, BN, ReLU and max pool of image i of the batch into slot image j of block 0.
func (p *phases) stem(i, j int) {
	b := &p.program.plan.blocks[0]
	units := ceilDiv(b.shape.H, unitStemRows)
	if p.workers > 1 {
		units = min(max(units, 2*p.workers), b.shape.H)
	}
	input := p.batch.x[i*p.program.plan.input.Len():]
	out := p.slot.x[0][j*b.pixels()*b.shape.C:]
	p.run(units, func(w, u int) {
		p.stemRows(p.program.scratch[w], input, out, u*b.shape.H/units, (u+1)*b.shape.H/units)
	})
}

// stemRows computes rows [y0, y1) of the pool.
func (p *phases) stemRows(s *scratch, input, out []float32, y0, y1 int) {
	conv := p.program.plan.stem.convShape
	first, last := max(2*y0-1, 0), min(2*y1-1, conv.H-1)
	s.stem.load(p.program.plan, input, first, last)
	done := first
	for y := y0; y < y1; y++ {
		for ; done <= min(2*y+1, conv.H-1); done++ {
			p.stemConv(s, done, first)
		}
		s.stem.pool(p.program.kernels, p.program.plan, out, y, func(y int) []float32 {
			return s.stem.ring[y%poolRows*conv.W*conv.C:][:conv.W*conv.C]
		})
	}
}

// load copies the input rows of an image that the convolution's rows [first, last] see, with zeros around.
func (s *stemScratch) load(p *plan, input []float32, first, last int) {
	in, win := p.input, p.stem.window
	rows := (last-first)*win.Stride + win.Kernel
	for r := range rows {
		y := first*win.Stride - win.Pad + r
		for c := range in.C {
			line := s.in[(r*in.C+c)*s.pitch:][:s.pitch]
			if y < 0 || y >= in.H {
				clear(line)
				continue
			}
			clear(line[:win.Pad])
			copy(line[win.Pad:], input[(c*in.H+y)*in.W:][:in.W])
			clear(line[min(win.Pad+in.W, s.pitch):])
		}
	}
}

// stemConv computes row y of the convolution with BN and ReLU into the ring.
func (p *phases) stemConv(s *scratch, y, first int) {
	plan, w, k := p.program.plan, &p.program.weights.stem, p.program.kernels
	conv, win := plan.stem.convShape, plan.stem.window
	row := s.stem.ring[y%poolRows*conv.W*conv.C:][:conv.W*conv.C]
	t := &s.tile
	t.Rows, t.K, t.Runs = conv.W, win.Kernel, win.Kernel*plan.input.C
	t.A = s.stem.in[(y-first)*win.Stride*plan.input.C*s.stem.pitch:]
	t.RowA, t.RunA = win.Stride, s.stem.pitch
	t.RowC, t.RowInit, t.Floor = conv.C, 0, 0
	for n := 0; n < w.n; n += k.Cols {
		t.B, t.C, t.Init = w.data[n*w.k:], row[n:], w.bias[n:]
		k.Gemm(t)
	}
}

// pool writes row y of the 3x3 max pool of stride 2 to out: first along columns, then along rows.
// At the edges a pixel counts twice, which changes no maximum. line gives a row of the convolution.
func (s *stemScratch) pool(k *kernel.Set, p *plan, out []float32, y int, line func(y int) []float32) {
	conv, b := p.stem.convShape, &p.blocks[0]
	last := conv.H - 1
	k.Max3(s.column, line(max(2*y-1, 0)), line(2*y), line(min(2*y+1, last)))
	pixel := func(x int) []float32 { return s.column[min(max(x, 0), conv.W-1)*conv.C:][:conv.C] }
	for x := range b.shape.W {
		dst := out[(y*b.shape.W+x)*b.shape.C:][:conv.C]
		k.Max3(dst, pixel(2*x-1), pixel(2*x), pixel(2*x+1))
	}
}

func (s *stemScratch) bytes() int64 { return int64(len(s.in)+len(s.ring)+len(s.column)) * 4 }

// noFloor leaves sums as they are.
var noFloor = float32(math.Inf(-1))
