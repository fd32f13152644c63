package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"sonotype/evaluate"
	"sonotype/internal/problem"
	"sonotype/report"
	"sonotype/study"
	"sonotype/survival"
)

// Folds of the cross-fitted recalibration.
const recalibrationFolds = 10

// assessment is everything that is known of a table of scores: the figures of stages 07 and 08.
type assessment struct {
	flags    *evaluateFlags
	table    *scoredTable
	hash     string // of the file
	result   report.Result
	paired   *evaluate.PairedAUC
	survival *report.SurvivalSet
	warnings []string
}

func assess(ctx context.Context, s *scoredTable, f *evaluateFlags) (*assessment, error) {
	b, err := os.ReadFile(s.path)
	if err != nil {
		return nil, &problem.Error{What: "cannot read the table", File: s.path, Err: err}
	}
	sum := sha256.Sum256(b)
	e := &assessment{flags: f, table: s, hash: hex.EncodeToString(sum[:])}
	for _, step := range []func(context.Context) error{e.discriminate, e.calibrate, e.compare, e.follow} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	e.warn()
	return e, nil
}

func (e *assessment) threshold() float64 {
	v, _ := strconv.ParseFloat(e.flags.threshold, 64) // the flags were checked
	return v
}

func (e *assessment) discriminate(context.Context) (err error) {
	s, r := e.table, &e.result
	if r.Performance, err = evaluate.Measure(s.score, s.label, e.threshold()); err != nil {
		return err
	}
	if r.ROC, err = evaluate.ROC(s.score, s.label); err != nil {
		return err
	}
	r.Distribution, err = evaluate.Distribute(s.score, s.label)
	return err
}

// calibrate adds the bootstrap and all that needs probabilities: the scores themselves, or cross-fitted ones.
func (e *assessment) calibrate(ctx context.Context) error {
	s, r, f := e.table, &e.result, e.flags
	input := evaluate.FromDecision
	m := evaluate.Candidate{Scores: s.score, Threshold: e.threshold()}
	from := s.score
	switch {
	case s.probability != nil:
		input, m.Probability, from = evaluate.FromProbability, s.probability, s.probability
		r.Recalibrated, r.RecalibratedHow = true, s.calibrated
	case probabilities(s.score):
		input, m.Probability = evaluate.FromProbability, s.score
	}
	how := fmt.Sprintf("by cross-fitting in %d folds of these patients", recalibrationFolds)
	crossed, err := evaluate.CrossRecalibrate(from, s.label, s.ids, input, recalibrationFolds, f.seed)
	switch {
	case err != nil:
		e.warnings = append(e.warnings, "No figures after recalibration: "+reason(err)+".")
	case m.Probability == nil:
		m.Probability, r.Recalibrated, r.RecalibratedHow = crossed, true, how
	default:
		m.Recalibrated = crossed
	}
	c := evaluate.BootstrapConfig{Draws: f.draws, Levels: f.rates, Seed: f.seed, Workers: f.jobs, Patients: s.ids}
	measures, err := evaluate.MeasureAll(ctx, s.label, []evaluate.Candidate{m}, c)
	if err != nil {
		return err
	}
	r.Measures = measures[0]
	if m.Probability == nil {
		return nil
	}
	if r.Calibration, r.Decision, err = probabilistic(m.Probability, s.label, r.Measures.Bootstrap.Decision); err != nil {
		return err
	}
	if r.Calibration.Band, err = evaluate.CalibrationBand(ctx, m.Probability, s.label, c); err != nil {
		return err
	}
	if m.Recalibrated != nil {
		r.After = &evaluate.Recalibrated{How: how}
		if r.After.Calibration, r.After.Decision, err = probabilistic(m.Recalibrated, s.label, r.Measures.Bootstrap.DecisionRecalibrated); err != nil {
			return err
		}
	}
	if f.hosmer {
		h, err := evaluate.HosmerLemeshowTest(m.Probability, s.label, 10)
		if err != nil {
			return err
		}
		r.HosmerLemeshow = &h
	}
	return nil
}

func probabilistic(p []float64, labels []int, limits evaluate.BenefitIntervals) (c evaluate.Calibration, d evaluate.DecisionCurve, err error) {
	if c, err = evaluate.Calibrate(p, labels); err != nil {
		return c, d, err
	}
	if d, err = evaluate.Decision(p, labels, nil); err != nil {
		return c, d, err
	}
	d.SetBand(limits)
	return c, d, nil
}

// compare tests the score against the second one.
func (e *assessment) compare(context.Context) error {
	s, f := e.table, e.flags
	if s.against == nil {
		return nil
	}
	p, err := evaluate.DeLongPaired(s.score, s.against, s.label)
	if err != nil {
		return err
	}
	e.paired = &p
	if !f.reclassification {
		return nil
	}
	if !probabilities(s.score) || !probabilities(s.against) {
		return &problem.Error{What: "IDI and NRI need probabilities", Expected: "0 to 1 in columns " + f.score + " and " + f.against, Found: "other values", Try: "leave out --reclassification"}
	}
	rc, err := evaluate.Reclassify(s.against, s.score, s.label, e.threshold(), e.threshold())
	e.result.Reclassified = []report.Reclassified{{Against: scoreKey(f.against), Reclassification: rc}}
	return err
}

// follow adds survival.
func (e *assessment) follow(context.Context) error {
	s, f := e.table, e.flags
	if s.time == nil {
		return nil
	}
	d := survival.Data{Time: s.time, Event: s.event, Score: s.score}
	for _, name := range f.covariates {
		d.Clinical = append(d.Clinical, study.Covariates(name, s.columns[name], "")...)
	}
	if f.strata != "" {
		d.Strata = s.columns[f.strata]
	}
	times := slices.DeleteFunc(slices.Clone(f.times), func(t float64) bool { return t == 0 })
	byScore, err := survival.Analyse(d, survival.Options{Cut: e.threshold(), Interval: survival.Log, Horizon: f.horizon, Times: times})
	if err != nil {
		return err
	}
	byOutcome := &survival.Contrast{}
	if f.label != f.event { // else the groups are those with and without an event
		labels := make([]float64, len(s.label))
		for i, y := range s.label {
			labels[i] = float64(y)
		}
		if byOutcome, err = survival.ByCut(s.time, s.event, labels, 0.5, survival.Log); err != nil {
			return err
		}
	}
	e.survival = study.SurvivalSet(setName, filepath.Base(s.path), s.time, byScore, byOutcome, f.strata)
	return nil
}

// warn says what limits the figures.
func (e *assessment) warn() {
	p := e.result.Performance
	if few := min(p.Positive, p.N-p.Positive); few < 100 {
		e.warnings = append(e.warnings, fmt.Sprintf("%d in the smaller class; external validation asks for at least 100.", few))
	}
	if e.survival != nil && e.survival.ByScore.Events < 20 {
		e.warnings = append(e.warnings, fmt.Sprintf("Only %d events, so the survival contrast is uncertain.", e.survival.ByScore.Events))
	}
	if p.AUC.IsNaN() && p.Note != "" {
		e.warnings = append(e.warnings, strings.ToUpper(p.Note[:1])+p.Note[1:]+".")
	}
}

// reason is an error's fault in one phrase.
func reason(err error) string {
	if e, ok := problem.As(err); ok {
		return e.What + " (" + e.Found + ")"
	}
	return err.Error()
}
