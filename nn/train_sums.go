package nn

// Sums over the pixels of a batch: each unit of work writes its own, and they are joined in the order
// of the units.

// part returns channels [at, at+n).
func (m moments) part(at, n int) moments {
	return moments{m.mean[at : at+n], m.variance[at : at+n]}
}

// moments takes unit u's rows of channels.
func (t *cpuTrainer) moments(u, channels, rows int, x []float32, rowX int) {
	at := 2 * u * channels
	t.kernels.Moments(rows, x, rowX, t.parts[at:at+channels], t.parts[at+channels:at+2*channels])
	t.rows[u] = rows
}

// statistics joins the units' moments into those of the batch: the variance is that inside the units
// and that of their means (Chan, Golub and LeVeque, The American Statistician 1983).
func (t *cpuTrainer) statistics(units, channels int, to moments) {
	count := 0.0
	for _, rows := range t.rows[:units] {
		count += float64(rows)
	}
	t.team.run(channels/lane, func(_, g int) {
		mean, variance := to.mean[g*lane:][:lane], to.variance[g*lane:][:lane]
		clear(mean)
		clear(variance)
		for u := range units {
			for c, v := range t.parts[2*u*channels+g*lane:][:lane] {
				mean[c] += float64(v)
			}
		}
		for c := range mean {
			mean[c] /= count
		}
		for u := range units {
			rows := float64(t.rows[u])
			sum, m2 := t.parts[2*u*channels+g*lane:][:lane], t.parts[(2*u+1)*channels+g*lane:][:lane]
			for c := range mean {
				d := float64(sum[c])/rows - mean[c]
				variance[c] += float64(m2[c]) + rows*d*d
			}
		}
		for c := range variance {
			variance[c] /= count
		}
	})
}

// partAt is part u of the sums of dz and of dz*(x-mean).
func (t *cpuTrainer) partAt(u, channels int) [2][]float64 {
	at := 2 * u * channels
	return [2][]float64{t.sums[at : at+channels], t.sums[at+channels : at+2*channels]}
}

// gradientPart is partAt, made zero.
func (t *cpuTrainer) gradientPart(u, channels int) [2][]float64 {
	p := t.partAt(u, channels)
	clear(p[0])
	clear(p[1])
	return p
}

// joinGradients adds the parts to the first, which it returns.
func (t *cpuTrainer) joinGradients(parts, channels int) (sum, sumX []float64) {
	all := t.partAt(0, channels)
	for u := 1; u < parts; u++ {
		p := t.partAt(u, channels)
		for c := range p[0] {
			all[0][c] += p[0][c]
			all[1][c] += p[1][c]
		}
	}
	return all[0], all[1]
}

// weightAt is part u of the gradient of a's weights.
func (t *cpuTrainer) weightAt(u int, a *param) []float32 { return t.dw[u*len(a.p):][:len(a.p)] }

// weightPart is weightAt, made zero.
func (t *cpuTrainer) weightPart(u int, a *param) []float32 {
	dw := t.weightAt(u, a)
	clear(dw)
	return dw
}

// weightGroup is weightAt, rows [r0, r1) made zero.
func (t *cpuTrainer) weightGroup(u int, a *param, r0, r1 int) []float32 {
	dw := t.weightAt(u, a)
	for n := 0; n < a.cols; n += a.panel {
		clear(dw[n*a.rows+r0*a.panel : n*a.rows+r1*a.panel])
	}
	return dw
}

// joinWeights sums the parts into a's gradient.
func (t *cpuTrainer) joinWeights(a *param, parts int) {
	const chunk = 1 << 13
	t.team.run(ceilDiv(len(a.g), chunk), func(_, u int) {
		i0, i1 := u*chunk, min((u+1)*chunk, len(a.g))
		copy(a.g[i0:i1], t.weightAt(0, a)[i0:i1])
		for p := 1; p < parts; p++ {
			t.kernels.Add(a.g[i0:i1], t.weightAt(p, a)[i0:i1])
		}
	})
}
