// Package survival takes follow-up times with event flags and gives Kaplan-Meier curves, log-rank tests, Cox models and concordance.
package survival

import (
	"sonotype/internal/num"
	"sonotype/internal/stats"
)

// KMPoint is the Kaplan-Meier estimate at one distinct follow-up time.
type KMPoint struct {
	Time     float64   `json:"time"`
	AtRisk   int       `json:"at_risk"` // just before Time
	Events   int       `json:"events"`
	Censored int       `json:"censored"`
	Survival float64   `json:"survival"`
	SE       num.Float `json:"se"` // Greenwood, of Survival itself
	Lo       num.Float `json:"lo"`
	Hi       num.Float `json:"hi"`
}

// KM is a Kaplan-Meier curve; it starts at (0, 1), which is not among Points.
type KM struct {
	Name     string    `json:"name,omitempty"`
	N        int       `json:"n"`
	Events   int       `json:"events"`
	Interval string    `json:"interval"` // "log" or "log-log"
	Level    float64   `json:"level"`
	Points   []KMPoint `json:"points"`
	Median   num.Float `json:"median"` // null when the curve stays above one half
	MedianLo num.Float `json:"median_lo"`
	MedianHi num.Float `json:"median_hi"`
	Note     string    `json:"note,omitempty"`
}

// LogRankGroup counts one group's events and what the null hypothesis expects.
type LogRankGroup struct {
	Name     string  `json:"name"`
	N        int     `json:"n"`
	Observed int     `json:"observed"`
	Expected float64 `json:"expected"`
}

// LogRank is the (stratified) log-rank test of k groups.
type LogRank struct {
	N          int            `json:"n"`
	Events     int            `json:"events"`
	ChiSquared num.Float      `json:"chi_squared"`
	DF         int            `json:"df"`
	P          num.Float      `json:"p"`
	Strata     int            `json:"strata"` // 1 = unstratified
	Groups     []LogRankGroup `json:"groups"`
	Note       string         `json:"note,omitempty"`
}

// CoxTerm is one covariate of a Cox model with its Wald interval and test.
type CoxTerm struct {
	Name string    `json:"name"`
	Term string    `json:"term"` // that the column belongs to; Name where it stands for itself
	Coef num.Float `json:"coef"`
	SE   num.Float `json:"se"`
	HR   num.Float `json:"hazard_ratio"`
	Lo   num.Float `json:"hr_lo"`
	Hi   num.Float `json:"hr_hi"`
	Z    num.Float `json:"z"`
	P    num.Float `json:"p"`
}

// Cox is a proportional hazards model fitted with Efron's handling of ties.
type Cox struct {
	N           int         `json:"n"`
	Events      int         `json:"events"`
	Strata      int         `json:"strata"` // 1 = unstratified
	Terms       []CoxTerm   `json:"terms"`
	LogLikNull  float64     `json:"loglik_null"`
	LogLik      float64     `json:"loglik"`
	LR          stats.Test  `json:"lr_test"`
	Wald        stats.Test  `json:"wald_test"`
	Score       stats.Test  `json:"score_test"`
	Concordance Concordance `json:"concordance"` // of the linear predictor
	Iterations  int         `json:"iterations"`
	Note        string      `json:"note,omitempty"`
}

// Concordance is Harrell's C of a risk score (higher = earlier event) with the pair counts behind it.
type Concordance struct {
	C          num.Float `json:"c"`
	SE         num.Float `json:"se"` // infinitesimal jackknife, as R's concordance()
	Lo         num.Float `json:"lo"`
	Hi         num.Float `json:"hi"`
	Concordant int64     `json:"concordant"`
	Discordant int64     `json:"discordant"`
	TiedScore  int64     `json:"tied_score"` // comparable pairs with equal scores: one half each
	TiedTime   int64     `json:"tied_time"`  // pairs of events at one time: not counted
	TiedBoth   int64     `json:"tied_both"`  // ... with equal scores as well
	Note       string    `json:"note,omitempty"`
}

// Contrast is what a study reports of two groups made by score > Cut, with results.json's field names.
type Contrast struct {
	N          int       `json:"n"`
	Cut        num.Float `json:"cut"`
	NHigh      int       `json:"n_high"`
	NLow       int       `json:"n_low"`
	Events     int       `json:"events"`
	EventsHigh int       `json:"events_high"`
	EventsLow  int       `json:"events_low"`
	LogRankP   num.Float `json:"logrank_p"`
	LogRank    LogRank   `json:"logrank"`
	HR         num.Float `json:"hazard_ratio"` // high against low
	HRLo       num.Float `json:"hr_lo"`
	HRHi       num.Float `json:"hr_hi"`
	CIndex     num.Float `json:"c_index"` // of the continuous score
	CIndexLo   num.Float `json:"c_index_lo"`
	CIndexHi   num.Float `json:"c_index_hi"`
	Curves     []KM      `json:"curves"` // low, high; a group without patients is left out
	Note       string    `json:"note,omitempty"`
}
