package classify

import "math/bits"

// minHessian is LightGBM's default min_sum_hessian_in_leaf.
const minHessian = 1e-3

// histEntry is a bin's sum of gradients and of hessians.
type histEntry [2]float64

// featureHist is one feature's histogram, with room for every bin that a byte can name.
type featureHist [256]histEntry

// binSet marks bins of one feature.
type binSet [4]uint64

// upTo marks the bins 1 .. last.
func upTo(last int) binSet {
	var s binSet
	for b := 1; b <= last; b++ {
		s[b>>6] |= 1 << (b & 63)
	}
	return s
}

// histogram holds a leaf's histograms.
type histogram struct {
	feature    []featureHist
	splittable []bool // some cut of the feature gains; LightGBM looks no further below a leaf where none does
}

func newHistogram(features int) *histogram {
	return &histogram{make([]featureHist, features), make([]bool, features)}
}

// search finds the best split of small, whose histogram is summed from its rows, and of large, whose
// histogram is the parent's (in large.hist) less small's. Without large, small is the root.
// The order of every floating-point operation is LightGBM's, since a cut between empty bins is
// chosen by the rounding that the subtraction leaves in them.
func (g *leafGrower) search(small, large *growLeaf, grad, hess []float32) {
	small.hist = g.take()
	rows := g.rows[small.begin : small.begin+small.count]
	for k, i := range rows {
		g.pairs[k] = histEntry{float64(grad[i]), float64(hess[i])}
	}
	const block = 32
	type found struct{ small, large leafSplit }
	best := make([]found, (len(g.t.column)+block-1)/block)
	inBlocks(g.workers, len(g.t.column), block, func(lo, hi int) {
		b := found{noSplit(), noSplit()}
		scanSmall, scanLarge := newSplitScan(small), newSplitScan(large)
		for f := lo; f < hi; f++ {
			g.searchFeature(f, rows, &scanSmall, &scanLarge, &b.small, &b.large)
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

// searchFeature does for one feature what search says.
func (g *leafGrower) searchFeature(f int, rows []int32, small, large *splitScan, bestSmall, bestLarge *leafSplit) {
	isRoot := large.hist == nil
	if !isRoot && !large.hist.splittable[f] {
		small.hist.splittable[f] = false
		return
	}
	mapper := &g.t.mapper[g.t.column[f]]
	hs := &small.hist.feature[f]
	bins := g.sum(hs, f, rows)
	derive(hs, &bins, mapper.derived, small)
	if len(rows) >= 2*minLeafRows {
		small.hist.splittable[f] = small.scan(f, hs, bins, bestSmall)
	}
	if isRoot {
		return
	}
	hl, last := &large.hist.feature[f], len(mapper.upper)-1
	for b := range last + 1 {
		hl[b][0] -= hs[b][0]
		hl[b][1] -= hs[b][1]
	}
	large.hist.splittable[f] = large.scan(f, hl, upTo(last), bestLarge)
}

// sum builds the histogram of feature f over rows and returns the bins that they fall into.
func (g *leafGrower) sum(h *featureHist, f int, rows []int32) binSet {
	clear(h[:len(g.t.mapper[g.t.column[f]].upper)])
	var set binSet
	bins, pairs := g.t.bin[f*g.t.n:(f+1)*g.t.n], g.pairs[:len(rows)]
	for k, i := range rows {
		b := bins[i]
		h[b][0] += pairs[k][0]
		h[b][1] += pairs[k][1]
		set[b>>6] |= 1 << (b & 63)
	}
	return set
}

// derive sets the entry of the derived bin to the leaf's sums less all other entries and drops bin 0,
// which no cut needs. Empty bins hold exact zeros and are passed over.
func derive(h *featureHist, bins *binSet, derived int, leaf *splitScan) {
	if derived > 0 {
		grad, hess := leaf.grad, leaf.hess
		bins[derived>>6] &^= 1 << (derived & 63)
		for word, set := range bins {
			for ; set != 0; set &= set - 1 {
				e := &h[word<<6|bits.TrailingZeros64(set)]
				grad -= e[0]
				hess -= e[1]
			}
		}
		h[derived] = histEntry{grad, hess}
		bins[derived>>6] |= 1 << (derived & 63)
	}
	bins[0] &^= 1
}

// splitScan looks for cuts of one leaf.
type splitScan struct {
	hist       *histogram
	grad, hess float64 // the leaf's sums
	count      int
	guarded    float64 // hess plus LightGBM's two epsilons
	perHess    float64 // rows per unit of hessian: LightGBM estimates the rows of a bin by it
	unsplit    float64 // gain of the leaf as it is
}

func newSplitScan(l *growLeaf) splitScan {
	if l == nil {
		return splitScan{}
	}
	s := splitScan{hist: l.hist, grad: l.grad, hess: l.hess, count: l.count, guarded: l.hess + 2*tinyHessian}
	s.perHess = float64(l.count) / s.guarded
	s.unsplit = l.grad * l.grad / s.guarded
	return s
}

// scan offers every cut of feature f to best, from the highest bin down (LightGBM's reverse scan), over the
// given bins; leaving out empty ones changes nothing. It reports whether any cut gains.
func (s *splitScan) scan(f int, h *featureHist, bins binSet, best *leafSplit) bool {
	var rightGrad, leftGrad, leftHess float64
	rightHess, rightCount := tinyHessian, 0
	bestBin, bestGain := -1, s.unsplit
	bar := s.unsplit // the gain to beat
scan:
	for word := len(bins) - 1; word >= 0; word-- {
		for set := bins[word]; set != 0; {
			bit := bits.Len64(set) - 1
			set &^= 1 << bit
			e := &h[(word<<6|bit)&255]
			rightGrad += e[0]
			rightHess += e[1]
			rightCount += int(e[1]*s.perHess + 0.5)
			if rightCount < minLeafRows || rightHess < minHessian {
				continue
			}
			lh := s.guarded - rightHess
			if s.count-rightCount < minLeafRows || lh < minHessian {
				break scan
			}
			lg := s.grad - rightGrad
			// The same comparison without divisions and with room for rounding drops most cuts.
			if lg*lg*rightHess+rightGrad*rightGrad*lh < bar*lh*rightHess*(1-1e-9) {
				continue
			}
			if gain := float64(lg*lg)/lh + float64(rightGrad*rightGrad)/rightHess; gain > bar {
				bestBin, bestGain, leftGrad, leftHess = word<<6|bit-1, gain, lg, lh
				bar = max(gain, best.raw) // cuts below the other features' best need no closer look
			}
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
