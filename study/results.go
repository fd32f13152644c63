package study

import (
	"sonotype/cohort"
	"sonotype/evaluate"
	"sonotype/internal/num"
	"sonotype/report"
)

// results is results.json: the figures that other programs read. A set that the study lacks is left out;
// what cannot be computed is null, with a note beside it.
type results struct {
	Headline  string                                                `json:"headline"`
	Warnings  []string                                              `json:"warnings"`
	Preset    string                                                `json:"preset"`
	Seed      uint64                                                `json:"seed"`
	Version   string                                                `json:"version"`
	DataHash  string                                                `json:"data_sha256"`
	Splits    map[string]splitCount                                 `json:"splits"`
	Selection map[string]selectionCount                             `json:"selection"`
	Models    map[string]map[string]map[string]evaluate.Performance `json:"models"`
	Centres   map[string]map[string]map[string]evaluate.Performance `json:"external_centres,omitempty"` // features -> model -> centre
	Apparent  map[string]map[string]num.Float                       `json:"apparent_auc"`               // refitted models on their own training patients
	Primary   primaryOf                                             `json:"primary"`
	Survival  map[string]survivalOf                                 `json:"survival"`
}

type splitCount struct {
	Patients int `json:"patients"`
	Images   int `json:"images"`
	Positive int `json:"positive"`
}

type selectionCount struct {
	PCA           int    `json:"pca"`
	AfterSpearman int    `json:"after_spearman"`
	Kept          int    `json:"kept"`
	Note          string `json:"note,omitempty"`
}

type primaryOf struct {
	Features string `json:"features"`
	Model    string `json:"model"`
	Why      string `json:"why"`
}

type survivalOf struct {
	Model    string    `json:"model"`
	Cut      num.Float `json:"cut"`
	N        int       `json:"n"`
	NHigh    int       `json:"n_high"`
	Events   int       `json:"events"`
	LogRankP num.Float `json:"logrank_p"`
	HR       num.Float `json:"hazard_ratio"`
	HRLo     num.Float `json:"hr_lo"`
	HRHi     num.Float `json:"hr_hi"`
	CIndex   num.Float `json:"c_index"`
	Note     string    `json:"note,omitempty"`
}

// results picks the report's figures for results.json.
func (a *assembly) results(s *report.Study) results {
	r := results{
		Headline: report.Headline(s), Warnings: append([]string{}, s.Warnings...), Preset: s.Preset, Seed: a.run.Plan.Seed,
		Version: s.Version, DataHash: s.DataHash,
		Splits: map[string]splitCount{}, Selection: map[string]selectionCount{}, Survival: map[string]survivalOf{},
		Models: byModel[evaluate.Performance](), Centres: byModel[evaluate.Performance](), Apparent: map[string]map[string]num.Float{},
		Primary: primaryOf{s.Primary.Features, s.Primary.Model, s.PrimaryWhy},
	}
	for _, f := range a.cohort.Flow(a.splits).Sets {
		r.Splits[f.Set] = splitCount{f.Patients, f.Images, f.Positive}
	}
	for name, sel := range a.selection {
		r.Selection[name] = selectionCount{sel.PCA, sel.AfterSpearman, sel.Kept, sel.Note}
	}
	for _, set := range s.Sets {
		into := r.Models
		if set.Centre != "" {
			into = r.Centres
		}
		for key, res := range set.Results {
			put(into, key, set.Name, res.Performance)
			if set.Name == cohort.SetTrain && res.Apparent != nil {
				if r.Apparent[key.Features] == nil {
					r.Apparent[key.Features] = map[string]num.Float{}
				}
				r.Apparent[key.Features][key.Model] = res.Apparent.AUC
			}
		}
	}
	for _, sv := range s.Survival {
		c := sv.ByScore
		r.Survival[sv.Set] = survivalOf{s.Primary.String(), c.Cut, c.N, c.NHigh, c.Events, c.LogRankP, c.HR, c.HRLo, c.HRHi, c.CIndex, c.Note}
	}
	return r
}

func byModel[T any]() map[string]map[string]map[string]T {
	return map[string]map[string]map[string]T{}
}

// put stores a value under features -> model -> set.
func put[T any](m map[string]map[string]map[string]T, key report.Key, set string, v T) {
	if m[key.Features] == nil {
		m[key.Features] = map[string]map[string]T{}
	}
	if m[key.Features][key.Model] == nil {
		m[key.Features][key.Model] = map[string]T{}
	}
	m[key.Features][key.Model][set] = v
}
