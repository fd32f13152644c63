package classify

import (
	"encoding/json"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"sonotype/internal/problem"
)

// adaBoostRounds is scikit-learn's default n_estimators.
const adaBoostRounds = 50

// stump is a decision tree of depth one and its vote: class Low where float32(x[Feature]) <= Threshold,
// else High. Feature -1 is a stump without a split, which always says Low.
type stump struct {
	Feature   int     `json:"feature"`
	Threshold float64 `json:"threshold"`
	Low       int     `json:"low"`
	High      int     `json:"high"`
	Weight    float64 `json:"weight"`
}

func (s *stump) class(c *columns, i int) int {
	if s.Feature >= 0 && float64(c.v[s.Feature*c.n+i]) > s.Threshold {
		return s.High
	}
	return s.Low
}

// adaBoost is scikit-learn 1.2's AdaBoostClassifier(algorithm="SAMME"): 50 stumps, learning rate 1
// (Zhu et al., Statistics and Its Interface 2009;2:349-360). The score is the sigmoid of the
// weighted mean vote in [-1, 1], so it stays between .27 and .73.
type adaBoost struct {
	config Config
	p      int
	stumps []stump
}

func newAdaBoost(c Config) *adaBoost { return &adaBoost{config: c} }

// Fit boosts until 50 stumps stand, one is perfect or one is no better than chance.
func (a *adaBoost) Fit(x *mat.Dense, y []int, w []float64) error {
	w, err := checkFit(x, y, w)
	if err != nil {
		return err
	}
	c, err := float32Columns(positiveRows(x, w))
	if err != nil {
		return err
	}
	b := newBooster(c, y, w, a.config.Workers)
	var stumps []stump
	for len(stumps) < adaBoostRounds {
		s, done := b.round()
		if s.Weight > 0 {
			stumps = append(stumps, s)
		}
		if done {
			break
		}
	}
	if len(stumps) == 0 {
		return &problem.Error{What: "AdaBoost cannot be fitted: no single feature does better than chance",
			Try: "check the features; constant columns carry nothing"}
	}
	a.p, a.stumps = c.p, stumps
	return nil
}

// positiveRows returns the rows of x with positive weight; the others take no part in boosting.
func positiveRows(x *mat.Dense, w []float64) *mat.Dense {
	_, p := x.Dims()
	var data []float64
	kept := 0
	for i, v := range w {
		if v > 0 {
			kept++
			data = append(data, x.RawRowView(i)...)
		}
	}
	return mat.NewDense(kept, p, data)
}

// stumpBooster holds the state of a boosting run.
type stumpBooster struct {
	s       *presorted
	workers int
	y       []int
	w       []float64 // sums to 1 at the start of a round
	cw      []classWeight
	all     []int32 // 0 .. n-1
}

func newBooster(c *columns, y []int, w []float64, workers int) *stumpBooster {
	b := &stumpBooster{s: presort(c, workers), workers: workers, cw: make([]classWeight, c.n), all: make([]int32, c.n)}
	sum := 0.0
	for i, v := range w {
		sum += v
		if v > 0 {
			b.y, b.w = append(b.y, y[i]), append(b.w, v)
		}
	}
	for i := range b.w {
		b.w[i] /= sum
		b.all[i] = int32(i)
	}
	return b
}

// round fits a stump to the current weights and raises the weights of the rows it gets wrong.
// A stump of weight 0 is no better than chance and does not count; done says that boosting ends.
func (b *stumpBooster) round() (s stump, done bool) {
	for i, c := range b.y {
		b.w[i] = max(b.w[i], impurityEpsilon) // scikit-learn's guard against vanishing weights
		b.cw[i] = ofClass(c, b.w[i])
	}
	s = b.bestStump()
	wrong, sum := 0.0, 0.0
	for i, c := range b.y {
		sum += b.w[i]
		if s.class(b.s.columns, i) != c {
			wrong += b.w[i]
		}
	}
	e := wrong / sum
	if e <= 0 {
		s.Weight = 1
		return s, true
	}
	if e >= 0.5 {
		return s, true
	}
	s.Weight = math.Log((1 - e) / e)
	b.reweigh(&s)
	return s, false
}

