package nn

// The backward half of a training step. The gradient by a block's channels is never finished in
// memory: act.grad lacks what the batch's statistics contribute, an offset and a slope for each
// channel, which are added when the channel is read (correct).

// backward turns dlogits into gradients, as far towards the input as anything learns.
func (t *cpuTrainer) backward(dlogits []float64) {
	t.headBackward(dlogits)
	for b := len(t.plan.blocks) - 1; b >= t.first; b-- {
		for l := len(t.plan.blocks[b].layers) - 1; l >= 0; l-- {
			offset, slope := t.growBackward(b, l)
			t.neckBackward(b, l, offset, slope)
		}
		if b > 0 {
			t.transitionBackward(b - 1)
		}
	}
	if t.stemLearns {
		t.stemBackward()
	}
}

// headBackward starts the gradient of the last block.
func (t *cpuTrainer) headBackward(dlogits []float64) {
	bi := len(t.plan.blocks) - 1
	b, norm := &t.plan.blocks[bi], t.net.headNorm
	t.clearGradients()
	clear(t.net.bias.g)
	for c := range t.net.linear.g {
		sum := 0.0
		for i, d := range dlogits {
			sum += d * float64(t.means[i*b.shape.C+c])
		}
		t.net.linear.g[c] = float32(sum)
	}
	for _, d := range dlogits {
		t.net.bias.g[0] += float32(d)
	}
	t.team.run(t.n, func(worker, i int) {
		s := t.scratch[worker]
		d := s.rows[:b.shape.C]
		for c := range d {
			d[c] = float32(dlogits[i] * float64(t.net.linear.p[c]) / float64(b.pixels()))
		}
		part := t.gradientPart(i, b.shape.C)
		nb := &s.back
		nb.Rows, nb.D, nb.RowD = b.pixels(), d, 0
		nb.X, nb.RowX = t.act.x[bi][i*b.pixels()*b.shape.C:], b.shape.C
		nb.G, nb.RowG = t.act.grad[bi][i*b.pixels()*b.shape.C:], b.shape.C
		t.normBack(s, norm, 0, b.shape.C, part)
	})
	t.blockGradient(bi, norm, t.n, t.n*b.pixels())
}

// clearGradients makes the gradients by the blocks' channels zero.
func (t *cpuTrainer) clearGradients() {
	for b := max(t.first-1, 0); b < len(t.plan.blocks); b++ {
		size := t.plan.blocks[b].pixels() * t.plan.blocks[b].shape.C
		t.team.run(t.n, func(_, i int) { clear(t.act.grad[b][i*size : (i+1)*size]) })
		clear(t.offset[b])
		clear(t.slope[b])
	}
}

// normBack runs s.back through channels [c0, c1) of norm and adds the sums to part.
func (t *cpuTrainer) normBack(s *trainScratch, norm *trainNorm, c0, c1 int, part [2][]float64) {
	n := &s.back
	n.Scale, n.Shift, n.Mean = norm.scale[c0:c1], norm.shift[c0:c1], norm.mean[c0:c1]
	n.Sum, n.SumX = s.sum[:c1-c0], s.sumX[:c1-c0]
	clear(n.Sum)
	clear(n.SumX)
	t.kernels.NormBack(n)
	for c := range n.Sum {
		part[0][c0+c] += float64(n.Sum[c])
		part[1][c0+c] += float64(n.SumX[c])
	}
}

// blockGradient ends the gradient of a batch normalisation that reads block bi, its sums in so many
// parts, over count values a channel.
func (t *cpuTrainer) blockGradient(bi int, norm *trainNorm, parts, count int) {
	sum, sumX := t.joinGradients(parts, norm.channels())
	norm.gradient(sum, sumX, count, t.offset[bi], t.slope[bi])
}

// ownGradient ends the gradient of a batch normalisation whose input nothing else reads, its sums in so
// many parts, and returns the terms of dx = scale*dz + offset + slope*x.
func (t *cpuTrainer) ownGradient(norm *trainNorm, parts, count int) (offset, slope []float32) {
	sum, sumX := t.joinGradients(parts, norm.channels())
	clear(t.ownOffset)
	clear(t.ownSlope)
	norm.gradient(sum, sumX, count, t.ownOffset, t.ownSlope)
	offset, slope = t.terms[0][:norm.channels()], t.terms[1][:norm.channels()]
	for c := range offset {
		slope[c] = float32(t.ownSlope[c])
		offset[c] = float32(t.ownOffset[c] - t.ownSlope[c]*float64(norm.mean[c]))
	}
	return offset, slope
}

