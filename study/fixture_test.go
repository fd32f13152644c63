package study

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sonotype/internal/artifact"
	"sonotype/nn"
	"sonotype/synth"
)

// small makes the whole line run in seconds: a tiny input, one vector of averages an image, fewer components.
var small = []string{
	"network.backbone=densenet121", "network.input=32", "network.layer=avgpool",
	"image.width=240", "image.height=180", "selection.components=20", "selection.folds=5", "split.folds=3", "report.gallery=2",
	"network.train.epochs=0",
}

// silent is an Observer that says nothing.
type silent struct{}

func (silent) StageStarted(int, string)                   {}
func (silent) Progress(int, int)                          {}
func (silent) Say(string, bool)                           {}
func (silent) StageDone(int, string, bool, time.Duration) {}

// cohortFolder writes a small synthetic cohort and returns its folder.
func cohortFolder(t testing.TB, patients int) string {
	t.Helper()
	dir := t.TempDir()
	_, err := synth.Write(context.Background(), dir, synth.Config{Patients: patients, Seed: 3, Width: 160, Height: 120}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// runIn runs the small study on a cohort folder.
func runIn(t testing.TB, cohortDir, out string, jobs int, set ...string) (Summary, error) {
	t.Helper()
	return runAt(t, nn.Detect(), cohortDir, out, jobs, set...)
}

// runAt is runIn at an instruction set.
func runAt(t testing.TB, isa nn.ISA, cohortDir, out string, jobs int, set ...string) (Summary, error) {
	t.Helper()
	plan, err := LoadPlan(filepath.Join(cohortDir, "study.yaml"), "", append(append([]string{}, small...), set...))
	if err != nil {
		t.Fatal(err)
	}
	return Execute(context.Background(), plan, Options{
		StudyDir: cohortDir, RunDir: out, Jobs: jobs, ISA: isa, Version: "test", Observer: silent{},
	})
}

func mustRun(t testing.TB, cohortDir, out string, jobs int, set ...string) Summary {
	t.Helper()
	s, err := runIn(t, cohortDir, out, jobs, set...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fingerprints hashes every file of a run but those that hold times and locks.
func fingerprints(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		switch rel {
		case timingFile, ".lock", lockFile:
			return nil
		case "results.json":
			out[rel], err = artifact.HashJSON(resultsWithoutTiming(t, path))
			return err
		}
		out[rel], err = artifact.HashFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func resultsWithoutTiming(t testing.TB, path string) map[string]any {
	t.Helper()
	var r map[string]any
	if err := artifact.ReadJSON(path, &r); err != nil {
		t.Fatal(err)
	}
	delete(r, "timing")
	return r
}

// sameFiles compares two fingerprints, below a folder when one is given.
func sameFiles(t testing.TB, a, b map[string]string) {
	t.Helper()
	for name, h := range a {
		if b[name] != h {
			t.Errorf("%s differs between the runs", name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			t.Errorf("%s is in one run only", name)
		}
	}
}

func read(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
