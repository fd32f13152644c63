package study

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sonotype/cohort"
	"sonotype/internal/artifact"
	"sonotype/internal/problem"
)

// ErrTampered marks artefacts that are not what their stage wrote (exit code 11).
type ErrTampered struct{ Problem *problem.Error }

func (e *ErrTampered) Error() string { return e.Problem.Error() }
func (e *ErrTampered) Unwrap() error { return e.Problem }

// record is stage.json: which inputs gave which outputs. It is written last, so its presence means that the stage is whole.
type record struct {
	Stage   string            `json:"stage"`
	Version int               `json:"version"`
	Key     string            `json:"key"`             // hash of the stage's name, version, parameters and inputs
	Outputs map[string]string `json:"outputs"`         // file -> SHA-256
	Digest  string            `json:"digest"`          // hash over Outputs, what later stages depend on
	Reads   []string          `json:"reads,omitempty"` // of test sets: hashes of the lines that the stage left in the ledger
}

const recordFile = "stage.json"

// stageKey hashes everything that may change a stage's output.
func stageKey(s *stage, p *Plan, outside any, inputs map[string]string) (string, error) {
	return artifact.HashJSON(map[string]any{
		"stage": s.name, "version": s.version, "params": s.params(p), "outside": outside, "inputs": inputs,
	})
}

// seal hashes a finished stage's files and returns its record.
func seal(s *stage, key, dir string) (*record, error) {
	outputs := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == recordFile {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		outputs[filepath.ToSlash(rel)], err = artifact.HashFile(path)
		return err
	})
	if err != nil {
		return nil, err
	}
	digest, err := artifact.HashJSON(outputs)
	return &record{Stage: s.name, Version: s.version, Key: key, Outputs: outputs, Digest: digest}, err
}

// reusable returns the record of an earlier run of the stage if its key is the same and its files are whole,
// nil if the stage must run, and ErrTampered if a file was changed behind its back.
func reusable(dir, key string) (*record, error) {
	var rec record
	if err := artifact.ReadJSON(filepath.Join(dir, recordFile), &rec); err != nil || rec.Key != key {
		return nil, nil
	}
	for name, want := range rec.Outputs {
		path := filepath.Join(dir, filepath.FromSlash(name))
		got, err := artifact.HashFile(path)
		if os.IsNotExist(err) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if got != want {
			return nil, &ErrTampered{&problem.Error{
				What: "a result file was changed after its stage wrote it", File: path,
				Expected: "sha256 " + want[:16], Found: "sha256 " + got[:16],
				Try: "delete the folder " + filepath.Base(dir) + " to have the stage computed again, or use a fresh --out",
			}}
		}
	}
	return &rec, keptReads(dir, &rec)
}

// keptReads checks that the ledger still holds what the stage noted there.
func keptReads(dir string, rec *record) error {
	runDir := filepath.Dir(dir)
	kept, err := readsOf(runDir, rec.Key)
	if err != nil {
		return err
	}
	for _, h := range rec.Reads {
		if !slices.Contains(kept, h) {
			return &ErrTampered{&problem.Error{
				What: "the ledger lacks a read of a test set that stage " + rec.Stage + " made", File: filepath.Join(runDir, ledgerFile),
				Try: "restore the file, or start a new run with a fresh --out",
			}}
		}
	}
	return nil
}

// lockBook is lock.json: the digest that each stage key has given in this run folder.
type lockBook map[string]string

const lockFile = "lock.json"

// admit notes a stage's digest and refuses a second, different one for the same key:
// the program would then not be deterministic.
func (l lockBook) admit(runDir string, rec *record) error {
	id := rec.Stage + " " + rec.Key
	if old, ok := l[id]; ok && old != rec.Digest {
		return &ErrTampered{&problem.Error{
			What: "stage " + rec.Stage + " gave a different output for the same inputs", File: filepath.Join(runDir, lockFile),
			Expected: "digest " + old[:16], Found: "digest " + rec.Digest[:16],
			Try: "report this with the output of `sonotype bench`; a fresh --out starts without the old result",
		}}
	}
	l[id] = rec.Digest
	return artifact.WriteJSON(filepath.Join(runDir, lockFile), l)
}

// removeStale empties a stage's folder before it runs; stage.json goes first, so that a crash in between leaves no whole-looking stage.
func removeStale(dir string) error {
	if err := os.Remove(filepath.Join(dir, recordFile)); err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.MkdirAll(dir, 0o755)
}

// checkpointDir is the folder of unfinished trainings in a run.
const checkpointDir = ".checkpoints"

// sweep removes what killed writers left in the run folder.
func sweep(runDir string) error {
	for _, dir := range []string{runDir, filepath.Join(runDir, checkpointDir)} {
		entries, err := os.ReadDir(dir)
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".tmp-") {
				if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// patientSet holds the patients that something has learnt from.
type patientSet map[string]bool

func patientsOf(images []imageRow, idx []int) patientSet {
	s := patientSet{}
	for _, i := range idx {
		s[images[i].Patient] = true
	}
	return s
}

// mustNotHold refuses to score a patient that the scorer, a model or a network, has learnt from.
func (s patientSet) mustNotHold(patient, scorer string) error {
	if !s[patient] {
		return nil
	}
	return &problem.Error{
		What: "a " + scorer + " was about to score a patient that it has learnt from", Patient: patient,
		Try: "check the split: a patient must be in one set and one fold",
	}
}

// patientsHash identifies the patients of the given images, whatever their order.
func patientsHash(images []imageRow, idx []int) string {
	return cohort.HashPatients(slices.Collect(maps.Keys(patientsOf(images, idx))))
}
