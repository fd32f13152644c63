package classify

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"

	"sonotype/internal/problem"
)

// featureThreshold is scikit-learn's FEATURE_THRESHOLD: feature values closer than this are
// one value to the split search. It is added in float32, as there.
const featureThreshold float32 = 1e-7

// impurityEpsilon is the impurity up to which scikit-learn calls a node pure (float64 machine epsilon).
const impurityEpsilon = 0x1p-52

// tree is a fitted binary decision tree in scikit-learn's node order (depth first, left before right).
// A node with feature -1 is a leaf. Row i goes left where float32(x[feature]) <= threshold.
type tree struct {
	Feature   []int32   `json:"feature"`
	Threshold []float64 `json:"threshold"`
	Left      []int32   `json:"left"`
	Right     []int32   `json:"right"`
	Value     []float64 `json:"value"` // weighted share of class 1 among the node's training rows
}

// leaf returns the leaf that row i of c falls into.
func (t *tree) leaf(c *columns, i int) int32 {
	var k int32
	for t.Feature[k] >= 0 {
		if float64(c.v[int(t.Feature[k])*c.n+i]) <= t.Threshold[k] {
			k = t.Left[k]
		} else {
			k = t.Right[k]
		}
	}
	return k
}

// check refuses a tree read from a file that could index out of range or never end:
// children must come after their parent, as depth-first order has them.
func (t *tree) check(p int) error {
	n := len(t.Feature)
	bad := n == 0 || len(t.Threshold) != n || len(t.Left) != n || len(t.Right) != n || len(t.Value) != n
	for k := 0; k < n && !bad; k++ {
		if t.Feature[k] < 0 {
			continue
		}
		l, r := int(t.Left[k]), int(t.Right[k])
		bad = int(t.Feature[k]) >= p || l <= k || r <= k || l >= n || r >= n
	}
	if bad {
		return &problem.Error{What: "damaged decision tree", Found: fmt.Sprintf("%d nodes for %d features", n, p)}
	}
	return nil
}

// classWeight is a weight under class 0 and under class 1.
type classWeight struct{ neg, pos float64 }

func (c classWeight) plus(d classWeight) classWeight {
	return classWeight{c.neg + d.neg, c.pos + d.pos}
}
func (c classWeight) minus(d classWeight) classWeight {
	return classWeight{c.neg - d.neg, c.pos - d.pos}
}
func (c classWeight) sum() float64     { return c.neg + c.pos }
func (c classWeight) squares() float64 { return float64(c.neg*c.neg) + float64(c.pos*c.pos) }

// ofClass is w under class c, the other class being 0.
func ofClass(c int, w float64) classWeight {
	if c == 0 {
		return classWeight{neg: w}
	}
	return classWeight{pos: w}
}

// classWeights spreads w over the classes y.
func classWeights(y []int, w []float64) []classWeight {
	cw := make([]classWeight, len(y))
	for i, c := range y {
		cw[i] = ofClass(c, w[i])
	}
	return cw
}

// split is the best cut of a node: rows with value <= threshold go left.
type split struct {
	feature   int // -1 = none found
	threshold float64
	proxy     float64 // scikit-learn's proxy for the impurity decrease
	left      classWeight
}

// splitSearch looks for the cut of one node with the least weighted Gini impurity, as
// scikit-learn's best splitter with the same operations in the same order.
type splitSearch struct {
	total classWeight // weight by class in the node
	sum   float64     // weight of the node, summed row by row
	best  split
	bar   float64 // what a cut's sum of squares over weights must reach to be worth a closer look
}

func newSplitSearch(cw []classWeight, rows []int32) splitSearch {
	s := splitSearch{best: split{feature: -1, proxy: math.Inf(-1)}, bar: math.Inf(-1)}
	for _, i := range rows {
		s.total = s.total.plus(cw[i])
		s.sum += cw[i].sum()
	}
	return s
}

// mayWin is offer's comparison without divisions and with room for rounding; it drops most cuts.
func (s *splitSearch) mayWin(left classWeight, leftSum float64) bool {
	rightSum := s.sum - leftSum
	return left.squares()*rightSum+s.total.minus(left).squares()*leftSum >= s.bar*leftSum*rightSum
}

// offer weighs the cut between the neighbouring values below and above, with left and leftSum on its left.
func (s *splitSearch) offer(feature int, below, above float32, left classWeight, leftSum float64) {
	rightSum := s.sum - leftSum
	giniRight := gini(s.total.minus(left), rightSum)
	proxy := -float64(rightSum*giniRight) - float64(leftSum*gini(left, leftSum))
	if proxy <= s.best.proxy {
		return
	}
	// The halves are exact in float64, so the midpoint of two float32 values lies strictly between them
	// and scikit-learn's guard against its rounding up to the upper value has nothing to do.
	threshold := float64(below)/2 + float64(above)/2
	s.best = split{feature, threshold, proxy, left}
	s.bar = (proxy + s.sum) * (1 - 1e-9)
}

// gini is the impurity of a node with the given class weights and their row-by-row sum.
func gini(c classWeight, sum float64) float64 { return 1 - c.squares()/float64(sum*sum) }

