package survival

import (
	"fmt"
	"math"
	"slices"

	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/internal/stats"
)

// pairCounts are one patient's comparable pairs.
type pairCounts struct{ concordant, discordant, tied int64 }

// ConcordanceIndex is Harrell's C of a risk score, higher meaning an earlier event, by the rules of R's
// concordance(Surv(time, event) ~ score, reverse = TRUE): a pair is comparable when the earlier time is an event
// (a censoring at an event's time counts as later); equal scores count one half; two events at one time are not
// compared. O(n log n). The standard error is the infinitesimal jackknife; Lo and Hi are C -+ 1.96 SE in [0, 1].
func ConcordanceIndex(time []float64, event []int, score []float64) (Concordance, error) {
	if _, err := checkFollowUp(time, event); err != nil {
		return Concordance{}, err
	}
	if err := checkLength("scores", len(score), len(time)); err != nil {
		return Concordance{}, err
	}
	for i, s := range score {
		if math.IsNaN(s) || math.IsInf(s, 0) {
			return Concordance{}, &problem.Error{What: "a score is not a finite number", Found: fmt.Sprintf("%v for patient %d of %d", s, i+1, len(score))}
		}
	}
	c := Concordance{C: num.NaN(), SE: num.NaN(), Lo: num.NaN(), Hi: num.NaN()}
	pairs := comparablePairs(time, event, score)
	for _, p := range pairs { // every pair is seen from both sides
		c.Concordant, c.Discordant, c.TiedScore = c.Concordant+p.concordant, c.Discordant+p.discordant, c.TiedScore+p.tied
	}
	c.Concordant, c.Discordant, c.TiedScore = c.Concordant/2, c.Discordant/2, c.TiedScore/2
	c.TiedTime, c.TiedBoth = tiedEvents(time, event, score)
	total := float64(c.Concordant + c.Discordant + c.TiedScore)
	if total == 0 {
		c.Note = "no comparable pairs"
		return c, nil
	}
	index := (float64(c.Concordant) + float64(c.TiedScore)/2) / total
	var variance float64
	for _, p := range pairs {
		d := (float64(p.concordant) + float64(p.tied)/2 - index*float64(p.concordant+p.discordant+p.tied)) / total
		variance += d * d
	}
	se := math.Sqrt(variance)
	c.C, c.SE = num.Float(index), num.Float(se)
	c.Lo, c.Hi = num.Float(max(0, index-stats.Z975*se)), num.Float(min(1, index+stats.Z975*se))
	return c, nil
}

// comparablePairs counts each patient's pairs in two sweeps over time: backwards, each event against all that come
// later; forwards, each patient against all earlier events.
func comparablePairs(time []float64, event []int, score []float64) []pairCounts {
	rank, levels := denseRanks(score)
	idx := stats.Order(time)
	out := make([]pairCounts, len(time))
	later := newFenwick(levels)
	sweep(time, idx, true, func(block []int) {
		for _, i := range block { // censored at this time: after its events
			if event[i] == 0 {
				later.add(rank[i])
			}
		}
		for _, i := range block {
			if event[i] == 1 {
				lower, equal := later.below(rank[i])
				out[i].concordant += lower
				out[i].tied += equal
				out[i].discordant += later.total - lower - equal
			}
		}
		for _, i := range block {
			if event[i] == 1 {
				later.add(rank[i])
			}
		}
	})
	earlier := newFenwick(levels) // events only
	count := func(i int) {
		lower, equal := earlier.below(rank[i])
		out[i].discordant += lower
		out[i].tied += equal
		out[i].concordant += earlier.total - lower - equal
	}
	sweep(time, idx, false, func(block []int) {
		for _, i := range block {
			if event[i] == 1 {
				count(i)
			}
		}
		for _, i := range block {
			if event[i] == 1 {
				earlier.add(rank[i])
			}
		}
		for _, i := range block {
			if event[i] == 0 {
				count(i)
			}
		}
	})
	return out
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

// tiedEvents counts pairs of events at one time: with different scores, and with equal ones.
func tiedEvents(time []float64, event []int, score []float64) (different, equal int64) {
	type at struct{ time, score float64 }
	times, both := map[float64]int64{}, map[at]int64{}
	for i, t := range time {
		if event[i] == 1 {
			different += times[t]
			equal += both[at{t, score[i]}]
			times[t]++
			both[at{t, score[i]}]++
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

// fenwick counts values by rank with cumulative sums in O(log n).
type fenwick struct {
	tree  []int64
	total int64
}

func newFenwick(levels int) *fenwick { return &fenwick{tree: make([]int64, levels+1)} }

func (f *fenwick) add(rank int) {
	f.total++
	for i := rank + 1; i < len(f.tree); i += i & -i {
		f.tree[i]++
	}
}

// below counts the values under rank and those equal to it.
func (f *fenwick) below(rank int) (lower, equal int64) {
	lower = f.sum(rank)
	return lower, f.sum(rank+1) - lower
}

func (f *fenwick) sum(ranks int) (s int64) {
	for i := ranks; i > 0; i -= i & -i {
		s += f.tree[i]
	}
	return s
}
