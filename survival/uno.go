package survival

import (
	"fmt"
	"math"

	"sonotype/internal/num"
	"sonotype/internal/problem"
)

// UnoC is Uno's C (Stat Med 2011): Harrell's pairs with an earlier event up to the horizon (0 = no limit), each
// weighted by 1/G^2 just before it, G being the Kaplan-Meier estimate of remaining uncensored. It estimates the
// same thing whatever the censoring, where Harrell's C depends on it. The standard error is the infinitesimal
// jackknife through the pairs and through G. Counts are of pairs, not of weights.
func UnoC(time []float64, event []int, score []float64, horizon float64) (Concordance, error) {
	if _, err := checkScores(time, event, score); err != nil {
		return Concordance{}, err
	}
	if horizon < 0 || math.IsNaN(horizon) {
		return Concordance{}, &problem.Error{What: "the horizon of Uno's C is impossible", Expected: "a time above 0, or 0 for no limit", Found: fmt.Sprint(horizon)}
	}
	g := newCensoring(time, event)
	pairs := comparablePairs(time, event, score, nil, unoWeights(g, horizon))
	c, influence := pairs.index()
	if influence == nil {
		return c, nil
	}
	index := float64(c.C)
	total, d := 0.0, make([]float64, len(time))
	for i, p := range pairs.earlier {
		total += pairs.weight[i] * p.total()
		d[i] = -2 * pairs.weight[i] * p.excess(index)
	}
	for i, v := range g.influence(d) {
		influence[i] += v / total
	}
	c.interval(index, influence)
	return c, nil
}

// unoWeights are 1/G^2 just before each event up to the horizon; 0 for the other patients.
func unoWeights(g *censoring, horizon float64) []float64 {
	weight := make([]float64, len(g.time))
	for i, t := range g.time {
		if g.event[i] == 1 && (horizon == 0 || t <= horizon) {
			before := g.before(t)
			weight[i] = 1 / (before * before)
		}
	}
	return weight
}

// TimeDependentAUC is the cumulative/dynamic AUC of a risk score at each time t, by inverse probability of censoring
// (Uno 2007; Hung and Chiang 2010): patients with an event by t, each weighted by 1/G just before it, against
// patients followed beyond t; equal scores count one half. Standard errors are the infinitesimal jackknife through
// scores and G; Lo and Hi are AUC -+ 1.96 SE in [0, 1].
func TimeDependentAUC(time []float64, event []int, score []float64, times []float64) ([]TimeAUC, error) {
	if _, err := checkScores(time, event, score); err != nil {
		return nil, err
	}
	g := newCensoring(time, event)
	rank, levels := denseRanks(score)
	out := []TimeAUC{}
	for _, t := range times {
		if !(t > 0) || math.IsInf(t, 0) {
			return nil, &problem.Error{What: "a time of the time-dependent AUC is impossible", Expected: "a finite number above 0", Found: fmt.Sprint(t)}
		}
		out = append(out, g.aucAt(t, rank, levels))
	}
	return out, nil
}

// aucAt compares cases with controls at t.
func (g *censoring) aucAt(t float64, rank []int, levels int) TimeAUC {
	a := TimeAUC{Time: t, AUC: num.NaN(), SE: num.NaN(), Lo: num.NaN(), Hi: num.NaN()}
	n := len(g.time)
	weight := make([]float64, n)
	cases, controls := newFenwick(levels), newFenwick(levels)
	for i, ti := range g.time {
		switch {
		case ti > t:
			controls.add(rank[i], 1)
			a.Controls++
		case g.event[i] == 1:
			weight[i] = 1 / g.before(ti)
			cases.add(rank[i], weight[i])
			a.Cases++
		}
	}
	if a.Cases == 0 || a.Controls == 0 {
		a.Note = fmt.Sprintf("%d events by then, %d followed beyond", a.Cases, a.Controls)
		return a
	}
	wins := make([]float64, n) // of a case against the controls; of a control, the cases' weight above it
	var sum float64
	for i, ti := range g.time {
		switch {
		case ti > t:
			lower, equal := cases.below(rank[i])
			wins[i] = cases.total - lower - equal/2
		case weight[i] > 0:
			lower, equal := controls.below(rank[i])
			wins[i] = lower + equal/2
			sum += weight[i] * wins[i]
		}
	}
	m, auc := controls.total, sum/(cases.total*controls.total)
	influence, d := make([]float64, n), make([]float64, n)
	for i, ti := range g.time {
		switch {
		case ti > t:
			influence[i] = (wins[i]/cases.total - auc) / m
		case weight[i] > 0:
			influence[i] = weight[i] * (wins[i]/m - auc) / cases.total
			d[i] = -influence[i]
		}
	}
	for i, v := range g.influence(d) {
		influence[i] += v
	}
	var c Concordance
	c.interval(auc, influence)
	a.AUC, a.SE, a.Lo, a.Hi = c.C, c.SE, c.Lo, c.Hi
	return a
}
