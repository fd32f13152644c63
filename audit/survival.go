package audit

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"sonotype/internal/stats"
)

// contrast audits one contrast of survival.
func (r *Report) contrast(s *Survival) {
	r.curves(s)
	r.hazardInterval(s)
	r.hazardAndP(s)
	r.events(s)
}

// curves checks that the groups add up to all patients and all events.
func (r *Report) curves(s *Survival) {
	if len(s.Groups) == 0 {
		return
	}
	var n, d int
	sizes, events := s.N.given(), s.Events.given()
	for _, g := range s.Groups {
		n, d = n+g.N.N, d+g.Events.N
		sizes, events = sizes && g.N.given(), events && g.Events.given()
	}
	said := func(ok bool, what string, sum, all int) {
		switch {
		case !ok:
		case sum == all:
			r.add("sum", s.Name, Agrees, fmt.Sprintf("The groups add up to %d %s.", sum, what))
		default:
			r.add("sum", s.Name, Contradiction, fmt.Sprintf("The groups add up to %d %s, printed is %d.", sum, what, all))
		}
	}
	said(sizes, "patients", n, s.N.N)
	said(events, "events", d, s.Events.N)
}

// logSE is the range of the standard error of log HR that a printed interval implies.
func (s *Survival) logSE() (span, bool) {
	if s.lo == nil {
		return span{}, false
	}
	lo, hi := s.lo.rounding(), s.hi.rounding()
	if lo.lo <= 0 {
		return span{}, false
	}
	return span{max(0, math.Log(hi.lo/lo.hi)) / 2 / stats.Z975, math.Log(hi.hi/lo.lo) / 2 / stats.Z975}, true
}

// hazardInterval: a Wald interval of a hazard ratio is symmetric on the log scale.
func (r *Report) hazardInterval(s *Survival) {
	if _, ok := s.logSE(); !ok || s.hr == nil {
		return
	}
	lo, hi, hr := s.lo.rounding(), s.hi.rounding(), s.hr.rounding()
	middle := span{math.Sqrt(lo.lo * hi.lo), math.Sqrt(lo.hi * hi.hi)}
	said := fmt.Sprintf("The interval %s to %s has its middle, on the log scale, at %.3g to %.3g", s.CI[0].Text, s.CI[1].Text, middle.lo, middle.hi)
	switch {
	case hr.hi < lo.lo || hr.lo > hi.hi:
		r.add("hazard ratio", s.Name, Contradiction, fmt.Sprintf("The hazard ratio %s lies outside its own interval %s to %s.", s.HR.Text, s.CI[0].Text, s.CI[1].Text))
	case middle.meets(hr):
		r.add("hazard ratio", s.Name, Agrees, said+", where the hazard ratio is.")
	default:
		r.add("hazard ratio", s.Name, Doubt, said+"; the hazard ratio is "+s.HR.Text+". A profile-likelihood or bootstrap interval need not be symmetric, a Wald interval is.")
	}
}

// closeZ is how far the z values of a log-rank and a Wald test may differ before it needs an explanation.
const closeZ = 0.3

// hazardAndP compares the log-rank test with the Wald test of the hazard ratio: near each other unless the
// hazards are far from proportional or the model is adjusted.
func (r *Report) hazardAndP(s *Survival) {
	se, ok := s.logSE()
	if !ok || s.hr == nil || s.p == nil || s.hr.rounding().lo <= 0 || se.lo <= 0 {
		return
	}
	hr := s.hr.rounding()
	a, b := math.Log(hr.lo), math.Log(hr.hi)
	near, far := min(math.Abs(a), math.Abs(b)), max(math.Abs(a), math.Abs(b))
	if a*b < 0 {
		near = 0
	}
	wald := span{near / se.hi, far / se.lo}
	p := s.p.rounding()
	printed := span{zOf(p.hi), zOf(p.lo)}
	said := fmt.Sprintf("The hazard ratio with its interval gives P %s, printed is %s", span{stats.NormalTwoSided(wald.hi), stats.NormalTwoSided(wald.lo)}.asP(), pText(s.P.Text))
	significant := s.p.rounding().hi < significance
	excludes := s.lo.rounding().lo > 1 || s.hi.rounding().hi < 1
	includes := s.lo.rounding().hi < 1 && s.hi.rounding().lo > 1
	switch {
	case printed.meets(wald):
		r.add("hazard ratio and P", s.Name, Agrees, said+".")
	case printed.meets(span{wald.lo - closeZ, wald.hi + closeZ}):
		r.add("hazard ratio and P", s.Name, Agrees, said+": as near as two tests of one contrast are.")
	case significant && includes, s.p.rounding().lo >= significance && excludes:
		r.add("hazard ratio and P", s.Name, Doubt, said+". The two disagree on significance; an adjusted model or crossing curves could explain it.")
	default:
		r.add("hazard ratio and P", s.Name, Doubt, said+". The two are too far apart for one contrast; an adjusted model or crossing curves could explain it.")
	}
}

// zOf is the two-sided normal quantile of p.
func zOf(p float64) float64 {
	switch {
	case p <= 0:
		return math.Inf(1)
	case p >= 1:
		return 0
	}
	return -distuv.UnitNormal.Quantile(p / 2)
}

// ratios for which the events behind a log-rank test are worked out.
var ratios = []float64{1.5, 2, 3}

// events: with d events in two groups the information on the log hazard ratio is at most d/4, so that its
// standard error is at least 2/sqrt(d); and without event counts, what a p-value stands for stays open.
func (r *Report) events(s *Survival) {
	d := s.Events.N
	if !s.Events.given() {
		for _, g := range s.Groups {
			if !g.Events.given() {
				d = 0
				break
			}
			d += g.Events.N
		}
	}
	se, ok := s.logSE()
	switch {
	case d > 0 && ok:
		least := 2 / math.Sqrt(float64(d))
		said := fmt.Sprintf("%d events allow a standard error of log HR of %.3f at least; the interval implies %.3f to %.3f", d, least, se.lo, se.hi)
		if se.hi < least-slack {
			r.add("events", s.Name, Contradiction, said+".")
			return
		}
		r.add("events", s.Name, Agrees, said+".")
	case d == 0 && s.p != nil:
		r.add("events", s.Name, Note, "No event counts are given. "+eventsNeeded(*s.p))
	}
}

// eventsNeeded says by Schoenfeld's formula, d = 4 z^2 / (log HR)^2 for equal groups, what a p-value may stand for.
func eventsNeeded(p figure) string {
	z := zOf(p.value)
	if math.IsInf(z, 1) || z == 0 {
		return "What its P stands for cannot be said."
	}
	var parts []string
	for _, hr := range ratios {
		parts = append(parts, fmt.Sprintf("%.0f events at a hazard ratio of %g", math.Ceil(4*z*z/square(math.Log(hr))), hr))
	}
	return fmt.Sprintf("In equal groups a log-rank P of %s would come from about %s.", p.text, join(parts))
}
