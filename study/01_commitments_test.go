package study

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sonotype/cohort"
	"sonotype/internal/artifact"
)

// Splits that were drawn anew behind the run's back, with a hash of their own, are not those that it committed to; nor
// may an image move to another set, or the list of a fit's patients change.
func TestCommitments(t *testing.T) {
	r := &Run{Options: Options{RunDir: t.TempDir()}}
	dir := r.dir(1, "cohort")
	s := splitsOfSets(t, "a,train,0", "b,train,1", "c,internal,", "d,external,")
	write := func(s *cohort.Splits) {
		t.Helper()
		lines := "patient_id,set,fold\n"
		for _, a := range s.Patients {
			fold := ""
			if a.Fold >= 0 {
				fold = string(rune('0' + a.Fold))
			}
			lines += strings.Join([]string{a.Patient, a.Set, fold}, ",") + "\n"
		}
		path := filepath.Join(dir, "splits.csv")
		if err := artifact.WriteBytes(path, []byte(lines)); err != nil {
			t.Fatal(err)
		}
		var err error
		if s.Hash, err = artifact.HashFile(path); err != nil {
			t.Fatal(err)
		}
		if err := s.Write(path); err != nil {
			t.Fatal(err)
		}
	}
	write(s)
	if err := artifact.WriteJSON(filepath.Join(dir, commitmentsFile), commit(s)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.splits(); err != nil {
		t.Fatal(err)
	}
	images := []imageRow{{Patient: "a", Set: cohort.SetTrain, Fold: 0}, {Patient: "c", Set: cohort.SetInternal, Fold: -1}}
	if err := inTheirSets("images.csv", images, s); err != nil {
		t.Error(err)
	}
	images[1].Set = cohort.SetExternal
	if err := inTheirSets("images.csv", images, s); err == nil || !strings.Contains(err.Error(), "row 3, patient c") {
		t.Errorf("an image in another set: %v", err)
	}
	write(splitsOfSets(t, "a,train,0", "b,internal,", "c,train,1", "d,external,"))
	r.cache.splits = nil
	var tampered *ErrTampered
	if _, err := r.splits(); !errors.As(err, &tampered) || !strings.Contains(err.Error(), "committed") {
		t.Errorf("other splits: %v", err)
	}
	fit := t.TempDir()
	if err := writeFittedOn(fit, patientSet{"b": true, "a": true}); err != nil {
		t.Fatal(err)
	}
	if seen, err := readFittedOn(fit); err != nil || len(seen) != 2 || seen.mustNotHold("a", "selection") == nil {
		t.Errorf("%v (%v)", seen, err)
	}
	path := filepath.Join(fit, fittedOnFile)
	if err := os.WriteFile(path, []byte(strings.Replace(read(t, path), `"b"`, `"c"`, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := readFittedOn(fit); !errors.As(err, &tampered) {
		t.Errorf("a changed list of patients: %v", err)
	}
}

// A selection that knows a fold's patients blocks their scores, though the model itself does not know them.
func TestSelectionLocksScores(t *testing.T) {
	t.Parallel()
	dir, out := cohortFolder(t, 60), t.TempDir()
	mustRun(t, dir, out, 0, "classify.models=[lr]")
	r := reopened(t, dir, out, "classify.models=[lr]")
	c, err := newClassification(r, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.outOfFold(t.Context()); err != nil {
		t.Fatal(err)
	}
	all, err := readFittedOn(filepath.Join(r.dir(5, "selection"), "final"))
	if err != nil {
		t.Fatal(err)
	}
	if err := writeFittedOn(filepath.Join(r.dir(5, "selection"), "fold-0"), all); err != nil {
		t.Fatal(err)
	}
	if err := c.outOfFold(t.Context()); err == nil || !strings.Contains(err.Error(), "learnt from") {
		t.Errorf("a selection that saw the fold: %v", err)
	}
}
