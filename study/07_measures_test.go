package study

import (
	"math"
	"path/filepath"
	"testing"

	"sonotype/cohort"
	"sonotype/evaluate"
	"sonotype/internal/artifact"
	"sonotype/internal/num"
	"sonotype/report"
)

// checkMeasures: every model has every measure on every set, inside its interval; recalibrated figures stand on test sets
// only; the smooth curve's band is the primary model's.
func checkMeasures(t *testing.T, out string, r results) {
	t.Helper()
	always := []string{"auc_bootstrap", "pr_auc", "f1", "lr_positive", "lr_negative", "sensitivity_at_specificity_0.9", "specificity_at_sensitivity_0.9", "brier", "brier_scaled",
		"calibration_slope", "calibration_intercept", "oe", "ici"}
	for f, models := range r.Models {
		for m, sets := range models {
			for set, got := range sets {
				for _, name := range always {
					v, ok := got.Measures[name]
					if !ok {
						t.Errorf("%s/%s on %s lacks %s", f, m, set, name)
					}
					if float64(v.Lo) > float64(v.Value) || float64(v.Hi) < float64(v.Value) {
						t.Errorf("%s/%s on %s: %s = %v outside %v..%v", f, m, set, name, v.Value, v.Lo, v.Hi)
					}
				}
				if _, after := got.Measures["calibration_slope_recalibrated"]; after != (set != cohort.SetTrain && m != recalibratedModel) {
					t.Errorf("%s/%s on %s: recalibrated %v", f, m, set, after)
				}
			}
		}
	}
	var e evaluation
	if err := artifact.ReadJSON(filepath.Join(out, "07-evaluate", "evaluation.json"), &e); err != nil {
		t.Fatal(err)
	}
	for _, set := range e.Sets {
		for key, res := range set.Results {
			if (res.Calibration.Band != nil) != (key == e.Primary) {
				t.Errorf("%s on %s: the band of the smooth curve is the primary model's", key, set.Name)
			}
			if len(res.Decision.Band) != len(res.Decision.Points) {
				t.Errorf("%s on %s: a decision curve without its band", key, set.Name)
			}
		}
	}
	rows, err := readCSV[measureRow](filepath.Join(out, "07-evaluate", "measures.csv"))
	if err != nil || len(rows) < 18*3*len(always) {
		t.Errorf("%d rows of measures (%v)", len(rows), err)
	}
}

// In the training set AdaBoost's recalibration must not be judged on the patients that it was fitted on.
func TestAdaBoostIsCrossFittedInTraining(t *testing.T) {
	key := report.Key{Features: "ta", Model: recalibratedModel}
	var s scored
	for i := range 60 {
		s.units = append(s.units, string(rune('a'+i)))
		s.scores = append(s.scores, .5+.1*math.Sin(float64(7*i))+.05*float64(i%2))
		s.labels = append(s.labels, i%2)
	}
	e := &evaluation{Recal: map[report.Key]evaluate.Recalibration{}, After: map[report.Key]evaluate.Recalibration{}, Thresholds: map[report.Key]num.Float{}, patients: map[string]string{}}
	for _, u := range s.units {
		e.patients[u] = u
	}
	if err := e.fixOnTraining("youden", key, s); err != nil {
		t.Fatal(err)
	}
	train, err := e.probabilities(cohort.SetTrain, key, s)
	if err != nil {
		t.Fatal(err)
	}
	test, err := e.probabilities(cohort.SetInternal, key, s)
	if err != nil {
		t.Fatal(err)
	}
	same := 0
	for i := range train {
		if train[i] == test[i] {
			same++
		}
	}
	if same > 0 {
		t.Errorf("%d of 60 training probabilities come from the fit on all of them", same)
	}
}
