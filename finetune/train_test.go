package finetune

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"sonotype/densenet"
	"sonotype/imaging"
	"sonotype/internal/rng"
	"sonotype/nn"
	"sonotype/weights"
)

const side = 64

// tiny is the smallest DenseNet with everything: two blocks and a transition.
var tiny = densenet.Config{Blocks: []int{2, 2}, Growth: 32, Stem: 64, Neck: 1}

// stripes makes examples that only texture tells apart: noisy stripes within a disk, steep in class 1 and flat in
// class 0. Every unit has two images.
func stripes(name string, units int) []Example {
	var set []Example
	for u := range units {
		for k := range 2 {
			set = append(set, Example{Label: u % 2, Unit: fmt.Sprintf("%s%d", name, u), Crop: func(dst *imaging.Gray) error {
				r := rng.Stream(1, "stripes", name, fmt.Sprint(u), fmt.Sprint(k))
				phase, level := 6*r.Float64(), 80+60*r.Float64()
				for i := range dst.Pix {
					x, y := float64(i%side), float64(i/side)
					if math.Hypot(x-side/2, y-side/2) > side/2-2 {
						continue
					}
					along := y
					if u%2 == 1 {
						along = x
					}
					dst.Pix[i] = uint8(max(1, min(level+30*math.Sin(along+phase)+40*r.NormFloat64(), 255)))
				}
				return nil
			}})
		}
	}
	return set
}

// smallJob is a training of a second or two.
func smallJob() Job {
	c := Rigorous()
	c.Epochs, c.Batch, c.WarmUp, c.Rate = 4, 8, 1, 1e-3
	shape := tiny
	shape.Classes = 1
	return Job{
		Graph: tiny, Input: side, Start: weights.Random(densenet.Build(shape, side).Params(), 1),
		Train: stripes("train", 22), Valid: stripes("valid", 12),
		Config: c, Seed: 3, Name: "ta", ISA: nn.Detect(), Workers: 2, Key: "stripes",
	}
}

func train(t *testing.T, j Job) *Result {
	t.Helper()
	res, err := Train(context.Background(), j)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func same(t *testing.T, what string, a, b *Result) {
	t.Helper()
	if weights.Hash(a.Tensors) != weights.Hash(b.Tensors) {
		t.Errorf("%s: other weights", what)
	}
	x, y := *a, *b
	x.Tensors, y.Tensors = nil, nil
	if !reflect.DeepEqual(x, y) {
		t.Errorf("%s:\n%+v\n%+v", what, x, y)
	}
}

func TestLearns(t *testing.T) {
	for name, c := range map[string]Config{"paper": Paper(), "rigorous": Rigorous()} {
		j := smallJob()
		j.Config = c
		j.Config.Epochs, j.Config.Batch, j.Config.WarmUp, j.Config.Rate = 8, 8, 1, 1e-3
		res := train(t, j)
		k := res.History[res.Kept-1]
		if !(k.ValidAUC > 0.9) || k.ValidAUC != res.Valid.AUC {
			t.Errorf("%s: validation AUC %.3f", name, k.ValidAUC)
		}
		checkKept(t, j, res)
	}
}

// checkKept runs the kept tensors over the validation images again: they must give the kept epoch's figures.
func checkKept(t *testing.T, j Job, res *Result) {
	t.Helper()
	r, err := newRun(j)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	if err := r.judge(context.Background(), nn.State{Tensors: res.Tensors}, Epoch{}); err != nil {
		t.Fatal(err)
	}
	k := res.History[res.Kept-1]
	if got := r.history[0]; got.ValidLoss != k.ValidLoss || got.ValidAUC != k.ValidAUC || got.ValidAccuracy != k.ValidAccuracy {
		t.Errorf("the kept tensors give %+v, their epoch had %+v", got, k)
	}
}

func TestSameBytesForAnyNumberOfWorkers(t *testing.T) {
	one, three := smallJob(), smallJob()
	one.Workers, three.Workers = 1, 3
	same(t, "1 and 3 workers", train(t, one), train(t, three))
	other := smallJob()
	other.Seed++
	if weights.Hash(train(t, other).Tensors) == weights.Hash(train(t, one).Tensors) {
		t.Error("another seed gives the same weights")
	}
}

func TestProblems(t *testing.T) {
	for want, change := range map[string]func(*Job){
		"network.train.rate":             func(j *Job) { j.Config.Rate = -1 },
		"network.train.augment.rotation": func(j *Job) { j.Config.Augment.Rotation = math.NaN() },
		"network.train.select":           func(j *Job) { j.Config.Select = "auc" },
		"network.train.epochs":           func(j *Job) { j.Config.Epochs = 0 },
		"do not hold both classes":       func(j *Job) { j.Valid = j.Valid[:2] },
		"trained on and validated with":  func(j *Job) { j.Valid = append(j.Valid, j.Train[0]) },
		"different labels":               func(j *Job) { j.Train[1].Label = 1 },
		"image 3 cannot be used":         func(j *Job) { j.Train[2].Unit = "" },
		"input is too small":             func(j *Job) { j.Input = 3 },
		"weights lack the tensor":        func(j *Job) { j.Start = nil },
		"unknown network":                func(j *Job) { j.Graph, j.Variant = densenet.Config{}, "vgg" },
		"no such crop":                   func(j *Job) { j.Train[7].Crop = func(*imaging.Gray) error { return fmt.Errorf("no such crop") } },
	} {
		j := smallJob()
		change(&j)
		if _, err := Train(context.Background(), j); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	j := smallJob()
	j.Progress = func(p Progress) {
		if p.Epoch == 2 {
			cancel()
		}
	}
	if _, err := Train(ctx, j); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
}
