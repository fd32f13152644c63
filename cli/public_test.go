package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"sonotype/internal/golden"
)

// The tutorial on the public images, with a network small enough for a test: import, join, check, run.
func TestPublicImagesEndToEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 2,001 images twice")
	}
	busbra, breast := golden.Data(t, "bus-bra"), golden.Data(t, "breast-lesions-usg")
	dir := t.TempDir()
	for name, src := range map[string]string{"bus-bra": busbra, "breast-lesions-usg": breast} {
		if code, _, errOut := call(t, "import", name, src, "--out", filepath.Join(dir, name)); code != exitDone {
			t.Fatalf("import %s: exit code %d, %s", name, code, errOut)
		}
	}
	study := filepath.Join(dir, "study.yaml")
	text := "cohorts: [bus-bra/cohort.csv, breast-lesions-usg/cohort.csv]\ndevelopment: bus-bra\noutcome: {column: outcome, positive: [malignant]}\n" +
		"network: {backbone: densenet121, input: 64, layer: avgpool, train: {epochs: 0}}\nclassify: {models: [lr, rf]}\nselection: {components: 40}\n"
	if err := os.WriteFile(study, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	// Two normal cases have no outline: both commands end with the exit code that says so.
	if code, out, errOut := call(t, "check", study); code != exitExcluded {
		t.Fatalf("check: exit code %d, %s %s", code, out, errOut)
	}
	out := filepath.Join(dir, "run")
	if code, _, errOut := call(t, "run", study, "--out", out); code != exitExcluded {
		t.Fatalf("run: exit code %d, %s", code, errOut)
	}
	b, err := os.ReadFile(filepath.Join(out, "results.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Splits map[string]struct{ Patients, Images, Positive int }
		Models map[string]map[string]map[string]struct{ AUC float64 }
	}
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	train, internal, external := r.Splits["train"], r.Splits["internal"], r.Splits["external"]
	if train.Patients+internal.Patients != 1064 || train.Images+internal.Images != 1875 || train.Positive+internal.Positive != 342 {
		t.Errorf("BUS-BRA has 1064 patients, 1875 images, 342 malignant: %+v", r.Splits)
	}
	if external.Patients == 0 || external.Patients != external.Images {
		t.Errorf("BrEaST has one image a patient: %+v", external)
	}
	// The outline's shape alone tells benign from malignant: any working line finds that.
	for _, set := range []string{"train", "internal"} {
		if auc := r.Models["fusion"]["lr"][set].AUC; auc < 0.75 || auc > 0.98 {
			t.Errorf("fusion LR reaches %v on the %s set", auc, set)
		}
	}
}
