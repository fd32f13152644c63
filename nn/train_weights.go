package nn

// turnWeights arranges the weights of this step: the transforms of 3x3 convolutions, and what the
// backward half multiplies by.
func (t *cpuTrainer) turnWeights() {
	var jobs []func(s *trainScratch)
	for b := range t.plan.blocks {
		net, plan := &t.net.blocks[b], &t.plan.blocks[b]
		for l := range net.layers {
			layer := &net.layers[l]
			jobs = append(jobs, func(*trainScratch) { t.transform(b, t.planes[b][l], layer.conv2.p, plan.neck, plan.grow) })
			if b < t.first {
				continue
			}
			jobs = append(jobs,
				func(*trainScratch) { turn(t.turned[b][l], layer.conv1, layer.conv1.rows, 1, 1) },
				func(s *trainScratch) {
					turn(s.filters, layer.conv2, plan.neck, 9, 1)
					t.transform(b, t.flipped[b][l], s.filters, plan.grow, plan.neck)
				})
		}
		if net.conv != nil && b >= t.first-1 {
			jobs = append(jobs, func(*trainScratch) { turn(t.turnedTransition[b], net.conv, net.conv.rows, 1, 0.25) }) // of the mean of four
		}
	}
	t.team.run(len(jobs), func(worker, u int) { jobs[u](t.scratch[worker]) })
}

// transform writes the planes of a 3x3 convolution's weights, panels of rows (tap, input).
func (t *cpuTrainer) transform(block int, planes [][]float32, weights []float32, in, out int) {
	dst, src := make([][]float32, len(planes)), make([][]float32, 9)
	cols := t.kernels.Cols
	for n := 0; n < out; n += cols {
		for i := range planes {
			dst[i] = planes[i][n*in:][:cols*in]
		}
		for tap := range src {
			src[tap] = weights[(n*9+tap*cols)*in:][:cols*in]
		}
		t.kernels.FilterBlock(t.bands[block].method, dst, src)
	}
}

// turn writes the transpose of each tap of w, the taps in reverse order, times scale: panels of the
// inputs, rows (tap, output).
func turn(dst []float32, w *param, in, taps int, scale float32) {
	panel, rows := w.panel, taps*w.cols
	for tap := range taps {
		for n := 0; n < w.cols; n += panel {
			for i := range in {
				src := w.p[n*w.rows+((taps-1-tap)*in+i)*panel:][:panel]
				to := dst[i/panel*panel*rows+(tap*w.cols+n)*panel+i%panel:]
				for c, v := range src {
					to[c*panel] = scale * v
				}
			}
		}
	}
}
