package study

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"sonotype/clinical"
	"sonotype/cohort"
	"sonotype/cohort/table"
	"sonotype/describe"
	"sonotype/internal/problem"
	"sonotype/internal/suggest"
	"sonotype/report"
)

// clinicalFrame holds a set's units, a column a variable: numbers or indices of levels, NaN where missing.
type clinicalFrame struct {
	set     string
	units   []string
	fold    []int // of the training set
	y       []int
	score   []float64 // honest; NaN for training units whose outcome the network has seen
	columns [][]float64
	unknown []int // by variable: categories that no training patient has, which count as missing
}

// clinicalCoder turns the text of a column into numbers, as the training patients' values say.
type clinicalCoder struct {
	clinical.Variable
	why string // not empty: the column cannot be a variable
}

// newCoder reads a column of the training patients. reference, when not empty, becomes the first level.
func newCoder(name string, values []string, reference string) (clinicalCoder, error) {
	kind, levels, why := describe.KindOf(values)
	c := clinicalCoder{Variable: clinical.Variable{Name: name}, why: why}
	if kind == describe.Categorical {
		c.Levels = levels
		if len(levels) < 2 {
			c.why = "all training patients have the same value"
		}
	}
	if reference == "" || c.why != "" {
		return c, nil
	}
	at := slices.Index(c.Levels, reference)
	if at < 0 {
		return c, &problem.Error{What: "the reference level of " + name + " does not occur in the training set",
			Expected: strings.Join(c.Levels, ", "), Found: reference, Try: "correct clinical.reference"}
	}
	c.Levels = slices.Concat([]string{reference}, c.Levels[:at], c.Levels[at+1:])
	return c, nil
}

// code is the number of one cell; NaN for a missing value and, with new, for a category that the training set lacks.
func (c clinicalCoder) code(cell string) (value float64, isNew bool) {
	if describe.IsMissing(cell) {
		return math.NaN(), false
	}
	if len(c.Levels) > 0 {
		at := slices.Index(c.Levels, strings.TrimSpace(cell))
		if at < 0 {
			return math.NaN(), true
		}
		return float64(at), false
	}
	v, err := table.Number(cell)
	if err != nil {
		return math.NaN(), true
	}
	return v, false
}

// clinicalColumns are the columns of the models: those of the plan, or the age where some unit has one.
func (r *Run) clinicalColumns(c *cohort.Cohort) []string {
	if len(r.Plan.Clinical.Variables) == 0 {
		age := r.Plan.Columns.Age
		if age == "" {
			age = "age"
		}
		if slices.Contains(c.Columns, age) {
			return []string{age}
		}
		return nil
	}
	return r.Plan.Clinical.Variables
}

// haveColumns refuses names that the tables lack.
func (p ClinicalPlan) haveColumns(c *cohort.Cohort) error {
	for _, name := range append(slices.Clone(p.Variables), slices.Sorted(maps.Keys(p.Reference))...) {
		if slices.Contains(c.Columns, name) {
			continue
		}
		e := &problem.Error{What: "clinical.variables or clinical.reference names a column that the tables lack", Found: name, Expected: "one of " + strings.Join(c.Columns, ", ")}
		if near := suggest.Close(name, c.Columns); near != "" {
			e.Try = fmt.Sprintf("did you mean %q?", near)
		}
		return e
	}
	return nil
}

// coders read the columns as the training patients' values say.
func (r *Run) coders(c *cohort.Cohort, names []string) ([]clinicalCoder, error) {
	splits, err := r.splits()
	if err != nil {
		return nil, err
	}
	var out []clinicalCoder
	for _, name := range names {
		var values []string
		for _, u := range c.Units {
			if a, _ := splits.Of(u.Patient); a.Set == cohort.SetTrain {
				values = append(values, u.Clinical[name])
			}
		}
		coder, err := newCoder(name, values, r.Plan.Clinical.Reference[name])
		if err != nil {
			return nil, err
		}
		out = append(out, coder)
	}
	return out, nil
}

// clinicalFrame gathers a set's units, nil where the study has none; scores are those of the given model. Before a test set
// is gathered the ledger must say so.
func (r *Run) clinicalFrame(c *cohort.Cohort, coders []clinicalCoder, key report.Key, set string) (*clinicalFrame, error) {
	splits, err := r.splits()
	if err != nil {
		return nil, err
	}
	rows, err := readCSV[scoreRow](filepath.Join(r.dir(6, "classify"), "scores.csv"))
	if err != nil {
		return nil, err
	}
	scores := map[string]float64{}
	for _, row := range rows {
		if row.Set == set && row.Features == key.Features && row.Model == key.Model {
			scores[row.Unit] = row.Score
		}
	}
	f := &clinicalFrame{set: set, columns: make([][]float64, len(coders)), unknown: make([]int, len(coders))}
	for _, u := range c.Units {
		a, _ := splits.Of(u.Patient)
		if a.Set != set {
			continue
		}
		score, ok := scores[u.ID]
		if !ok {
			score = math.NaN()
		}
		f.units, f.y, f.score, f.fold = append(f.units, u.ID), append(f.y, u.Label), append(f.score, score), append(f.fold, a.Fold)
		for j, coder := range coders {
			v, isNew := coder.code(u.Clinical[coder.Name])
			if isNew {
				f.unknown[j]++
			}
			f.columns[j] = append(f.columns[j], v)
		}
	}
	if len(f.units) == 0 {
		return nil, nil
	}
	return f, nil
}

// where keeps the units that keep accepts.
func (f *clinicalFrame) where(keep func(i int) bool) *clinicalFrame {
	out := &clinicalFrame{set: f.set, columns: make([][]float64, len(f.columns)), unknown: f.unknown}
	for i, u := range f.units {
		if !keep(i) {
			continue
		}
		out.units, out.y, out.score, out.fold = append(out.units, u), append(out.y, f.y[i]), append(out.score, f.score[i]), append(out.fold, f.fold[i])
		for j := range f.columns {
			out.columns[j] = append(out.columns[j], f.columns[j][i])
		}
	}
	return out
}

// complete says whether a unit has every variable.
func (f *clinicalFrame) complete(i int) bool {
	for _, c := range f.columns {
		if math.IsNaN(c[i]) {
			return false
		}
	}
	return true
}

func (f *clinicalFrame) missing(coders []clinicalCoder) []report.MissingCount {
	var out []report.MissingCount
	for j, c := range coders {
		m := report.MissingCount{Variable: c.Name, New: f.unknown[j]}
		for _, v := range f.columns[j] {
			if math.IsNaN(v) {
				m.Missing++
			}
		}
		out = append(out, m)
	}
	return out
}

func (f *clinicalFrame) row(i int) []float64 {
	out := make([]float64, len(f.columns))
	for j, c := range f.columns {
		out[j] = c[i]
	}
	return out
}
