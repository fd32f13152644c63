package cli

import (
	"encoding/json"
	"math"
	"path/filepath"
	"testing"

	"sonotype/internal/golden"
)

// The worked example of docs/survival.md gives the figures that R's survival gives.
func TestSurvivalExample(t *testing.T) {
	table := golden.Data(t, "tables", "ki67-rfs", "Ki67_patient_level_derived.csv")
	var o struct {
		golden.Meta
		Figures map[string]float64
	}
	golden.Load(t, "../survival/testdata/oracle/evidence_ki67_example.json", &o)
	code, out, errOut := call(t, "evaluate", table, "--label", "RECURRENCE", "--score", "Marker_q75", "--patient", "PATIENT_ID",
		"--time", "RECFREESURV_MO", "--event", "RECURRENCE", "--threshold", "713.2", "--covariates", "AGE_AT_DX,Tstage,HistologicalGrade",
		"--strata", "NodeSt", "--times", "36,60,120", "--horizon", "120", "--draws", "200", "--report", filepath.Join(t.TempDir(), "ki67.html"), "--json")
	if code != exitDone {
		t.Fatalf("exit code %d, %s", code, errOut)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	for name, want := range o.Figures {
		if v, ok := got[name].(float64); !ok || !(math.Abs(v-want) <= o.Tolerance*(1+math.Abs(want))) {
			t.Errorf("%s = %v, R %v", name, got[name], want)
		}
	}
}
