package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAudit(t *testing.T) {
	page := filepath.Join(t.TempDir(), "audit.html")
	code, out, errOut := call(t, "audit", "../examples/ki67-ultrasound-2025.yaml", "--report", page)
	if code != exitDone {
		t.Fatalf("findings are not failures: exit code %d, %s", code, errOut)
	}
	for _, want := range []string{"CONTRADICTION (14)", "Table 1, N stage: p-value", "chi-square gives 0.022", "only when the Overall", "best model"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
	if strings.Contains(out, "AGREES") {
		t.Error("what agrees is printed without --all")
	}
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<!doctype html>", "only with Overall; across 0.05", "TP 84, FN 11, TN 26, FP 12", "The best of several", "<svg", "data:text/csv"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%q is missing in the page", want)
		}
	}
	if strings.Contains(string(b), "http://") && !strings.Contains(string(b), "http://www.w3.org") {
		t.Error("the page needs the network")
	}
}

func TestAuditJSON(t *testing.T) {
	code, out, _ := call(t, "audit", "../examples/clean-study.yaml", "--json")
	var r struct {
		Counts map[string]int
		Checks []struct{ Check, Where, Verdict, Message string }
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != exitDone {
		t.Fatalf("exit code %d, %v", code, err)
	}
	if r.Counts["agrees"] < 20 || r.Counts["contradiction"]+r.Counts["doubt"]+r.Counts["note"] > 0 || len(r.Checks) < 20 {
		t.Errorf("%+v", r.Counts)
	}
	code, text, _ := call(t, "audit", "../examples/clean-study.yaml", "--all")
	if code != exitDone || !strings.Contains(text, "AGREES") || !strings.Contains(text, "0 contradictions, 0 doubts, 0 notes") {
		t.Errorf("exit code %d: %s", code, text)
	}
}

func TestAuditErrors(t *testing.T) {
	bad := file(t, "paper.yaml", "title: x\ntotal:\n  - {name: a}\n")
	code, _, errOut := call(t, "audit", bad)
	if code != exitFailed || !strings.Contains(errOut, "2 |") || !strings.Contains(errOut, `did you mean "totals"`) && !strings.Contains(errOut, `did you mean "total"`) {
		t.Errorf("exit code %d: %s", code, errOut)
	}
	if code, _, _ := call(t, "audit"); code != exitUsage {
		t.Errorf("no file: exit code %d", code)
	}
	if code, _, _ := call(t, "audit", "missing.yaml"); code != exitFailed {
		t.Errorf("missing file: exit code %d", code)
	}
}
