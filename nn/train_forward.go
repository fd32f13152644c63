package nn

// The forward half of a training step: as at inference, but each batch normalisation waits for the
// moments of what it normalises, and what the backward half needs is kept.

// forward runs the batch and leaves the logits in t.logits.
func (t *cpuTrainer) forward(x []float32) {
	t.stemForward(x)
	for b := range t.plan.blocks {
		for l := range t.plan.blocks[b].layers {
			t.neckForward(b, l)
			t.growForward(b, l)
		}
		t.transitionForward(b)
	}
	t.headForward()
}

// stemForward convolves, normalises and pools into block 0.
func (t *cpuTrainer) stemForward(x []float32) {
	p := t.plan
	conv, first := p.stem.convShape, &p.blocks[0]
	cut := blocks(conv.H, trainStemRows)
	t.team.run(t.n*cut.parts, func(worker, u int) {
		i, part := u/cut.parts, u%cut.parts
		y0, y1 := cut.start(part), cut.start(part+1)
		s := t.scratch[worker]
		s.stem.load(p, x[i*p.input.Len():], y0, y1-1)
		out := t.act.conv0[i*conv.Len():]
		for y := y0; y < y1; y++ {
			t.stemConv(s, out[y*conv.W*conv.C:], y-y0)
		}
		t.moments(u, conv.C, (y1-y0)*conv.W, out[y0*conv.W*conv.C:], conv.C)
	})
	norm := t.net.stemNorm
	t.statistics(t.n*cut.parts, conv.C, t.stemMoments)
	norm.prepare(t.stemMoments, t.n*conv.H*conv.W)

	pools := blocks(first.shape.H, trainPoolRows)
	t.team.run(t.n*pools.parts, func(worker, u int) {
		i, part := u/pools.parts, u%pools.parts
		y0, y1 := pools.start(part), pools.start(part+1)
		s := t.scratch[worker]
		line := t.stemAct(s, i, y0, y1)
		out := t.act.x[0][i*first.pixels()*first.shape.C:]
		for y := y0; y < y1; y++ {
			s.stem.pool(t.kernels, p, out, y, line)
		}
		t.moments(u, conv.C, (y1-y0)*first.shape.W, out[y0*first.shape.W*first.shape.C:], first.shape.C)
	})
	t.statistics(t.n*pools.parts, conv.C, t.blockMoments[0].part(0, conv.C))
}

// stemConv computes a row of the stem's convolution, the r-th of those loaded.
func (t *cpuTrainer) stemConv(s *trainScratch, row []float32, r int) {
	conv, win, in := t.plan.stem.convShape, t.plan.stem.window, t.plan.input.C
	k, w := &s.tile, t.net.stem
	k.Rows, k.K, k.Runs = conv.W, win.Kernel, win.Kernel*in
	k.A, k.RowA, k.RunA = s.stem.in[r*win.Stride*in*s.stem.pitch:], win.Stride, s.stem.pitch
	k.RowC, k.Init, k.RowInit, k.Floor = conv.C, t.zeros, 0, noFloor
	for n := 0; n < w.cols; n += w.panel {
		k.B, k.C = w.p[n*w.rows:], row[n:]
		t.kernels.Gemm(k)
	}
}

// stemAct computes the rows behind the stem's ReLU that rows [y0, y1) of the pool of image i see, and
// returns where each lies.
func (t *cpuTrainer) stemAct(s *trainScratch, i, y0, y1 int) func(y int) []float32 {
	conv := t.plan.stem.convShape
	first, last := max(2*y0-1, 0), min(2*y1-1, conv.H-1)
	row := conv.W * conv.C
	s.norm.Rows = (last - first + 1) * conv.W
	s.norm.Dst, s.norm.RowDst = s.act, conv.C
	s.norm.X, s.norm.RowX = t.act.conv0[i*conv.Len()+first*row:], conv.C
	s.norm.Scale, s.norm.Shift = t.net.stemNorm.scale, t.net.stemNorm.shift
	t.kernels.Norm(&s.norm)
	return func(y int) []float32 { return s.act[(y-first)*row:][:row] }
}

