package study

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"

	"sonotype/cohort"
	"sonotype/describe"
	"sonotype/evaluate"
	"sonotype/internal/artifact"
	"sonotype/internal/num"
	"sonotype/report"
)

// Stage 07 turns scores into figures: discrimination, calibration, decision curves, at a threshold fixed on training scores.
func evaluateStage() *stage {
	return &stage{
		number: 7, name: "evaluate", version: 7,
		needs: []string{"cohort", "roi", "features", "selection", "classify"},
		params: func(p *Plan) any {
			return []any{p.Evaluate, p.Classify, p.Outcome, p.trains(), p.Seed, p.sampleSizeParams(), p.subgroupParams(), p.Readers.ICC}
		},
		run: runEvaluate,
	}
}

// evaluation is evaluation.json.
type evaluation struct {
	Primary     report.Key                            `json:"primary"`
	Why         string                                `json:"primary_why"`
	Thresholds  map[report.Key]num.Float              `json:"thresholds"`
	Recal       map[report.Key]evaluate.Recalibration `json:"recalibrated,omitempty"`
	After       map[report.Key]evaluate.Recalibration `json:"after,omitempty"` // the others' recalibration, for their figures after it
	Marks       marks                                 `json:"marks"`
	Sets        []report.Set                          `json:"sets"`
	Comparisons []report.Comparison                   `json:"comparisons,omitempty"`
	Table1      *describe.Result                      `json:"table1"`
	Table2      *describe.Result                      `json:"table2,omitempty"`

	seed     uint64            // of random draws
	patients map[string]string // of each unit
}

// performanceRow is a row of performance.csv.
type performanceRow struct {
	Set      string `csv:"set"`
	Features string `csv:"features"`
	Model    string `csv:"model"`
	evaluate.Performance
}

// measureRow is a row of measures.csv.
type measureRow struct {
	Set      string `csv:"set"`
	Features string `csv:"features"`
	Model    string `csv:"model"`
	report.Measure
}

// scored is one model's scores on one set, one entry a unit.
type scored struct {
	units  []string
	scores []float64
	labels []int
}

// recalibratedModel is the one whose scores are no probabilities: its calibration and decision curves use scores
// recalibrated on out-of-fold training scores.
const recalibratedModel = "adaboost"

func (r *Run) newEvaluation() (*evaluation, error) {
	var choice primaryChoice
	if err := artifact.ReadJSON(filepath.Join(r.dir(6, "classify"), "primary.json"), &choice); err != nil {
		return nil, err
	}
	images, err := r.images()
	return &evaluation{
		Primary: choice.Key, Why: choice.Why, Thresholds: map[report.Key]num.Float{}, Recal: map[report.Key]evaluate.Recalibration{},
		After: map[report.Key]evaluate.Recalibration{}, seed: r.Plan.Seed, patients: patientOfUnit(images),
	}, err
}

func runEvaluate(ctx context.Context, r *Run, out string) error {
	if err := r.readTestSets("evaluate", "discrimination, calibration and decision curves of every model"); err != nil {
		return err
	}
	tables, err := r.readScores()
	if err != nil {
		return err
	}
	e, err := r.newEvaluation()
	if err != nil {
		return err
	}
	groups, err := r.setGroups()
	if err != nil {
		return err
	}
	keys := modelKeys(&r.Plan)
	for _, key := range keys {
		if err := e.fixOnTraining(r.Plan.Evaluate.Threshold, key, tables.scores[cohort.SetTrain][key]); err != nil {
			return err
		}
	}
	for _, g := range groups {
		set, err := e.evaluateSet(ctx, r, g, keys, tables)
		if err != nil {
			return err
		}
		if err := e.measureFurther(ctx, r, g, set, keys, tables); err != nil {
			return err
		}
		e.Sets = append(e.Sets, set)
	}
	if r.Plan.Classify.Primary == "best-on-internal" {
		e.nameBestOnInternal(keys)
	}
	if err := e.detailPrimary(ctx, r, groups, keys, tables); err != nil {
		return err
	}
	if err := e.compareModels(keys, tables, r.Plan.Seed); err != nil {
		return err
	}
	if e.Table1, e.Table2, err = r.baselineTables(); err != nil {
		return err
	}
	if e.Marks, err = r.countMarks(); err != nil {
		return err
	}
	if err := r.writeSampleSize(out, e, tables); err != nil {
		return err
	}
	if err := r.writeSubgroups(out, e, tables); err != nil {
		return err
	}
	if err := r.writeReaderAgreement(ctx, out, e); err != nil {
		return err
	}
	return e.write(out, keys)
}

