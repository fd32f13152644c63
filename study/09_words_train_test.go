package study

import (
	"strings"
	"testing"
	"time"

	"sonotype/finetune"
	"sonotype/internal/num"
)

func TestRecipeInWords(t *testing.T) {
	for want, c := range map[string]finetune.Config{
		"at most 100 epochs in batches of 16; Adam with a constant learning rate, at most 0.001 at the head; focal loss (alpha 0.5, gamma 0); no augmentation": finetune.Paper(),
		"the rate times 0.7 for each part back from the head; binary cross-entropy, labels smoothed by 0.05; images mirrored with probability 0.5":             finetune.Rigorous(),
	} {
		if got := recipeInWords(c); !strings.Contains(got, want) {
			t.Errorf("%s\nlacks %s", got, want)
		}
	}
	c := finetune.Paper()
	c.Optimizer, c.Freeze, c.FreezeNorm, c.Clip, c.ClassWeights = "sgd", "all-but-last-block", true, 1, "balanced"
	for _, want := range []string{"SGD", "momentum 0.9", "only the last dense block", "batch normalisations as they were", "norm of 1", "classes balanced"} {
		if got := recipeInWords(c); !strings.Contains(got, want) {
			t.Errorf("%s\nlacks %s", got, want)
		}
	}
}

func TestProgressInWords(t *testing.T) {
	p := finetune.Progress{Epoch: 3, Epochs: 40, Loss: 0.6123, Accuracy: 0.68, AUC: 0.704, ValidLoss: num.NaN(), ValidAUC: num.NaN(), ImagesPerSecond: 9.46, Left: 754 * time.Second}
	if got, want := progressInWords("TA network", p), "TA network, epoch 3/40: loss 0.612, accuracy 0.68, AUC 0.70; 9.5 images/s, 13 min left"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	p.ValidLoss, p.ValidAUC, p.Left = 0.65, 0.66, 3*time.Hour+5*time.Minute
	if got, want := progressInWords(networkTitle("pta", 1), p), "PTA network of fold 2, epoch 3/40: loss 0.612, accuracy 0.68, AUC 0.70; held out: loss 0.650, AUC 0.66; 9.5 images/s, 3h05m left"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// The report says what was set otherwise than in the preset, zeros included, and nothing of a training that did not take place.
func TestDeviationsNameTheTraining(t *testing.T) {
	p, err := DefaultPlan("rigorous")
	if err != nil {
		t.Fatal(err)
	}
	p.Network.Train.Patience, p.Network.Train.FitOn = 0, fitOnAll
	all := strings.Join(deviations(&p), "\n")
	for _, want := range []string{"network.train.patience is off (the preset: 8)", "network.train.fit_on is all (the preset: heldout)", "gentler than the published one"} {
		if !strings.Contains(all, want) {
			t.Errorf("%s\nlacks %s", all, want)
		}
	}
	p.Network.Train.Epochs = 0
	if all = strings.Join(deviations(&p), "\n"); strings.Contains(all, "patience") || !strings.Contains(all, "not fine-tuned (network.train.epochs: 0)") {
		t.Error(all)
	}
}
