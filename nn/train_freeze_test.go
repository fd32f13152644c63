package nn_test

import (
	"fmt"
	"hash/fnv"
	"math"
	"strings"
	"testing"

	"sonotype/densenet"
	"sonotype/nn"
	"sonotype/nn/kernel"
	"sonotype/nn/nntest"
)

// learning freezes all parameters but those for which f holds.
func learning(g *nn.Graph, f func(name string) bool) map[string]float64 {
	rates := map[string]float64{}
	for _, p := range g.Params() {
		if !f(p.Name) {
			rates[p.Name] = 0
		}
	}
	return rates
}

// only lets the parameters learn that are named.
func only(names ...string) func(string) bool {
	return func(name string) bool {
		for _, n := range names {
			if name == n {
				return true
			}
		}
		return false
	}
}

// some lets about half of the parameters learn.
func some(seed string) func(string) bool {
	return func(name string) bool {
		h := fnv.New64a()
		h.Write([]byte(seed + name))
		return nntest.Uniform(fmt.Sprint(h.Sum64()), 0) < 0.5
	}
}

// Whatever learns and whatever does not, the gradients are the twin's: the way back stops neither
// too early nor goes through the wrong statistics.
func TestAnyFreezeEqualsInterpreter(t *testing.T) {
	skipShort(t)
	g := densenet.Build(learner, 39) // 5x5 pixels in the first block: its transition leaves some out
	norm := func(name string) bool { return strings.Contains(name, "norm") }
	for name, f := range map[string]func(string) bool{
		"all learn":             func(string) bool { return true },
		"classifier":            only("classifier.weight", "classifier.bias"),
		"last norm":             only("features.norm5.weight"),
		"last norm's bias":      only("features.norm5.bias"),
		"stem":                  only("features.conv0.weight"),
		"stem norm's bias":      only("features.norm0.bias"),
		"a transition":          only("features.transition1.conv.weight"),
		"a transition's bias":   only("features.transition2.norm.bias"),
		"one window":            only("features.denseblock2.denselayer2.conv2.weight"),
		"a frozen norm's bias":  only("features.denseblock1.denselayer2.norm1.bias"),
		"the first of the last": only("features.denseblock3.denselayer1.norm1.weight"),
		"no norm":               func(name string) bool { return !norm(name) },
		"norms":                 norm,
		"some":                  some("a"),
		"others":                some("b"),
	} {
		t.Run(name, func(t *testing.T) { conforms(t, g, learning(g, f), 2) })
	}
}

// Any batch and any size that the graph allows.
func TestAnySizeEqualsInterpreter(t *testing.T) {
	skipShort(t)
	for _, c := range []struct{ size, n int }{{17, 6}, {32, 5}, {47, 1}, {64, 1}, {64, 3}} {
		g := densenet.Build(learner, c.size)
		if err := g.Err(); err != nil {
			t.Fatal(err)
		}
		t.Run(fmt.Sprintf("%d/%d", c.size, c.n), func(t *testing.T) { conforms(t, g, nil, c.n) })
	}
}

func skipShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("the float64 twin takes long under the race detector")
	}
}

// roundingTolerance is relative, on the L2 norm of a tensor's gradient: PyTorch's own float32 is
// typically 5e-6 from its float64 on this network. Where a value of the batch lies within its rounding
// error of a ReLU's zero, float32 may cut off what float64 lets through, and the gradients before it
// change by up to 1e-2. That depends on the image, and a mistake does not: a tensor must be within
// the tolerance for one image of three, and within flipTolerance for each.
const (
	roundingTolerance = 1e-4
	flipTolerance     = 3e-2
)

// tolerance of a tensor. The gradient by norm0.weight is what is left of terms up to 1800 times its
// size, because a batch normalisation follows: PyTorch's float32 is up to 1.7e-4 from float64 there.
func tolerance(name string) float64 {
	if strings.HasSuffix(name, "norm0.weight") {
		return 5e-4
	}
	return roundingTolerance
}

// conforms checks a step on every instruction set, and takes another image where it must.
func conforms(t *testing.T, g *nn.Graph, rates map[string]float64, n int) {
	t.Helper()
	far := map[string]float64{} // by instruction set and tensor: its best image's distance
	for _, image := range []string{"first", "second", "third"} {
		if !compareStep(t, g, rates, image, n, far) {
			return
		}
	}
	for what, d := range far {
		if !(d <= tolerance(what)) {
			t.Errorf("%s: off by %.2g of its size, on each image", what, d)
		}
	}
}

// compareStep updates far by an image's distances and reports whether another image is needed.
func compareStep(t *testing.T, g *nn.Graph, rates map[string]float64, image string, n int, far map[string]float64) (more bool) {
	t.Helper()
	x, y := nntest.Images(image, n, g.InputShape()), targets(n)
	want, err := nn.InterpretStep(g, nn.State{Tensors: nntest.Weights(g.Params())}, x, y, n, rates, nn.Loss{})
	if err != nil {
		t.Fatal(err)
	}
	for _, isa := range kernel.Available() {
		tr := trainer(t, g, nn.TrainOptions{ISA: isa, Workers: 2, Rates: rates})
		step := train(t, tr, x, y, nn.Hyper{})
		if !(math.Abs(step.Loss-want.Loss) <= 3e-5*want.Loss) {
			t.Errorf("%s, %s: loss %v, want %v", isa, image, step.Loss, want.Loss)
		}
		sameRunning(t, isa, export(t, tr), want)
		grads, err := tr.Gradients()
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range learnt(t, g, rates, grads) {
			d := distance(grads[name].Data, want.Gradients[name])
			if !(d <= flipTolerance) {
				t.Errorf("%s, %s: %s off by %.2g of its size", isa, image, name, d)
			}
			what := fmt.Sprint(isa, " ", name)
			if best, ok := far[what]; !ok || d < best {
				far[what] = d
			}
			more = more || !(far[what] <= tolerance(name))
		}
	}
	return more
}

// learnt names the tensors that learn, each of which must have a gradient, and no other.
func learnt(t *testing.T, g *nn.Graph, rates map[string]float64, grads nn.Tensors) (names []string) {
	t.Helper()
	for _, p := range g.Params() {
		rate, set := rates[p.Name]
		learns := !strings.Contains(p.Name, ".running_") && (!set || rate != 0)
		if _, has := grads[p.Name]; has != learns {
			t.Errorf("%s learns: %v, and has a gradient: %v", p.Name, learns, has)
		} else if learns {
			names = append(names, p.Name)
		}
	}
	return names
}

// distance is the L2 norm of got-want relative to want's.
func distance(got []float32, want []float64) float64 {
	far, size := 0.0, 0.0
	for i, w := range want {
		d := float64(got[i]) - w
		far, size = far+d*d, size+w*w
	}
	if far == 0 {
		return 0
	}
	return math.Sqrt(far / size)
}

// sameRunning holds the running statistics to the twin's: those of frozen normalisations bit for bit.
func sameRunning(t *testing.T, isa nn.ISA, s nn.State, want *nn.ReferenceStep) {
	t.Helper()
	for name, w := range want.Running {
		for i, v := range w {
			if got := float64(s.Tensors[name].Data[i]); !(math.Abs(got-v) <= 2e-5*max(1, math.Abs(v))) {
				t.Fatalf("%s: %s[%d] is %v, want %v", isa, name, i, got, v)
			}
		}
	}
}