// fixOnTraining sets the threshold and the recalibration from out-of-fold training scores. AdaBoost needs it; for the
// others, where their scores allow it, figures after it stand beside.
func (e *evaluation) fixOnTraining(rule string, key report.Key, train scored) error {
	rc, err := evaluate.FitRecalibration(train.scores, train.labels, evaluate.FromProbability)
	switch {
	case key.Model == recalibratedModel && err != nil:
		return err
	case key.Model == recalibratedModel:
		e.Recal[key] = rc
	case err == nil:
		e.After[key] = rc
	}
	if rule != "youden" {
		v, err := strconv.ParseFloat(rule, 64)
		e.Thresholds[key] = num.Float(v)
		return err
	}
	cut, err := evaluate.Youden(train.scores, train.labels)
	e.Thresholds[key] = cut.Threshold
	return err
}

// setGroup is a set or one centre of the external set.
type setGroup struct {
	name, title, centre, set string
	in                       func(unit string) bool
}

// setGroups lists the sets that the study has, then each external centre when there are several.
func (r *Run) setGroups() ([]setGroup, error) {
	images, err := r.images()
	if err != nil {
		return nil, err
	}
	titles := map[string]string{cohort.SetTrain: "Training (out-of-fold)", cohort.SetInternal: "Internal test", cohort.SetExternal: "External test"}
	present := map[string]bool{}
	centreOf := map[string]string{}
	var externals []string
	for _, im := range images {
		present[im.Set] = true
		centreOf[im.Unit] = im.Centre
		if im.Set == cohort.SetExternal && !slices.Contains(externals, im.Centre) {
			externals = append(externals, im.Centre)
		}
	}
	var groups []setGroup
	for _, s := range cohort.Sets {
		if present[s] {
			groups = append(groups, setGroup{name: s, title: titles[s], set: s, in: func(string) bool { return true }})
		}
	}
	slices.Sort(externals)
	if len(externals) > 1 {
		for _, c := range externals {
			groups = append(groups, setGroup{name: c, title: "External test, " + c, centre: c, set: cohort.SetExternal, in: func(unit string) bool { return centreOf[unit] == c }})
		}
	}
	return groups, nil
}