// correction returns the terms that make the gradient by channels [c0, c1) of block bi whole.
func (t *cpuTrainer) correction(bi, c0, c1 int) (offset, slope []float32) {
	offset, slope = t.terms[0][:c1-c0], t.terms[1][:c1-c0]
	m := t.blockMoments[bi]
	for i := range offset {
		c := c0 + i
		slope[i] = float32(t.slope[bi][c])
		offset[i] = float32(t.offset[bi][c] - t.slope[bi][c]*m.mean[c])
	}
	return offset, slope
}

// correct writes rows of the whole gradient by channels of block bi from position at on.
func (t *cpuTrainer) correct(s *trainScratch, bi, at, rows int, dst []float32, rowDst int, offset, slope []float32) {
	c, stride := &s.correct, t.plan.blocks[bi].shape.C
	c.Rows, c.Dst, c.RowDst = rows, dst, rowDst
	c.D, c.RowD = t.act.grad[bi][at:], stride
	c.X, c.RowX = t.act.x[bi][at:], stride
	c.A, c.B, c.C = t.ones[:len(offset)], offset, slope
	t.kernels.Correct(c)
}

// growBackward takes the gradient by the channels that layer l made through its 3x3 convolution, to
// the neck before norm2: act.dneck but for the offset and slope that it returns.
func (t *cpuTrainer) growBackward(bi, l int) (dneckOffset, dneckSlope []float32) {
	b, w := &t.plan.blocks[bi], &t.net.blocks[bi].layers[l]
	at := b.in + l*b.grow
	offset, slope := t.correction(bi, at, at+b.grow)
	images, bands := gradShares(t.n, sliceRows), &t.bands[bi]
	t.team.run(images.parts, func(worker, u int) {
		s := t.scratch[worker]
		part, dw := t.gradientPart(u, b.neck), t.weightPart(u, w.conv2)
		for i := images.start(u); i < images.start(u+1); i++ {
			for j := range bands.n {
				y0, y1 := bands.rows(j)
				t.loadBand(s, bi, l, i, y0, y1)
				t.loadGradBand(s, bi, i, at, y0, y1, offset, slope)
				t.windowGradient(s, b, bands.pitch, y1-y0, dw)
				t.bandBackward(s, bi, l, i, j, part)
			}
		}
	})
	t.joinWeights(w.conv2, images.parts)
	return t.ownGradient(w.norm2, images.parts, t.n*b.pixels())
}

// loadGradBand fills the worker's dband with the whole gradient by the layer's channels at rows
// [y0-1, y1] of image i, zeros outside the image.
func (t *cpuTrainer) loadGradBand(s *trainScratch, bi, i, at, y0, y1 int, offset, slope []float32) {
	b := &t.plan.blocks[bi]
	w, grow, pitch := b.shape.W, b.grow, t.bands[bi].pitch
	for y := y0 - 1; y <= y0+t.bands[bi].most; y++ {
		row := s.dband[(y-y0+1)*pitch*grow:][:pitch*grow]
		if y < 0 || y > y1 || y >= b.shape.H {
			clear(row)
			continue
		}
		clear(row[:grow])
		clear(row[(w+1)*grow:])
		t.correct(s, bi, (i*b.pixels()+y*w)*b.shape.C+at, w, row[grow:], grow, offset, slope)
	}
}

// windowGradient adds to dw the gradient of a 3x3 convolution's weights over the h rows of the worker's
// bands. The zeros between the padded rows of gradients let several rows be one run of pixels.
func (t *cpuTrainer) windowGradient(s *trainScratch, b *blockPlan, line, h int, dw []float32) {
	k, cols := &s.outer, t.kernels.Cols
	cut := blocks(h, max(1, gradPixels/line))
	k.Rows, k.RowA, k.RowB, k.RowC = b.neck, b.neck, b.grow, cols
	for part := range cut.parts {
		y0, y1 := cut.start(part), cut.start(part+1)
		k.K = (y1-y0)*line - (line - b.shape.W)
		d := s.dband[((y0+1)*line+1)*b.grow:]
		for tap := range 9 {
			k.A = s.band[((y0+tap/3)*line+tap%3)*b.neck:]
			for n := 0; n < b.grow; n += cols {
				k.B, k.C = d[n:], dw[(n*9+tap*cols)*b.neck:]
				t.kernels.GemmT(k)
			}
		}
	}
}

