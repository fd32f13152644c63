package study

import (
	"path/filepath"
	"testing"

	"sonotype/cohort"
)

// learning makes the small study train: two epochs of a tiny input.
var learning = []string{
	"network.train.epochs=2", "network.train.batch=8", "network.train.warm_up=0", "network.train.rate=0.001",
	"classify.models=[lr, knn]", "selection.folds=3",
}

func TestTrainedLine(t *testing.T) {
	dir, out := cohortFolder(t, 80), t.TempDir()
	s := mustRun(t, dir, out, 0, learning...)
	t.Log(s.Headline)
	for _, w := range s.Warnings {
		t.Log(w)
	}
	r := &Run{Plan: Plan{}, Options: Options{RunDir: out}}
	scores, err := r.scores("scores.csv")
	if err != nil {
		t.Fatal(err)
	}
	t.Log(len(scores[cohort.SetTrain]), filepath.Base(out))
}
