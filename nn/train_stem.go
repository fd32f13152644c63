package nn

// stemBackward takes the gradient that enters block 0 through the stem's pool, ReLU and BN to the
// weights of its convolution.
func (t *cpuTrainer) stemBackward() {
	conv, norm := t.plan.stem.convShape, t.net.stemNorm
	offset, slope := t.correction(0, 0, conv.C)
	t.team.run(t.n, func(worker, i int) {
		s := t.scratch[worker]
		clear(t.act.grad0[i*conv.Len():][:conv.Len()])
		t.poolBackward(s, i, offset, slope)
		part, cut := t.gradientPart(i, conv.C), blocks(conv.H, trainStemRows)
		for j := range cut.parts {
			y0, y1 := cut.start(j), cut.start(j+1)
			at := i*conv.Len() + y0*conv.W*conv.C
			n := &s.back
			n.Rows, n.D, n.RowD = (y1-y0)*conv.W, t.act.grad0[at:], conv.C
			n.X, n.RowX, n.G = t.act.conv0[at:], conv.C, nil
			t.normBack(s, norm, 0, conv.C, part)
		}
	})
	t.stemWeights(t.ownGradient(norm, t.n, t.n*conv.H*conv.W))
}

// poolBackward hands the gradient of each pooled value of image i to the first pixel that has it.
func (t *cpuTrainer) poolBackward(s *trainScratch, i int, offset, slope []float32) {
	conv, b := t.plan.stem.convShape, &t.plan.blocks[0]
	cut := blocks(b.shape.H, trainPoolRows)
	var window [9]int32
	for j := range cut.parts {
		y0, y1 := cut.start(j), cut.start(j+1)
		t.stemAct(s, i, y0, y1)
		first := max(2*y0-1, 0)
		grad := t.act.grad0[i*conv.Len()+first*conv.W*conv.C:]
		for y := y0; y < y1; y++ {
			at := (i*b.pixels() + y*b.shape.W) * b.shape.C
			t.correct(s, 0, at, b.shape.W, s.drows, conv.C, offset, slope)
			for x := range b.shape.W {
				n := 0
				for py := max(2*y-1, 0); py <= min(2*y+1, conv.H-1); py++ {
					for px := max(2*x-1, 0); px <= min(2*x+1, conv.W-1); px++ {
						window[n] = int32(((py-first)*conv.W + px) * conv.C)
						n++
					}
				}
				most := t.act.x[0][at+x*b.shape.C:][:conv.C]
				t.kernels.MaxBack(grad, s.act, window[:n], most, s.drows[x*conv.C:][:conv.C])
			}
		}
	}
}

// stemWeights ends the gradient by the stem's convolution in place and sums that by its weights.
func (t *cpuTrainer) stemWeights(offset, slope []float32) {
	conv, norm, w := t.plan.stem.convShape, t.net.stemNorm, t.net.stem
	images, cut := gradShares(t.n, sliceRows), blocks(conv.H, trainStemRows)
	t.team.run(images.parts, func(worker, u int) {
		s, dw := t.scratch[worker], t.weightPart(u, w)
		for i := images.start(u); i < images.start(u+1); i++ {
			for j := range cut.parts {
				y0, y1 := cut.start(j), cut.start(j+1)
				s.stem.load(t.plan, t.x[i*t.plan.input.Len():], y0, y1-1)
				at := i*conv.Len() + y0*conv.W*conv.C
				c := &s.correct
				c.Rows, c.Dst, c.RowDst = (y1-y0)*conv.W, t.act.grad0[at:], conv.C
				c.D, c.RowD, c.X, c.RowX = t.act.grad0[at:], conv.C, t.act.conv0[at:], conv.C
				c.A, c.B, c.C = norm.scale, offset, slope
				t.kernels.Correct(c)
				for y := y0; y < y1; y++ {
					t.stemOuter(s, y-y0, t.act.grad0[at+(y-y0)*conv.W*conv.C:], dw)
				}
			}
		}
	})
	t.joinWeights(w, images.parts)
}

// stemOuter adds the products of one row of gradients with the r-th of the loaded rows.
func (t *cpuTrainer) stemOuter(s *trainScratch, r int, grad, dw []float32) {
	conv, win, in := t.plan.stem.convShape, t.plan.stem.window, t.plan.input.C
	k, w := &s.outer, t.net.stem
	k.Rows, k.K, k.RowA, k.RowB, k.RowC = win.Kernel, conv.W, win.Stride, conv.C, w.panel
	for line := range win.Kernel * in {
		k.A = s.stem.in[(r*win.Stride*in+line)*s.stem.pitch:]
		for n := 0; n < w.cols; n += w.panel {
			k.B, k.C = grad[n:], dw[n*w.rows+line*win.Kernel*w.panel:]
			t.kernels.GemmT(k)
		}
	}
}
