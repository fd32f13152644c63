package study

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sonotype/checklist"
	"sonotype/internal/artifact"
	"sonotype/report"
)

// Every answer of a real run links to a section or a file that is there, and the authors' own answers stand in the report.
func TestChecklistsOfARun(t *testing.T) {
	t.Parallel()
	dir, out := cohortFolder(t, 60), t.TempDir()
	mustRun(t, dir, out, 0, `answers={tripod: {5b: "2015 to 2020"}, metrics: {3: "yes, histology"}}`, "classify.models=[lr, knn]", "sample_size.auc=0.8")
	page := read(t, filepath.Join(out, "report.html"))
	begin := strings.Index(page, `id="checklists"`)
	if begin < 0 {
		t.Fatal("the report has no checklists")
	}
	part := page[begin:]
	part = part[:strings.Index(part, "</section>")]
	links := regexp.MustCompile(`<a href="([^":]+)">`).FindAllStringSubmatch(part, -1)
	if len(links) < 100 {
		t.Errorf("only %d links", len(links))
	}
	for _, l := range links {
		if id, in := strings.CutPrefix(l[1], "#"); in {
			if !strings.Contains(page, `id="`+id+`"`) {
				t.Errorf("no section %s", id)
			}
		} else if _, err := os.Stat(filepath.Join(out, filepath.FromSlash(l[1]))); err != nil {
			t.Errorf("a link to a file that is not there: %v", err)
		}
	}
	if !strings.Contains(part, "2015 to 2020") {
		t.Error("the authors' answer is not in the report")
	}
	var r results
	if err := artifact.ReadJSON(filepath.Join(out, "results.json"), &r); err != nil {
		t.Fatal(err)
	}
	m := r.Checklists["metrics"]
	if m.Score == nil || m.Score.Lowest < 9 || m.Score.Highest <= m.Score.Lowest || len(r.Checklists) != 4 {
		t.Errorf("%+v", r.Checklists)
	}
	checkSizes(t, r.SampleSize)
}

// checkSizes: the same patients before and after the run, and the expected AUC before it.
func checkSizes(t *testing.T, s *report.SampleSize) {
	t.Helper()
	if s == nil || s.Before.Development == nil || s.After.Development == nil {
		t.Fatalf("%+v", s)
	}
	if b := s.Before.Development; b.AUC != 0.8 || b.Parameters != 40 || b.Patients != s.After.Development.Patients || b.Positive != s.After.Development.Positive {
		t.Errorf("before %+v, after %+v", b, s.After.Development)
	}
	if a := s.After.Development; a.Parameters > 40 || a.Parameters < 1 {
		t.Errorf("%d candidate parameters after the run", a.Parameters)
	}
	if len(s.Before.Validation) != 2 {
		t.Errorf("%d test sets before the run", len(s.Before.Validation))
	}
}

func TestAnswersAreChecked(t *testing.T) {
	for _, bad := range []string{"answers: {strobe: {1: x}}\n", "answers: {claim: {99: x}}\n", "answers: {metrics: {1: perhaps}}\n", "sample_size: {auc: 0.4}\n", "sample_size: {shrinkage: 1}\n", "sample_size: {widths: {auc: 0}}\n", "sample_size: {parameters: -1}\n"} {
		if _, err := LoadPlan(writeStudy(t, bad), "", nil); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
	p, err := LoadPlan(writeStudy(t, "answers: {clear: {8: Approved.}}\n"), "", nil)
	if err != nil || p.Answers["clear"]["8"] != "Approved." {
		t.Errorf("%v %v", p.Answers, err)
	}
}

// The facts are what the stages before the report have written; nothing of the report and the bundle is among them.
func TestRunFiles(t *testing.T) {
	dir := t.TempDir()
	for _, f := range []string{"plan.json", ".lock", "01-cohort/flow.json", "09-report/report.html", "10-bundle/model.sono", "robustness/old.json", ".checkpoints/x"} {
		os.MkdirAll(filepath.Join(dir, filepath.Dir(f)), 0o755)
		os.WriteFile(filepath.Join(dir, f), nil, 0o644)
	}
	files, err := runFiles(dir)
	if err != nil || strings.Join(files, " ") != "01-cohort/flow.json plan.json" {
		t.Errorf("%v %v", files, err)
	}
	f := &checklist.Facts{}
	evidenceDone(f, &report.Study{})
	if len(f.Robustness) > 0 {
		t.Errorf("%v", f.Robustness)
	}
}
