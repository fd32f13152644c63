package classify

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"sonotype/internal/problem"
)

// Booster is a LightGBM model for a binary outcome: the sum of its trees is a log odds over Sigmoid.
type Booster struct {
	Names   []string // one per column of the table
	Infos   []string // each column's range in training as LightGBM writes it, "[low:high]" or "none"
	Sigmoid float64
	Trees   []*BoostedTree
}

// BoostedTree is one tree in LightGBM's numbering: inner node k splits at creation step k, a child >= 0 is
// an inner node, a child c < 0 is leaf ^c. A tree with one leaf has no inner nodes.
type BoostedTree struct {
	SplitFeature  []int
	SplitGain     []float32
	Threshold     []float64 // left is <= Threshold; for a categorical split the index of its category set
	DecisionType  []int8    // bit 0 categorical, bit 1 missing goes left, bits 2-3 the kind of missing value
	LeftChild     []int
	RightChild    []int
	LeafValue     []float64
	LeafWeight    []float64 // sum of hessians
	LeafCount     []int
	InnerValue    []float64
	InnerWeight   []float64
	InnerCount    []int
	CatBoundaries []int    // category set s is the bits of CatBits[CatBoundaries[s]:CatBoundaries[s+1]]
	CatBits       []uint32 // a category in the set goes left
	Shrinkage     float64
}

// The kinds of missing values in DecisionType.
const (
	missingNone = 0
	missingZero = 1
	missingNaN  = 2

	categoricalBit = 1
	defaultLeftBit = 2
)

// constantTree scores every row alike.
func constantTree(value float64, rows int) *BoostedTree {
	return &BoostedTree{LeafValue: []float64{value}, LeafWeight: []float64{0}, LeafCount: []int{rows}, Shrinkage: 1}
}

// roundToZero is LightGBM's MaybeRoundToZero.
func roundToZero(v float64) float64 {
	if math.Abs(v) <= zeroThreshold {
		return 0
	}
	return v
}

// scale multiplies the outputs by the learning rate.
func (t *BoostedTree) scale(rate float64) {
	for i, v := range t.LeafValue {
		t.LeafValue[i] = roundToZero(v * rate)
	}
	for i, v := range t.InnerValue {
		t.InnerValue[i] = roundToZero(v * rate)
	}
	t.Shrinkage *= rate
}

// shift adds the start score to the outputs; LightGBM then calls the tree unshrunk.
func (t *BoostedTree) shift(by float64) {
	for i, v := range t.LeafValue {
		t.LeafValue[i] = roundToZero(v + by)
	}
	for i, v := range t.InnerValue {
		t.InnerValue[i] = roundToZero(v + by)
	}
	t.Shrinkage = 1
}

// leaf returns the leaf that the row falls into.
func (t *BoostedTree) leaf(row []float64) int {
	if len(t.SplitFeature) == 0 {
		return 0
	}
	k := 0
	for k >= 0 {
		if t.goesLeft(k, row[t.SplitFeature[k]]) {
			k = t.LeftChild[k]
		} else {
			k = t.RightChild[k]
		}
	}
	return ^k
}

// goesLeft applies inner node k to a value, NaN included, by LightGBM's rules.
func (t *BoostedTree) goesLeft(k int, v float64) bool {
	kind := t.DecisionType[k]
	if kind&categoricalBit != 0 {
		return t.inCategorySet(int(t.Threshold[k]), v)
	}
	missing := kind >> 2 & 3
	if math.IsNaN(v) && missing != missingNaN {
		v = 0
	}
	if (missing == missingZero && math.Abs(v) <= zeroThreshold) || (missing == missingNaN && math.IsNaN(v)) {
		return kind&defaultLeftBit != 0
	}
	return v <= t.Threshold[k]
}

// inCategorySet reports whether the category v, cut to an integer, is in set s.
func (t *BoostedTree) inCategorySet(s int, v float64) bool {
	if !(v > -1 && v < math.MaxInt32) {
		return false
	}
	words := t.CatBits[t.CatBoundaries[s]:t.CatBoundaries[s+1]]
	c := int(v)
	return c>>5 < len(words) && words[c>>5]>>(c&31)&1 != 0
}

// Score returns the raw score, the sum over the trees, of each row of x; NaN counts as missing.
func (b *Booster) Score(x *mat.Dense) ([]float64, error) {
	n, p := dims(x)
	if n > 0 && p != len(b.Names) {
		return nil, &problem.Error{What: "the table does not fit the LightGBM model",
			Expected: fmt.Sprintf("%d features", len(b.Names)), Found: fmt.Sprintf("%d features", p)}
	}
	score := make([]float64, n)
	for i := range score {
		row := x.RawRowView(i)
		for _, t := range b.Trees {
			score[i] += t.LeafValue[t.leaf(row)]
		}
	}
	return score, nil
}

// Predict returns the probability of class 1 for each row of x; NaN counts as missing.
func (b *Booster) Predict(x *mat.Dense) ([]float64, error) {
	score, err := b.Score(x)
	for i, s := range score {
		score[i] = 1 / (1 + math.Exp(-b.Sigmoid*s))
	}
	return score, err
}