// neckForward normalises the block's channels so far and convolves them into the layer's neck.
func (t *cpuTrainer) neckForward(bi, l int) {
	b, w := &t.plan.blocks[bi], &t.net.blocks[bi].layers[l]
	rows := t.n * b.pixels()
	w.norm1.prepare(t.blockMoments[bi], rows)
	cut := blocks(rows, trainRows)
	t.team.run(cut.parts, func(worker, u int) {
		r0, r1 := cut.start(u), cut.start(u+1)
		s, lda := t.scratch[worker], w.conv1.rows+rowPad
		s.norm.Rows = r1 - r0
		s.norm.Dst, s.norm.RowDst = s.rows, lda
		s.norm.X, s.norm.RowX = t.act.x[bi][r0*b.shape.C:], b.shape.C
		s.norm.Scale, s.norm.Shift = w.norm1.scale, w.norm1.shift
		t.kernels.Norm(&s.norm)
		neck := t.act.neck[bi][l][r0*b.neck:]
		product(t.kernels, &s.tile, r1-r0, s.rows, lda, t.panels(w.conv1), neck, b.neck, noFloor)
		t.moments(u, b.neck, r1-r0, neck, b.neck)
	})
	t.statistics(cut.parts, b.neck, t.neckMoments.part(0, b.neck))
	w.norm2.prepare(t.neckMoments, rows)
}

// panels is a 1x1 convolution as product takes it.
func (t *cpuTrainer) panels(w *param) *panels { return &panels{w.rows, w.cols, w.p, t.zeros} }

// growForward normalises the neck and convolves it, 3x3, into the block's next channels.
func (t *cpuTrainer) growForward(bi, l int) {
	b := &t.plan.blocks[bi]
	at := b.in + l*b.grow
	bands := &t.bands[bi]
	t.team.run(t.n*bands.n, func(worker, u int) {
		i, j := u/bands.n, u%bands.n
		y0, y1 := bands.rows(j)
		s := t.scratch[worker]
		t.loadBand(s, bi, l, i, y0, y1)
		out := t.act.x[bi][(i*b.pixels()+y0*b.shape.W)*b.shape.C+at:]
		t.window(s, bands.of(j), s.band, t.planes[bi][l], out)
		t.moments(u, b.grow, (y1-y0)*b.shape.W, out, b.shape.C)
	})
	t.statistics(t.n*bands.n, b.grow, t.blockMoments[bi].part(at, b.grow))
}

// loadBand fills the worker's band with rows [y0-1, y1] of image i behind the neck's ReLU, zeros
// outside the image.
func (t *cpuTrainer) loadBand(s *trainScratch, bi, l, i, y0, y1 int) {
	b, norm := &t.plan.blocks[bi], t.net.blocks[bi].layers[l].norm2
	w, neck, pitch := b.shape.W, b.neck, t.bands[bi].pitch
	for y := y0 - 1; y <= y0+t.bands[bi].most; y++ {
		row := s.band[(y-y0+1)*pitch*neck:][:pitch*neck]
		if y < 0 || y > y1 || y >= b.shape.H {
			clear(row)
			continue
		}
		clear(row[:neck])
		clear(row[(w+1)*neck:])
		s.norm.Rows = w
		s.norm.Dst, s.norm.RowDst = row[neck:], neck
		s.norm.X, s.norm.RowX = t.act.neck[bi][l][(i*b.pixels()+y*w)*neck:], neck
		s.norm.Scale, s.norm.Shift = norm.scale, norm.shift
		t.kernels.Norm(&s.norm)
	}
}

// window convolves the padded rows of a band, 3x3, by Winograd's method with weights transformed into
// planes, each as panels of a matrix. Pixels of x lie where the band's places say.
func (t *cpuTrainer) window(s *trainScratch, b *bandTiles, padded []float32, planes [][]float32, x []float32) {
	k, method := &s.tile, b.method
	for t0 := 0; t0 < len(b.places); t0 += b.unit {
		t1 := min(t0+b.unit, len(b.places))
		s.v.N, s.v.Row, s.v.Plane = b.in, b.in, (t1-t0)*b.in+rowPad
		s.m.N, s.m.Row, s.m.Plane = b.out, b.out, (t1-t0)*b.out+rowPad
		t.kernels.WinogradIn(method, t1-t0, &s.v, padded, b.patches[t0*method.Planes():], b.patchReach)
		k.Rows, k.K, k.Runs, k.RowA, k.RunA = t1-t0, b.in, 1, b.in, 0
		k.RowC, k.Init, k.RowInit, k.Floor = b.out, t.zeros, 0, noFloor
		for i := range planes {
			k.A = s.v.Data[i*s.v.Plane:]
			for n := 0; n < b.out; n += t.kernels.Cols {
				k.B, k.C = planes[i][n*b.in:], s.m.Data[i*s.m.Plane+n:]
				t.kernels.Gemm(k)
			}
		}
		t.kernels.WinogradOut(method, x, b.colX, b.rowX, &s.m, b.places[t0:t1], b.placeReach)
	}
}

