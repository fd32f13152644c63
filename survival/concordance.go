package survival

import (
	"math"
	"slices"

	"sonotype/internal/num"
	"sonotype/internal/stats"
)

// ConcordanceIndex is Harrell's C of a risk score, higher meaning an earlier event, by the rules of R's
// concordance(Surv(time, event) ~ score, reverse = TRUE): a pair is comparable when the earlier time is an event
// (a censoring at an event's time counts as later); equal scores count one half; two events at one time are not
// compared. O(n log n). The standard error is the infinitesimal jackknife; Lo and Hi are C -+ 1.96 SE in [0, 1].
func ConcordanceIndex(time []float64, event []int, score []float64) (Concordance, error) {
	if _, err := checkScores(time, event, score); err != nil {
		return Concordance{}, err
	}
	c, _ := concordance(time, event, score, nil)
	return c, nil
}

// pairSums are sums of weights over one patient's comparable pairs.
type pairSums struct{ concordant, discordant, tied float64 }

func (p pairSums) total() float64 { return p.concordant + p.discordant + p.tied }

// excess is how much more is concordant than a chance of c would make it.
func (p pairSums) excess(c float64) float64 { return p.concordant + p.tied/2 - c*p.total() }

// pairing holds the pairs of every patient: as the one with the earlier event, and as the later one.
type pairing struct {
	earlier []pairSums // not weighted
	later   []pairSums // each pair weighted by its earlier event
	weight  []float64  // of each patient's event
}

// concordance is C over the pairs within strata (nil: one); influence is dC by each patient's mass, nil without pairs:
// its squares sum to the variance.
func concordance(time []float64, event []int, score []float64, stratum []int) (c Concordance, influence []float64) {
	c, influence = comparablePairs(time, event, score, stratum, nil).index()
	c.TiedTime, c.TiedBoth = tiedEvents(time, event, score, stratum)
	return c, influence
}

// index is C with the patients' influences on it, the weights taken as given.
func (p *pairing) index() (c Concordance, influence []float64) {
	c = Concordance{C: num.NaN(), SE: num.NaN(), Lo: num.NaN(), Hi: num.NaN()}
	var good, total float64
	for i, q := range p.earlier {
		if w := p.weight[i]; w > 0 {
			c.Concordant, c.Discordant, c.TiedScore = c.Concordant+int64(q.concordant), c.Discordant+int64(q.discordant), c.TiedScore+int64(q.tied)
			good, total = good+w*(q.concordant+q.tied/2), total+w*q.total()
		}
	}
	if total == 0 {
		c.Note = "no comparable pairs"
		return c, nil
	}
	index := good / total
	influence = make([]float64, len(p.earlier))
	for i := range influence {
		influence[i] = (p.weight[i]*p.earlier[i].excess(index) + p.later[i].excess(index)) / total
	}
	c.interval(index, influence)
	return c, influence
}

// interval fills C with its interval from the patients' influences.
func (c *Concordance) interval(index float64, influence []float64) {
	se := math.Sqrt(sumOfSquares(influence))
	c.C, c.SE = num.Float(index), num.Float(se)
	c.Lo, c.Hi = num.Float(max(0, index-stats.Z975*se)), num.Float(min(1, index+stats.Z975*se))
}

func sumOfSquares(x []float64) (s float64) {
	for _, v := range x {
		s += v * v
	}
	return s
}

// comparablePairs counts each patient's pairs within strata (nil: one) in two sweeps over time: backwards, each event
// against all that come later; forwards, each patient against all earlier events. Weights are by event (nil: 1).
func comparablePairs(time []float64, event []int, score []float64, stratum []int, weight []float64) *pairing {
	if weight == nil {
		weight = slices.Repeat([]float64{1}, len(time))
	}
	rank, levels := denseRanks(score)
	out := &pairing{earlier: make([]pairSums, len(time)), later: make([]pairSums, len(time)), weight: weight}
	for _, idx := range withinStrata(stats.Order(time), stratum) {
		out.againstLater(time, idx, event, rank, levels)
		out.againstEarlier(time, idx, event, rank, levels)
	}
	return out
}

func (p *pairing) againstLater(time []float64, idx, event, rank []int, levels int) {
	later := newFenwick(levels)
	sweep(time, idx, true, func(block []int) {
		for _, i := range block { // censored at this time: after its events
			if event[i] == 0 {
				later.add(rank[i], 1)
			}
		}
		for _, i := range block {
			if event[i] == 1 {
				lower, equal := later.below(rank[i])
				p.earlier[i] = pairSums{concordant: lower, tied: equal, discordant: later.total - lower - equal}
			}
		}
		for _, i := range block {
			if event[i] == 1 {
				later.add(rank[i], 1)
			}
		}
	})
}

func (p *pairing) againstEarlier(time []float64, idx, event, rank []int, levels int) {
	earlier := newFenwick(levels) // events only
	count := func(i int) {
		lower, equal := earlier.below(rank[i])
		p.later[i] = pairSums{discordant: lower, tied: equal, concordant: earlier.total - lower - equal}
	}
	sweep(time, idx, false, func(block []int) {
		for _, i := range block {
			if event[i] == 1 {
				count(i)
			}
		}
		for _, i := range block {
			if event[i] == 1 {
				earlier.add(rank[i], p.weight[i])
			}
		}
		for _, i := range block {
			if event[i] == 0 {
				count(i)
			}
		}
	})
}

// sweep visits the blocks of equal time in order, or backwards.
func sweep(time []float64, idx []int, backwards bool, visit func(block []int)) {
	var starts []int
	for i := range idx {
		if i == 0 || time[idx[i]] != time[idx[i-1]] {
			starts = append(starts, i)
		}
	}
	starts = append(starts, len(idx))
	for b := range len(starts) - 1 {
		if backwards {
			b = len(starts) - 2 - b
		}
		visit(idx[starts[b]:starts[b+1]])
	}
}

// tiedEvents counts pairs of events at one time within strata: with different scores, and with equal ones.
func tiedEvents(time []float64, event []int, score []float64, stratum []int) (different, equal int64) {
	type moment struct {
		stratum int
		time    float64
	}
	type at struct {
		moment
		score float64
	}
	times, both := map[moment]int64{}, map[at]int64{}
	for i, t := range time {
		if event[i] == 1 {
			m := moment{time: t}
			if stratum != nil {
				m.stratum = stratum[i]
			}
			different += times[m]
			equal += both[at{m, score[i]}]
			times[m]++
			both[at{m, score[i]}]++
		}
	}
	return different - equal, equal
}

func denseRanks(x []float64) (rank []int, levels int) {
	distinct := slices.Clone(x)
	slices.Sort(distinct)
	distinct = slices.Compact(distinct)
	rank = make([]int, len(x))
	for i, v := range x {
		rank[i], _ = slices.BinarySearch(distinct, v)
	}
	return rank, len(distinct)
}

// fenwick holds weights by rank with cumulative sums in O(log n).
type fenwick struct {
	tree  []float64
	total float64
}

func newFenwick(levels int) *fenwick { return &fenwick{tree: make([]float64, levels+1)} }

func (f *fenwick) add(rank int, weight float64) {
	f.total += weight
	for i := rank + 1; i < len(f.tree); i += i & -i {
		f.tree[i] += weight
	}
}

// below sums the weights under rank and at it.
func (f *fenwick) below(rank int) (lower, equal float64) {
	lower = f.sum(rank)
	return lower, f.sum(rank+1) - lower
}

func (f *fenwick) sum(ranks int) (s float64) {
	for i := ranks; i > 0; i -= i & -i {
		s += f.tree[i]
	}
	return s
}
