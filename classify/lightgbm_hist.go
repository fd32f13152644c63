package classify

import (
	"math"
	"math/bits"
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
	for k, i := range rows {
		g.pairs[k] = histEntry{float64(grad[i]), float64(hess[i])}
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
			filled := g.fill(&dense, f, rows, small)
			if small.hist != nil {
				g.pack(small.hist, f, &dense, filled)
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

// binSet marks bins of one feature.
type binSet [4]uint64

// fill adds the histogram of feature f over the leaf's rows to the zeros in h and returns the bins that they fall into.
// As in LightGBM the derived bin's entry is not summed but the leaf's sums less all other entries;
// subtracting the zeros of empty bins would change nothing and is left out.
func (g *leafGrower) fill(h *denseHist, f int, rows []int32, leaf *growLeaf) binSet {
	var filled binSet
	bins, pairs := g.t.bin[f*g.t.n:(f+1)*g.t.n], g.pairs[:len(rows)]
	for k, i := range rows {
		b := bins[i]
		h[b][0] += pairs[k][0]
		h[b][1] += pairs[k][1]
		filled[b>>6] |= 1 << (b & 63)
	}
	derived := g.t.mapper[g.t.column[f]].derived
	if derived == 0 {
		return filled // no cut needs bin 0
	}
	rest := histEntry{leaf.grad, leaf.hess}
	filled[derived>>6] &^= 1 << (derived & 63)
	for word, set := range filled {
		for ; set != 0; set &= set - 1 {
			e := &h[(word<<6|bits.TrailingZeros64(set))&255]
			rest[0] -= e[0]
			rest[1] -= e[1]
		}
	}
	h[derived] = rest
	filled[derived>>6] |= 1 << (derived & 63)
	return filled
}

// pack stores the filled bins but bin 0, which has nothing on its left, as feature f's histogram in to.
func (g *leafGrower) pack(to *histogram, f int, h *denseHist, filled binSet) {
	filled[0] &^= 1
	at := g.start[f]
	for word := len(filled) - 1; word >= 0; word-- {
		for set := filled[word]; set != 0; {
			bit := (bits.Len64(set) - 1) & 63
			set &^= 1 << bit
			b := (word<<6 | bit) & 255
			to.entry[at], to.bin[at] = h[b], uint8(b)
			at++
		}
	}
	to.count[f] = at - g.start[f]
}

// subtract takes h from feature f's histogram in from and drops the bins that this empties. Sums of a few float32
// values are nearly always exact in float64, so that they are then left at zero. The derived bin stays in any case,
// since its entry holds the rounding of all others.
func (g *leafGrower) subtract(from *histogram, f int, h *denseHist) {
	derived := uint8(g.t.mapper[g.t.column[f]].derived)
	at := g.start[f]
	entry, bin := from.entry[at:at+from.count[f]], from.bin[at:at+from.count[f]]
	entry = entry[:len(bin)]
	kept := 0
	for k, b := range bin {
		grad, hess := entry[k][0]-h[b][0], entry[k][1]-h[b][1]
		entry[kept][0], entry[kept][1], bin[kept] = grad, hess, b
		rest := math.Float64bits(grad) | math.Float64bits(hess)
		if b == derived {
			rest = 1
		}
		if rest != 0 { // a conditional move: a branch would be mispredicted at every other bin
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
		rightCount += int(e[1]*s.perHess + 0.5)
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