// bandBackward convolves the gradients of the worker's dband with the flipped weights and takes them
// through the ReLU of norm2 into act.dneck.
func (t *cpuTrainer) bandBackward(s *trainScratch, bi, l, i, j int, part [2][]float64) {
	b, norm := &t.plan.blocks[bi], t.net.blocks[bi].layers[l].norm2
	y0, y1 := t.bands[bi].rows(j)
	at := (i*b.pixels() + y0*b.shape.W) * b.neck
	dz := t.act.dneck[at:]
	t.window(s, t.bands[bi].back(j), s.dband, t.flipped[bi][l], dz)
	n := &s.back
	n.Rows, n.D, n.RowD = (y1-y0)*b.shape.W, dz, b.neck
	n.X, n.RowX, n.G = t.act.neck[bi][l][at:], b.neck, nil
	t.normBack(s, norm, 0, b.neck, part)
}

// neckBackward takes the gradient by the neck through its 1x1 convolution to the block's channels.
func (t *cpuTrainer) neckBackward(bi, l int, offset, slope []float32) {
	b, w := &t.plan.blocks[bi], &t.net.blocks[bi].layers[l]
	p := &pointwiseBackward{
		block: bi, norm: w.norm1, conv: w.conv1, back: t.turned[bi][l], rows: t.n * b.pixels(), out: b.neck,
		load: func(s *trainScratch, r0, r1 int) {
			c := &s.correct
			c.Rows, c.Dst, c.RowDst = r1-r0, s.drows, b.neck
			c.D, c.RowD = t.act.dneck[r0*b.neck:], b.neck
			c.X, c.RowX = t.act.neck[bi][l][r0*b.neck:], b.neck
			c.A, c.B, c.C = w.norm2.scale, offset, slope
			t.kernels.Correct(c)
		},
		input: func(s *trainScratch, r0, r1, c0, c1, lda int) {
			s.norm.Rows = r1 - r0
			s.norm.Dst, s.norm.RowDst = s.rows, lda
			s.norm.X, s.norm.RowX = t.act.x[bi][r0*b.shape.C+c0:], b.shape.C
			s.norm.Scale, s.norm.Shift = w.norm1.scale[c0:c1], w.norm1.shift[c0:c1]
			t.kernels.Norm(&s.norm)
		},
		output: func(s *trainScratch, r0, r1, c0, c1, lda int, part [2][]float64) {
			n := &s.back
			n.Rows, n.D, n.RowD = r1-r0, s.rows, lda
			n.X, n.RowX = t.act.x[bi][r0*b.shape.C+c0:], b.shape.C
			n.G, n.RowG = t.act.grad[bi][r0*b.shape.C+c0:], b.shape.C
			t.normBack(s, w.norm1, c0, c1, part)
		},
	}
	t.pointwiseBackward(p)
}

// transitionBackward takes the gradient that enters block bi+1 through the 1x1 convolution and the
// mean of the transition to block bi.
func (t *cpuTrainer) transitionBackward(bi int) {
	b, w := &t.plan.blocks[bi], &t.net.blocks[bi]
	out := b.transition.out
	offset, slope := t.correction(bi+1, 0, out.C)
	p := &pointwiseBackward{
		block: bi, norm: w.norm, conv: w.conv, back: t.turnedTransition[bi], rows: t.n * out.H * out.W, out: out.C,
		load: func(s *trainScratch, r0, r1 int) {
			t.correct(s, bi+1, r0*t.plan.blocks[bi+1].shape.C, r1-r0, s.drows, out.C, offset, slope)
		},
		input: func(s *trainScratch, r0, r1, c0, c1, lda int) { t.pooled(s, bi, r0, r1, c0, c1, lda) },
		output: func(s *trainScratch, r0, r1, c0, c1, lda int, part [2][]float64) {
			n, line := &s.back, b.shape.W*b.shape.C
			n.Rows, n.RowD, n.RowX, n.RowG = 2, 0, b.shape.C, b.shape.C
			for r := r0; r < r1; r++ {
				at := t.corner(bi, r) + c0
				n.D = s.rows[(r-r0)*lda:]
				n.X, n.G = t.act.x[bi][at:], t.act.grad[bi][at:]
				t.normBack(s, w.norm, c0, c1, part)
				n.X, n.G = t.act.x[bi][at+line:], t.act.grad[bi][at+line:]
				t.normBack(s, w.norm, c0, c1, part)
			}
		},
	}
	t.pointwiseBackward(p)
}

