package nn_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"testing"

	"sonotype/densenet"
	"sonotype/nn"
	"sonotype/nn/kernel"
	"sonotype/nn/nntest"
)

// stepped runs one step from the tests' weights and returns what was learnt and its gradients.
func stepped(t *testing.T, g *nn.Graph, tr nn.Trainer, n int) (nn.State, nn.Tensors) {
	t.Helper()
	if err := tr.ImportState(nn.State{Tensors: nntest.Weights(g.Params())}); err != nil {
		t.Fatal(err)
	}
	train(t, tr, nntest.Images("x", n, g.InputShape()), targets(n), nn.Hyper{Rate: 1e-3, Optimizer: nn.AdamW, WeightDecay: 0.01})
	grads, err := tr.Gradients()
	if err != nil {
		t.Fatal(err)
	}
	return export(t, tr), grads
}

// A step's bytes do not depend on the batches before it, larger, smaller or not finite: nothing of
// them is left in the buffers, and importing weights alone starts the optimiser anew.
func TestStepsDoNotDependOnEarlierBatches(t *testing.T) {
	g := densenet.Build(learner, 41)
	for _, isa := range kernel.Available() {
		used := trainer(t, g, nn.TrainOptions{ISA: isa, Workers: 3})
		for _, n := range []int{6, 1, 3, 7, 2} {
			want, grads := stepped(t, g, trainer(t, g, nn.TrainOptions{ISA: isa, Workers: 2}), n)
			got, again := stepped(t, g, used, n)
			sameState(t, fmt.Sprintf("%s, batch of %d", isa, n), want, got)
			for _, name := range slices.Sorted(maps.Keys(grads)) {
				if !slices.Equal(grads[name].Data, again[name].Data) {
					t.Fatalf("%s, batch of %d: the gradient of %s differs", isa, n, name)
				}
			}
			notFinite(t, g, used, 4)
		}
	}
}

// notFinite trains on a pixel that is no number: no error, and a loss that is none either.
func notFinite(t *testing.T, g *nn.Graph, tr nn.Trainer, n int) {
	t.Helper()
	x := nntest.Images("x", n, g.InputShape())
	x[len(x)/2] = float32(math.NaN())
	s := train(t, tr, x, targets(n), nn.Hyper{Rate: 1e-3, ClipNorm: 1})
	if !math.IsNaN(s.Loss) {
		t.Errorf("the loss of a pixel that is no number is %v", s.Loss)
	}
}

// Every optimiser goes on after export and import, on another number of workers and with batches of
// several sizes, as if it had not been interrupted.
func TestEveryOptimiserResumes(t *testing.T) {
	g := densenet.Build(learner, 33)
	run := func(tr nn.Trainer, from, to int, h nn.Hyper) {
		for i := from; i < to; i++ {
			n := []int{4, 4, 1, 4, 3}[i]
			train(t, tr, nntest.Images(fmt.Sprint("x", i), n, g.InputShape()), targets(n), h)
		}
	}
	for name, h := range map[string]nn.Hyper{
		"adam":  {Optimizer: nn.Adam, Rate: 1e-3, WeightDecay: 0.01},
		"adamw": {Optimizer: nn.AdamW, Rate: 1e-3, WeightDecay: 0.1, ClipNorm: 0.5},
		"sgd":   {Optimizer: nn.SGD, Rate: 1e-2, Momentum: 0.9, WeightDecay: 0.01},
	} {
		through := trainer(t, g, nn.TrainOptions{ISA: nn.Detect(), Workers: 1})
		run(through, 0, 5, h)
		first, second := trainer(t, g, nn.TrainOptions{ISA: nn.Detect(), Workers: 2}), trainer(t, g, nn.TrainOptions{ISA: nn.Detect(), Workers: 3})
		run(first, 0, 3, h)
		state := export(t, first)
		if err := second.ImportState(state); err != nil {
			t.Fatal(err)
		}
		sameState(t, name+", round trip", state, export(t, second))
		run(second, 3, 5, h)
		sameState(t, name, export(t, through), export(t, second))
	}
}

// What was learnt is what inference runs with: its logits are the twin's, of the running statistics.
func TestTrainedNetworkInfers(t *testing.T) {
	g := densenet.Build(learner, 36)
	tr := trainer(t, g, nn.TrainOptions{ISA: nn.Detect()})
	for i := range 3 {
		train(t, tr, nntest.Images(fmt.Sprint("x", i), 4, g.InputShape()), targets(4), nn.Hyper{Rate: 1e-3})
	}
	s, x := export(t, tr), nntest.Images("new", 2, g.InputShape())
	want, err := nn.Interpret(g, s, x, 2)
	if err != nil {
		t.Fatal(err)
	}
	p := load(t, g, nn.Options{ISA: nn.Detect()})
	if err := p.ImportState(nn.State{Tensors: s.Tensors}); err != nil {
		t.Fatal(err)
	}
	near(t, "logits", infer(t, g, p, x, 2)["logits"], want["logits"])
}

// The loss is that of the logits that the step reports.
func TestStepsLossIsOfItsLogits(t *testing.T) {
	g := densenet.Build(learner, 32)
	l := nn.Loss{Gamma: 2, Alpha: 0.25, Smoothing: 0.1, ClassWeights: [2]float64{0.5, 2}}
	y := []float32{1, 0, 0.3, 1}
	s := train(t, trainer(t, g, nn.TrainOptions{ISA: nn.Detect()}), nntest.Images("x", 4, g.InputShape()), y, nn.Hyper{Loss: l})
	want := 0.0
	for i, z := range s.Logits {
		loss, _ := l.At(float64(z), float64(y[i]))
		want += loss / 4
	}
	if !(math.Abs(s.Loss-want) <= 1e-6*want) {
		t.Errorf("the loss is %v, that of the logits %v", s.Loss, want)
	}
}

// The methods may be called from several goroutines.
func TestTrainerIsSafeForGoroutines(t *testing.T) {
	g := densenet.Build(learner, 32)
	tr := trainer(t, g, nn.TrainOptions{ISA: nn.Detect(), Workers: 2})
	x, y := nntest.Images("x", 2, g.InputShape()), targets(2)
	train(t, tr, x, y, nn.Hyper{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			_, stepErr := tr.TrainStep(x, y, 2, nn.Hyper{Rate: 1e-3})
			_, gradErr := tr.Gradients()
			s, exportErr := tr.ExportState()
			tr.Info()
			for _, err := range []error{stepErr, gradErr, exportErr, tr.ImportState(s)} {
				if err != nil && err.Error() != "there are no gradients before the first training step" {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// A closed trainer answers with errors.
func TestClosedTrainerRefuses(t *testing.T) {
	g := densenet.Build(learner, 32)
	x, y := nntest.Images("x", 2, g.InputShape()), targets(2)
	tr := trainer(t, g, nn.TrainOptions{ISA: nn.Detect(), Workers: 2})
	train(t, tr, x, y, nn.Hyper{})
	for range 2 {
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	}
	_, stepErr := tr.TrainStep(x, y, 2, nn.Hyper{})
	_, gradErr := tr.Gradients()
	_, exportErr := tr.ExportState()
	for _, err := range []error{stepErr, gradErr, exportErr, tr.ImportState(nn.State{Tensors: nntest.Weights(g.Params())})} {
		refused(t, err, "closed")
	}
	tr.Info()
}
