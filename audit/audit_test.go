package audit

import (
	"encoding/json"
	"strings"
	"testing"
)

// auditOf audits a file's text.
func auditOf(t *testing.T, text string) *Report {
	t.Helper()
	p, err := Parse([]byte(text), "paper.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const small = `
tables:
  - name: T1
    groups: [{name: a, n: 50}, {name: b, n: 40}]
    overall: 90
    rows:
      - name: stage
        p: 0.045
        levels:
          - {name: low, cells: ["30 (60.0%)", "32 (80.0%)", "62 (68.9%)"]}
          - {name: high, cells: ["20 (40.0%)", "8 (20.0%)", "28 (31.1%)"]}
      - name: age
        cells: ["50.1 (9.8)", "52.0 (10.4)", "50.9 (10.1)"]
        p: 0.37
`

func TestCleanTable(t *testing.T) {
	r := auditOf(t, strings.Replace(small, "0.045", "0.042", 1))
	if f := r.Findings(); len(f) > 0 {
		t.Errorf("%+v", f)
	}
}

// Each change of one figure is found.
func TestFindings(t *testing.T) {
	for _, c := range []struct {
		name, old, new string
		kind, where    string
		verdict        Verdict
		says           string
	}{
		{"wrong P", "0.045", "0.031", "p-value", "T1, stage", Contradiction, "No test that was tried"},
		{"Overall as a group", "0.045", "0.126", "p-value", "T1, stage", Contradiction, "only when the Overall column"},
		{"wrong percentage", "80.0%", "81.0%", "percentage", "T1, stage", Contradiction, "32 of 40 is 80.0%"},
		{"levels above n", `"30 (60.0%)", "32 (80.0%)", "62`, `"31 (62.0%)", "32 (80.0%)", "63`, "sum", "T1, stage", Contradiction, "add up to 51"},
		{"missing", `"8 (20.0%)", "28 (31.1%)"`, `"7 (17.5%)", "27 (30.0%)"`, "sum", "T1, stage", Note, "1 are missing"},
		{"wrong Overall", "28 (31.1%)", "27 (30.0%)", "sum", "T1, stage, high", Contradiction, "add up to 28"},
		{"wrong size", "overall: 90", "overall: 91", "sum", "T1", Contradiction, "hold 90"},
		{"Overall mean", "50.9 (10.1)", "52.9 (10.1)", "mean and SD", "T1, age", Contradiction, "Overall mean"},
		{"Overall SD", "50.9 (10.1)", "50.9 (12.1)", "mean and SD", "T1, age", Contradiction, "Overall SD"},
		{"t test", "p: 0.37", "p: 0.02", "p-value", "T1, age", Doubt, "a rank test"},
	} {
		r := auditOf(t, strings.Replace(small, c.old, c.new, 1))
		found := false
		for _, f := range r.Findings() {
			found = found || f.Kind == c.kind && f.Where == c.where && f.Verdict == c.verdict && strings.Contains(f.Message, c.says)
		}
		if !found {
			t.Errorf("%s: not found in %+v", c.name, r.Findings())
		}
	}
}

const model = `
sets: [{name: test, positive: 60, negative: 40}]
models:
  - name: M
    set: test
    models:
      - {name: lr, accuracy: 0.790, auc: 0.850, ci: [0.773, 0.927], sensitivity: 0.800, specificity: 0.775, f1: 0.821}
`

func TestModelFindings(t *testing.T) {
	if f := auditOf(t, model).Findings(); len(f) > 0 {
		t.Errorf("clean model: %+v", f)
	}
	for _, c := range []struct {
		name, old, new, kind string
		verdict              Verdict
		says                 string
	}{
		{"impossible sensitivity", "0.800", "0.805", "confusion matrix", Contradiction, "without the sensitivity"},
		{"impossible F1", "0.821", "0.831", "confusion matrix", Contradiction, "without the F1"},
		{"other class", "sensitivity: 0.800, specificity: 0.775, f1: 0.821", "sensitivity: 0.775, specificity: 0.800, f1: 0.747", "confusion matrix", Contradiction, "of the other class"},
		{"cut digits", "sensitivity: 0.800, specificity: 0.775, f1: 0.821", "sensitivity: 0.816, specificity: 0.750, f1: 0.823", "confusion matrix", Contradiction, "cut off instead of rounded"},
		{"too narrow", "[0.773, 0.927]", "[0.840, 0.860]", "AUC interval", Contradiction, "more units than patients"},
		{"narrow", "[0.773, 0.927]", "[0.778, 0.922]", "AUC interval", Doubt, "narrower than normal"},
		{"too wide", "[0.773, 0.927]", "[0.730, 0.970]", "AUC interval", Contradiction, "fewer patients"},
		{"wide", "[0.773, 0.927]", "[0.750, 0.950]", "AUC interval", Doubt, "wider than normal"},
		{"outside", "[0.773, 0.927]", "[0.860, 0.927]", "AUC interval", Contradiction, "outside its own interval"},
		{"operating point", "auc: 0.850, ci: [0.773, 0.927]", "auc: 0.961", "operating point", Contradiction, "allows an AUC from"},
		{"no interval", ", ci: [0.773, 0.927]", "", "AUC interval", Note, "no confidence interval"},
		{"no better", "accuracy: 0.790, auc: 0.850, ci: [0.773, 0.927], sensitivity: 0.800, specificity: 0.775, f1: 0.821", "accuracy: 0.62, sensitivity: 0.700, specificity: 0.500", "accuracy", Note, "not shown to be better"},
		{"worse", "accuracy: 0.790, auc: 0.850, ci: [0.773, 0.927], sensitivity: 0.800, specificity: 0.775, f1: 0.821", "accuracy: 0.55, sensitivity: 0.550, specificity: 0.550", "accuracy", Doubt, "worse than no model"},
	} {
		r := auditOf(t, strings.Replace(model, c.old, c.new, 1))
		found := false
		for _, f := range r.Findings() {
			found = found || f.Kind == c.kind && f.Verdict == c.verdict && strings.Contains(f.Message, c.says)
		}
		if !found {
			t.Errorf("%s: not found in %+v", c.name, r.Checks)
		}
	}
}

// Without the classes, matrices are searched over all of them.
func TestClassesUnknown(t *testing.T) {
	r := auditOf(t, strings.Replace(model, "positive: 60, negative: 40", "n: 100", 1))
	m := r.Models[0]
	if m.Matrices < 1 || m.Examples[0].TP+m.Examples[0].FP+m.Examples[0].TN+m.Examples[0].FN != 100 {
		t.Errorf("%+v", m)
	}
	if m.SE != nil || !m.NoInformation.IsNaN() {
		t.Errorf("what needs the classes was computed: %+v", m)
	}
}

func TestSurvivalFindings(t *testing.T) {
	// R survival: lung ~ sex, 165 events, HR 0.588 (0.424 to 0.816), log-rank P 0.0013.
	const lung = "survival: [{name: OS, n: 228, events: 165, hr: 0.588, ci: [0.424, 0.816], p: 0.0013}]\n"
	if f := auditOf(t, lung).Findings(); len(f) > 0 {
		t.Errorf("R's own figures: %+v", f)
	}
	for _, c := range []struct {
		name, old, new, kind string
		verdict              Verdict
		says                 string
	}{
		{"not in the middle", "0.588", "0.66", "hazard ratio", Doubt, "log scale"},
		{"outside", "0.588", "0.91", "hazard ratio", Contradiction, "outside its own interval"},
		{"too few events", "165", "60", "events", Contradiction, "60 events allow"},
		{"P not of the ratio", "0.0013", "0.04", "hazard ratio and P", Doubt, "too far apart"},
		{"disagree on significance", "0.0013", "0.21", "hazard ratio and P", Doubt, "disagree on significance"},
		{"no events", "events: 165, hr: 0.588, ci: [0.424, 0.816], ", "", "events", Note, "No event counts"},
	} {
		r := auditOf(t, strings.Replace(lung, c.old, c.new, 1))
		found := false
		for _, f := range r.Findings() {
			found = found || f.Kind == c.kind && f.Verdict == c.verdict && strings.Contains(f.Message, c.says)
		}
		if !found {
			t.Errorf("%s: not found in %+v", c.name, r.Checks)
		}
	}
}

func TestSizesOfSetsAndCurves(t *testing.T) {
	r := auditOf(t, strings.Replace(model, "{name: test, positive", "{name: test, n: 101, positive", 1)+"survival: [{name: s, p: 0.2, n: 40, events: 9, groups: [{name: a, n: 20, events: 4}, {name: b, n: 19, events: 5}]}]\n")
	if c := checkOf(t, r, "sum", "test"); c.Verdict != Contradiction || !strings.Contains(c.Message, "100 patients, the set has 101") {
		t.Errorf("%+v", c)
	}
	if c := checkOf(t, r, "sum", "s"); c.Verdict != Contradiction || !strings.Contains(c.Message, "39 patients, printed is 40") {
		t.Errorf("%+v", c)
	}
	if r.Counts[string(Contradiction)] < 2 {
		t.Errorf("%+v", r.Counts)
	}
}

func TestTotalsAndShares(t *testing.T) {
	r := auditOf(t, "totals: [{name: centres, parts: [796, 133], total: 928}]\nshares: [{name: train, count: 557, of: 796, printed: 71%}, {name: high, count: 662, of: 929, printed: 0.713}]\n")
	if r.Counts[string(Contradiction)] != 2 || r.Counts[string(Agrees)] != 1 {
		t.Errorf("%+v", r.Checks)
	}
}

// The same file gives the same report, and the report survives JSON.
func TestSameReport(t *testing.T) {
	const two = small + model + "      - {name: svm, auc: 0.80}\n"
	a, b := mustJSON(t, auditOf(t, two)), mustJSON(t, auditOf(t, two))
	if a != b {
		t.Error("two audits differ")
	}
	if strings.Contains(a, "NaN") || !strings.Contains(a, `"gains"`) {
		t.Error(a)
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The made-up study has no finding and tests nearly everything.
func TestCleanStudy(t *testing.T) {
	p, err := Read("../examples/clean-study.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if f := r.Findings(); len(f) > 0 {
		t.Errorf("%+v", f)
	}
	if n := r.Counts[string(Agrees)]; n < 22 {
		t.Errorf("%d checks agree", n)
	}
}

func TestHugeComparisonsAreNotSimulated(t *testing.T) {
	text := "sets: [{name: s, positive: 4000, negative: 8000}]\nmodels:\n  - {name: m, set: s, models: [{name: a, auc: 0.80}, {name: b, auc: 0.81}]}\n"
	r := auditOf(t, text)
	for _, c := range r.Checks {
		if c.Kind == "best of several" && c.Verdict == Untestable {
			return
		}
	}
	t.Errorf("%+v", r.Checks)
}
