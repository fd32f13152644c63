package cli

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strconv"

	"sonotype/evaluate"
	"sonotype/internal/num"
	"sonotype/report"
)

// setName is the name of the only set in the files of the report.
const setName = "scores"

// scoreKey is a column of scores as a model.
func scoreKey(column string) report.Key { return report.Key{Features: "score", Model: column} }

// flat are all figures under the names of results.json.
func (e *assessment) flat() map[string]any {
	p := e.result.Performance
	out := map[string]any{"n": p.N, "positive": p.Positive, "threshold": p.Threshold, "tp": p.TP, "fp": p.FP, "tn": p.TN, "fn": p.FN}
	put := func(name string, v, lo, hi num.Float) { out[name], out[name+"_lo"], out[name+"_hi"] = v, lo, hi }
	for _, m := range e.result.List() {
		if m.Method == "" {
			out[m.Name] = m.Value
			continue
		}
		put(m.Name, m.Value, m.Lo, m.Hi)
	}
	if p.Note != "" {
		out["note"] = p.Note
	}
	if h := e.result.HosmerLemeshow; h != nil {
		out["hosmer_lemeshow_chi2"], out["hosmer_lemeshow_df"] = h.Statistic, h.DF
	}
	if c := e.paired; c != nil {
		out["auc_against"], out["auc_difference_p"] = c.AUC2, c.P
		put("auc_difference", c.Difference, c.Lo, c.Hi)
	}
	if e.survival != nil {
		e.flatSurvival(out, put)
	}
	return out
}

func (e *assessment) flatSurvival(out map[string]any, put func(name string, v, lo, hi num.Float)) {
	a := e.survival.ByScore
	out["cut"], out["n_high"], out["events"], out["logrank_p"] = a.Cut, a.NHigh, a.Events, a.LogRankP
	out["hazard_ratio"], out["hr_lo"], out["hr_hi"] = a.HR, a.HRLo, a.HRHi
	put("c_index", a.CIndex, a.CIndexLo, a.CIndexHi)
	put("uno_c", a.Uno.C, a.Uno.Lo, a.Uno.Hi)
	put("restricted_mean_difference", a.Means.Difference, a.Means.Lo, a.Means.Hi)
	out["restricted_mean_difference_p"], out["horizon"] = a.Means.P, a.Means.Horizon
	if a.Stratified != nil {
		out["logrank_stratified_p"] = a.Stratified.P
	}
	for _, t := range a.TimeAUC {
		put("time_auc_"+strconv.FormatFloat(t.Time, 'g', -1, 64), t.AUC, t.Lo, t.Hi)
	}
	if a.Added != nil {
		out["added_lr_p"] = a.Added.LR.P
		put("added_c_gain", a.Added.Gain, a.Added.GainLo, a.Added.GainHi)
	}
	for _, h := range a.Hazards {
		out["proportional_hazards_p_"+h.Transform] = h.Global.P
	}
	if a.Note != "" {
		out["survival_note"] = a.Note
	}
}

// study is the report's model: one set, one feature set, a model for each column of scores.
func (e *assessment) study() *report.Study {
	f, key := e.flags, scoreKey(e.flags.score)
	name := filepath.Base(e.table.path)
	s := &report.Study{
		Title: cmp.Or(f.title, "Scores of "+name), Positive: f.high, Negative: f.low, Outcome: f.label, Unit: "patient", Version: Version, DataHash: e.hash,
		FeatureSets: []string{key.Features}, Models: []string{f.score}, Primary: key, Warnings: e.warnings,
		Sets:    []report.Set{{Name: setName, Title: name, Results: map[report.Key]report.Result{key: e.result}}},
		Methods: e.methods(), Plan: e.settings(),
	}
	if f.against != "" {
		s.Models = append(s.Models, f.against)
	}
	if e.survival != nil {
		s.Survival = []report.SurvivalSet{*e.survival}
	}
	return s
}

// compared is the paired test by the second score's name.
func (e *assessment) compared() map[report.Key]evaluate.PairedAUC {
	if e.paired == nil {
		return nil
	}
	return map[report.Key]evaluate.PairedAUC{scoreKey(e.flags.against): *e.paired}
}

func (e *assessment) methods() []string {
	f := e.flags
	out := []string{fmt.Sprintf("Positive is %s > %s; the threshold was given, not chosen on these data. AUC with DeLong's and a bootstrap interval (%d draws of patients, seed %d, within each class; of all patients for what depends on the prevalence); proportions with Wilson's, likelihood ratios on the log scale; average precision; Brier score; calibration slope and intercept by logistic regression on the logit with Wald's interval; observed:expected on the log scale; ICI from a lowess curve.",
		f.score, f.threshold, f.draws, f.seed)}
	if e.result.Recalibrated || e.result.After != nil {
		out = append(out, fmt.Sprintf("Recalibration: logistic, each patient by the fit on the other nine of %d folds.", recalibrationFolds))
	}
	if e.survival != nil {
		out = append(out, "Kaplan-Meier with log intervals; log-rank; Cox regression with Efron's ties; Grambsch and Therneau's test; Harrell's and Uno's C; restricted means; time-dependent AUC weighted for censoring.")
	}
	return out
}

func (e *assessment) settings() []report.Setting {
	f := e.flags
	out := []report.Setting{{Name: "label", Value: f.label}, {Name: "score", Value: f.score}, {Name: "threshold", Value: f.threshold}, {Name: "draws", Value: strconv.Itoa(f.draws)}, {Name: "seed", Value: strconv.FormatUint(f.seed, 10)}}
	for _, s := range []report.Setting{{Name: "positive", Value: f.positive}, {Name: "patient", Value: f.patient}, {Name: "against", Value: f.against}, {Name: "time", Value: f.time}, {Name: "event", Value: f.event}, {Name: "strata", Value: f.strata}} {
		if s.Value != "" {
			out = append(out, s)
		}
	}
	for _, name := range f.covariates {
		out = append(out, report.Setting{Name: "covariate", Value: name})
	}
	return out
}
