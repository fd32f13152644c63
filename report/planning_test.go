package report

import (
	"strings"
	"testing"

	"sonotype/checklist"
	"sonotype/samplesize"
)

// samplePlanning is a study of the paper's size: too small for its features, its test sets too small for a precise slope.
func samplePlanning(t testing.TB) Planning {
	assess := func(parameters int, auc, threshold float64) samplesize.Assessment {
		d := must[*samplesize.DevelopmentCheck](t)(samplesize.CheckDevelopment(557, 409, parameters, auc, 0.9))
		a := samplesize.Assessment{Development: d}
		a.Validate("internal", 239, 158, must[samplesize.Validation](t)(samplesize.Anticipate(0.66, auc, threshold)), samplesize.DefaultTargets())
		a.Validate("external", 133, 133, must[samplesize.Validation](t)(samplesize.Anticipate(0.71, auc, threshold)), samplesize.DefaultTargets())
		return a
	}
	f := &checklist.Facts{Sections: []string{"patients", "methods"}, Files: []string{"plan.json", "01-cohort/flow.json"}, PatientsRead: 929, PatientsAnalysed: 917, Centres: []string{"A", "<b>B</b>"}}
	return Planning{
		SampleSize: &SampleSize{Before: assess(512, 0.7, 0), After: assess(12, 0.82, 0.5)},
		Checklists: checklist.Fill(f, checklist.Answers{"tripod": {"17": "Approved <script>alert(1)</script>"}}),
	}
}

func TestPlanningSections(t *testing.T) {
	s := sampleStudy(t)
	s.Planning = samplePlanning(t)
	files := write(t, "planning", s)
	page := files["report.html"]
	for _, want := range []string{
		`id="sample-size"`, `id="checklists"`, "TRIPOD&#43;AI", "58 items", "Score between",
		"<td class=\"num\">557 (409)</td><td class=\"num\">512</td>", "Not assessed: Before the run, external", // all 133 positive: impossible
		`<a href="01-cohort/flow.json">`, "&lt;b&gt;B&lt;/b&gt;", "For the authors:",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "<script") || strings.Contains(page, "<b>B") {
		t.Error("text of the study is read as HTML")
	}
	csv := files["tables/sample-size.csv"]
	if !strings.Contains(csv, "before,development,557,409,0.7,512,shrinkage,") || !strings.Contains(csv, "after,internal,239,158,0.82,,net_benefit,") {
		t.Error(csv)
	}
	for _, key := range []string{"tripod", "claim", "clear", "metrics"} {
		if n := strings.Count(files["tables/checklist-"+key+".csv"], "\n"); n < 31 {
			t.Errorf("checklist-%s.csv has %d lines", key, n)
		}
	}
}

// Without them, neither section is there.
func TestNoPlanning(t *testing.T) {
	if page := write(t, "no-planning", sampleStudy(t))["report.html"]; strings.Contains(page, `id="sample-size"`) || strings.Contains(page, `id="checklists"`) {
		t.Error("empty sections are shown")
	}
}

func TestScoreInWords(t *testing.T) {
	for _, c := range []struct {
		score *checklist.Score
		want  string
	}{
		{nil, ""},
		{&checklist.Score{Lowest: 61.25, Highest: 61.25, Yes: 18, No: 10, Apart: 2}, "Score 61.2 % (18 yes, 10 no, 2 not applicable)."},
		{&checklist.Score{Lowest: 40, Highest: 80, Yes: 10, No: 6, Apart: 2, Open: 12}, "Score between 40.0 % and 80.0 %"},
	} {
		if got := scoreInWords(c.score); !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
