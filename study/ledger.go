package study

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"sonotype/cohort"
	"sonotype/internal/artifact"
	"sonotype/internal/problem"
)

// ledgerFile lists every time that outcomes and scores of a test set were read together. Lines are only ever added, and
// each carries the hash of the one before it, so that a changed or lost line shows.
const ledgerFile = "ledger.jsonl"

// robustnessDir holds what is computed after the line, on request: robustness/nested.json and others.
const robustnessDir = "robustness"

// testRead is a line of the ledger. It holds no date: a repeated run writes the same bytes.
type testRead struct {
	Seq      int    `json:"seq"` // from 1
	Stage    string `json:"stage"`
	StageKey string `json:"stage_key"`     // what the stage computed, and from what
	Set      string `json:"set"`           // internal, external, or a centre
	Patients string `json:"patients_hash"` // cohort.HashPatients
	N        int    `json:"n"`             // patients
	Purpose  string `json:"purpose"`
	Splits   string `json:"splits"` // SHA-256 of the splits that were frozen before (commitments.json)
	Prev     string `json:"prev"`   // SHA-256 of the line before, "" for the first
}

// same says whether two lines note the same read: the same stage with the same inputs, stopped and started again, learns
// nothing that it had not learnt before.
func (a testRead) same(b testRead) bool {
	a.Seq, a.Prev = b.Seq, b.Prev
	return a == b
}

// readTest notes in the ledger, before a stage reads them, that it is about to read the outcomes and scores of the given
// units (or patients) of a test set, and why. Every stage that touches a test set must call it first. The training set is
// no test set: nothing is noted. A patient of the training set among ids is an error.
func (r *Run) readTest(stage, set, purpose string, ids []string) error {
	if set == cohort.SetTrain {
		return nil
	}
	patients, err := r.testPatients(ids)
	if err != nil {
		return err
	}
	if r.parent != nil { // a sub-run's reads stand in the ledger of the study that asked for it
		r = r.parent
	}
	splits, err := r.splits()
	if err != nil {
		return err
	}
	r.noting.Lock()
	defer r.noting.Unlock()
	entry := testRead{
		Stage: stage, StageKey: r.key, Set: set, Patients: cohort.HashPatients(patients), N: len(patients), Purpose: purpose, Splits: splits.Hash,
	}
	return appendRead(filepath.Join(r.RunDir, ledgerFile), entry)
}

// readTestSets notes a read of every test set of the study, all of its patients.
func (r *Run) readTestSets(stage, purpose string) error {
	images, err := r.images()
	if err != nil {
		return err
	}
	for _, set := range []string{cohort.SetInternal, cohort.SetExternal} {
		var ids []string
		for _, im := range images {
			if im.Set == set {
				ids = append(ids, im.Patient)
			}
		}
		if len(ids) == 0 {
			continue
		}
		if err := r.readTest(stage, set, purpose, ids); err != nil {
			return err
		}
	}
	return nil
}

// testPatients turns units into patients, each once, and refuses those of the training set.
func (r *Run) testPatients(ids []string) ([]string, error) {
	images, err := r.images()
	if err != nil {
		return nil, err
	}
	splits, err := r.splits()
	if err != nil {
		return nil, err
	}
	patientOf := patientOfUnit(images)
	var out []string
	for _, id := range ids {
		if p, ok := patientOf[id]; ok {
			id = p
		}
		a, ok := splits.Of(id)
		if !ok || a.Set == cohort.SetTrain {
			return nil, &problem.Error{
				What: "a patient outside the test sets was about to be read as one of them", Patient: id,
				Try: "report this: a stage mixes up its sets",
			}
		}
		out = append(out, id)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// readLedger reads and checks the ledger; a run without one has read no test set. whole is the length of the lines that
// were written to their end: a run that was killed while it wrote leaves part of one, of a read that did not take place.
func readLedger(path string) (reads []testRead, whole int64, last string, err error) {
	b, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return nil, 0, "", err
	}
	b = b[:bytes.LastIndexByte(b, '\n')+1]
	for line := range bytes.Lines(b) {
		var e testRead
		if err := json.Unmarshal(line, &e); err != nil || e.Seq != len(reads)+1 || e.Prev != last {
			return nil, 0, "", brokenLedger(path, len(reads)+1, err)
		}
		sum := sha256.Sum256(line)
		last = hex.EncodeToString(sum[:])
		reads = append(reads, e)
	}
	return reads, int64(len(b)), last, nil
}

func brokenLedger(path string, line int, cause error) error {
	return &ErrTampered{&problem.Error{
		What: "the ledger of test-set reads was changed", File: path, Row: line, Err: cause,
		Expected: "each line numbered, with the SHA-256 of the line before it", Found: "a line that does not follow from the one before",
		Try: "restore the file, or start a new run with a fresh --out",
	}}
}

// appendRead adds a line and makes sure that it is on the disk, unless the same read stands there already.
func appendRead(path string, e testRead) error {
	reads, whole, last, err := readLedger(path)
	if err != nil || slices.ContainsFunc(reads, e.same) {
		return err
	}
	e.Seq, e.Prev = len(reads)+1, last
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("the ledger of test-set reads: %w", err)
	}
	defer f.Close()
	if err := f.Truncate(whole); err != nil {
		return err
	}
	if _, err := f.WriteAt(append(line, '\n'), whole); err != nil {
		return err
	}
	return f.Sync()
}

// readsOf are the hashes of the reads that a stage key has noted, without their place in the ledger.
func readsOf(runDir, key string) ([]string, error) {
	reads, _, _, err := readLedger(filepath.Join(runDir, ledgerFile))
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range reads {
		if e.StageKey != key {
			continue
		}
		e.Seq, e.Prev = 0, ""
		h, err := artifact.HashJSON(e)
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}
