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
	Splits    splitsOf                                              `json:"splits"`
	Network   map[string]networkOf                                  `json:"network,omitempty"`          // ta and pta, or shared
	Crossfit  []map[string]networkOf                                `json:"network_crossfit,omitempty"` // the same, by fold
	Selection map[string]selectionCount                             `json:"selection"`
	Models    map[string]map[string]map[string]modelOf              `json:"models"`
	Centres   map[string]map[string]map[string]evaluate.Performance `json:"external_centres,omitempty"` // features -> model -> centre
	Apparent  map[string]map[string]num.Float                       `json:"apparent_auc"`               // refitted models on their own training patients
	Primary   primaryOf                                             `json:"primary"`
	Clinical  map[string]map[string]evaluate.Performance            `json:"clinical,omitempty"` // clinical, deep, combined -> set
	Survival  map[string]survivalOf                                 `json:"survival"`

	SampleSize *report.SampleSize     `json:"sample_size,omitempty"`
	Checklists map[string]checklistOf `json:"checklists"` // tripod, claim, clear, metrics

	Comparisons      []report.Comparison `json:"comparisons,omitempty"` // of the primary model with the others, by test set
	honesty                              // nested, permuted and leaky, where they were asked for
	report.Agreement                     // subgroups, marks and readers
}

// splitsOf counts the sets; network is the training set as the trained networks see it.
type splitsOf struct {
	Train    *splitCount   `json:"train,omitempty"`
	Internal *splitCount   `json:"internal,omitempty"`
	External *splitCount   `json:"external,omitempty"`
	Network  *networkSplit `json:"network,omitempty"`
}

type networkSplit struct {
	Train   partCount `json:"train"`
	Heldout partCount `json:"heldout"`
}

// networkOf is the training of one network, with the figures of the epoch that was kept.
type networkOf struct {
	Epochs        int       `json:"epochs"` // run
	Planned       int       `json:"planned"`
	Kept          int       `json:"kept"`
	Stopped       bool      `json:"stopped"` // early
	TrainLoss     num.Float `json:"train_loss"`
	TrainAccuracy num.Float `json:"train_accuracy"`
	TrainAUC      num.Float `json:"train_auc"`
	ValidLoss     num.Float `json:"valid_loss"`
	ValidAccuracy num.Float `json:"valid_accuracy"`
	ValidAUC      num.Float `json:"valid_auc"`
	ValidAUCLo    num.Float `json:"valid_auc_lo"`
	ValidAUCHi    num.Float `json:"valid_auc_hi"`
	Notes         []string  `json:"notes"`
}

// modelOf is a model on a set; in the training set of a trained network also the optimistic AUC of all its patients.
// Measures holds every measure with its interval, those of Performance included.
type modelOf struct {
	evaluate.Performance
	Measures     map[string]report.Measure `json:"measures"`
	Optimistic   *num.Float                `json:"auc_optimistic,omitempty"`
	OptimisticLo *num.Float                `json:"auc_optimistic_lo,omitempty"`
	OptimisticHi *num.Float                `json:"auc_optimistic_hi,omitempty"`
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
	survivalFigures
}

// results picks the report's figures for results.json.
func (a *assembly) results(s *report.Study) results {
	r := results{
		Headline: report.Headline(s), Warnings: append([]string{}, s.Warnings...), Preset: s.Preset, Seed: a.run.Plan.Seed,
		Version: s.Version, DataHash: s.DataHash,
		Splits: a.splitCounts(), Network: a.networksOf(finalFit), Selection: map[string]selectionCount{}, Survival: map[string]survivalOf{},
		Models: byModel[modelOf](), Centres: byModel[evaluate.Performance](), Apparent: map[string]map[string]num.Float{}, Clinical: a.clinicalResults(),
		Primary:     primaryOf{s.Primary.Features, s.Primary.Model, s.PrimaryWhy},
		Comparisons: a.evaluation.Comparisons, honesty: a.honesty,
		SampleSize: s.SampleSize, Checklists: checklistCounts(s.Checklists), Agreement: s.Agreement,
	}
	for _, fold := range a.run.Plan.pairs() {
		if fold != finalFit {
			r.Crossfit = append(r.Crossfit, a.networksOf(fold))
		}
	}
	for name, sel := range a.selection {
		r.Selection[name] = selectionCount{sel.PCA, sel.AfterSpearman, sel.Kept, sel.Note}
	}
	for _, set := range s.Sets {
		for key, res := range set.Results {
			if set.Centre != "" {
				put(r.Centres, key, set.Name, res.Performance)
				continue
			}
			m := modelOf{Performance: res.Performance, Measures: map[string]report.Measure{}}
			for _, v := range res.List() {
				m.Measures[v.Name] = v
			}
			if o := res.Optimistic; o != nil {
				m.Optimistic, m.OptimisticLo, m.OptimisticHi = &o.AUC, &o.Lo, &o.Hi
			}
			put(r.Models, key, set.Name, m)
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
		r.Survival[sv.Set] = survivalOf{s.Primary.String(), c.Cut, c.N, c.NHigh, c.Events, c.LogRankP, c.HR, c.HRLo, c.HRHi, c.CIndex, c.Note, survivalFiguresOf(c)}
	}
	return r
}

func (a *assembly) splitCounts() splitsOf {
	var out splitsOf
	into := map[string]**splitCount{cohort.SetTrain: &out.Train, cohort.SetInternal: &out.Internal, cohort.SetExternal: &out.External}
	for _, f := range a.cohort.Flow(a.splits).Sets {
		*into[f.Set] = &splitCount{f.Patients, f.Images, f.Positive}
	}
	if n := a.networks.of(finalFit); len(n) > 0 {
		out.Network = &networkSplit{n[0].Train, n[0].Heldout}
	}
	return out
}

// networksOf are the networks of one pair by their region; nil without training.
func (a *assembly) networksOf(fold int) map[string]networkOf {
	var out map[string]networkOf
	for _, n := range a.networks.of(fold) {
		if out == nil {
			out = map[string]networkOf{}
		}
		e := n.at()
		out[n.Region] = networkOf{
			Epochs: len(n.History), Planned: n.Planned, Kept: n.Kept, Stopped: n.Stopped,
			TrainLoss: e.TrainLoss, TrainAccuracy: e.TrainAccuracy, TrainAUC: e.TrainAUC,
			ValidLoss: e.ValidLoss, ValidAccuracy: e.ValidAccuracy, ValidAUC: n.Valid.AUC, ValidAUCLo: n.Valid.Lo, ValidAUCHi: n.Valid.Hi,
			Notes: n.Notes,
		}
	}
	return out
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
