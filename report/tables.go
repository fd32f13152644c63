package report

import (
	"bytes"
	"encoding/csv"
	"slices"

	"sonotype/describe"
)

// namedTable is a table and its file name without ending.
type namedTable struct {
	name string
	table
}

// bytes is the table as CSV.
func (t table) bytes() []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write(t.header) // a bytes.Buffer never fails
	_ = w.WriteAll(t.rows)
	return b.Bytes()
}

// tables are the CSV files that belong to no figure.
func (s *Study) tables() []namedTable {
	out := []namedTable{{"models", s.modelsTable()}, {"measures", s.measuresTable()}, {"exclusions", s.exclusionsTable()}, {"plan", settingsTable(s.Plan)}, {"software", settingsTable(s.Software)}}
	if s.Table1 != nil {
		out = append(out, namedTable{"table-1", describeTable(s.Table1)})
	}
	if s.Table2 != nil {
		out = append(out, namedTable{"table-2", describeTable(s.Table2)})
	}
	if len(s.Learning) > 0 {
		out = append(out, namedTable{"learning", s.learningTable()})
	}
	if len(s.Images.Maps) > 0 {
		out = append(out, namedTable{"grad-cam-check", s.Images.mapsTable()})
	}
	out = append(out, s.clinicalTables()...)
	if len(s.Survival) > 0 {
		out = append(out, namedTable{"survival", s.survivalTable()}, namedTable{"survival-ranking", s.rankingTable()}, namedTable{"survival-cox", s.coxTable()})
	}
	if len(s.Published) > 0 {
		out = append(out, namedTable{"published-another-cohort", s.publishedTable()})
	}
	return slices.Concat(out, s.honestyTables(), s.agreementTables(), s.planningTables())
}

func (s *Study) modelsTable() table {
	t := table{header: []string{"set", "features", "model", "primary", "n", "positive", "auc", "auc_lo", "auc_hi", "apparent_auc", "optimistic_auc", "threshold", "accuracy", "accuracy_lo", "accuracy_hi",
		"sensitivity", "sensitivity_lo", "sensitivity_hi", "specificity", "specificity_lo", "specificity_hi", "ppv", "ppv_lo", "ppv_hi", "npv", "npv_lo", "npv_hi", "f1", "tp", "fp", "tn", "fn", "brier",
		"calibration_slope", "calibration_intercept", "observed_expected", "ici", "note"}}
	for _, set := range s.Sets {
		for _, key := range s.keys() {
			r, ok := set.Results[key]
			if !ok {
				continue
			}
			p, apparent, optimistic := r.Performance, "", ""
			if r.Apparent != nil {
				apparent = cell(r.Apparent.AUC)
			}
			if r.Optimistic != nil {
				optimistic = cell(r.Optimistic.AUC)
			}
			t.add(set.Name, key.Features, key.Model, yesNo(key == s.Primary), whole(p.N), whole(p.Positive), cell(p.AUC), cell(p.AUCLo), cell(p.AUCHi), apparent, optimistic, cell(p.Threshold),
				cell(p.Accuracy), cell(p.AccuracyLo), cell(p.AccuracyHi), cell(p.Sensitivity), cell(p.SensitivityLo), cell(p.SensitivityHi), cell(p.Specificity), cell(p.SpecificityLo), cell(p.SpecificityHi),
				cell(p.PPV), cell(p.PPVLo), cell(p.PPVHi), cell(p.NPV), cell(p.NPVLo), cell(p.NPVHi), cell(p.F1), whole(p.TP), whole(p.FP), whole(p.TN), whole(p.FN), cell(p.Brier),
				cell(r.Calibration.Slope.Value), cell(r.Calibration.Intercept.Value), cell(r.Calibration.ObservedExpect.Value), cell(r.Calibration.ICI), p.Note)
		}
	}
	return t
}

// keys lists every model in display order.
func (s *Study) keys() []Key {
	var out []Key
	for _, f := range s.FeatureSets {
		for _, m := range s.Models {
			out = append(out, Key{f, m})
		}
	}
	return out
}

func (s *Study) exclusionsTable() table {
	t := table{header: []string{"reason", "case"}}
	for _, e := range s.Flow.Exclusions {
		for _, c := range e.Cases {
			t.add(e.Reason, c)
		}
	}
	return t
}

func settingsTable(settings []Setting) table {
	t := table{header: []string{"name", "value"}}
	for _, v := range settings {
		t.add(v.Name, v.Value)
	}
	return t
}

func (s *Study) publishedTable() table {
	t := table{header: []string{"set", "features", "model", "auc", "auc_lo", "auc_hi", "accuracy", "sensitivity", "specificity", "f1", "remark"}}
	for _, p := range s.Published {
		t.add(p.Set, p.Features, p.Model, cell(p.AUC), cell(p.AUCLo), cell(p.AUCHi), cell(p.Accuracy), cell(p.Sensitivity), cell(p.Specificity), cell(p.F1), "another cohort")
	}
	return t
}

// describeTable is Table 1 or 2 with unrounded figures, a line a level or numeric variable.
func describeTable(r *describe.Result) table {
	t := table{header: []string{"variable", "level"}}
	for _, g := range r.Groups {
		t.header = append(t.header, g+": n or mean", g+": % or sd")
	}
	t.header = append(t.header, "test", "statistic", "p", "also", "also_p", "smd", "missing", "note")
	for _, v := range r.Variables {
		also, alsoP := "", ""
		if v.Also != nil {
			also, alsoP = v.Also.Name, cell(v.Also.P)
		}
		tail := []string{v.Test, cell(v.Statistic), cell(v.P), also, alsoP, cell(v.SMD), whole(sum(v.Missing)), v.Note}
		if len(v.Levels) == 0 {
			row := []string{v.Name, ""}
			for _, g := range v.Groups {
				row = append(row, cell(g.Mean), cell(g.SD))
			}
			t.add(append(row, tail...)...)
		}
		for _, l := range v.Levels {
			row := []string{v.Name, l.Name}
			for i, n := range l.Counts {
				row = append(row, whole(n), cell(l.Percent[i]))
			}
			t.add(append(row, tail...)...)
		}
	}
	return t
}

func sum(values []int) int {
	n := 0
	for _, v := range values {
		n += v
	}
	return n
}
