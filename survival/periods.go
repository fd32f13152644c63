package survival

import (
	"sonotype/internal/num"
	"sonotype/internal/stats"
)

const (
	periods      = 3
	periodEvents = 10 // the least in each period
)

// Period is the hazard ratio of a covariate in a part of the follow-up: of those still followed at From, until To.
type Period struct {
	From   float64   `json:"from"` // exclusive, but time 0 is in the first
	To     float64   `json:"to"`   // inclusive
	N      int       `json:"n"`
	Events int       `json:"events"`
	HR     num.Float `json:"hazard_ratio"`
	Lo     num.Float `json:"hr_lo"`
	Hi     num.Float `json:"hr_hi"`
	P      num.Float `json:"p"`
}

// HazardByPeriod divides the follow-up into thirds with about the same number of events and fits the covariate in each,
// within strata (nil: one): what a test of proportional hazards tests, in hazard ratios. Nil with fewer than ten events
// in some third; null figures where a third has no solution.
func HazardByPeriod(time []float64, event []int, covariate Covariate, strata []string) ([]Period, error) {
	if _, err := checkFollowUp(time, event); err != nil {
		return nil, err
	}
	if err := checkLength("values of the covariate", len(covariate.Values), len(time)); err != nil {
		return nil, err
	}
	if strata != nil {
		if err := checkLength("strata", len(strata), len(time)); err != nil {
			return nil, err
		}
	}
	var out []Period
	for k, p := range thirds(time, event) {
		after := p.From
		if k == 0 {
			after = -1 // time 0 is in the first
		}
		p.fit(after, time, event, covariate, strata)
		if p.Events < periodEvents {
			return nil, nil
		}
		out = append(out, p)
	}
	return out, nil
}

// thirds are cut at event times; the last one ends with the last event.
func thirds(time []float64, event []int) []Period {
	var at []float64
	for _, i := range stats.Order(time) {
		if event[i] == 1 {
			at = append(at, time[i])
		}
	}
	var out []Period
	from := 0.0
	for k := 1; k <= periods && len(at) > 0; k++ {
		to := at[max(0, k*len(at)/periods-1)]
		out = append(out, Period{From: from, To: to})
		from = to
	}
	return out
}

// fit counts the period's patients, those followed beyond after, and its events, and fits the covariate among them.
func (p *Period) fit(after float64, time []float64, event []int, covariate Covariate, strata []string) {
	p.HR, p.Lo, p.Hi, p.P = num.NaN(), num.NaN(), num.NaN(), num.NaN()
	var keep []int
	for i, t := range time {
		if t > after {
			keep = append(keep, i)
		}
	}
	part, happened := pick(time, keep), pick(event, keep)
	for i, t := range part {
		if t > p.To {
			part[i], happened[i] = p.To, 0
		}
		p.Events += happened[i]
	}
	p.N = len(keep)
	within := strata
	if strata != nil {
		within = pick(strata, keep)
	}
	c, err := FitStratifiedCox(part, happened, []Covariate{{Name: covariate.Name, Values: pick(covariate.Values, keep)}}, within)
	if err != nil {
		return // no solution: the figures stay null
	}
	p.HR, p.Lo, p.Hi, p.P = c.Terms[0].HR, c.Terms[0].Lo, c.Terms[0].Hi, c.Terms[0].P
}
