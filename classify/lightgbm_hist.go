package classify

import (
	"math"
)

// minHessian is LightGBM's default min_sum_hessian_in_leaf.
const minHessian = 1e-3

// histEntry is a bin's sum of gradients and of hessians.
type histEntry [2]float64

// denseHist is one feature's histogram with an entry for every bin that a byte can name.
type denseHist [256]histEntry

// histogram holds the histograms of a leaf, each feature's without its empty bins and from the highest bin down:
// feature f has count[f] entries from index start[f] of the grower on.
type histogram struct {
	entry      []histEntry
	bin        []uint8
	count      []int
	splittable []bool // some cut of the feature gains; LightGBM looks no further below a leaf where none does
}

func newHistogram(bins, features int) *histogram {
	return &histogram{make([]histEntry, bins), make([]uint8, bins), make([]int, features), make([]bool, features)}
}

// search finds the best split of small, whose histogram is summed from its rows, and of large, whose
// histogram is the parent's (in large.hist) less small's. Without large, small is the root.
// The order of every floating-point operation is LightGBM's, so that equally good cuts tie, or not, as there.
func (g *leafGrower) search(small, large *growLeaf, grad, hess []float32) {
	rows := g.rows[small.begin : small.begin+small.count]
	off := histEntry{small.grad, small.hess}
	for k, i := range rows {
		g.pairs[k] = histEntry{float64(grad[i]), float64(hess[i])}
		off[0] -= g.pairs[k][0]
		off[1] -= g.pairs[k][1]
	}
	if len(rows) >= 2*minLeafRows {
		small.hist = g.take()
	}
	const block = 64
	type found struct{ small, large leafSplit }
	best := make([]found, (len(g.t.column)+block-1)/block)
	inBlocks(g.workers, len(g.t.column), block, func(lo, hi int) {
		b := found{noSplit(), noSplit()}
		scanSmall, scanLarge := newSplitScan(small), newSplitScan(large)
		var dense denseHist
		for f := lo; f < hi; f++ {
			if large != nil && !large.hist.splittable[f] {
				if small.hist != nil {
					small.hist.splittable[f] = false
				}
				continue
			}
			g.fill(&dense, f, rows, off)
			if small.hist != nil {
				g.pack(small.hist, f, &dense)
				small.hist.splittable[f] = scanSmall.scan(g, f, &b.small)
			}
			if large != nil {
				g.subtract(large.hist, f, &dense)
				large.hist.splittable[f] = scanLarge.scan(g, f, &b.large)
			}
			clear(dense[:len(g.t.mapper[g.t.column[f]].upper)])
		}
		best[lo/block] = b
	})
	for k := range best {
		if best[k].small.beats(&small.best) {
			small.best = best[k].small
		}
		if large != nil && best[k].large.beats(&large.best) {
			large.best = best[k].large
		}
	}
}

// fill adds the histogram of feature f over the leaf's rows to the zeros in h. LightGBM does not sum the derived
// bin's entry but takes the leaf's sums less all other entries. As sums of float32 values are nearly always exact in
// float64, that is the entry plus what the leaf's sums, which come from its parent's split, are off by.
func (g *leafGrower) fill(h *denseHist, f int, rows []int32, off histEntry) {
	bins, pairs := g.t.bin[f*g.t.n:(f+1)*g.t.n], g.pairs[:len(rows)]
	for k, i := range rows {
		e := &h[bins[i]]
		e[0] += pairs[k][0]
		e[1] += pairs[k][1]
	}
	if derived := g.t.mapper[g.t.column[f]].derived; derived > 0 {
		h[derived&255][0] += off[0]
		h[derived&255][1] += off[1]
	}
}

// pack stores the entries of h but that of bin 0, which has nothing on its left, as feature f's histogram in to.
func (g *leafGrower) pack(to *histogram, f int, h *denseHist) {
	mapper := &g.t.mapper[g.t.column[f]]
	at, n := g.start[f], len(mapper.upper)
	entry, bin := to.entry[at:at+n], to.bin[at:at+n]
	kept := 0
	for b := n - 1; b > 0; b-- {
		e := &h[b&255]
		entry[kept][0], entry[kept][1], bin[kept] = e[0], e[1], uint8(b)
		if keep(e[0], e[1], b == mapper.derived) {
			kept++
		}
	}
	to.count[f] = kept
}

