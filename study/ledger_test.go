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

// ledgerRun is a run folder with a training patient and two test patients, one of them with two lesions.
func ledgerRun(t *testing.T) *Run {
	t.Helper()
	r := &Run{Options: Options{RunDir: t.TempDir()}, key: "key"}
	r.cache.images = []imageRow{{Patient: "a", Unit: "a"}, {Patient: "b", Unit: "b#1"}, {Patient: "b", Unit: "b#2"}, {Patient: "c", Unit: "c"}}
	r.cache.splits = splitsOfSets(t, "a,train,0", "b,internal,", "c,external,")
	return r
}

func TestLedgerNotesReads(t *testing.T) {
	r := ledgerRun(t)
	path := filepath.Join(r.RunDir, ledgerFile)
	note := func(set, purpose string, ids ...string) {
		t.Helper()
		if err := r.readTest("evaluate", set, purpose, ids); err != nil {
			t.Fatal(err)
		}
	}
	note("train", "nothing", "a")
	note("internal", "measures", "b#1", "b#2")
	note("external", "measures", "c")
	note("internal", "measures", "b#2", "b#1") // the same stage, started again
	note("internal", "more", "b")
	reads, _, _, err := readLedger(path)
	if err != nil || len(reads) != 3 {
		t.Fatalf("%d reads, want 3 (%v)", len(reads), err)
	}
	if reads[0].N != 1 || reads[0].Patients != reads[2].Patients || reads[1].Seq != 2 || reads[1].Prev == "" {
		t.Errorf("%+v", reads)
	}
	if err := r.readTest("evaluate", "internal", "a leak", []string{"b#1", "a"}); err == nil || !strings.Contains(err.Error(), "patient a") {
		t.Errorf("a training patient among the test patients: %v", err)
	}
	torn := read(t, path) + `{"seq":4,"sta`
	if err := os.WriteFile(path, []byte(torn), 0o644); err != nil {
		t.Fatal(err)
	}
	note("external", "after a crash", "c")
	if reads, _, _, err := readLedger(path); err != nil || len(reads) != 4 {
		t.Errorf("%d reads after a torn line, want 4 (%v)", len(reads), err)
	}
}

func TestChangedLedgerIsAnError(t *testing.T) {
	r := ledgerRun(t)
	path := filepath.Join(r.RunDir, ledgerFile)
	for _, purpose := range []string{"one", "two", "three"} {
		if err := r.readTest("evaluate", "internal", purpose, []string{"b"}); err != nil {
			t.Fatal(err)
		}
	}
	good := read(t, path)
	lines := strings.SplitAfter(good, "\n")
	for name, bad := range map[string]string{
		"changed": strings.Replace(good, "two", "TWO", 1),
		"lost":    lines[0] + lines[2],
		"swapped": lines[1] + lines[0] + lines[2],
	} {
		if err := os.WriteFile(path, []byte(bad), 0o644); err != nil {
			t.Fatal(err)
		}
		var tampered *ErrTampered
		if err := r.readTest("evaluate", "internal", "four", []string{"b"}); !errors.As(err, &tampered) {
			t.Errorf("a %s line: %v", name, err)
		}
	}
	// A cut-off end does not break the chain, but the stage knows what it had noted.
	if err := os.WriteFile(path, []byte(good), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(r.RunDir, "07-evaluate")
	rec := record{Stage: "evaluate", Key: "key"}
	var err error
	if rec.Reads, err = readsOf(r.RunDir, "key"); err != nil || len(rec.Reads) != 3 {
		t.Fatal(rec.Reads, err)
	}
	if err := artifact.WriteJSON(filepath.Join(dir, recordFile), rec); err != nil {
		t.Fatal(err)
	}
	if _, err := reusable(dir, "key"); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte(lines[0]+lines[1]), 0o644); err != nil {
		t.Fatal(err)
	}
	var tampered *ErrTampered
	if _, err := reusable(dir, "key"); !errors.As(err, &tampered) {
		t.Errorf("a ledger without its last line: %v", err)
	}
}

// splitsOfSets makes frozen splits of lines "patient,set,fold".
func splitsOfSets(t *testing.T, lines ...string) *cohort.Splits {
	t.Helper()
	s := &cohort.Splits{Folds: 2}
	for _, l := range lines {
		part := strings.Split(l, ",")
		fold := -1
		if part[2] != "" {
			fold = int(part[2][0] - '0')
		}
		s.Patients = append(s.Patients, cohort.Assignment{Patient: part[0], Set: part[1], Fold: fold})
	}
	return s
}
