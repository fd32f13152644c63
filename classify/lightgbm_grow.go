package classify

import "math"

// LightGBM's defaults for growing a tree.
const (
	maxLeaves   = 31
	minLeafRows = 20
)

// leafSplit is the best split of a leaf: bins up to bin go left.
type leafSplit struct {
	feature              int // index among the usable features; -1 = none
	bin                  int
	gain                 float64 // over the unsplit leaf
	raw                  float64 // of the two new leaves; for the pruning of the search
	leftGrad, leftHess   float64
	rightGrad, rightHess float64
	leftOut, rightOut    float64 // before the learning rate
}

// beats is LightGBM's order of splits: by gain, then the earlier feature.
func (s *leafSplit) beats(o *leafSplit) bool {
	if s.gain != o.gain {
		return s.gain > o.gain
	}
	return s.feature >= 0 && (o.feature < 0 || s.feature < o.feature)
}

func noSplit() leafSplit { return leafSplit{feature: -1, gain: math.Inf(-1), raw: math.Inf(-1)} }

// growLeaf is a leaf of the growing tree: rows[begin:begin+count] and the sums over them.
type growLeaf struct {
	begin, count int
	grad, hess   float64
	hist         *histogram // nil once the leaf cannot be split
	best         leafSplit
	parent       int // inner node above, -1 for the root
}

// leafGrower grows LightGBM's leaf-wise trees on binned features. It is reused from tree to tree.
type leafGrower struct {
	t       *binned
	workers int
	rows    []int32 // the rows of each leaf are one ascending stretch of it
	spare   []int32
	pairs   []histEntry // gradient and hessian of the rows being summed
	start   []int       // where each feature begins in a histogram
	bins    int         // entries of a histogram
	leaves  []growLeaf
	pool    []*histogram
}

func newLeafGrower(t *binned, workers int) *leafGrower {
	if len(t.column)*t.n < 1<<15 {
		workers = 1 // the split search is over before another goroutine has started
	}
	g := &leafGrower{t: t, workers: workers, rows: make([]int32, t.n), spare: make([]int32, t.n), pairs: make([]histEntry, t.n)}
	for _, j := range t.column {
		g.start = append(g.start, g.bins)
		g.bins += len(t.mapper[j].upper)
	}
	return g
}

// grow fits one tree to the gradients and hessians, always splitting the leaf with the largest gain.
func (g *leafGrower) grow(grad, hess []float32) *BoostedTree {
	root := growLeaf{count: g.t.n, parent: -1, best: noSplit()}
	for i := range g.rows {
		g.rows[i] = int32(i)
		root.grad += float64(grad[i])
		root.hess += float64(hess[i])
	}
	g.leaves = append(g.leaves[:0], root)
	tree := constantTree(roundToZero(-root.grad/root.hess), g.t.n)
	if root.count >= 2*minLeafRows {
		g.search(&g.leaves[0], nil, grad, hess)
	}
	for len(g.leaves) < maxLeaves {
		best := 0
		for k := range g.leaves {
			if g.leaves[k].best.beats(&g.leaves[best].best) {
				best = k
			}
		}
		if !(g.leaves[best].best.gain > 0) {
			break
		}
		g.split(tree, best, grad, hess)
	}
	for k := range g.leaves {
		g.release(&g.leaves[k])
	}
	return tree
}

// split cuts leaf k by its best split: k keeps the left rows, a new leaf takes the right ones.
func (g *leafGrower) split(t *BoostedTree, k int, grad, hess []float32) {
	parent := g.leaves[k]
	s := &parent.best
	cut := g.partition(&parent, s)
	node := len(t.SplitFeature)
	left := growLeaf{begin: parent.begin, count: cut, grad: s.leftGrad, hess: s.leftHess, best: noSplit(), parent: node}
	right := growLeaf{begin: parent.begin + cut, count: parent.count - cut, grad: s.rightGrad, hess: s.rightHess, best: noSplit(), parent: node}
	g.record(t, k, &parent, &left, &right)
	g.leaves[k] = left
	g.leaves = append(g.leaves, right)
	small, large := &g.leaves[k], &g.leaves[len(g.leaves)-1]
	if small.count >= large.count {
		small, large = large, small
	}
	large.hist = parent.hist
	if large.count >= 2*minLeafRows && len(g.leaves) < maxLeaves {
		g.search(small, large, grad, hess)
	}
	for _, l := range []*growLeaf{small, large} {
		if l.best.feature < 0 {
			g.release(l)
		}
	}
}

// record enters the split of leaf k in the tree.
func (g *leafGrower) record(t *BoostedTree, k int, parent, left, right *growLeaf) {
	s, node := &parent.best, len(t.SplitFeature)
	if above := parent.parent; above >= 0 {
		if t.LeftChild[above] == ^k {
			t.LeftChild[above] = node
		} else {
			t.RightChild[above] = node
		}
	}
	column := g.t.column[s.feature]
	t.SplitFeature = append(t.SplitFeature, column)
	t.SplitGain = append(t.SplitGain, float32(s.gain))
	t.Threshold = append(t.Threshold, g.t.mapper[column].upper[s.bin])
	t.DecisionType = append(t.DecisionType, defaultLeftBit)
	t.LeftChild = append(t.LeftChild, ^k)
	t.RightChild = append(t.RightChild, ^len(t.LeafValue))
	t.InnerValue = append(t.InnerValue, t.LeafValue[k])
	t.InnerWeight = append(t.InnerWeight, left.hess+right.hess)
	t.InnerCount = append(t.InnerCount, parent.count)
	t.LeafValue[k], t.LeafWeight[k], t.LeafCount[k] = s.leftOut, left.hess, left.count
	t.LeafValue = append(t.LeafValue, s.rightOut)
	t.LeafWeight = append(t.LeafWeight, right.hess)
	t.LeafCount = append(t.LeafCount, right.count)
}

// partition brings the rows left of the split to the front of the leaf, keeping their order, and returns their number.
func (g *leafGrower) partition(leaf *growLeaf, s *leafSplit) int {
	rows := g.rows[leaf.begin : leaf.begin+leaf.count]
	bins := g.t.bin[s.feature*g.t.n:]
	l, r := 0, 0
	for _, i := range rows {
		if int(bins[i]) <= s.bin {
			rows[l] = i
			l++
		} else {
			g.spare[r] = i
			r++
		}
	}
	copy(rows[l:], g.spare[:r])
	return l
}

// addScores adds each training row's leaf value to its score; t is the tree grown last.
func (g *leafGrower) addScores(t *BoostedTree, score []float64) {
	for k, leaf := range g.leaves {
		for _, i := range g.rows[leaf.begin : leaf.begin+leaf.count] {
			score[i] += t.LeafValue[k]
		}
	}
}

// take returns a histogram from the pool.
func (g *leafGrower) take() *histogram {
	if n := len(g.pool); n > 0 {
		h := g.pool[n-1]
		g.pool = g.pool[:n-1]
		return h
	}
	return newHistogram(g.bins, len(g.t.column))
}

// release puts the leaf's histogram back: the leaf cannot be split any more.
func (g *leafGrower) release(l *growLeaf) {
	if l.hist != nil {
		g.pool = append(g.pool, l.hist)
		l.hist = nil
	}
}
