package synth

import (
	"math"
	"math/rand/v2"
)

// Disease-free survival: Weibull, proportional hazards; censored at the end of the study, at five years or on loss.
const (
	HazardPerScore = 0.45 // log hazard ratio per SD of Ki-67's normal score: about 2.1 for high against low
	hazardPerN     = 0.35 // per step of N stage
	hazardPerT     = 0.20 // per step of T stage
	weibullShape   = 1.2
	weibullScale   = 175.0 // months, at score 0, T1, N0
	accrualMonths  = 60.0  // surgery from 2019 to 2023
	minFollowUp    = 12.0  // months from the last surgery to the end of the study
	maxFollowUp    = 60.0  // visits stop after five years
	lossMonths     = 600.0 // mean time to loss of contact
)

// drawFollowUp draws dfs_months and dfs_event. M1 patients were never disease-free: theirs stay empty.
func (p *patient) drawFollowUp(r *rand.Rand) {
	u, end, loss := r.ExpFloat64(), minFollowUp+accrualMonths*r.Float64(), lossMonths*r.ExpFloat64()
	if p.factors["m_stage"] == "1" {
		p.dfsMonths = math.NaN()
		return
	}
	t, n := float64(p.factors["t_stage"][0]-'1'), float64(p.factors["n_stage"][0]-'0')
	risk := math.Exp(HazardPerScore*p.score + hazardPerT*t + hazardPerN*n)
	event := weibullScale * math.Pow(u/risk, 1/weibullShape)
	censor := min(end, maxFollowUp, loss)
	p.dfsEvent = event <= censor
	p.dfsMonths = max(0.1, round1(min(event, censor)))
}
