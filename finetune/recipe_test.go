package finetune

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"sonotype/densenet"
	"sonotype/internal/golden"
	"sonotype/internal/num"
	"sonotype/nn"
)

func TestPresetsAreValid(t *testing.T) {
	for _, c := range []Config{Paper(), Rigorous()} {
		if err := c.Validate(); err != nil {
			t.Error(err)
		}
	}
}

// Learning rates are those of PyTorch's schedulers, step by step.
func TestRatesArePyTorchs(t *testing.T) {
	var want recipe
	golden.Load(t, "testdata/oracle/recipe.json", &want)
	for _, s := range want.Schedules {
		c := Config{Rate: want.Rate, Epochs: s.Steps, Schedule: s.Schedule, WarmUp: float64(s.WarmUp)}
		half := Config{Rate: want.Rate, Epochs: s.Steps / 2, Schedule: s.Schedule, WarmUp: float64(s.WarmUp) / 2}
		for i, v := range s.Rates {
			if got := c.rate(i, 1); math.Abs(got-v) > 1e-12*v {
				t.Errorf("%s, warm-up %d, step %d: %v, want %v", s.Schedule, s.WarmUp, i, got, v)
			}
			if got := half.rate(i, 2); s.Steps%2 == 0 && math.Abs(got-v) > 1e-12*v {
				t.Errorf("%s, warm-up %d, step %d of two an epoch: %v, want %v", s.Schedule, s.WarmUp, i, got, v)
			}
		}
	}
	if c := (Config{Rate: 1, Epochs: 1, WarmUp: 5, Schedule: "cosine"}); c.rate(9, 10) <= 0 || c.rate(5, 10) != 1 {
		t.Error("a warm-up longer than the training leaves nothing of it")
	}
}

func TestClassWeightsAreScikitLearns(t *testing.T) {
	var want recipe
	golden.Load(t, "testdata/oracle/recipe.json", &want)
	var set []Example
	for _, l := range want.Labels {
		set = append(set, Example{Label: l})
	}
	got := Config{ClassWeights: "balanced"}.loss(set).ClassWeights
	for k := range got {
		if math.Abs(got[k]-want.ClassWeights[k]) > 1e-12 {
			t.Errorf("class %d: %v, want %v", k, got[k], want.ClassWeights[k])
		}
	}
}

// The loss of images that are judged is the engine's of images that are learnt from.
func TestLossIsTheEngines(t *testing.T) {
	j := smallJob()
	for _, l := range []nn.Loss{{}, {Gamma: 2, Alpha: 0.25}, {Alpha: 0.5}, {Smoothing: 0.1, ClassWeights: [2]float64{0.7, 1.6}}, {Gamma: 1.5, Smoothing: 0.2}} {
		r, err := newRun(j)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.begin(); err != nil {
			t.Fatal(err)
		}
		b, err := r.valid.prepare(batch{x: make([]float32, 4*r.valid.size()), y: make([]float32, 4)}, j.Train, []int{0, 2, 4, 6}, 1)
		if err != nil {
			t.Fatal(err)
		}
		s, err := r.trainer.TrainStep(b.x, b.y, 4, nn.Hyper{Rate: 1e-3, Loss: l})
		if err != nil {
			t.Fatal(err)
		}
		want := 0.0
		for k, z := range s.Logits {
			loss, _ := l.At(float64(z), float64(b.y[k]))
			want += loss / 4
		}
		if math.Abs(s.Loss-want) > 1e-6 {
			t.Errorf("%+v: %v, the engine's is %v", l, want, s.Loss)
		}
		r.close()
	}
}

