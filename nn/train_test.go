package nn_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"sonotype/densenet"
	"sonotype/nn"
	"sonotype/nn/kernel"
	"sonotype/nn/nntest"
)

// learner is a DenseNet with all the parts of the large ones and one logit.
var learner = densenet.Config{Blocks: []int{2, 4, 2}, Growth: 32, Stem: 64, Neck: 2, Classes: 1}

func trainer(t testing.TB, g *nn.Graph, o nn.TrainOptions) nn.Trainer {
	t.Helper()
	tr, err := nn.New().CompileTraining(g, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	if err := tr.ImportState(nn.State{Tensors: nntest.Weights(g.Params())}); err != nil {
		t.Fatal(err)
	}
	return tr
}

func targets(n int) []float32 {
	y := make([]float32, n)
	for i := range y {
		y[i] = float32(i % 2)
	}
	return y
}

func train(t testing.TB, tr nn.Trainer, x, y []float32, h nn.Hyper) nn.Step {
	t.Helper()
	s, err := tr.TrainStep(x, y, len(y), h)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func export(t testing.TB, tr nn.Trainer) nn.State {
	t.Helper()
	s, err := tr.ExportState()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// frozenRates freezes the stem and the first block, and the last block's normalisations.
func frozenRates(g *nn.Graph) map[string]float64 {
	rates := map[string]float64{}
	for _, p := range g.Params() {
		for _, prefix := range []string{"features.conv0", "features.norm0", "features.denseblock1", "features.transition1",
			"features.denseblock3.denselayer1.norm1", "features.denseblock3.denselayer2.norm2", "features.norm5"} {
			if len(p.Name) > len(prefix) && p.Name[:len(prefix)] == prefix {
				rates[p.Name] = 0
			}
		}
	}
	return rates
}

// Gradients, loss and running statistics are the twin's on every instruction set, at sizes whose tiles
// and pools have odd edges, for any batch, frozen or not.
func TestTrainingEqualsInterpreter(t *testing.T) {
	for _, c := range []struct {
		size, n int
		frozen  bool
	}{{32, 1, false}, {47, 3, false}, {40, 5, true}} {
		g := densenet.Build(learner, c.size)
		var rates map[string]float64
		if c.frozen {
			rates = frozenRates(g)
		}
		x, y, w := nntest.Images("x", c.n, g.InputShape()), targets(c.n), nntest.Weights(g.Params())
		want, err := nn.InterpretStep(g, nn.State{Tensors: w}, x, y, c.n, rates, nn.Loss{Gamma: 1, Alpha: 0.3})
		if err != nil {
			t.Fatal(err)
		}
		for _, isa := range kernel.Available() {
			t.Run(fmt.Sprintf("%d/%d/%s", c.size, c.n, isa), func(t *testing.T) {
				tr := trainer(t, g, nn.TrainOptions{ISA: isa, Workers: 2, Rates: rates})
				step := train(t, tr, x, y, nn.Hyper{Loss: nn.Loss{Gamma: 1, Alpha: 0.3}})
				if d := math.Abs(step.Loss - want.Loss); !(d <= 1e-5*want.Loss) {
					t.Errorf("loss %v, want %v", step.Loss, want.Loss)
				}
				grads, err := tr.Gradients()
				if err != nil {
					t.Fatal(err)
				}
				checkStep(t, grads, export(t, tr), want, rates)
			})
		}
	}
}

// gradientTolerance is relative, on the L2 norm of a tensor: float32 sums through 17 layers of batch
// normalisation over as few as 4 values a channel, and now and then a value that rounding takes across a ReLU.
const gradientTolerance = 3e-3

func checkStep(t *testing.T, grads nn.Tensors, s nn.State, want *nn.ReferenceStep, rates map[string]float64) {
	t.Helper()
	for name, w := range want.Gradients {
		g, learns := grads[name]
		if _, running := want.Running[name]; running {
			continue
		}
		if rate, set := rates[name]; set && rate == 0 {
			if learns {
				t.Errorf("%s is frozen and has a gradient", name)
			}
			continue
		}
		far, size := 0.0, 0.0
		for i, v := range w {
			d := float64(g.Data[i]) - v
			far, size = far+d*d, size+v*v
		}
		// What batch normalisation makes vanish is compared with the whole gradient's size.
		if !(math.Sqrt(far) <= gradientTolerance*max(math.Sqrt(size), 0.05)) {
			t.Errorf("%s: off by %.2g of %.2g", name, math.Sqrt(far), math.Sqrt(size))
		}
	}
	for name, w := range want.Running {
		for i, v := range w {
			if got := float64(s.Tensors[name].Data[i]); !(math.Abs(got-v) <= 1e-4*max(1, math.Abs(v))) {
				t.Fatalf("%s[%d] is %v, want %v", name, i, got, v)
			}
		}
	}
}

// trained runs a few steps of different batches and returns what was learnt.
func trained(t *testing.T, g *nn.Graph, o nn.TrainOptions, steps ...int) nn.State {
	tr := trainer(t, g, o)
	for i, n := range steps {
		train(t, tr, nntest.Images(fmt.Sprint("x", i), n, g.InputShape()), targets(n), nn.Hyper{Rate: 1e-3, Optimizer: nn.AdamW, WeightDecay: 0.01, ClipNorm: 1})
	}
	return export(t, tr)
}

func sameState(t *testing.T, what string, a, b nn.State) {
	t.Helper()
	if a.Steps != b.Steps {
		t.Errorf("%s: %d and %d steps", what, a.Steps, b.Steps)
	}
	for i, pair := range [][2]nn.Tensors{{a.Tensors, b.Tensors}, {a.M, b.M}, {a.V, b.V}} {
		for _, name := range slices.Sorted(maps.Keys(pair[0])) {
			if !slices.Equal(pair[0][name].Data, pair[1][name].Data) {
				t.Fatalf("%s: %s differs (part %d)", what, name, i)
			}
		}
	}
}

// What is learnt depends neither on the number of workers nor, of the two instruction sets with fused
// multiply-add, on which it is; and a smaller batch may follow a larger one.
func TestTrainingBytesDoNotDependOnWorkers(t *testing.T) {
	g := densenet.Build(learner, 39)
	isas := kernel.Available()
	want := trained(t, g, nn.TrainOptions{ISA: isas[len(isas)-1], Workers: 1}, 5, 2, 7)
	for _, workers := range []int{2, 3} {
		sameState(t, fmt.Sprint(workers, " workers"), want, trained(t, g, nn.TrainOptions{ISA: isas[len(isas)-1], Workers: workers}, 5, 2, 7))
	}
	if len(isas) == 3 {
		sameState(t, "avx2", want, trained(t, g, nn.TrainOptions{ISA: isas[1], Workers: 2}, 5, 2, 7))
	}
}

// Export and import in the middle changes no byte of what follows.
func TestTrainingResumes(t *testing.T) {
	g := densenet.Build(learner, 32)
	h := nn.Hyper{Rate: 1e-3, Optimizer: nn.Adam}
	x, y := nntest.Images("x", 4, g.InputShape()), targets(4)
	through, first := trainer(t, g, nn.TrainOptions{ISA: nn.Detect()}), trainer(t, g, nn.TrainOptions{ISA: nn.Detect()})
	for range 4 {
		train(t, through, x, y, h)
	}
	train(t, first, x, y, h)
	train(t, first, x, y, h)
	second := trainer(t, g, nn.TrainOptions{ISA: nn.Detect()})
	if err := second.ImportState(export(t, first)); err != nil {
		t.Fatal(err)
	}
	train(t, second, x, y, h)
	train(t, second, x, y, h)
	sameState(t, "resumed", export(t, through), export(t, second))
}

// Frozen parameters and statistics stay; a rate of one half is half the step of plain descent.
func TestRates(t *testing.T) {
	g := densenet.Build(learner, 32)
	x, y := nntest.Images("x", 3, g.InputShape()), targets(3)
	rates := frozenRates(g)
	rates["classifier.weight"] = 0.5
	h := nn.Hyper{Optimizer: nn.SGD, Rate: 0.1}
	tr := trainer(t, g, nn.TrainOptions{ISA: nn.Detect(), Rates: rates})
	before := export(t, tr)
	train(t, tr, x, y, h)
	grads, err := tr.Gradients()
	if err != nil {
		t.Fatal(err)
	}
	after := export(t, tr)
	for _, p := range g.Params() {
		rate, set := rates[p.Name]
		same := slices.Equal(before.Tensors[p.Name].Data, after.Tensors[p.Name].Data)
		if set && rate == 0 && !same {
			t.Errorf("%s is frozen and moved", p.Name)
		}
	}
	for i, v := range before.Tensors["classifier.weight"].Data {
		want := v - 0.05*grads["classifier.weight"].Data[i]
		if got := after.Tensors["classifier.weight"].Data[i]; math.Abs(float64(got-want)) > 1e-6 {
			t.Fatalf("classifier.weight[%d] is %v, want %v", i, got, want)
		}
	}
}

// A network of this size can learn 32 random images by heart.
func TestOverfits(t *testing.T) {
	g := densenet.Build(densenet.Config{Blocks: []int{2, 2}, Growth: 32, Stem: 64, Neck: 1, Classes: 1}, 32)
	tr := trainer(t, g, nn.TrainOptions{ISA: nn.Detect()})
	x, y := nntest.Images("x", 32, g.InputShape()), targets(32)
	loss := math.Inf(1)
	for range 60 {
		loss = train(t, tr, x, y, nn.Hyper{Rate: 3e-3}).Loss
	}
	if !(loss < 0.01) {
		t.Errorf("the loss is still %v", loss)
	}
}

// On an image without contrast all pixels of a pool's window are equal: the gradient must not be counted nine times.
func TestFlatImages(t *testing.T) {
	g := densenet.Build(learner, 32)
	x := nntest.Images("x", 2, g.InputShape())
	for i := range len(x) / 2 {
		x[i] = -2.1
	}
	y := targets(2)
	want, err := nn.InterpretStep(g, nn.State{Tensors: nntest.Weights(g.Params())}, x, y, 2, nil, nn.Loss{})
	if err != nil {
		t.Fatal(err)
	}
	tr := trainer(t, g, nn.TrainOptions{ISA: nn.Detect()})
	train(t, tr, x, y, nn.Hyper{})
	grads, err := tr.Gradients()
	if err != nil {
		t.Fatal(err)
	}
	checkStep(t, grads, export(t, tr), want, nil)
}

func TestTrainingRefusesBadArguments(t *testing.T) {
	for classes, want := range map[int]string{0: "one logit", 3: "one logit"} {
		c := learner
		c.Classes = classes
		_, err := nn.New().CompileTraining(densenet.Build(c, 32), nn.TrainOptions{})
		refused(t, err, want)
	}
	g := densenet.Build(learner, 32)
	for name, rate := range map[string]float64{"features.conv7.weight": 1, "classifier.bias": -1, "classifier.weight": math.NaN()} {
		_, err := nn.New().CompileTraining(g, nn.TrainOptions{Rates: map[string]float64{name: rate}})
		refused(t, err, name)
	}
	tr, err := nn.New().CompileTraining(g, nn.TrainOptions{ISA: nn.Detect(), Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	x, y := nntest.Images("x", 2, g.InputShape()), targets(2)
	step := func(x, y []float32, n int, h nn.Hyper) error {
		_, err := tr.TrainStep(x, y, n, h)
		return err
	}
	refused(t, step(x, y, 2, nn.Hyper{}), "no weights yet")
	_, err = tr.ExportState()
	refused(t, err, "no weights yet")
	refused(t, tr.ImportState(nn.State{}), "lack the tensor")
	w := nntest.Weights(g.Params())
	refused(t, tr.ImportState(nn.State{Tensors: w, M: nn.Tensors{"classifier.bias": {Shape: []int{2}, Data: []float32{1, 2}}}}), "wrong shape")
	refused(t, tr.ImportState(nn.State{Tensors: w, Steps: 3}), "number of steps")
	if err := tr.ImportState(nn.State{Tensors: w}); err != nil {
		t.Fatal(err)
	}
	_, err = tr.Gradients()
	refused(t, err, "before the first training step")
	refused(t, step(x, y, 0, nn.Hyper{}), "batch size")
	refused(t, step(x[1:], y, 2, nn.Hyper{}), "wrong length")
	refused(t, step(x, y[:1], 2, nn.Hyper{}), "wrong length")
	refused(t, step(x, []float32{0, 1.5}, 2, nn.Hyper{}), "no probability")
	refused(t, step(x, []float32{0, float32(math.NaN())}, 2, nn.Hyper{}), "no probability")
	refused(t, step(x, y, 2, nn.Hyper{Rate: math.NaN()}), "learning rate")
	refused(t, step(x, y, 2, nn.Hyper{WeightDecay: -1}), "weight decay")
	refused(t, step(x, y, 2, nn.Hyper{Optimizer: 7}), "optimiser")
	refused(t, step(x, y, 2, nn.Hyper{Momentum: 1.1}), "momentum")
	refused(t, step(x, y, 2, nn.Hyper{Loss: nn.Loss{Alpha: 1.1}}), "alpha")
	refused(t, step(x, y, 2, nn.Hyper{Loss: nn.Loss{Smoothing: 1.1}}), "smoothing")
	tr.Close()
	refused(t, step(x, y, 2, nn.Hyper{}), "closed")
}