// transitionForward normalises block bi, takes the mean of every 2x2 pixels and convolves that into
// the next block.
func (t *cpuTrainer) transitionForward(bi int) {
	b, w := &t.plan.blocks[bi], &t.net.blocks[bi]
	if b.transition == nil {
		return
	}
	w.norm.prepare(t.blockMoments[bi], t.n*b.pixels())
	out, ldc := b.transition.out, t.plan.blocks[bi+1].shape.C
	rows := t.n * out.H * out.W
	cut := blocks(rows, trainRows)
	t.team.run(cut.parts, func(worker, u int) {
		r0, r1 := cut.start(u), cut.start(u+1)
		s, lda := t.scratch[worker], w.conv.rows+rowPad
		t.pooled(s, bi, r0, r1, 0, w.conv.rows, lda)
		c := t.act.x[bi+1][r0*ldc:]
		product(t.kernels, &s.tile, r1-r0, s.rows, lda, t.panels(w.conv), c, ldc, noFloor)
		t.moments(u, out.C, r1-r0, c, ldc)
	})
	t.statistics(cut.parts, out.C, t.blockMoments[bi+1].part(0, out.C))
}

// pooled fills the worker's rows with channels [c0, c1) of the pooled pixels [r0, r1) behind block
// bi's transition's ReLU.
func (t *cpuTrainer) pooled(s *trainScratch, bi, r0, r1, c0, c1, lda int) {
	x, norm := t.act.x[bi], t.net.blocks[bi].norm
	b := &t.plan.blocks[bi]
	for r := r0; r < r1; r++ {
		at := t.corner(bi, r) + c0
		in, below := x[at:], x[at+b.shape.W*b.shape.C:]
		t.kernels.NormMean4(s.rows[(r-r0)*lda:], &[4][]float32{in, in[b.shape.C:], below, below[b.shape.C:]},
			norm.scale[c0:c1], norm.shift[c0:c1])
	}
}

// corner is where the first of the four pixels of block bi lies that pooled pixel r is the mean of.
func (t *cpuTrainer) corner(bi, r int) int {
	b := &t.plan.blocks[bi]
	out := b.transition.out
	image, y, x := r/(out.H*out.W), r/out.W%out.H, r%out.W
	return ((image*b.shape.H+2*y)*b.shape.W + 2*x) * b.shape.C
}

// headForward normalises the last block, takes its mean over the pixels and the logit.
func (t *cpuTrainer) headForward() {
	bi := len(t.plan.blocks) - 1
	b, norm := &t.plan.blocks[bi], t.net.headNorm
	norm.prepare(t.blockMoments[bi], t.n*b.pixels())
	cut := channelShares(b.shape.C)
	t.team.run(t.n*cut.parts, func(worker, u int) {
		i, part := u/cut.parts, u%cut.parts
		c0, c1 := cut.start(part), cut.start(part+1)
		n := &t.scratch[worker].norm
		n.Rows, n.Dst, n.RowDst = b.pixels(), t.scratch[worker].rows, c1-c0
		n.X, n.RowX = t.act.x[bi][i*b.pixels()*b.shape.C+c0:], b.shape.C
		n.Scale, n.Shift = norm.scale[c0:c1], norm.shift[c0:c1]
		t.kernels.Norm(n)
		mean := t.means[i*b.shape.C:][c0:c1]
		clear(mean)
		for r := range b.pixels() {
			t.kernels.Add(mean, n.Dst[r*n.RowDst:])
		}
		for c := range mean {
			mean[c] /= float32(b.pixels())
		}
	})
	for i := range t.n {
		z := float64(t.net.bias.p[0])
		for c, m := range t.means[i*b.shape.C:][:b.shape.C] {
			z += float64(m) * float64(t.net.linear.p[c])
		}
		t.logits[i] = z
	}
}