// The parts of DenseNet169 from the head back, and what each way of freezing leaves.
func TestFactors(t *testing.T) {
	c, err := densenet.DenseNet169.Config()
	if err != nil {
		t.Fatal(err)
	}
	c.Classes = 1
	specs := densenet.Build(c, 224).Params()
	for name, want := range map[string]int{
		"classifier.weight": 0, "features.norm5.bias": 1, "features.denseblock4.denselayer32.conv2.weight": 1,
		"features.transition3.conv.weight": 2, "features.denseblock3.denselayer1.norm1.weight": 2,
		"features.denseblock1.denselayer6.conv1.weight": 4, "features.norm0.weight": 5, "features.conv0.weight": 5,
	} {
		if got := part(name, 4); got != want {
			t.Errorf("%s is part %d, want %d", name, got, want)
		}
		if got := (Config{LayerDecay: 0.7}).factors(specs, 4)[name]; math.Abs(got-math.Pow(0.7, float64(want))) > 1e-12 {
			t.Errorf("%s has the factor %v", name, got)
		}
	}
	for _, x := range []struct {
		c    Config
		free []string // prefixes of what learns
	}{
		{Config{Freeze: "all"}, []string{"classifier."}},
		{Config{Freeze: "all-but-last-block"}, []string{"classifier.", "features.norm5.", "features.denseblock4."}},
		{Config{Freeze: "none"}, []string{"classifier.", "features."}},
	} {
		x.c.LayerDecay = 1
		for name, f := range x.c.factors(specs, 4) {
			free := slices.ContainsFunc(x.free, func(p string) bool { return strings.HasPrefix(name, p) })
			if free != (f == 1) {
				t.Errorf("%s: %s has the factor %v", x.c.Freeze, name, f)
			}
		}
	}
	for name, f := range (Config{Freeze: "none", FreezeNorm: true, LayerDecay: 1}).factors(specs, 4) {
		if strings.Contains(name, "norm") != (f == 0) {
			t.Errorf("freeze_norm: %s has the factor %v", name, f)
		}
	}
}

// What is frozen comes out as it went in, running statistics included.
func TestFrozenStays(t *testing.T) {
	j := smallJob()
	j.Config.Epochs, j.Config.Freeze = 1, "all-but-last-block"
	res := train(t, j)
	for name, x := range res.Tensors {
		stays := part(name, 2) > 1
		if part(name, 2) > 0 && stays != slices.Equal(x.Data, j.Start[name].Data) {
			t.Errorf("%s stays: %v", name, !stays)
		}
	}
}

func TestKeptAndStopped(t *testing.T) {
	row := func(loss, accuracy float64) Epoch {
		return Epoch{ValidLoss: num.Float(loss), ValidAccuracy: num.Float(accuracy)}
	}
	h := []Epoch{row(.7, .5), row(.5, .7), row(.6, .8), row(.4, .8), row(.4, .8), row(.3, .7)}
	if k := (Config{Select: "accuracy"}).kept(h); k != 4 {
		t.Errorf("by accuracy, epoch %d", k)
	}
	if k := (Config{Select: "loss"}).kept(h); k != 6 {
		t.Errorf("by loss, epoch %d", k)
	}
	for n, want := range []bool{false, false, true, false, true, false} {
		if got := (Config{Patience: 1}).stopped(h[:n+1]); got != want {
			t.Errorf("patience 1 after %d epochs: %v", n+1, got)
		}
	}
	if (Config{Patience: 2}).stopped(h[:5]) || (Config{}).stopped(h[:5]) {
		t.Error("early stopping at another epoch")
	}
}

func TestBatches(t *testing.T) {
	for _, c := range []struct {
		n, size int
		want    []int
	}{{8, 4, []int{4, 4}}, {10, 4, []int{4, 4, 2}}, {9, 4, []int{4, 5}}, {3, 1, []int{1, 1, 1}}, {1, 4, []int{1}}, {3, 4, []int{3}}} {
		var got []int
		next := 0
		for _, b := range batches(upTo(c.n), c.size) {
			got = append(got, len(b))
			for _, i := range b {
				if i != next {
					t.Errorf("image %d comes for %d", i, next)
				}
				next++
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%d in batches of %d: %v, want %v", c.n, c.size, got, c.want)
		}
	}
}

// nanEngine is an engine whose loss breaks down at a step.
type nanEngine struct {
	nn.Engine
	at int
}

type nanTrainer struct {
	nn.Trainer
	left int
}

func (e nanEngine) CompileTraining(g *nn.Graph, o nn.TrainOptions) (nn.Trainer, error) {
	t, err := e.Engine.CompileTraining(g, o)
	return &nanTrainer{t, e.at}, err
}

func (t *nanTrainer) TrainStep(x, y []float32, n int, h nn.Hyper) (nn.Step, error) {
	s, err := t.Trainer.TrainStep(x, y, n, h)
	if t.left--; t.left == 0 {
		s.Loss = math.NaN()
	}
	return s, err
}

func TestBreakdownSaysWhatToTry(t *testing.T) {
	for at, want := range map[int]string{1: "check the network's weights", 9: "epoch 2, step 3 of 6"} {
		j := smallJob()
		j.engine = nanEngine{nn.New(), at}
		_, err := Train(context.Background(), j)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "broke down") {
			t.Errorf("%v", err)
		}
	}
}
