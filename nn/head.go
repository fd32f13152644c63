package nn

// blockTaps copies what enters and leaves block bi, in C,H,W order; its first n slot images are
// images i0... of the batch.
func (p *phases) blockTaps(bi, i0, n int) {
	for _, t := range p.batch.taps {
		if (t.site != tapEntry && t.site != tapExit) || t.block != bi {
			continue
		}
		b := &p.program.plan.blocks[bi]
		p.run(n, func(_, i int) {
			x := p.slot.x[bi][i*b.pixels()*b.shape.C:]
			channelsFirst(t.image(i0+i), x, t.shape.C, b.pixels(), b.shape.C)
		})
	}
}

// channelsFirst writes dst[c*pixels + i] = x[i*stride + c].
func channelsFirst(dst, x []float32, channels, pixels, stride int) {
	for c := range channels {
		line := dst[c*pixels:][:pixels]
		for i := range line {
			line[i] = x[i*stride+c]
		}
	}
}

// head runs the last BN and ReLU, the global average pool and the linear layer, as far as taps ask
// for them, on the first n slot images of the last block, images i0... of the batch.
func (p *phases) head(i0, n int) {
	var features, pool, logits *output
	for i := range p.batch.taps {
		switch t := &p.batch.taps[i]; t.site {
		case tapFeatures:
			features = t
		case tapPool:
			pool = t
		case tapLogits:
			logits = t
		}
	}
	if features == nil && pool == nil && logits == nil {
		return
	}
	b := &p.program.plan.blocks[len(p.program.plan.blocks)-1]
	parts := ceilDiv(b.shape.C, unitChannels)
	means := make([]float32, n*b.shape.C)
	p.run(n*parts, func(worker, u int) {
		i, c0 := u/parts, u%parts*unitChannels
		c1 := min(c0+unitChannels, b.shape.C)
		p.features(p.program.scratch[worker], i, c0, c1, means[i*b.shape.C:])
		if features != nil {
			rows := p.program.scratch[worker].rows
			channelsFirst(features.image(i0 + i)[c0*b.pixels():], rows, c1-c0, b.pixels(), c1-c0)
		}
	})
	for i := range n {
		mean := means[i*b.shape.C:][:b.shape.C]
		if pool != nil {
			copy(pool.image(i0+i), mean)
		}
		if logits != nil {
			p.program.weights.linear.apply(logits.image(i0+i), mean)
		}
	}
}

// features writes channels [c0, c1) of slot image i after BN and ReLU to the worker's rows, and
// their mean over the pixels.
func (p *phases) features(s *scratch, i, c0, c1 int, means []float32) {
	bi := len(p.program.plan.blocks) - 1
	b, w, k := &p.program.plan.blocks[bi], &p.program.weights.head, p.program.kernels
	n := &s.norm
	n.Rows, n.Dst, n.RowDst = b.pixels(), s.rows, c1-c0
	n.X, n.RowX = p.slot.x[bi][i*b.pixels()*b.shape.C+c0:], b.shape.C
	n.Scale, n.Shift = w.scale[c0:c1], w.shift[c0:c1]
	k.Norm(n)
	mean := means[c0:c1]
	for r := range b.pixels() {
		k.Add(mean, s.rows[r*n.RowDst:])
	}
	for c := range mean {
		mean[c] /= float32(b.pixels())
	}
}

// apply writes dst = weight*x + bias, summed in float64.
func (l *linear) apply(dst, x []float32) {
	for o := range dst {
		sum := float64(l.bias[o])
		for i, w := range l.weight[o*len(x):][:len(x)] {
			sum += float64(w) * float64(x[i])
		}
		dst[o] = float32(sum)
	}
}
