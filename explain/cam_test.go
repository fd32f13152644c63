package explain

import (
	"math"
	"testing"

	"sonotype/densenet"
	"sonotype/internal/golden"
	"sonotype/internal/rng"
	"sonotype/nn"
	"sonotype/nn/nntest"
)

// oracle is the file of oracles/explain_gradcam.py.
type oracle struct {
	golden.Meta
	Size     int         `json:"size"`
	Logit    float64     `json:"logit"`
	Positive [][]float64 `json:"positive"`
	Negative [][]float64 `json:"negative"`
	Enlarged struct {
		Height int       `json:"height"`
		Width  int       `json:"width"`
		Values []float64 `json:"values"`
	} `json:"enlarged"`
	Pairs []struct {
		A   []float32 `json:"a"`
		B   []float32 `json:"b"`
		Rho float64   `json:"rho"`
	} `json:"pairs"`
}

func load(t *testing.T) oracle {
	var o oracle
	golden.Load(t, "testdata/oracle/gradcam.json", &o)
	return o
}

// The map of DenseNet169's feature map is the one that PyTorch's autograd gives, for either class.
func TestCAMIsAutograds(t *testing.T) {
	want := load(t)
	config, err := densenet.DenseNet169.Config()
	if err != nil {
		t.Fatal(err)
	}
	config.Classes = 1
	g := densenet.Build(config, want.Size)
	weights := nntest.Weights(g.Params())
	p, err := nn.New().Compile(g, nn.Options{ISA: nn.Detect()})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.ImportState(nn.State{Tensors: weights}); err != nil {
		t.Fatal(err)
	}
	shape, _ := g.TapShape("features")
	taps := map[string][]float32{"features": make([]float32, shape.Len())}
	if err := p.Infer(nntest.Images("image", 1, g.InputShape()), 1, taps); err != nil {
		t.Fatal(err)
	}
	h := len(want.Positive)
	logit := float64(weights["classifier.bias"].Data[0])
	for _, c := range []struct {
		positive bool
		sign     float64
		want     [][]float64
	}{{true, 1, want.Positive}, {false, -1, want.Negative}} {
		got := CAM(taps["features"], shape.C, h, h, weights["classifier.weight"].Data, c.positive)
		if len(got) != h*h {
			t.Fatalf("%d values of %v", len(got), shape)
		}
		worst, top := 0.0, 0.0
		for i, v := range got {
			w := c.want[i/h][i%h]
			worst, top = max(worst, math.Abs(float64(v)-w)), max(top, w)
			logit += c.sign * float64(v)
		}
		t.Logf("positive %v: off by %.2g of the largest value", c.positive, worst/top)
		if worst > want.Tolerance*top {
			t.Errorf("positive %v: off by %.2g of %.2g", c.positive, worst, top)
		}
	}
	if math.Abs(logit-want.Logit) > want.Tolerance*math.Abs(want.Logit) {
		t.Errorf("the maps sum to a logit of %v, PyTorch %v", logit, want.Logit)
	}
}

// The map is Grad-CAM's by its definition, with the gradient taken numerically through average pool and linear unit.
func TestCAMIsTheNumericalGradients(t *testing.T) {
	const c, h, w = 11, 3, 4
	r := rng.Stream(1, "gradient")
	features, weight := make([]float32, c*h*w), make([]float32, c)
	for i := range features {
		features[i] = float32(max(r.NormFloat64(), 0))
	}
	for k := range weight {
		weight[k] = float32(r.NormFloat64())
	}
	logit := func(at int, step float64) float64 { // with one feature moved
		out := 0.3
		for i, a := range features {
			v := float64(a)
			if i == at {
				v += step
			}
			out += float64(weight[i/(h*w)]) * v / (h * w)
		}
		return out
	}
	for _, sign := range []float64{1, -1} {
		got := CAM(features, c, h, w, weight, sign > 0)
		want := make([]float64, h*w)
		for k := range c {
			var mean float64 // of the gradient over the channel
			for i := range h * w {
				const step = 1e-3
				mean += (logit(k*h*w+i, step) - logit(k*h*w+i, -step)) / (2 * step) / (h * w)
			}
			for i := range want {
				want[i] += sign * mean * float64(features[k*h*w+i])
			}
		}
		for i, v := range got {
			if d := float64(v) - max(want[i], 0); math.Abs(d) > 1e-7 {
				t.Errorf("sign %v, place %d: %v, want %v", sign, i, v, max(want[i], 0))
			}
		}
	}
}

func TestCAMRefusesWhatDoesNotFit(t *testing.T) {
	x := make([]float32, 12)
	for _, got := range [][]float32{CAM(x, 3, 2, 2, x[:2], true), CAM(x[:11], 3, 2, 2, x[:3], true), CAM(x, 0, 2, 2, nil, true), CAM(nil, 3, 0, 2, x[:3], true)} {
		if got != nil {
			t.Errorf("a map of %d values", len(got))
		}
	}
}