// reweigh multiplies the weights of the rows that s gets wrong by exp(s.Weight) and normalises.
func (b *stumpBooster) reweigh(s *stump) {
	sum := 0.0
	for i, c := range b.y {
		l := math.Log(b.w[i])
		if s.class(b.s.columns, i) != c {
			l += s.Weight
		}
		b.w[i] = math.Exp(l) // through the logarithm for all rows, as scikit-learn does, to round alike
		sum += b.w[i]
	}
	for i := range b.w {
		b.w[i] /= sum
	}
}

// bestStump searches all cuts of all features; of equal ones the lowest feature and value win.
func (b *stumpBooster) bestStump() stump {
	const block = 32
	node := newSplitSearch(b.cw, b.all)
	var found []split
	if gini(node.total, node.sum) > impurityEpsilon {
		found = make([]split, (b.s.p+block-1)/block)
		inBlocks(b.workers, b.s.p, block, func(lo, hi int) {
			search := node
			for j := lo; j < hi; j++ {
				b.scan(&search, j)
			}
			found[lo/block] = search.best
		})
	}
	best := node.best
	for _, f := range found {
		if f.proxy > best.proxy {
			best = f
		}
	}
	if best.feature < 0 {
		return stump{Feature: -1, Low: majority(node.total)}
	}
	return stump{Feature: best.feature, Threshold: best.threshold,
		Low: majority(best.left), High: majority(node.total.minus(best.left))}
}

// scan offers every cut of feature j.
func (b *stumpBooster) scan(search *splitSearch, j int) {
	n := b.s.n
	sorted, order := b.s.sorted[j*n:(j+1)*n], b.s.order[j*n:(j+1)*n]
	var left classWeight
	var leftSum float64
	below := sorted[0]
	for k, v := range sorted {
		if v > below+featureThreshold && search.mayWin(left, leftSum) {
			search.offer(j, below, v, left, leftSum)
		}
		c := b.cw[order[k]]
		left = left.plus(c)
		leftSum += c.sum()
		below = v
	}
}

// majority is the heavier class, 0 when equal.
func majority(c classWeight) int {
	if c.pos > c.neg {
		return 1
	}
	return 0
}

// Predict returns the sigmoid of the weighted mean vote.
func (a *adaBoost) Predict(x *mat.Dense) ([]float64, error) {
	if err := checkPredict(x, a.p); err != nil {
		return nil, err
	}
	c, err := float32Columns(x)
	if err != nil {
		return nil, err
	}
	score := make([]float64, c.n)
	sum := 0.0
	for k := range a.stumps {
		s := &a.stumps[k]
		sum += s.Weight
		for i := range score {
			score[i] += s.Weight * float64(2*s.class(c, i)-1)
		}
	}
	for i, d := range score {
		score[i] = 1 / (1 + math.Exp(-d/sum))
	}
	return score, nil
}

// adaBoostJSON is a fitted AdaBoost's file form.
type adaBoostJSON struct {
	Features int     `json:"features"`
	Stumps   []stump `json:"stumps"`
}

// MarshalJSON writes the stumps in boosting order.
func (a *adaBoost) MarshalJSON() ([]byte, error) {
	return json.Marshal(adaBoostJSON{a.p, a.stumps})
}

// UnmarshalJSON reads what MarshalJSON wrote and checks every stump.
func (a *adaBoost) UnmarshalJSON(b []byte) error {
	var in adaBoostJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return &problem.Error{What: "cannot read the AdaBoost model", Err: err}
	}
	bad := in.Features < 0 || (in.Features > 0) != (len(in.Stumps) > 0)
	for _, s := range in.Stumps {
		bad = bad || s.Feature < -1 || s.Feature >= in.Features || s.Low>>1 != 0 || s.High>>1 != 0 || !(s.Weight > 0)
	}
	if bad {
		return &problem.Error{What: "damaged AdaBoost model", Found: fmt.Sprintf("%d stumps for %d features", len(in.Stumps), in.Features)}
	}
	a.p, a.stumps = in.Features, in.Stumps
	return nil
}