// keep reports whether a histogram must hold an entry: empty bins are left out, the derived bin never is, since
// its entry holds the rounding of all others. It compiles to moves; a branch would often be mispredicted.
func keep(grad, hess float64, derived bool) bool {
	filled := math.Float64bits(grad) | math.Float64bits(hess)
	if derived {
		filled = 1
	}
	return filled != 0
}

// subtract takes h from feature f's histogram in from and drops the bins that this empties.
func (g *leafGrower) subtract(from *histogram, f int, h *denseHist) {
	derived := uint8(g.t.mapper[g.t.column[f]].derived)
	at := g.start[f]
	entry, bin := from.entry[at:at+from.count[f]], from.bin[at:at+from.count[f]]
	entry = entry[:len(bin)]
	kept := 0
	for k, b := range bin {
		grad, hess := entry[k][0]-h[b][0], entry[k][1]-h[b][1]
		entry[kept][0], entry[kept][1], bin[kept] = grad, hess, b
		if keep(grad, hess, b == derived) {
			kept++
		}
	}
	from.count[f] = kept
}

// splitScan looks for cuts of one leaf.
type splitScan struct {
	hist    *histogram
	grad    float64 // the leaf's sum of gradients
	count   int
	guarded float64 // its sum of hessians plus LightGBM's two epsilons
	perHess float64 // rows per unit of hessian: LightGBM estimates the rows of a bin by it
	unsplit float64 // gain of the leaf as it is
}

func newSplitScan(l *growLeaf) splitScan {
	if l == nil {
		return splitScan{}
	}
	s := splitScan{hist: l.hist, grad: l.grad, count: l.count, guarded: l.hess + 2*tinyHessian}
	s.perHess = float64(l.count) / s.guarded
	s.unsplit = l.grad * l.grad / s.guarded
	return s
}

// scan offers every cut of feature f to best, from the highest bin down (LightGBM's reverse scan). It passes over
// empty bins, where no cut beats the one above them. It reports whether any cut gains.
func (s *splitScan) scan(g *leafGrower, f int, best *leafSplit) bool {
	at := g.start[f]
	entry, bin := s.hist.entry[at:at+s.hist.count[f]], s.hist.bin[at:at+s.hist.count[f]]
	var rightGrad, leftGrad, leftHess float64
	rightHess, rightCount := tinyHessian, 0
	bestBin, bestGain := -1, s.unsplit
	bar := s.unsplit // the gain to beat
	for k := range entry {
		e := &entry[k]
		rightGrad += e[0]
		rightHess += e[1]
		rightCount += int(float64(e[1]*s.perHess) + 0.5)
		if rightCount < minLeafRows || rightHess < minHessian {
			continue
		}
		lh := s.guarded - rightHess
		if s.count-rightCount < minLeafRows || lh < minHessian {
			break
		}
		lg := s.grad - rightGrad
		// The same comparison without divisions and with room for rounding drops most cuts.
		if lg*lg*rightHess+rightGrad*rightGrad*lh < bar*lh*rightHess*(1-1e-9) {
			continue
		}
		if gain := float64(lg*lg)/lh + float64(rightGrad*rightGrad)/rightHess; gain > bar {
			bestBin, bestGain, leftGrad, leftHess = int(bin[k])-1, gain, lg, lh
			bar = max(gain, best.raw) // cuts below the other features' best need no closer look
		}
	}
	if bestBin < 0 {
		return false
	}
	if gain := bestGain - s.unsplit; gain > best.gain {
		*best = leafSplit{feature: f, bin: bestBin, gain: gain, raw: bestGain,
			leftGrad: leftGrad, leftHess: leftHess - tinyHessian, leftOut: -leftGrad / leftHess,
			rightGrad: s.grad - leftGrad, rightHess: s.guarded - leftHess - tinyHessian,
			rightOut: -(s.grad - leftGrad) / (s.guarded - leftHess)}
	}
	return true
}
