package cli

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sonotype/internal/rng"
)

// manyScores is a table of 120 patients with two scores, one of them no probability, and follow-up.
func manyScores(t *testing.T) string {
	r := rng.Stream(1, "scores")
	var b strings.Builder
	b.WriteString("id,y,p,q,z,months,event,age,centre\n")
	for i := range 120 {
		y := i % 2
		z := float64(y) + r.NormFloat64()
		months, event := math.Ceil(60*r.ExpFloat64()*math.Exp(-z/2)), 1
		if months > 60 {
			months, event = 60, 0
		}
		fmt.Fprintf(&b, "P%d,%d,%.4f,%.4f,%.4f,%g,%d,%d,%s\n", i, y, 1/(1+math.Exp(-z)), r.Float64(), z, months, event, 30+r.IntN(50), []string{"A", "B"}[i%3/2])
	}
	return file(t, "many.csv", b.String())
}

func TestEvaluateInFull(t *testing.T) {
	path, page := manyScores(t), filepath.Join(t.TempDir(), "scores.html")
	args := []string{"evaluate", path, "--label", "y", "--score", "p", "--against", "q", "--reclassification", "--hosmer-lemeshow", "--draws", "200",
		"--time", "months", "--event", "event", "--covariates", "age", "--strata", "centre", "--report", page, "--high", "Ki-67 high"}
	code, out, errOut := call(t, append(args, "--json")...)
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	var r map[string]any
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"auc_bootstrap", "pr_auc", "f1", "lr_positive", "lr_negative", "sensitivity_at_specificity_0.9", "specificity_at_sensitivity_0.9", "brier_scaled", "calibration_slope", "calibration_intercept", "oe", "ici",
		"calibration_slope_recalibrated", "auc_difference", "idi_against_score/q", "nri_continuous_against_score/q", "c_index", "uno_c", "restricted_mean_difference", "time_auc_12", "added_c_gain"} {
		v, ok := r[name].(float64)
		if name == "calibration_slope_recalibrated" {
			continue
		}
		lo, okLo := r[name+"_lo"].(float64)
		hi, okHi := r[name+"_hi"].(float64)
		if !ok || !okLo || !okHi || lo > v || hi < v {
			t.Errorf("%s = %v (%v to %v)", name, r[name], r[name+"_lo"], r[name+"_hi"])
		}
	}
	for _, name := range []string{"logrank_stratified_p", "added_lr_p", "proportional_hazards_p_km", "hosmer_lemeshow_p", "auc_difference_p", "calibration_slope_recalibrated"} {
		if _, ok := r[name].(float64); !ok {
			t.Errorf("%s is missing", name)
		}
	}
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Ki-67 high", "Decision curve", "Calibration", "All measures", "Reclassification", "number at risk", "Against another score", "Uno’s C"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	for _, never := range []string{"http://", "https://", "09-report"} {
		if strings.Contains(strings.ReplaceAll(string(b), "http://www.w3.org/2000/svg", ""), never) {
			t.Errorf("the report points to %s", never)
		}
	}
	if code, again, _ := call(t, append(args, "--json", "--jobs", "1")...); code != exitDone || again != out {
		t.Error("the number of workers changes the figures")
	}
}

func TestEvaluateDecisionValuesAreRecalibrated(t *testing.T) {
	path := manyScores(t)
	code, out, errOut := call(t, "evaluate", path, "--label", "y", "--score", "z", "--threshold", "0", "--draws", "200")
	if code != exitDone || !strings.Contains(out, "calibration_slope ") || !strings.Contains(out, " to ") {
		t.Errorf("exit code %d, %s %s", code, out, errOut)
	}
	for _, args := range [][]string{
		{"--score", "p", "--reclassification"}, {"--score", "p", "--covariates", "age"}, {"--score", "p", "--rates", "1.2"}, {"--score", "p", "--draws", "0"},
	} {
		if code, _, _ := call(t, append([]string{"evaluate", path, "--label", "y"}, args...)...); code != exitUsage {
			t.Errorf("%v: exit code %d", args, code)
		}
	}
	if code, _, errOut := call(t, "evaluate", path, "--label", "y", "--score", "z", "--against", "p", "--reclassification"); code != exitFailed || !strings.Contains(errOut, "probabilities") {
		t.Errorf("IDI of decision values: exit code %d, %s", code, errOut)
	}
}

// What cannot be computed is said, and never drawn as a zero.
func TestEvaluateWithoutEnough(t *testing.T) {
	for name, table := range map[string]string{"one class": "y,s\n1,.2\n1,.5\n1,.9\n", "all equal": "y,s\n1,.5\n0,.5\n1,.5\n0,.5\n", "no probabilities": "y,s\n1,-3\n0,4\n", "certain": "y,s\n1,0\n0,1\n1,1\n0,0\n"} {
		t.Run(name, func(t *testing.T) {
			page := filepath.Join(t.TempDir(), "page.html")
			code, out, errOut := call(t, "evaluate", file(t, "s.csv", table), "--label", "y", "--score", "s", "--draws", "50", "--report", page)
			if code != exitDone || strings.Contains(out, "NaN") {
				t.Fatalf("exit code %d: %s %s", code, out, errOut)
			}
			b, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			for _, never := range []string{"NaN", "Inf", "[0.00–0.00]"} {
				if strings.Contains(string(b), never) {
					t.Errorf("the page says %s", never)
				}
			}
		})
	}
}
