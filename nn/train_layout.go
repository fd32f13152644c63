package nn

import (
	"sonotype/nn/kernel"
)

// How training cuts its work. Sums over pixels are taken unit by unit and joined in the units' order,
// and no cut depends on the number of workers: so neither does any result.
const (
	trainRows     = 66    // rows of a pointwise convolution at a time
	trainStemRows = 4     // rows of the stem's convolution at a time
	trainPoolRows = 7     // rows of the stem's pool at a time
	bandFloats    = 76000 // of the padded rows of a 3x3 convolution at a time
	gradSlices    = 16    // sums that the gradient of weights is taken in, at most
	sliceRows     = 784   // rows that are worth a sum of their own
	groupChannels = 128   // input channels of a pointwise convolution's gradient at a time
	gradPixels    = 112   // pixels at a time in the gradient of a 3x3 convolution
)

// activations are the buffers of a batch, made for the largest one seen.
type activations struct {
	n       int
	conv0   []float32   // the stem's convolution
	grad0   []float32   // its gradient
	x, grad [][]float32 // by block: images x pixels x channels, and the gradient but for what slope and offset add
	neck    [][][]float32
	dneck   []float32 // gradient by the output of norm2 of the layer at work
}

func newActivations(p *plan, n int) *activations {
	a := &activations{n: n}
	a.conv0, a.grad0 = make([]float32, n*p.stem.convShape.Len()), make([]float32, n*p.stem.convShape.Len())
	most := 0
	for i := range p.blocks {
		b := &p.blocks[i]
		a.x = append(a.x, make([]float32, n*b.pixels()*b.shape.C))
		a.grad = append(a.grad, make([]float32, n*b.pixels()*b.shape.C))
		var necks [][]float32
		for range b.layers {
			necks = append(necks, make([]float32, n*b.pixels()*b.neck))
		}
		a.neck = append(a.neck, necks)
		most = max(most, n*b.pixels()*b.neck)
	}
	a.dneck = make([]float32, most)
	return a
}

func (a *activations) bytes() int64 {
	n := len(a.conv0) + len(a.grad0) + len(a.dneck)
	for i := range a.x {
		n += len(a.x[i]) + len(a.grad[i])
		for _, y := range a.neck[i] {
			n += len(y)
		}
	}
	return int64(n) * 4
}

// trainScratch is a worker's own memory.
type trainScratch struct {
	tile      kernel.Tile
	outer     kernel.TileT
	norm      kernel.Norm
	back      kernel.NormBack
	correct   kernel.Correct
	rows      []float32     // normalised activations of a unit
	drows     []float32     // gradients of a unit
	band      []float32     // padded rows before a 3x3 convolution
	dband     []float32     // padded rows of gradients behind it
	v, m      kernel.Planes // transforms of a 3x3 convolution
	filters   []float32     // of a 3x3 convolution, turned
	sum, sumX []float32
	stem      stemScratch
	act       []float32 // rows of the stem behind its ReLU
}

func newTrainScratch(p *plan, bands []bandPlan) *trainScratch {
	s := &trainScratch{stem: newStemScratch(p, trainStemRows)}
	rows, drows, band, dband, planes, filters, channels := 0, 0, 0, 0, 0, 0, p.stem.convShape.C
	for i := range p.blocks {
		b := &p.blocks[i]
		rows = max(rows, trainRows*(b.shape.C+rowPad))
		drows = max(drows, trainRows*b.neck)
		if b.transition != nil {
			drows = max(drows, trainRows*b.transition.out.C)
		}
		w := &bands[i]
		band, dband = max(band, w.pixels()*b.neck), max(dband, w.pixels()*b.grow)
		v, m := max(b.neck, b.grow), w.method.Planes()
		planes = max(planes, m*(w.unit*v+rowPad))
		filters = max(filters, 9*b.neck*b.grow)
		channels = max(channels, b.shape.C)
	}
	c := p.stem.convShape
	last := &p.blocks[len(p.blocks)-1]
	rows = max(rows, last.pixels()*2*groupChannels)
	drows = max(drows, p.blocks[0].shape.W*c.C)
	s.rows, s.drows, s.band, s.dband = make([]float32, rows), make([]float32, drows), make([]float32, band), make([]float32, dband)
	s.v.Data, s.m.Data = make([]float32, planes), make([]float32, planes)
	s.filters = make([]float32, filters)
	s.sum, s.sumX = make([]float32, channels), make([]float32, channels)
	s.act = make([]float32, (2*trainPoolRows+1)*c.W*c.C)
	return s
}

func (s *trainScratch) bytes() int64 {
	return int64(len(s.rows)+len(s.drows)+len(s.band)+len(s.dband)+len(s.v.Data)+len(s.m.Data)+len(s.filters)+len(s.sum)+len(s.sumX)+len(s.act))*4 + s.stem.bytes()
}

// shares cut n things into parts, each a multiple of step: part i is [start(i), start(i+1)).
type shares struct{ n, parts, step int }

func (s shares) start(i int) int { return i * (s.n / s.step) / s.parts * s.step }

// blocks cuts n into parts of at most most.
func blocks(n, most int) shares { return shares{n, ceilDiv(n, most), 1} }

// channelShares cuts channels into groups of about groupChannels.
func channelShares(n int) shares { return shares{n, ceilDiv(n, groupChannels), channelStep} }

// gradShares cuts n things of so many rows each into the parts that gradients of weights are summed in.
func gradShares(n, rows int) shares {
	return shares{n, min(n, gradSlices, ceilDiv(n*rows, sliceRows)), 1}
}
