package study

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"sonotype/clinical"
	"sonotype/cohort"
	"sonotype/evaluate"
	"sonotype/internal/artifact"
	"sonotype/internal/num"
	"sonotype/report"
)

// The clinical stage stands between 07 and 08: odds ratios of clinical variables, and three logistic models, clinical,
// deep (the primary score) and both, fitted on training patients and compared on the test sets.
func clinicalStage() *stage {
	return &stage{
		number: 7, name: "clinical", version: 3,
		needs: []string{"cohort", "roi", "finetune", "classify", "evaluate"},
		params: func(p *Plan) any {
			return []any{p.Clinical, p.Evaluate, p.Columns.Age, p.Seed, p.trains(), p.fitOn()}
		},
		run: runClinical,
	}
}

// clinicalKind is one of the three models.
type clinicalKind struct {
	name              string
	variables, scored bool
}

var clinicalKinds = []clinicalKind{{"clinical", true, false}, {"deep", false, true}, {"combined", true, true}}

// clinicalPairs are compared on the test sets, A minus B.
var clinicalPairs = [][2]string{{"combined", "clinical"}, {"combined", "deep"}, {"deep", "clinical"}}

// clinicalRow is a row of scores.csv: a model's probability for a unit; of training units, by a model fitted without
// their fold.
type clinicalRow struct {
	Unit  string  `csv:"unit"`
	Set   string  `csv:"set"`
	Model string  `csv:"model"`
	Label int     `csv:"label"`
	Score float64 `csv:"score"`
}

func runClinical(ctx context.Context, r *Run, out string) error {
	w, err := r.newClinicalWork()
	if err != nil {
		return err
	}
	if err := w.univariable(); err != nil {
		return err
	}
	if len(w.coders) > 0 {
		if err := w.models(ctx); err != nil {
			return err
		}
	}
	if err := writeCSV(filepath.Join(out, "scores.csv"), w.rows); err != nil {
		return err
	}
	fitted := clinicalModels{w.result.Univariable, w.result.Models, w.cuts, w.result.Nomogram}
	if err := artifact.WriteJSON(filepath.Join(out, "models.json"), fitted); err != nil {
		return err
	}
	return artifact.WriteJSON(filepath.Join(out, "clinical.json"), w.result)
}

// clinicalModels is models.json: all that was fitted, which no test patient can change.
type clinicalModels struct {
	Univariable []report.UnivariableRow `json:"univariable"`
	Models      []report.ClinicalModel  `json:"models"`
	Thresholds  map[string]float64      `json:"thresholds"`
	Nomogram    *clinical.Nomogram      `json:"nomogram"`
}

// clinicalWork is the stage at work.
type clinicalWork struct {
	run    *Run
	cohort *cohort.Cohort
	coders []clinicalCoder
	train  *clinicalFrame // units with an honest score
	result report.Clinical
	rows   []clinicalRow
	cuts   map[string]float64 // decision threshold by model
}

func (r *Run) newClinicalWork() (*clinicalWork, error) {
	w := &clinicalWork{run: r, cuts: map[string]float64{}}
	var err error
	if w.cohort, err = r.analysed(); err != nil {
		return nil, err
	}
	var e evaluation
	if err := artifact.ReadJSON(filepath.Join(r.dir(7, "evaluate"), "evaluation.json"), &e); err != nil {
		return nil, err
	}
	coders, err := r.coders(w.cohort, r.clinicalColumns(w.cohort))
	if err != nil {
		return nil, err
	}
	w.result = report.Clinical{Score: e.Primary, Variables: []string{}, Univariable: []report.UnivariableRow{}, Models: []report.ClinicalModel{}, Sets: []report.ClinicalSet{}, Missing: r.Plan.Clinical.Missing}
	for _, c := range coders {
		if c.why != "" {
			w.result.Notes = append(w.result.Notes, fmt.Sprintf("%s is left out of the models: %s", c.Name, c.why))
			continue
		}
		w.coders = append(w.coders, c)
		w.result.Variables = append(w.result.Variables, c.Name)
	}
	all, err := r.clinicalFrame(w.cohort, w.coders, e.Primary, cohort.SetTrain)
	if err != nil || all == nil {
		return w, err
	}
	w.train = all.where(func(i int) bool { return !math.IsNaN(all.score[i]) })
	w.result.Train, w.result.Honest = len(all.units), len(w.train.units)
	return w, nil
}

