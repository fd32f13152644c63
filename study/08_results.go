package study

import (
	"strconv"

	"sonotype/internal/num"
	"sonotype/survival"
)

// survivalFigures are the further figures of stage 08 in results.json, named as `sonotype evaluate` names them.
type survivalFigures struct {
	StratifiedP num.Float            `json:"logrank_stratified_p"` // null with one stratum
	Strata      int                  `json:"strata"`
	CIndexLo    num.Float            `json:"c_index_lo"`
	CIndexHi    num.Float            `json:"c_index_hi"`
	Horizon     num.Float            `json:"horizon"`
	Uno         num.Float            `json:"uno_c"`
	UnoLo       num.Float            `json:"uno_c_lo"`
	UnoHi       num.Float            `json:"uno_c_hi"`
	Mean        num.Float            `json:"restricted_mean_difference"` // high - low
	MeanLo      num.Float            `json:"restricted_mean_difference_lo"`
	MeanHi      num.Float            `json:"restricted_mean_difference_hi"`
	MeanP       num.Float            `json:"restricted_mean_difference_p"`
	TimeAUC     map[string]num.Float `json:"time_auc"`   // by month
	AddedP      num.Float            `json:"added_lr_p"` // clinical covariates and score against clinical ones alone
	HazardsKM   num.Float            `json:"proportional_hazards_p_km"`
	HazardsTime num.Float            `json:"proportional_hazards_p_identity"`
}

func survivalFiguresOf(a survival.Analysis) survivalFigures {
	out := survivalFigures{
		StratifiedP: num.NaN(), Strata: a.Strata, CIndexLo: a.CIndexLo, CIndexHi: a.CIndexHi, Horizon: a.Means.Horizon,
		Uno: a.Uno.C, UnoLo: a.Uno.Lo, UnoHi: a.Uno.Hi,
		Mean: a.Means.Difference, MeanLo: a.Means.Lo, MeanHi: a.Means.Hi, MeanP: a.Means.P,
		TimeAUC: map[string]num.Float{}, AddedP: num.NaN(), HazardsKM: num.NaN(), HazardsTime: num.NaN(),
	}
	if a.Stratified != nil {
		out.StratifiedP = a.Stratified.P
	}
	for _, t := range a.TimeAUC {
		out.TimeAUC[strconv.FormatFloat(t.Time, 'g', -1, 64)] = t.AUC
	}
	if a.Added != nil {
		out.AddedP = a.Added.LR.P
	}
	for _, h := range a.Hazards {
		if h.Transform == survival.TimeKM {
			out.HazardsKM = h.Global.P
		} else {
			out.HazardsTime = h.Global.P
		}
	}
	return out
}
