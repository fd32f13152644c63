package audit

import (
	"context"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
)

// ki67Once audits the published study that the presets follow.
var ki67Once = sync.OnceValues(func() (*Report, error) {
	p, err := Read("../examples/ki67-ultrasound-2025.yaml")
	if err != nil {
		return nil, err
	}
	return Run(context.Background(), p)
})

func ki67(t *testing.T) *Report {
	t.Helper()
	r, err := ki67Once()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// checkOf finds the check of a kind at a place.
func checkOf(t *testing.T, r *Report, kind, where string) Check {
	t.Helper()
	for _, c := range r.Checks {
		if c.Kind == kind && c.Where == where {
			return c
		}
	}
	t.Fatalf("no check %q at %q", kind, where)
	return Check{}
}

// The right and the printed p-values of both tables, and which come out only with Overall as a further group.
func TestKi67PValues(t *testing.T) {
	r := ki67(t)
	for _, c := range []struct {
		table, row     string
		right, printed float64
		status         string
		changes        bool
	}{
		{"Table 1", "T stage", .597, .930, StatusOverall, false},
		{"Table 1", "M stage", .424, .726, StatusOverall, false},
		{"Table 1", "N stage", .022, .105, StatusOverall, true},
		{"Table 1", "EGFR", .008, .046, StatusOverall, false},
		{"Table 2", "T stage", .855, .978, StatusOverall, false},
		{"Table 2", "M stage", .129, .251, StatusOverall, false},
		{"Table 2", "N stage", .005, .062, StatusNone, true},
		{"Table 2", "Ki-67", .112, .223, StatusOverall, false},
		{"Table 2", "EGFR", .984, .999, StatusOverall, false},
		{"Table 2", "ER", .089, .184, StatusOverall, false},
		{"Table 2", "HER2", .6695, .884, StatusOverall, false},
		{"Table 2", "PR", .780, .940, StatusOverall, false},
	} {
		res := rowOf(t, r, c.table, c.row)
		if math.Abs(float64(res.Tests[0].Lo)-c.right) > .00051 || math.Abs(float64(res.Value)-c.printed) > 1e-12 {
			t.Errorf("%s %s: %v, printed %v; want %v, %v", c.table, c.row, res.Tests[0].Lo, res.Value, c.right, c.printed)
		}
		if res.Status != c.status || res.Changes != c.changes {
			t.Errorf("%s %s: %s, changes %v", c.table, c.row, res.Status, res.Changes)
		}
	}
	at := func(row, test string) float64 {
		for _, p := range rowOf(t, r, "Table 1", row).Tests {
			if p.Test == test {
				return float64(p.Lo)
			}
		}
		return math.NaN()
	}
	if got := at("M stage", testYates); math.Abs(got-.516) > .0005 {
		t.Errorf("M stage with Yates: %v", got)
	}
	for _, row := range []string{"ER", "HER2", "PR"} {
		if res := rowOf(t, r, "Table 1", row); res.Status != StatusReproduced {
			t.Errorf("Table 1 %s: %s", row, res.Status)
		}
	}
}

func rowOf(t *testing.T, r *Report, table, row string) RowResult {
	t.Helper()
	for _, res := range r.Rows {
		if res.Table == table && res.Row == row {
			return res
		}
	}
	t.Fatalf("no row %s in %s", row, table)
	return RowResult{}
}

// The Overall column explains every row of means within its rounding, as it explains the counts, but for one row.
func TestKi67OverallColumn(t *testing.T) {
	r := ki67(t)
	for _, res := range r.Rows {
		explained := slices.ContainsFunc(res.Tests, func(p PRange) bool { return p.Overall && p.Matches })
		if want := !(res.Table == "Table 2" && res.Row == "N stage"); explained != want {
			t.Errorf("%s %s: explained by Overall: %v", res.Table, res.Row, explained)
		}
		for _, p := range res.Tests {
			if res.Table == "Table 2" && res.Row == "N stage" && p.Overall && math.Abs(float64(p.Lo)-.022) > .0005 {
				t.Errorf("Table 2 N stage with Overall: %v", p.Lo)
			}
		}
	}
	for table, want := range map[string]string{"Table 1": "further group: 4; only without it: 0; with neither: 0. Rows of means that need it too: 1.", "Table 2": "further group: 7; only without it: 0; with neither: 1. Rows of means that need it too: 2."} {
		if c := checkOf(t, r, "Overall column", table); c.Verdict != Contradiction || !strings.Contains(c.Message, want) {
			t.Errorf("%s: %s, %s", table, c.Verdict, c.Message)
		}
	}
}

// Every row of Tables 3 and 4 resolves to one whole-number matrix, external SVM to TP 84/95, TN 26/38.
func TestKi67Matrices(t *testing.T) {
	r := ki67(t)
	if len(r.Models) != 19 {
		t.Fatalf("%d models", len(r.Models))
	}
	var below []string
	for _, m := range r.Models {
		if m.Matrices != 1 {
			t.Errorf("%s %s: %d matrices", m.Group, m.Model, m.Matrices)
		}
		want := .661
		if m.Set == "external test" {
			want = .714
		}
		if math.Abs(float64(m.NoInformation)-want) > .0005 {
			t.Errorf("%s %s: no information %v", m.Group, m.Model, m.NoInformation)
		}
		if m.Accuracy < m.NoInformation {
			below = append(below, m.Group+" "+m.Model)
		}
		if c := checkOf(t, r, "AUC interval", m.Group+", "+m.Model); (c.Verdict == Agrees) != (m.Set == "internal test") {
			t.Errorf("%s %s: %s, %s", m.Group, m.Model, c.Verdict, c.Message)
		}
	}
	x := r.Models[len(r.Models)-1].Examples[0]
	if x.TP != 84 || x.FN != 11 || x.TN != 26 || x.FP != 12 {
		t.Errorf("external SVM: %+v", x)
	}
	want := []string{"Table 3, TA KNN", "Table 3, TA RandomForest", "Table 3, PTA LR", "Table 3, PTA KNN", "Table 3, PTA RandomForest", "Table 4, fusion KNN"}
	if !slices.Equal(below, want) {
		t.Errorf("worse than no model: %v", below)
	}
}

// The best of six, and who is called best.
func TestKi67Best(t *testing.T) {
	r := ki67(t)
	c := checkOf(t, r, "best model", "Table 3, PTA")
	if c.Verdict != Doubt || !strings.Contains(c.Message, "LR 0.673, SVM 0.684 and AdaBoost 0.632") {
		t.Errorf("%s: %s", c.Verdict, c.Message)
	}
	for _, c := range r.Checks {
		if c.Kind == "best model" && c.Where != "Table 3, PTA" {
			t.Errorf("%s: %s", c.Where, c.Message)
		}
	}
	for _, l := range r.Luck {
		half, most := float64(l.Gains[1].Mean), float64(l.Gains[len(l.Gains)-1].Mean)
		if l.K != 6 || half < .024 || half > .036 || most < .010 || most > .020 {
			t.Errorf("%s: %d models gain %v to %v", l.Group, l.K, most, half)
		}
	}
	if len(r.Luck) != 3 {
		t.Errorf("%d simulations", len(r.Luck))
	}
}

// What holds: every sum, every percentage, every Overall mean and SD.
func TestKi67Sums(t *testing.T) {
	r := ki67(t)
	n := map[string]int{}
	for _, c := range r.Checks {
		if c.Kind == "sum" || c.Kind == "percentage" || c.Kind == "mean and SD" {
			if n[c.Kind]++; c.Verdict != Agrees {
				t.Errorf("%s: %s", c.Where, c.Message)
			}
		}
	}
	if n["sum"] != 26 || n["percentage"] != 16 || n["mean and SD"] != 4 {
		t.Errorf("checks: %v", n)
	}
}

// No event counts are given: P = 0.005 may be many things.
func TestKi67Survival(t *testing.T) {
	c := checkOf(t, ki67(t), "events", "DFS internal test")
	if c.Verdict != Note || !strings.Contains(c.Message, "66 events at a hazard ratio of 2") {
		t.Errorf("%s: %s", c.Verdict, c.Message)
	}
}
