package nn

import "sonotype/nn/kernel"

// phases runs the network on the images of one slot, phase by phase: run deals a phase's units to
// the workers and returns when all are done. With one worker, phases are plain loops.
type phases struct {
	program *cpuProgram
	batch   *batch
	slot    *slot
	run     func(units int, f func(worker, unit int))
	workers int
}

// images runs images [i0, i1) of the batch: the early blocks one by one, the later ones together.
func (p *phases) images(i0, i1 int) {
	l, blocks := p.program.layout, len(p.program.plan.blocks)
	for i := i0; i < i1; i++ {
		first := 0
		if l.front == 0 {
			first = i - i0
		}
		p.stem(i, first)
		for b := range l.front {
			next := 0
			if b+1 >= l.front {
				next = i - i0
			}
			p.block(b, i, 1)
			p.transition(b, 1, next)
		}
	}
	for b := l.front; b < blocks; b++ {
		p.block(b, i0, i1-i0)
		p.transition(b, i1-i0, 0)
	}
	p.head(i0, i1-i0)
}

// units is how many parts n rows are cut into, most rows at a time, so that the workers get equal
// shares. No value depends on the cut.
func (p *phases) units(n, most int) int {
	u := ceilDiv(n, most)
	if p.workers > 1 && u < 4*p.workers {
		u = min(ceilDiv(u, p.workers)*p.workers, n)
	}
	return u
}

// block runs the dense layers of block bi on its first n slot images, which are images i0... of
// the batch.
func (p *phases) block(bi, i0, n int) {
	for l := range p.program.plan.blocks[bi].layers {
		p.neck(bi, l, n)
		p.grow(bi, l, n)
	}
	p.blockTaps(bi, i0, n)
}

// neck runs BN, ReLU, the 1x1 convolution, BN and ReLU of layer l into the neck's buffer.
func (p *phases) neck(bi, l, n int) {
	b, w := &p.program.plan.blocks[bi], &p.program.weights.blocks[bi].layers[l]
	rows, channels := n*b.pixels(), b.shape.C
	units := p.units(rows, unitRows)
	p.run(units, func(worker, u int) {
		s := p.program.scratch[worker]
		r0, r1 := u*rows/units, (u+1)*rows/units
		lda := w.conv1.k + rowPad
		s.norm.Rows = r1 - r0
		s.norm.Dst, s.norm.RowDst = s.rows, lda
		s.norm.X, s.norm.RowX = p.slot.x[bi][r0*channels:], channels
		s.norm.Scale, s.norm.Shift = w.norm.scale, w.norm.shift
		p.program.kernels.Norm(&s.norm)
		product(p.program.kernels, &s.tile, r1-r0, s.rows, lda, &w.conv1, p.slot.neck[(1+r0)*b.neck:], b.neck, 0)
	})
}

// product multiplies rows of a (lda floats apart) by w's panels and writes max(sum + bias, floor) to c:
// a panel at a time, by runs of k that stay in the nearest cache.
func product(k *kernel.Set, t *kernel.Tile, rows int, a []float32, lda int, w *panels, c []float32, ldc int, floor float32) {
	parts := ceilDiv(w.k, k.KRun)
	t.Rows, t.RowA, t.RowC, t.Runs, t.RunA = rows, lda, ldc, 1, 0
	for n := 0; n < w.n; n += k.Cols {
		panel := w.data[n*w.k:]
		t.C, t.Init, t.RowInit, t.Floor = c[n:], w.bias[n:], 0, noFloor
		for i := range parts {
			k0, k1 := i*w.k/parts, (i+1)*w.k/parts
			t.K, t.A, t.B = k1-k0, a[k0:], panel[k0*k.Cols:]
			if i == parts-1 {
				t.Floor = floor
			}
			k.Gemm(t)
			t.Init, t.RowInit = t.C, ldc
		}
	}
}

// grow runs the 3x3 convolution of layer l from the neck's buffer into the block's next channels,
// by Winograd's method: transformed patches times transformed weights, as many products of matrices
// as a patch has pixels, transformed back.
func (p *phases) grow(bi, l, n int) {
	b := &p.program.plan.blocks[bi]
	t, planes := &p.program.layout.tiles[bi], p.program.weights.blocks[bi].layers[l].conv2
	tiles := n * t.perImage
	neckReach, pixelReach := n*b.pixels()*b.neck, (n*b.pixels()-1)*b.shape.C
	out := p.slot.x[bi][b.in+l*b.grow:]
	units := p.units(tiles, t.unit)
	p.run(units, func(worker, u int) {
		s, k := p.program.scratch[worker], p.program.kernels
		t0, t1 := u*tiles/units, (u+1)*tiles/units
		s.v.N, s.v.Row, s.v.Plane = b.neck, b.neck, (t1-t0)*b.neck+rowPad
		s.m.N, s.m.Row, s.m.Plane = b.grow, b.grow, (t1-t0)*b.grow+rowPad
		k.WinogradIn(t.method, t1-t0, &s.v, p.slot.neck, t.patches[t0*t.method.Planes():], neckReach)
		for i := range planes {
			p.plane(s, t1-t0, i, planes[i])
		}
		k.WinogradOut(t.method, out, b.shape.C, b.shape.W*b.shape.C, &s.m, t.places[t0:t1], pixelReach)
	})
}

// plane multiplies plane i of the worker's V by weights, neck x grow, into plane i of M.
func (p *phases) plane(s *scratch, tiles, i int, weights []float32) {
	k, t := p.program.kernels, &s.tile
	t.Rows, t.K, t.Runs, t.RunA = tiles, s.v.N, 1, 0
	t.A, t.RowA, t.RowC = s.v.Data[i*s.v.Plane:], s.v.Row, s.m.Row
	t.Init, t.RowInit, t.Floor = s.zeros, 0, noFloor
	for n := 0; n < s.m.N; n += k.Cols {
		t.B, t.C = weights[n*s.v.N:], s.m.Data[i*s.m.Plane+n:]
		k.Gemm(t)
	}
}

// transition runs BN, ReLU, the 2x2 mean and the 1x1 convolution behind block bi for its first n
// slot images, into the next block's slot images from next on.
func (p *phases) transition(bi, n, next int) {
	b := &p.program.plan.blocks[bi]
	if b.transition == nil {
		return
	}
	w, out := p.program.weights.blocks[bi].transition, b.transition.out
	rows, ldc := n*out.H*out.W, p.program.plan.blocks[bi+1].shape.C
	c := p.slot.x[bi+1][next*out.H*out.W*ldc:]
	units := p.units(rows, unitRows)
	p.run(units, func(worker, u int) {
		s := p.program.scratch[worker]
		r0, r1 := u*rows/units, (u+1)*rows/units
		lda := w.conv.k + rowPad
		for r := r0; r < r1; r++ {
			image, y, x := r/(out.H*out.W), r/out.W%out.H, r%out.W
			at := ((image*b.shape.H+2*y)*b.shape.W + 2*x) * b.shape.C
			in, below := p.slot.x[bi][at:], p.slot.x[bi][at+b.shape.W*b.shape.C:]
			p.program.kernels.NormMean4(s.rows[(r-r0)*lda:],
				&[4][]float32{in, in[b.shape.C:], below, below[b.shape.C:]}, w.norm.scale, w.norm.shift)
		}
		product(p.program.kernels, &s.tile, r1-r0, s.rows, lda, &w.conv, c[r0*ldc:], ldc, noFloor)
	})
}