// treeGrower grows scikit-learn's DecisionTreeClassifier (gini, best splitter, unlimited depth,
// min_samples_split 2) on presorted features. It is scratch space for one goroutine.
type treeGrower struct {
	s           *presorted
	maxFeatures int        // features drawn at each node; p or more = all of them in order
	rand        *rand.Rand // draws them; unused when all are taken

	cw       []classWeight
	rows     []int32  // the rows of each open node are one stretch of it
	spare    []int32  // for the stable partition
	present  []uint64 // bit k: the row of rank k is in the node; zero between uses
	features []int32  // a running permutation of the features
	rootSum  float64
}

func newTreeGrower(s *presorted, maxFeatures int) *treeGrower {
	g := &treeGrower{s: s, maxFeatures: maxFeatures,
		rows: make([]int32, 0, s.n), spare: make([]int32, s.n),
		present: make([]uint64, (s.n+63)/64), features: make([]int32, s.p)}
	return g
}

// openNode is a node waiting to be grown: rows[begin:end], to be entered at its parent.
type openNode struct {
	begin, end int
	parent     int32
	isLeft     bool
}

// grow fits one tree to the rows of positive weight.
func (g *treeGrower) grow(cw []classWeight) *tree {
	g.cw, g.rows = cw, g.rows[:0]
	for i, c := range cw {
		if c.sum() > 0 {
			g.rows = append(g.rows, int32(i))
		}
	}
	for j := range g.features {
		g.features[j] = int32(j)
	}
	g.rootSum = newSplitSearch(cw, g.rows).sum
	t := &tree{}
	stack := []openNode{{end: len(g.rows), parent: -1}}
	for len(stack) > 0 {
		node := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if right, left, split := g.growNode(t, node); split {
			stack = append(stack, right, left) // left on top: depth first, left before right
		}
	}
	return t
}

// growNode appends the node to t and, unless it is a leaf, partitions its rows and returns its children.
// Impurities come from the node's own rows, so that a pure node has exactly none.
func (g *treeGrower) growNode(t *tree, node openNode) (right, left openNode, split bool) {
	rows := g.rows[node.begin:node.end]
	search := newSplitSearch(g.cw, rows)
	id := t.add(node, search.total.pos/search.total.sum())
	impurity := gini(search.total, search.sum)
	if len(rows) < 2 || impurity <= impurityEpsilon {
		return right, left, false
	}
	g.searchFeatures(&search, rows)
	b := &search.best
	if b.feature < 0 {
		return right, left, false
	}
	improvement := search.sum / g.rootSum * (impurity + b.proxy/search.sum)
	if improvement+impurityEpsilon < 0 {
		return right, left, false
	}
	t.Feature[id], t.Threshold[id] = int32(b.feature), b.threshold
	cut := node.begin + g.partition(rows, b)
	return openNode{cut, node.end, id, false}, openNode{node.begin, cut, id, true}, true
}

// add appends a leaf and links it to its parent.
func (t *tree) add(node openNode, value float64) int32 {
	id := int32(len(t.Feature))
	t.Feature = append(t.Feature, -1)
	t.Threshold = append(t.Threshold, 0)
	t.Left, t.Right = append(t.Left, -1), append(t.Right, -1)
	t.Value = append(t.Value, value)
	if node.parent >= 0 {
		if node.isLeft {
			t.Left[node.parent] = id
		} else {
			t.Right[node.parent] = id
		}
	}
	return id
}

// searchFeatures offers the cuts of maxFeatures features drawn without replacement. Features that are
// constant in the node count as drawn, but the search goes on until one was not, as in scikit-learn.
func (g *treeGrower) searchFeatures(search *splitSearch, rows []int32) {
	p := len(g.features)
	if g.maxFeatures >= p {
		for j := range p {
			g.scan(search, j, rows)
		}
		return
	}
	varied := false
	for drawn := 0; drawn < p && (drawn < g.maxFeatures || !varied); drawn++ {
		k := drawn + g.rand.IntN(p-drawn)
		g.features[drawn], g.features[k] = g.features[k], g.features[drawn]
		if g.scan(search, int(g.features[drawn]), rows) {
			varied = true
		}
	}
}

// scan offers every cut of feature j and reports whether j varies within the node. The node's rows are
// brought into ascending order by marking their global ranks in a bit set: time linear in rows + n/64.
func (g *treeGrower) scan(search *splitSearch, j int, rows []int32) bool {
	n := g.s.n
	rank, order, sorted := g.s.rank[j*n:(j+1)*n], g.s.order[j*n:(j+1)*n], g.s.sorted[j*n:(j+1)*n]
	for _, i := range rows {
		r := rank[i]
		g.present[r>>6] |= 1 << (r & 63)
	}
	var left classWeight
	var leftSum float64
	var first, below float32
	started := false
	for word, set := range g.present {
		g.present[word] = 0
		for ; set != 0; set &= set - 1 {
			k := word<<6 | bits.TrailingZeros64(set)
			v := sorted[k]
			if !started {
				first, started = v, true
			} else if v > below+featureThreshold && search.mayWin(left, leftSum) {
				search.offer(j, below, v, left, leftSum)
			}
			c := g.cw[order[k]]
			left = left.plus(c)
			leftSum += c.sum()
			below = v
		}
	}
	return below > first+featureThreshold
}

// partition brings the rows left of the cut to the front, keeping their order, and returns their number.
func (g *treeGrower) partition(rows []int32, b *split) int {
	column := g.s.v[b.feature*g.s.n:]
	l, r := 0, 0
	for _, i := range rows {
		if float64(column[i]) <= b.threshold {
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
