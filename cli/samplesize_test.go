package cli

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"sonotype/samplesize"
)

func TestCheckSaysTheSampleSize(t *testing.T) {
	dir := t.TempDir()
	if code, _, errOut := call(t, "synth", "--patients", "30", "--out", dir); code != exitDone {
		t.Fatal(errOut)
	}
	study := filepath.Join(dir, "study.yaml")
	set := []string{"--set", "sample_size.auc=0.8", "--set", "selection.components=10", "--set", "network.train.epochs=0"}
	code, out, _ := call(t, append([]string{"check", study}, set...)...)
	if code != exitDone || !strings.Contains(out, "20 candidate parameters at an AUC of 0.80 need ") || !strings.Contains(out, "sample size, external test: ") {
		t.Errorf("exit code %d, %s", code, out)
	}
	var j struct {
		Size samplesize.Assessment `json:"sample_size"`
	}
	_, out, _ = call(t, append([]string{"check", study, "--json"}, set...)...)
	if err := json.Unmarshal([]byte(out), &j); err != nil || j.Size.Development == nil || j.Size.Development.Parameters != 20 || len(j.Size.Validation) != 2 {
		t.Errorf("%v: %s", err, out)
	}
}

func TestPrintSampleSize(t *testing.T) {
	var b strings.Builder
	a := &app{out: &b}
	var s samplesize.Assessment
	s.Development = &samplesize.DevelopmentCheck{Patients: 30, Positive: 9, DevelopmentNeed: samplesize.DevelopmentNeed{Development: samplesize.Development{Parameters: 5}, N: 400}}
	s.Notes = []string{"external: impossible"}
	a.printSampleSize(s)
	if got := b.String(); !strings.Contains(got, "too few for any") || !strings.Contains(got, "not assessed: external: impossible") {
		t.Error(got)
	}
}
