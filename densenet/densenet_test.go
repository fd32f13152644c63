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

// stages is an oracle file of oracles/nn_densenet.py.
type stages struct {
	golden.Meta
	Variant densenet.Variant `json:"variant"`
	Size    int              `json:"size"`
	Taps    []struct {
		Name    string    `json:"name"`
		Length  int       `json:"length"`
		Mean    float64   `json:"mean"`
		Std     float64   `json:"std"`
		Max     float64   `json:"max"`
		Samples []float64 `json:"samples"`
	} `json:"taps"`
}

// Every stage of the network is PyTorch's, on every instruction set.
func TestStagesAreTorchs(t *testing.T) {
	for _, file := range []string{"densenet169_75", "densenet169_224", "densenet121_224"} {
		var want stages
		golden.Load(t, "testdata/oracle/"+file+".json", &want)
		for _, isa := range kernel.Available() {
			if isa == nn.Portable && want.Size > 100 && (testing.Short() || want.Variant == densenet.DenseNet121) {
				continue
			}
			t.Run(fmt.Sprintf("%s/%s", file, isa), func(t *testing.T) { checkStages(t, want, isa) })
		}
	}
}

func checkStages(t *testing.T, want stages, isa nn.ISA) {
	g := densenet.Graph(want.Variant, want.Size)
	p, err := densenet.Compile(want.Variant, want.Size, nntest.Weights(densenet.Params(want.Variant)), nn.Options{ISA: isa})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	taps := map[string][]float32{}
	for _, w := range want.Taps {
		s, ok := g.TapShape(w.Name)
		if !ok || s.Len() != w.Length {
			t.Fatalf("tap %s has shape %v, want %d values", w.Name, s, w.Length)
		}
		taps[w.Name] = make([]float32, w.Length)
	}
	if err := p.Infer(nntest.Images("image", 1, g.InputShape()), 1, taps); err != nil {
		t.Fatal(err)
	}
	for _, w := range want.Taps {
		tolerance := want.Tolerance
		if w.Name != "features" && w.Name != "avgpool" {
			tolerance *= max(1, w.Max)
		}
		got, worst := taps[w.Name], 0.0
		for i, v := range w.Samples {
			at := int(nntest.Uniform("sample "+w.Name, i) * float64(w.Length))
			worst = max(worst, math.Abs(float64(got[at])-v))
		}
		mean, std := moments(got)
		if !(worst <= tolerance) || math.Abs(mean-w.Mean) > tolerance || math.Abs(std-w.Std) > tolerance {
			t.Errorf("%s: samples off by %.2g, mean %v (want %v), deviation %v (want %v)", w.Name, worst, mean, w.Mean, std, w.Std)
		}
		t.Logf("%s: samples off by %.2g", w.Name, worst)
	}
}

func moments(x []float32) (mean, std float64) {
	for _, v := range x {
		mean += float64(v) / float64(len(x))
	}
	for _, v := range x {
		std += (float64(v) - mean) * (float64(v) - mean) / float64(len(x))
	}
	return mean, math.Sqrt(std)
}

func TestShapes(t *testing.T) {
	for _, c := range []struct {
		v              densenet.Variant
		size           int
		channels, h, w int
		params         int
	}{
		{densenet.DenseNet169, 224, 1664, 7, 7, 168 + 4*169},
		{densenet.DenseNet121, 224, 1024, 7, 7, 120 + 4*121},
		{densenet.DenseNet169, 32, 1664, 1, 1, 168 + 4*169},
		{densenet.DenseNet169, 16, 0, 0, 0, 0},
		{"resnet50", 224, 0, 0, 0, 0},
	} {
		if ch, h, w := densenet.FeatureShape(c.v, c.size); ch != c.channels || h != c.h || w != c.w {
			t.Errorf("%s at %d: features %d,%d,%d, want %d,%d,%d", c.v, c.size, ch, h, w, c.channels, c.h, c.w)
		}
		if n := len(densenet.Params(c.v)); c.channels > 0 && n != c.params {
			t.Errorf("%s has %d parameters and buffers, want %d", c.v, n, c.params)
		}
	}
}

// Each mistake is an error that names what is wrong.
func TestCompileNamesTheMistake(t *testing.T) {
	good := func() nn.Tensors { return nntest.Weights(densenet.Params(densenet.DenseNet121)) }
	const name = "features.denseblock2.denselayer3.conv2.weight"
	lacking, misshapen, infinite, short := good(), good(), good(), good()
	delete(lacking, name)
	misshapen[name] = nn.Tensor{Shape: []int{32, 128, 1, 9}, Data: misshapen[name].Data}
	infinite[name].Data[7] = float32(math.Inf(1))
	short[name] = nn.Tensor{Shape: []int{32, 128, 3, 3}, Data: short[name].Data[1:]}
	negative := good()
	negative["features.norm5.running_var"].Data[3] = -1
	for want, try := range map[string]struct {
		v    densenet.Variant
		size int
		w    nn.Tensors
	}{
		"lack the tensor " + name:                                      {densenet.DenseNet121, 64, lacking},
		"the tensor " + name + " has the wrong shape":                  {densenet.DenseNet121, 64, misshapen},
		"[32 128 3 3] with 36863 values":                               {densenet.DenseNet121, 64, short},
		"the tensor " + name + " is not finite":                        {densenet.DenseNet121, 64, infinite},
		"features.norm5.running_var has a negative variance":           {densenet.DenseNet121, 64, negative},
		"input is too small: nothing is left after the average pool":   {densenet.DenseNet121, 20, good()},
		"unknown network\n  expected: densenet169 or densenet121\n  f": {"vgg", 64, good()},
	} {
		p, err := densenet.Compile(try.v, try.size, try.w, nn.Options{ISA: nn.Detect()})
		if err == nil {
			p.Close()
			t.Errorf("no error, want %q", want)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q, want %q", err, want)
		}
	}
}
