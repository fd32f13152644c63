package study

import (
	"testing"

	"sonotype/finetune"
)

// A key of the recipe leaves the preset's others alone, from the file and from the command line.
func TestTrainKeysLayOverThePreset(t *testing.T) {
	path := writeStudy(t, "network:\n  train:\n    epochs: 7\n    augment: {flip: 0}\n    crossfit: 3\n")
	p, err := LoadPlan(path, "", []string{"network.train.augment.shift=0.1", "network.train.shared=true"})
	if err != nil {
		t.Fatal(err)
	}
	want := finetune.Rigorous()
	want.Epochs, want.Augment.Flip, want.Augment.Shift = 7, 0, 0.1
	got := p.Network.Train
	if got.Config != want || !got.Shared || got.FitOn != fitOnHeldout || got.Heldout != 1.0/3 {
		t.Errorf("%+v", got)
	}
	if p.Split.Folds != 3 {
		t.Errorf("%d folds, want those of cross-fitting", p.Split.Folds)
	}
	p, err = LoadPlan(path, "paper", []string{"network.train.epochs=0"})
	if err != nil {
		t.Fatal(err)
	}
	if p.trains() || p.Split.Folds != 5 || p.Network.Train.Rate != finetune.Paper().Rate || p.Network.Train.FitOn != fitOnAll {
		t.Errorf("%+v", p)
	}
}