// evaluateSet measures every model on one group of units.
func (e *evaluation) evaluateSet(ctx context.Context, r *Run, g setGroup, keys []report.Key, t *scoreTables) (report.Set, error) {
	results := make([]report.Result, len(keys))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers(r.Jobs))
	for k, key := range keys {
		group.Go(func() (err error) {
			if err := ctx.Err(); err != nil {
				return err
			}
			results[k], err = e.measure(g.set, key, t.scores[g.set][key].where(g.in))
			if err == nil && g.name == cohort.SetTrain {
				results[k].Apparent, results[k].Optimistic, err = t.beside(key)
			}
			if err != nil {
				return fmt.Errorf("%s on the %s set: %w", key, g.name, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return report.Set{}, err
	}
	set := report.Set{Name: g.name, Title: g.title, Centre: g.centre, Results: map[report.Key]report.Result{}}
	for k, key := range keys {
		set.Results[key] = results[k]
	}
	return set, nil
}

// measure gives one model's figures on one set.
func (e *evaluation) measure(set string, key report.Key, s scored) (res report.Result, err error) {
	if res.Performance, err = evaluate.Measure(s.scores, s.labels, float64(e.Thresholds[key])); err != nil {
		return res, err
	}
	if res.ROC, err = evaluate.ROC(s.scores, s.labels); err != nil {
		return res, err
	}
	if res.Distribution, err = evaluate.Distribute(s.scores, s.labels); err != nil {
		return res, err
	}
	_, res.Recalibrated = e.Recal[key]
	if res.Recalibrated && set == cohort.SetTrain {
		res.RecalibratedHow = fmt.Sprintf("by cross-fitting in %d folds of the training set", recalibrationFolds)
	}
	probability, err := e.probabilities(set, key, s)
	if err != nil {
		return res, err
	}
	if res.Decision, err = evaluate.Decision(probability, s.labels, nil); err != nil {
		return res, err
	}
	res.Calibration, err = evaluate.Calibrate(probability, s.labels)
	return res, err
}

func recalibrate(rc evaluate.Recalibration, scores []float64) ([]float64, error) {
	out := make([]float64, len(scores))
	for i, s := range scores {
		var err error
		if out[i], err = rc.Apply(s); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// nameBestOnInternal picks the primary fusion model as the published study did: by the internal test set.
func (e *evaluation) nameBestOnInternal(keys []report.Key) {
	for _, s := range e.Sets {
		if s.Name != cohort.SetInternal {
			continue
		}
		best := num.Float(-1)
		for _, key := range keys {
			if auc := s.Results[key].Performance.AUC; key.Features == "fusion" && auc > best {
				best, e.Primary = auc, key
			}
		}
	}
}

func (e *evaluation) write(out string, keys []report.Key) error {
	var rows []performanceRow
	for _, s := range e.Sets {
		for _, key := range keys {
			rows = append(rows, performanceRow{s.Name, key.Features, key.Model, s.Results[key].Performance})
		}
	}
	if err := writeCSV(filepath.Join(out, "performance.csv"), rows); err != nil {
		return err
	}
	var measures []measureRow
	for _, s := range e.Sets {
		for _, key := range keys {
			for _, m := range s.Results[key].List() {
				measures = append(measures, measureRow{s.Name, key.Features, key.Model, m})
			}
		}
	}
	if err := writeCSV(filepath.Join(out, "measures.csv"), measures); err != nil {
		return err
	}
	return artifact.WriteJSON(filepath.Join(out, "evaluation.json"), e)
}

// scoreTables are what stage 06 wrote: set -> model -> scores.
type scoreTables struct {
	scores, apparent, optimistic map[string]map[report.Key]scored // optimistic: of a trained network, else nil
}

func (r *Run) readScores() (t *scoreTables, err error) {
	t = &scoreTables{}
	if t.scores, err = r.scores("scores.csv"); err != nil {
		return nil, err
	}
	if t.apparent, err = r.scores("apparent.csv"); err != nil {
		return nil, err
	}
	if r.Plan.trains() {
		t.optimistic, err = r.scores("optimistic.csv")
	}
	return t, err
}

// beside gives the training set's two AUCs that are too good to believe.
func (t *scoreTables) beside(key report.Key) (apparent, optimistic *evaluate.AUC, err error) {
	delong := func(s scored) (*evaluate.AUC, error) {
		a, err := evaluate.DeLong(s.scores, s.labels)
		return &a, err
	}
	if apparent, err = delong(t.apparent[cohort.SetTrain][key]); err != nil || t.optimistic == nil {
		return apparent, nil, err
	}
	optimistic, err = delong(t.optimistic[cohort.SetTrain][key])
	return apparent, optimistic, err
}

// scores reads a score table of stage 06 as set -> model -> scores.
func (r *Run) scores(name string) (map[string]map[report.Key]scored, error) {
	rows, err := readCSV[scoreRow](filepath.Join(r.dir(6, "classify"), name))
	if err != nil {
		return nil, err
	}
	out := map[string]map[report.Key]scored{}
	for _, row := range rows {
		if out[row.Set] == nil {
			out[row.Set] = map[report.Key]scored{}
		}
		key := report.Key{Features: row.Features, Model: row.Model}
		s := out[row.Set][key]
		s.units = append(s.units, row.Unit)
		s.scores = append(s.scores, row.Score)
		s.labels = append(s.labels, row.Label)
		out[row.Set][key] = s
	}
	return out, nil
}

// where keeps the units that in accepts.
func (s scored) where(in func(unit string) bool) scored {
	var out scored
	for i, u := range s.units {
		if in(u) {
			out.units = append(out.units, u)
			out.scores = append(out.scores, s.scores[i])
			out.labels = append(out.labels, s.labels[i])
		}
	}
	return out
}
