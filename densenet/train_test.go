package densenet_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"sonotype/densenet"
	"sonotype/internal/golden"
	"sonotype/nn"
	"sonotype/nn/kernel"
	"sonotype/nn/nntest"
)

// trainingCase is an oracle file of oracles/nn_training.py: gradients of one step, or a trace of five.
type trainingCase struct {
	golden.Meta
	Case struct {
		Batch     int     `json:"batch"`
		Size      int     `json:"size"`
		Optimizer string  `json:"optimizer"`
		Rate      float64 `json:"rate"`
		Decay     float64 `json:"decay"`
		Clip      float64 `json:"clip"`
		Loss      struct {
			Alpha        float64    `json:"alpha"`
			Gamma        float64    `json:"gamma"`
			Smoothing    float64    `json:"smoothing"`
			ClassWeights [2]float64 `json:"class_weights"`
		} `json:"loss"`
		Freeze []string `json:"freeze"`
	} `json:"case"`

	Loss    float64 `json:"loss"`
	Tensors []struct {
		Name    string    `json:"name"`
		Norm    float64   `json:"norm"`
		Torch   float64   `json:"torch_float32"`
		Samples []float64 `json:"samples"`
	} `json:"tensors"`

	Losses      []float64            `json:"losses"`
	TorchLosses []float64            `json:"torch_float32"`
	Running     map[string][]float64 `json:"running"`
}

func (c *trainingCase) hyper() nn.Hyper {
	o := map[string]nn.Optimizer{"adam": nn.Adam, "adamw": nn.AdamW, "sgd": nn.SGD}[c.Case.Optimizer]
	l := c.Case.Loss
	return nn.Hyper{Optimizer: o, Rate: c.Case.Rate, WeightDecay: c.Case.Decay, Momentum: 0.9, ClipNorm: c.Case.Clip,
		Loss: nn.Loss{Alpha: l.Alpha, Gamma: l.Gamma, Smoothing: l.Smoothing, ClassWeights: l.ClassWeights}}
}

// trainer compiles the case's network and makes its batch.
func (c *trainingCase) trainer(t *testing.T, isa nn.ISA) (tr nn.Trainer, x, y []float32) {
	t.Helper()
	config, err := densenet.DenseNet169.Config()
	if err != nil {
		t.Fatal(err)
	}
	config.Classes = 1
	g := densenet.Build(config, c.Case.Size)
	rates := map[string]float64{}
	for _, p := range g.Params() {
		for _, prefix := range c.Case.Freeze {
			if strings.HasPrefix(p.Name, prefix) {
				rates[p.Name] = 0
			}
		}
	}
	if tr, err = nn.New().CompileTraining(g, nn.TrainOptions{ISA: isa, Rates: rates}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	if err := tr.ImportState(nn.State{Tensors: nntest.Weights(g.Params())}); err != nil {
		t.Fatal(err)
	}
	x, y = nntest.Images("image", c.Case.Batch, g.InputShape()), make([]float32, c.Case.Batch)
	for i := range y {
		if i%3 == 1 {
			y[i] = 1
		}
	}
	return tr, x, y
}

// trainingISAs are the instruction sets that a test of a large network can afford.
func trainingISAs(size int) []nn.ISA {
	if all := kernel.Available(); len(all) > 1 && (size > 80 || testing.Short()) {
		return all[1:]
	}
	return kernel.Available()
}

// Gradients by layer are PyTorch's.
func TestGradientsAreTorchs(t *testing.T) {
	for _, file := range []string{"gradients_96", "gradients_75_focal", "gradients_96_frozen", "gradients_224"} {
		var want trainingCase
		golden.Load(t, "testdata/oracle/train_"+file+".json", &want)
		for _, isa := range trainingISAs(want.Case.Size) {
			t.Run(fmt.Sprintf("%s/%s", file, isa), func(t *testing.T) { checkGradients(t, &want, isa) })
		}
	}
}

func checkGradients(t *testing.T, want *trainingCase, isa nn.ISA) {
	tr, x, y := want.trainer(t, isa)
	step, err := tr.TrainStep(x, y, len(y), want.hyper())
	if err != nil {
		t.Fatal(err)
	}
	if d := math.Abs(step.Loss - want.Loss); !(d <= 1e-4*want.Loss) {
		t.Errorf("loss %v, want %v", step.Loss, want.Loss)
	}
	grads, err := tr.Gradients()
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range want.Tensors {
		g, ok := grads[w.Name]
		if !ok {
			t.Errorf("%s has no gradient", w.Name)
			continue
		}
		far, size := 0.0, 0.0
		for i, v := range w.Samples {
			at := int(nntest.Uniform("sample "+w.Name, i) * float64(len(g.Data)))
			d := float64(g.Data[at]) - v
			far, size = far+d*d, size+v*v
		}
		if d, most := math.Sqrt(far/size), max(want.Tolerance*w.Torch, floorOf(w.Name)); !(d <= most) {
			t.Errorf("%s: relative distance %.2g on the samples, at most %.2g (PyTorch's float32: %.2g)", w.Name, d, most, w.Torch)
		}
	}
	for name := range grads {
		for _, prefix := range want.Case.Freeze {
			if strings.HasPrefix(name, prefix) {
				t.Errorf("%s is frozen and has a gradient", name)
			}
		}
	}
}

// floorOf is what a gradient may be off whatever PyTorch's own distance is. Rounding can turn a value
// that a ReLU cuts off into one that it does not; in the last block, of 3x3 pixels, one such value
// changes the gradients of all layers before by up to 0.5 %. Behind the last ReLUs there are none.
func floorOf(name string) float64 {
	for _, last := range []string{"classifier", "features.norm5", "features.denseblock4.denselayer32"} {
		if strings.HasPrefix(name, last) {
			return 4e-5
		}
	}
	return 5e-3
}

// Five steps of every optimiser give PyTorch's losses and running statistics.
func TestTracesAreTorchs(t *testing.T) {
	for _, file := range []string{"trace_adam", "trace_adam_decay", "trace_adamw", "trace_sgd", "trace_frozen"} {
		var want trainingCase
		golden.Load(t, "testdata/oracle/train_"+file+".json", &want)
		isa := nn.Detect()
		t.Run(fmt.Sprintf("%s/%s", file, isa), func(t *testing.T) { checkTrace(t, &want, isa) })
	}
}

// traceTolerance is relative to the loss, and never below three times PyTorch's own distance: the
// rounding of the gradients is followed by up to five updates of 14 million parameters.
const traceTolerance = 5e-3

func checkTrace(t *testing.T, want *trainingCase, isa nn.ISA) {
	tr, x, y := want.trainer(t, isa)
	for i, w := range want.Losses {
		step, err := tr.TrainStep(x, y, len(y), want.hyper())
		if err != nil {
			t.Fatal(err)
		}
		most := max(traceTolerance*w, want.Tolerance*math.Abs(want.TorchLosses[i]-w))
		if d := math.Abs(step.Loss - w); !(d <= most) {
			t.Errorf("step %d: loss %v, want %v (PyTorch's float32 %v)", i+1, step.Loss, w, want.TorchLosses[i])
		}
	}
	s, err := tr.ExportState()
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range want.Running {
		for i, w := range values {
			if v := float64(s.Tensors[name].Data[i]); !(math.Abs(v-w) <= 2e-3*max(1, math.Abs(w))) {
				t.Errorf("%s[%d] is %v, want %v", name, i, v, w)
			}
		}
	}
}