// pointwiseBackward is the way back through BN, ReLU and a 1x1 convolution from rows of out gradients
// to the channels of a block. The functions work on the worker's scratch, on rows [r0, r1): load
// fills drows with the gradients behind the convolution; input fills rows, lda apart, with what the
// convolution read of channels [c0, c1); output takes the gradients by that from rows onwards.
type pointwiseBackward struct {
	block  int
	norm   *trainNorm
	conv   *param
	back   []float32 // the weights turned: panels of the inputs, rows of the outputs
	rows   int
	out    int
	load   func(s *trainScratch, r0, r1 int)
	input  func(s *trainScratch, r0, r1, c0, c1, lda int)
	output func(s *trainScratch, r0, r1, c0, c1, lda int, part [2][]float64)
}

// pointwiseBackward runs p: by parts of the rows, whose sums are joined in order, and groups of channels.
func (t *cpuTrainer) pointwiseBackward(p *pointwiseBackward) {
	in := p.conv.rows
	rows, groups := gradShares(p.rows, 1), channelShares(in)
	for u := range rows.parts {
		t.gradientPart(u, in)
	}
	t.team.run(rows.parts*groups.parts, func(worker, u int) {
		s := t.scratch[worker]
		share, g := u/groups.parts, u%groups.parts
		c0, c1 := groups.start(g), groups.start(g+1)
		part, dw := t.partAt(share, in), t.weightGroup(share, p.conv, c0, c1)
		cut := blocks(rows.start(share+1)-rows.start(share), trainRows)
		for j := range cut.parts {
			r0, r1 := rows.start(share)+cut.start(j), rows.start(share)+cut.start(j+1)
			p.load(s, r0, r1)
			lda := c1 - c0 + rowPad
			p.input(s, r0, r1, c0, c1, lda)
			t.outerProduct(s, r1-r0, lda, p, c0, c1, dw)
			t.inputGradient(s, r1-r0, lda, p, c0, c1)
			p.output(s, r0, r1, c0, c1, lda, part)
		}
	})
	t.joinWeights(p.conv, rows.parts)
	t.blockGradient(p.block, p.norm, rows.parts, t.n*t.plan.blocks[p.block].pixels())
}

// outerProduct adds to dw the gradient of the weights of channels [c0, c1).
func (t *cpuTrainer) outerProduct(s *trainScratch, rows, lda int, p *pointwiseBackward, c0, c1 int, dw []float32) {
	k, cols := &s.outer, t.kernels.Cols
	k.Rows, k.K, k.A, k.RowA, k.RowB, k.RowC = c1-c0, rows, s.rows, lda, p.out, cols
	for n := 0; n < p.out; n += cols {
		k.B, k.C = s.drows[n:], dw[n*p.conv.rows+c0*cols:]
		t.kernels.GemmT(k)
	}
}

// inputGradient replaces the worker's rows by the gradients by what the convolution read.
func (t *cpuTrainer) inputGradient(s *trainScratch, rows, lda int, p *pointwiseBackward, c0, c1 int) {
	k, cols := &s.tile, t.kernels.Cols
	k.Rows, k.A, k.RowA, k.Runs, k.RunA = rows, s.drows, p.out, 1, 0
	k.K, k.RowC, k.Init, k.RowInit, k.Floor = p.out, lda, t.zeros, 0, noFloor
	for c := c0; c < c1; c += cols {
		k.B, k.C = p.back[c*p.out:], s.rows[c-c0:]
		t.kernels.Gemm(k)
	}
}
