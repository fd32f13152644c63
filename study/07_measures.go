package study

import (
	"context"
	"fmt"
	"slices"

	"sonotype/cohort"
	"sonotype/evaluate"
	"sonotype/internal/problem"
	"sonotype/report"
)

// Groups of Hosmer and Lemeshow's test: the deciles that everybody uses.
const hosmerGroups = 10

// bootstrapOf is the bootstrap over one set's units, each drawn with its patient.
func (e *evaluation) bootstrapOf(r *Run, s scored) evaluate.BootstrapConfig {
	return evaluate.BootstrapConfig{
		Draws: r.Plan.Evaluate.Bootstrap, Levels: r.Plan.Evaluate.Rates, Seed: r.Plan.Seed, Workers: workers(r.Jobs), Patients: e.patientsOf(s.units),
	}
}

func (e *evaluation) patientsOf(units []string) []string {
	out := make([]string, len(units))
	for i, u := range units {
		out[i] = e.patients[u]
	}
	return out
}

// measureFurther adds to a set what evaluateSet leaves out: the bootstrap over all models at once, and what is computed
// after recalibration.
func (e *evaluation) measureFurther(ctx context.Context, r *Run, g setGroup, set report.Set, keys []report.Key, t *scoreTables) error {
	candidates := make([]evaluate.Candidate, len(keys))
	var first scored
	for k, key := range keys {
		s := t.scores[g.set][key].where(g.in)
		if k == 0 {
			first = s
		} else if !slices.Equal(s.units, first.units) {
			return &problem.Error{What: "the models score different units", Found: key.String(), Try: "delete the run's folder 06-classify and run again"}
		}
		c, err := e.candidate(key, g.set, s)
		if err != nil {
			return err
		}
		candidates[k] = c
	}
	config := e.bootstrapOf(r, first)
	measures, err := evaluate.MeasureAll(ctx, first.labels, candidates, config)
	if err != nil {
		return fmt.Errorf("the bootstrap on the %s set: %w", g.name, err)
	}
	for k, key := range keys {
		res := set.Results[key]
		res.Measures = measures[k]
		res.Decision.SetBand(measures[k].Bootstrap.Decision)
		if err := e.recalibrated(&res, key, candidates[k], first.labels); err != nil {
			return err
		}
		if r.Plan.Evaluate.HosmerLemeshow {
			h, err := evaluate.HosmerLemeshowTest(candidates[k].Probability, first.labels, hosmerGroups)
			if err != nil {
				return err
			}
			res.HosmerLemeshow = &h
		}
		set.Results[key] = res
	}
	return nil
}

// candidate is a model's scores with its probabilities: for AdaBoost the recalibrated ones, for the others the scores;
// and outside the training set the probabilities after recalibration.
func (e *evaluation) candidate(key report.Key, set string, s scored) (evaluate.Candidate, error) {
	c := evaluate.Candidate{Scores: s.scores, Threshold: float64(e.Thresholds[key])}
	var err error
	if c.Probability, err = e.probabilities(set, key, s); err != nil {
		return c, err
	}
	if rc, ok := e.After[key]; ok && set != cohort.SetTrain {
		c.Recalibrated, err = recalibrate(rc, s.scores)
	}
	return c, err
}

// recalibrated fills what is measured after recalibration.
func (e *evaluation) recalibrated(res *report.Result, key report.Key, c evaluate.Candidate, labels []int) (err error) {
	if c.Recalibrated == nil {
		return nil
	}
	rc := e.After[key]
	after := &evaluate.Recalibrated{How: "on out-of-fold training scores", Map: &rc}
	if after.Calibration, err = evaluate.Calibrate(c.Recalibrated, labels); err != nil {
		return err
	}
	if after.Decision, err = evaluate.Decision(c.Recalibrated, labels, nil); err != nil {
		return err
	}
	after.Decision.SetBand(res.Measures.Bootstrap.DecisionRecalibrated)
	res.After = after
	return nil
}

// detailPrimary adds what only the primary model has: the band around its smooth calibration curve and, on request, IDI and
// NRI against the same model on the other features.
func (e *evaluation) detailPrimary(ctx context.Context, r *Run, groups []setGroup, keys []report.Key, t *scoreTables) error {
	for i, g := range groups {
		s := t.scores[g.set][e.Primary].where(g.in)
		config := e.bootstrapOf(r, s)
		res := e.Sets[i].Results[e.Primary]
		own, err := e.probabilities(g.set, e.Primary, s)
		if err != nil {
			return err
		}
		if res.Calibration.Band, err = evaluate.CalibrationBand(ctx, own, s.labels, config); err != nil {
			return err
		}
		if r.Plan.Evaluate.Reclassification && g.set != cohort.SetTrain {
			if res.Reclassified, err = e.reclassify(own, s.labels, keys, t.scores[g.set], g); err != nil {
				return err
			}
		}
		e.Sets[i].Results[e.Primary] = res
	}
	return nil
}

// probabilities are a model's scores, or AdaBoost's after recalibration: on out-of-fold training scores, and in the training
// set itself by cross-fitting, since there the same fit would look perfect.
func (e *evaluation) probabilities(set string, key report.Key, s scored) ([]float64, error) {
	rc, ok := e.Recal[key]
	switch {
	case !ok:
		return s.scores, nil
	case set == cohort.SetTrain:
		if crossed, err := evaluate.CrossRecalibrate(s.scores, s.labels, e.patientsOf(s.units), evaluate.FromProbability, recalibrationFolds, e.seed); err == nil {
			return crossed, nil // else the set is too small to be divided
		}
	}
	return recalibrate(rc, s.scores)
}

// recalibrationFolds are those of the training set's own recalibration.
const recalibrationFolds = 5

// reclassify compares the primary model's probabilities with those of the same model on the other features.
func (e *evaluation) reclassify(own []float64, labels []int, keys []report.Key, scores map[report.Key]scored, g setGroup) ([]report.Reclassified, error) {
	var out []report.Reclassified
	cut, err := e.probabilities(g.set, e.Primary, scored{scores: []float64{float64(e.Thresholds[e.Primary])}})
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		if key.Model != e.Primary.Model || key.Features == e.Primary.Features {
			continue
		}
		other, err := e.probabilities(g.set, key, scores[key].where(g.in))
		if err != nil {
			return nil, err
		}
		otherCut, err := e.probabilities(g.set, key, scored{scores: []float64{float64(e.Thresholds[key])}})
		if err != nil {
			return nil, err
		}
		rc, err := evaluate.Reclassify(other, own, labels, otherCut[0], cut[0])
		if err != nil {
			return nil, err
		}
		out = append(out, report.Reclassified{Against: key, Reclassification: rc})
	}
	return out, nil
}
