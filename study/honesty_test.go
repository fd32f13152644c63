package study

import (
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
