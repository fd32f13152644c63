package cli

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func checkValidate(t *testing.T, cohort, model string) {
	out, yaml := t.TempDir(), filepath.Join(cohort, "study.yaml")
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	// one image is lost: it is counted and the rest is validated
	table := filepath.Join(cohort, "cohort.csv")
	rows, err := csv.NewReader(strings.NewReader(readAll(t, table))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	lost := filepath.Join(cohort, rows[3][1])
	if err := os.WriteFile(lost, []byte("lost"), 0o644); err != nil {
		t.Fatal(err)
	}
	code, text, errOut := call(t, "validate", model, yaml, "--out", out, "--draws", "200", "--json")
	if code != exitExcluded {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	if text != read("validation.json") {
		t.Error("--json prints something else than validation.json")
	}
	var v struct {
		Flow struct {
			Analysed struct{ Patients struct{ N int } }
			LeftOut  []struct{ Reason string } `json:"left_out"`
		}
		Measured struct {
			Measures map[string]struct{ Value *float64 }
		}
		Riley    []struct{ N int } `json:"riley_validation_n"`
		Warnings []string
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"auc", "sensitivity", "calibration_slope", "oe", "brier", "ici", "pr_auc"} {
		if v.Measured.Measures[name].Value == nil {
			t.Errorf("no %s", name)
		}
	}
	if n := v.Flow.Analysed.Patients.N; n < 30 || n > 39 || len(v.Flow.LeftOut) == 0 {
		t.Errorf("flow %+v", v.Flow)
	}
	if len(v.Riley) < 3 || !strings.Contains(strings.Join(v.Warnings, " "), "Riley") {
		t.Errorf("no warning that 40 are few: %q", v.Warnings)
	}
	page := read("report.html")
	for _, want := range []string{"External validation", "Left out", "nothing was fitted", "Riley", "by the bundle"} {
		if !strings.Contains(page, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	cases, err := csv.NewReader(strings.NewReader(read("cases.csv"))).ReadAll()
	if err != nil || len(cases) != 41 {
		t.Errorf("%d rows in cases.csv, %v", len(cases), err)
	}
	checkNoCase(t, text, cases)

	other := filepath.Join(cohort, "other.yaml")
	if err := os.WriteFile(other, []byte(strings.Replace(readAll(t, yaml), "cutoff: 20", "cutoff: 30", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, text, _ := call(t, "validate", model, other, "--out", t.TempDir(), "--draws", "200"); !strings.Contains(text, "predicts another outcome") {
		t.Errorf("another cut-off brings no warning: %s", text)
	}
	for what, c := range map[string]struct {
		want int
		args []string
	}{
		"no folder":        {exitUsage, []string{model, yaml}},
		"no study":         {exitUsage, []string{model, filepath.Join(cohort, "none.yaml"), "--out", out}},
		"a strange bundle": {exitBundle, []string{yaml, yaml, "--out", out}},
		"no draws":         {exitUsage, []string{model, yaml, "--out", out, "--draws", "0"}},
	} {
		if code, _, errOut := call(t, append([]string{"validate"}, c.args...)...); code != c.want {
			t.Errorf("%s: exit code %d, want %d: %s", what, code, c.want, errOut)
		}
	}
}

func readAll(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// checkNoCase demands that the export names no patient and no image, and that no number in it is somebody's score or
// probability.
func checkNoCase(t *testing.T, export string, cases [][]string) {
	t.Helper()
	known := map[string]bool{}
	for _, row := range cases[1:] {
		for _, name := range []string{row[0], row[1], row[2], filepath.Base(row[2])} {
			if strings.Contains(export, name) {
				t.Errorf("the export names %q", name)
			}
		}
		for _, number := range row[3:7] {
			if len(number) > 4 { // a probability of 0.5 may be a measure too
				known[number] = true
			}
		}
	}
	d := json.NewDecoder(strings.NewReader(export))
	d.UseNumber()
	for {
		token, err := d.Token()
		if err != nil {
			break
		}
		if n, ok := token.(json.Number); ok && known[n.String()] {
			t.Errorf("the export holds somebody's %s", n)
		}
	}
	if len(known) < 30 {
		t.Errorf("only %d scores were looked for", len(known))
	}
}
