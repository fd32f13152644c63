package study

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"sonotype/cohort"
	"sonotype/evaluate"
	"sonotype/report"
)

// The headline warns of a leak that permuted labels show, of a lucky split, and of a model that the test set chose.
func TestHonestyWarnings(t *testing.T) {
	plan, err := DefaultPlan("rigorous")
	if err != nil {
		t.Fatal(err)
	}
	a := &assembly{run: &Run{Plan: plan}}
	a.evaluation.Primary = report.Key{Features: "fusion", Model: "svm"}
	a.evaluation.Comparisons = []report.Comparison{{Set: cohort.SetInternal, Luck: []report.LuckOfSet{
		{Family: "all", Luck: evaluate.Luck{Models: 18, Optimism: .04}}, {Family: "fusion", Luck: evaluate.Luck{Models: 6, Optimism: .02}},
	}}}
	if w := a.honestyWarnings(); len(w) > 0 {
		t.Errorf("warned without a reason: %q", w)
	}
	a.honesty.Permuted = &report.Permuted{Mean: .6, SE: .02}
	a.honesty.Nested = &report.Nested{Study: .9, Single: report.Spread{N: 20, Hi: .85}, Chosen: report.Spread{Median: .75}}
	a.run.Plan.Classify.Primary = "best-on-internal"
	text := strings.Join(a.honestyWarnings(), "\n")
	for _, want := range []string{"look for a leak", "a lucky one", "0.900", "best of 6", "too high by 0.020"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in %q", want, text)
		}
	}
}

// The report is written anew when evidence came in, whatever the run folder is called.
func TestReportSeesEvidence(t *testing.T) {
	r := &Run{Options: Options{RunDir: filepath.Join(t.TempDir(), "run [1]*")}}
	before, err := outsideReport(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(r.RunDir, robustnessDir), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.RunDir, robustnessDir, "nested.json"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	after, err := outsideReport(context.Background(), r)
	if err != nil || reflect.DeepEqual(before, after) {
		t.Errorf("%v and %v, %v", before, after, err)
	}
}

// What the leaks draw their divisions by, and the scores that they stand beside, are part of their key.
func TestEvidenceKey(t *testing.T) {
	plan, err := DefaultPlan("rigorous")
	if err != nil {
		t.Fatal(err)
	}
	r := &Run{Plan: plan, digests: map[string]string{"classify": "a"}}
	keys := map[string]bool{}
	for _, change := range []func(){func() {}, func() { r.Plan.Split.Train = 0.51 }, func() { r.digests["classify"] = "b" }} {
		change()
		key, err := r.nestedKey(leakyName, leakyVersion)
		if err != nil {
			t.Fatal(err)
		}
		keys[key] = true
	}
	if len(keys) != 3 {
		t.Errorf("%d keys of 3 computations", len(keys))
	}
}