// univariable fits each clinical column alone, on all training units that have it.
func (w *clinicalWork) univariable() error {
	names := w.run.Plan.Evaluate.Clinical
	if len(names) == 0 {
		names = w.cohort.Columns
	}
	names = slices.Clone(names)
	for _, v := range w.result.Variables {
		if !slices.Contains(names, v) {
			names = append(names, v)
		}
	}
	coders, err := w.run.coders(w.cohort, names)
	if err != nil {
		return err
	}
	train, err := w.run.clinicalFrame(w.cohort, coders, w.result.Score, cohort.SetTrain)
	if err != nil || train == nil {
		return err
	}
	missing := train.missing(coders)
	for j, c := range coders {
		row := report.UnivariableRow{Variable: c.Name, Missing: missing[j].Missing, Note: c.why}
		if c.why == "" {
			m, err := clinical.Univariable([]clinical.Variable{c.Variable}, train.columns[j:j+1], train.y, w.run.Plan.Clinical.Firth)
			if err != nil {
				return err
			}
			row.Model = m[0]
		}
		w.result.Univariable = append(w.result.Univariable, row)
	}
	return nil
}

// models fits the three models, scores training units out of fold, then reads the test sets.
func (w *clinicalWork) models(ctx context.Context) error {
	train := w.usable(w.train)
	fits, err := w.fitAll(ctx, train, "final")
	if err != nil {
		return err
	}
	for k, f := range fits {
		w.result.Models = append(w.result.Models, report.ClinicalModel{Name: clinicalKinds[k].name, Model: f.model})
	}
	if w.imputes() {
		w.result.Imputations = w.run.Plan.Clinical.Imputations
	}
	if err := w.draw(train); err != nil {
		return err
	}
	scores, err := w.outOfFold(ctx, train)
	if err != nil {
		return err
	}
	if err := w.cut(train, scores); err != nil {
		return err
	}
	if err := w.evaluateSet(w.train, train, scores); err != nil {
		return err
	}
	return w.testSets(fits)
}

// testSets scores and measures the test sets, each after a line in the ledger.
func (w *clinicalWork) testSets(fits []*clinicalFit) error {
	if err := w.run.readTestSets("clinical", "clinical, deep and combined models: figures and comparisons"); err != nil {
		return err
	}
	for _, set := range []string{cohort.SetInternal, cohort.SetExternal} {
		f, err := w.run.clinicalFrame(w.cohort, w.coders, w.result.Score, set)
		if err != nil {
			return err
		}
		if f == nil {
			continue
		}
		usable := w.usable(f)
		scores := make([][]float64, len(fits))
		for k, fit := range fits {
			if scores[k], err = fit.scores(usable); err != nil {
				return err
			}
		}
		if err := w.evaluateSet(f, usable, scores); err != nil {
			return err
		}
	}
	return nil
}

func (w *clinicalWork) imputes() bool { return w.run.Plan.Clinical.Missing == missingImpute }

// usable are the units that the models can be fitted to or score: all when missing values are imputed, else the complete.
func (w *clinicalWork) usable(f *clinicalFrame) *clinicalFrame {
	if w.imputes() {
		return f
	}
	return f.where(f.complete)
}

// draw lays out the nomogram of the combined model, else of the clinical one.
func (w *clinicalWork) draw(train *clinicalFrame) error {
	for _, name := range []string{"combined", "clinical"} {
		k := slices.IndexFunc(w.result.Models, func(m report.ClinicalModel) bool { return m.Name == name })
		m := w.result.Models[k].Model
		if !m.Fitted() {
			continue
		}
		columns := train.columns
		if clinicalKinds[k].scored {
			columns = append(slices.Clone(columns), train.score)
		}
		n, err := clinical.NewNomogram(m, columns)
		w.result.Nomogram, w.result.NomogramOf = n, name
		return err
	}
	return nil
}

// outOfFold scores each training unit by models fitted without its fold; NaN where a model could not be fitted.
func (w *clinicalWork) outOfFold(ctx context.Context, train *clinicalFrame) ([][]float64, error) {
	out := make([][]float64, len(clinicalKinds))
	for k := range out {
		out[k] = make([]float64, len(train.units))
	}
	folds := slices.Clone(train.fold)
	slices.Sort(folds)
	for _, fold := range slices.Compact(folds) {
		fits, err := w.fitAll(ctx, train.where(func(i int) bool { return train.fold[i] != fold }), "fold-"+strconv.Itoa(fold))
		if err != nil {
			return nil, err
		}
		for i := range train.units {
			if train.fold[i] != fold {
				continue
			}
			for k, fit := range fits {
				if out[k][i], err = fit.score(train, i); err != nil {
					return nil, err
				}
			}
		}
	}
	return out, nil
}

// cut fixes each model's threshold as stage 07 fixes those of the scores.
func (w *clinicalWork) cut(train *clinicalFrame, scores [][]float64) error {
	rule := w.run.Plan.Evaluate.Threshold
	for k, kind := range clinicalKinds {
		if rule != "youden" {
			v, err := strconv.ParseFloat(rule, 64)
			if err != nil {
				return err
			}
			w.cuts[kind.name] = v
			continue
		}
		var s []float64
		var y []int
		for i, v := range scores[k] {
			if !math.IsNaN(v) {
				s, y = append(s, v), append(y, train.y[i])
			}
		}
		if len(s) == 0 {
			continue
		}
		c, err := evaluate.Youden(s, y)
		if err != nil {
			return err
		}
		w.cuts[kind.name] = float64(c.Threshold)
	}
	return nil
}

