package survival

import (
	"sort"

	"sonotype/internal/stats"
)

// censoring is the Kaplan-Meier estimate G of remaining uncensored; at equal times events come before censorings.
type censoring struct {
	time     []float64
	event    []int
	at       []float64 // distinct times with a censoring, ascending
	count    []float64 // censorings there
	risk     []float64 // at risk there, after the events
	survival []float64 // G from there on
}

func newCensoring(time []float64, event []int) *censoring {
	c := &censoring{time: time, event: event}
	idx, g := stats.Order(time), 1.0
	for i := 0; i < len(idx); {
		t, events, censored := time[idx[i]], 0, 0
		left := len(idx) - i
		for ; i < len(idx) && time[idx[i]] == t; i++ {
			events += event[idx[i]]
			censored += 1 - event[idx[i]]
		}
		if censored == 0 {
			continue
		}
		risk := float64(left - events)
		g *= (risk - float64(censored)) / risk
		c.at, c.count, c.risk, c.survival = append(c.at, t), append(c.count, float64(censored)), append(c.risk, risk), append(c.survival, g)
	}
	return c
}

// before is G just before t: the chance of being followed up to t.
func (c *censoring) before(t float64) float64 {
	i := sort.SearchFloat64s(c.at, t)
	if i == 0 {
		return 1
	}
	return c.survival[i-1]
}

// influence carries a statistic's derivatives by log G just before each patient's own time (d) over to the patients
// from whom G is estimated: the derivative of the statistic by each patient's mass.
func (c *censoring) influence(d []float64) []float64 {
	after := make([]float64, len(c.at)) // sum of d over patients whose time is later than at[k]
	for i, t := range c.time {
		if k := sort.SearchFloat64s(c.at, t); k > 0 {
			after[k-1] += d[i]
		}
	}
	for k := len(after) - 2; k >= 0; k-- {
		after[k] += after[k+1]
	}
	staying, leaving := make([]float64, len(c.at)+1), make([]float64, len(c.at))
	for k := range c.at {
		staying[k+1] = staying[k]
		if after[k] == 0 { // nobody's weight depends on it; G may reach 0 here
			continue
		}
		stay := c.risk[k] - c.count[k]
		leaving[k] = -after[k] / stay
		staying[k+1] += after[k] * c.count[k] / (c.risk[k] * stay)
	}
	out := make([]float64, len(c.time))
	for i, t := range c.time {
		k := sort.SearchFloat64s(c.at, t)
		out[i] = staying[k]
		if c.event[i] == 0 { // at[k] is its own time
			out[i] = staying[k+1] + leaving[k]
		}
	}
	return out
}
