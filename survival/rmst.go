package survival

import (
	"fmt"
	"math"

	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/internal/stats"
)

// RestrictedMean is the area under the curve up to the horizon, with the standard error of R's survfit (Greenwood's
// variance of the area). A curve that ends before the horizon while patients are still at risk has none.
func (k *KM) RestrictedMean(horizon float64) Mean {
	m := Mean{Name: k.Name, N: k.N, Value: num.NaN(), SE: num.NaN(), Lo: num.NaN(), Hi: num.NaN()}
	if !(horizon > 0) || k.end() < horizon && !k.dead() {
		return m
	}
	var pieces []float64 // area between drops
	var drops []KMPoint
	from, height := 0.0, 1.0
	for _, p := range k.Points {
		if p.Time > horizon {
			break
		}
		if p.Events > 0 {
			pieces, drops = append(pieces, (p.Time-from)*height), append(drops, p)
			from, height = p.Time, p.Survival
		}
	}
	pieces = append(pieces, (horizon-from)*height)
	var area, variance float64
	for i := len(drops) - 1; i >= 0; i-- {
		area += pieces[i+1] // under the curve after this drop
		if n, d := float64(drops[i].AtRisk), float64(drops[i].Events); n > d {
			variance += area * area * d / (n * (n - d))
		}
	}
	mean, se := area+pieces[0], math.Sqrt(variance)
	m.Value, m.SE = num.Float(mean), num.Float(se)
	m.Lo, m.Hi = num.Float(mean-stats.Z975*se), num.Float(mean+stats.Z975*se)
	return m
}

// RestrictedMeans compares the restricted mean survival of two groups (names low and high, say), second minus first:
// normal interval and test, as survRM2. Horizon 0 is the longest
// at which both curves are known.
func RestrictedMeans(first, second *KM, horizon float64) (RMST, error) {
	if horizon < 0 || math.IsNaN(horizon) || math.IsInf(horizon, 0) {
		return RMST{}, &problem.Error{What: "the horizon of restricted means is impossible", Expected: "a time above 0, or 0 for the longest that both groups allow", Found: fmt.Sprint(horizon)}
	}
	longest := longestHorizon(first, second)
	r := RMST{Difference: num.NaN(), SE: num.NaN(), Lo: num.NaN(), Hi: num.NaN(), P: num.NaN()}
	if horizon == 0 {
		horizon = longest
	}
	r.Horizon = num.Float(horizon)
	a, b := first.RestrictedMean(horizon), second.RestrictedMean(horizon)
	r.Groups = []Mean{a, b}
	if a.Value.IsNaN() || b.Value.IsNaN() {
		r.Note = fmt.Sprintf("no restricted means up to %.6g: a group is followed up to %.6g only", horizon, longest)
		return r, nil
	}
	difference, se := float64(b.Value-a.Value), math.Hypot(float64(a.SE), float64(b.SE))
	r.Difference, r.SE = num.Float(difference), num.Float(se)
	if se == 0 {
		r.Note = "no event before the horizon"
		return r, nil
	}
	r.Lo, r.Hi = num.Float(difference-stats.Z975*se), num.Float(difference+stats.Z975*se)
	r.P = num.Float(stats.NormalTwoSided(difference / se))
	return r, nil
}

// longestHorizon is how far both curves are known; a curve that has reached 0 is known for ever.
func longestHorizon(first, second *KM) float64 {
	a, b := first.end(), second.end()
	switch {
	case first.dead() && second.dead():
		return max(a, b)
	case first.dead():
		return b
	case second.dead():
		return a
	}
	return min(a, b)
}

// end is the longest follow-up.
func (k *KM) end() float64 {
	if len(k.Points) == 0 {
		return 0
	}
	return k.Points[len(k.Points)-1].Time
}

// dead reports whether the curve ends at 0.
func (k *KM) dead() bool { return len(k.Points) > 0 && k.Points[len(k.Points)-1].Survival == 0 }