// evaluateSet measures the models on the units that all of them scored, and compares them on test sets.
func (w *clinicalWork) evaluateSet(whole, usable *clinicalFrame, scores [][]float64) error {
	f, scores := scoredByAll(usable, scores)
	s := report.ClinicalSet{Set: f.set, Title: clinicalTitles[f.set], Units: len(whole.units), Analysed: len(f.units), Missing: whole.missing(w.coders), Models: []report.ClinicalResult{}, Comparisons: []report.ClinicalComparison{}}
	s.Note = setNote(len(usable.units), len(f.units), scores)
	if note := w.imputedNote(s); note != "" && s.Note == "" {
		s.Note = note
	}
	defer func() { w.result.Sets = append(w.result.Sets, s) }()
	for k, kind := range clinicalKinds {
		cut, ok := w.cuts[kind.name]
		if scores[k] == nil || !ok || len(f.units) == 0 {
			continue
		}
		res := report.ClinicalResult{Name: kind.name}
		var err error
		if res.Performance, err = evaluate.Measure(scores[k], f.y, cut); err != nil {
			return err
		}
		if res.Calibration, err = evaluate.Calibrate(scores[k], f.y); err != nil {
			return err
		}
		if res.Decision, err = evaluate.Decision(scores[k], f.y, nil); err != nil {
			return err
		}
		if res.ROC, err = evaluate.ROC(scores[k], f.y); err != nil {
			return err
		}
		s.Models = append(s.Models, res)
		for i, u := range f.units {
			w.rows = append(w.rows, clinicalRow{u, f.set, kind.name, f.y[i], scores[k][i]})
		}
	}
	if f.set == cohort.SetTrain || len(f.units) == 0 {
		return nil
	}
	return compareClinical(&s, f.y, scores)
}

// imputedNote says that a set's figures rest on imputation: a variable is missing in a third of its units or more.
func (w *clinicalWork) imputedNote(s report.ClinicalSet) string {
	if !w.imputes() {
		return ""
	}
	var often []string
	for _, m := range s.Missing {
		if 3*m.Missing >= s.Units {
			often = append(often, fmt.Sprintf("%s in %d of %d", m.Variable, m.Missing, s.Units))
		}
	}
	if len(often) == 0 {
		return ""
	}
	return "values are missing so often that the figures with clinical variables rest on imputation (" + strings.Join(often, ", ") + ")"
}

// scoredByAll keeps the units that every model scored, but for models that scored nobody, whose scores become nil.
func scoredByAll(f *clinicalFrame, scores [][]float64) (*clinicalFrame, [][]float64) {
	out := make([][]float64, len(scores))
	has := func(k, i int) bool { return !math.IsNaN(scores[k][i]) }
	fitted := make([]bool, len(scores))
	for k := range scores {
		fitted[k] = slices.ContainsFunc(scores[k], func(v float64) bool { return !math.IsNaN(v) })
	}
	keep := func(i int) bool {
		for k := range scores {
			if fitted[k] && !has(k, i) {
				return false
			}
		}
		return true
	}
	for i := range f.units {
		for k := range scores {
			if fitted[k] && keep(i) {
				out[k] = append(out[k], scores[k][i])
			}
		}
	}
	return f.where(keep), out
}

// setNote says what keeps a model or a unit from being measured.
func setNote(usable, measured int, scores [][]float64) string {
	switch {
	case usable == 0:
		return "no unit has all variables"
	case slices.ContainsFunc(scores, func(s []float64) bool { return s == nil }):
		return "a model could not be fitted"
	case measured < usable:
		return fmt.Sprintf("%d left out whose category no patient had that the model was fitted on, or for whose fold no model could be fitted", usable-measured)
	}
	return ""
}

var clinicalTitles = map[string]string{cohort.SetTrain: "Training (out-of-fold)", cohort.SetInternal: "Internal test", cohort.SetExternal: "External test"}

// compareClinical tests the models' AUCs against each other, adjusted by Holm within the set.
func compareClinical(s *report.ClinicalSet, y []int, scores [][]float64) error {
	of := map[string][]float64{}
	for k, kind := range clinicalKinds {
		if scores[k] != nil {
			of[kind.name] = scores[k]
		}
	}
	var p []num.Float
	for _, pair := range clinicalPairs {
		a, b := of[pair[0]], of[pair[1]]
		if a == nil || b == nil {
			continue
		}
		test, err := evaluate.DeLongPaired(a, b, y)
		if err != nil {
			return err
		}
		s.Comparisons = append(s.Comparisons, report.ClinicalComparison{A: pair[0], B: pair[1], Test: test})
		p = append(p, test.P)
	}
	for i, adjusted := range evaluate.Holm(p) {
		s.Comparisons[i].Holm = adjusted
	}
	return nil
}
