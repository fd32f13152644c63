package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// call runs a command line and returns its exit code and streams.
func call(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	code = Main(args, &o, &e)
	return code, o.String(), e.String()
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// Four positives and four negatives with one pair out of order: AUC 15/16 by hand.
const scoresCSV = `id,y,score,months,event
a,1,0.9,5,1
b,1,0.8,8,1
c,1,0.7,12,0
d,0,0.6,20,1
e,1,0.55,24,0
f,0,0.3,30,0
g,0,0.2,36,0
h,0,0.1,40,0
`

func TestEvaluateJSON(t *testing.T) {
	path := file(t, "scores.csv", scoresCSV)
	code, out, errOut := call(t, "evaluate", path, "--label", "y", "--score", "score", "--time", "months", "--event", "event", "--threshold", "0.5", "--json")
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	var r map[string]any
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	want := map[string]float64{"n": 8, "positive": 4, "auc": 15.0 / 16, "tp": 4, "fp": 1, "tn": 3, "fn": 0, "sensitivity": 1, "specificity": 0.75, "n_high": 5, "events": 3}
	for k, v := range want {
		if got, ok := r[k].(float64); !ok || math.Abs(got-v) > 1e-12 {
			t.Errorf("%s = %v, want %v", k, r[k], v)
		}
	}
}

func TestEvaluateAveragesByPatient(t *testing.T) {
	path := file(t, "scores.csv", "id,y,s\na,1,0.9\na,1,0.1\nb,0,0.2\nc,1,0.8\nd,0,0.4\n")
	code, out, errOut := call(t, "evaluate", path, "--label", "y", "--score", "s", "--patient", "id", "--json")
	if code != exitDone || !strings.Contains(out, `"n": 4`) {
		t.Errorf("exit code %d, %s %s", code, out, errOut)
	}
	bad := file(t, "scores.csv", "id,y,s\na,1,0.9\na,0,0.1\nb,0,0.2\n")
	if code, _, errOut := call(t, "evaluate", bad, "--label", "y", "--score", "s", "--patient", "id"); code != exitFailed || !strings.Contains(errOut, "a") {
		t.Errorf("two labels for one patient: exit code %d, %s", code, errOut)
	}
}

func TestTable1JSON(t *testing.T) {
	rows := "er,age,stage\n"
	for i := range 40 {
		rows += fmt.Sprintf("%d,%d,T%d\n", i%2, 40+i*7%30+i%2*5, i%3)
	}
	code, out, errOut := call(t, "table1", file(t, "t.csv", rows), "--by", "er", "--json")
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	var vars []struct {
		Variable, Test string
		P              *float64
	}
	if err := json.Unmarshal([]byte(out), &vars); err != nil {
		t.Fatal(err)
	}
	if len(vars) != 2 || vars[0].Variable != "age" || vars[0].P == nil || !strings.Contains(vars[0].Test, "Welch") {
		t.Errorf("%+v", vars)
	}
}

func TestClassifyEveryModel(t *testing.T) {
	table := func(n, shift int) string {
		s := "id,y,a,b\n"
		for i := range n {
			y := i % 2
			s += fmt.Sprintf("p%d,%d,%g,%g\n", i, y, float64(y)*2+math.Sin(float64(i*7+shift)), math.Cos(float64(i*13+shift)))
		}
		return s
	}
	train, test := file(t, "train.csv", table(80, 0)), file(t, "test.csv", table(30, 3))
	for _, model := range []string{"lr", "svm", "knn", "rf", "lightgbm", "adaboost"} {
		out := filepath.Join(t.TempDir(), "scores.csv")
		code, _, errOut := call(t, "classify", train, test, "--label", "y", "--id", "id", "--model", model, "--out", out)
		if code != exitDone {
			t.Fatalf("%s: exit code %d: %s", model, code, errOut)
		}
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(b)), "\n")
		head := "id,y,score"
		if model == "svm" {
			head += ",decision"
		}
		if len(lines) != 31 || lines[0] != head {
			t.Errorf("%s: %d lines, header %s", model, len(lines), lines[0])
		}
		_, json, _ := call(t, "evaluate", out, "--label", "y", "--score", "score", "--json")
		if !strings.Contains(json, `"auc": 0.9`) && !strings.Contains(json, `"auc": 1`) && !strings.Contains(json, `"auc": 0.8`) {
			t.Errorf("%s does not learn a plain signal: %s", model, json)
		}
	}
}

func TestUsageErrors(t *testing.T) {
	cases := [][]string{
		{"run"}, {"nosuchcommand"}, {"run", "a.yaml", "--nosuchflag"}, {"evaluate", "x.csv"},
		{"classify", "a.csv", "b.csv", "--label", "y", "--model", "xgboost"}, {"bench", "--isa", "mmx"},
		{"evaluate", "x.csv", "--label", "y", "--score", "s", "--threshold", "high"}, {"run", "no/such/study.yaml"},
	}
	for _, args := range cases {
		if code, _, errOut := call(t, args...); code != exitUsage || errOut == "" {
			t.Errorf("%v: exit code %d, want %d; %s", args, code, exitUsage, errOut)
		}
	}
}

func TestEveryCommandHelps(t *testing.T) {
	for _, c := range (&app{}).root().Commands() {
		if c.Name() == "help" || c.Name() == "completion" {
			continue
		}
		code, out, _ := call(t, c.Name(), "-h")
		if code != exitDone || !strings.Contains(out, "Examples:") || !strings.Contains(out, "Exit codes:") {
			t.Errorf("%s -h lacks an example or the exit codes", c.Name())
		}
	}
}

func TestBadCohortExitCode(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "cohort.csv"), []byte("patient_id,image,mask,centre,outcome\np1,a.png,a_mask.png,A,1\np2,b.png,b_mask.png,A,0\n"), 0o644)
	study := filepath.Join(dir, "study.yaml")
	os.WriteFile(study, []byte("cohorts: [cohort.csv]\n"), 0o644)
	code, out, _ := call(t, "check", study)
	if code != exitBadCohort || !strings.Contains(out, "a.png") || !strings.Contains(out, "cohort.csv:2") {
		t.Errorf("exit code %d, %s", code, out)
	}
}
