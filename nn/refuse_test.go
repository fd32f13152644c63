package nn_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"sonotype/densenet"
	"sonotype/internal/problem"
	"sonotype/nn"
	"sonotype/nn/nntest"
)

// refused demands a problem.Error that says want.
func refused(t *testing.T, err error, want string) {
	t.Helper()
	if _, ok := problem.As(err); !ok {
		t.Errorf("error %v, want a problem: %s", err, want)
	} else if !strings.Contains(err.Error(), want) {
		t.Errorf("error %q, want %q", err, want)
	}
}

func TestInferRefusesBadArguments(t *testing.T) {
	g := densenet.Build(small, 40)
	p, err := nn.New().Compile(g, nn.Options{ISA: nn.Detect(), Workers: 2, MaxBatch: 2})
	if err != nil {
		t.Fatal(err)
	}
	x := nntest.Images("x", 3, g.InputShape())
	one := x[:g.InputShape().Len()]
	refused(t, p.Infer(one, 1, nil), "no weights yet")
	refused(t, p.ImportState(nn.State{}), "lack the tensor features.conv0.weight")
	if err := p.ImportState(nn.State{Tensors: nntest.Weights(g.Params())}); err != nil {
		t.Fatal(err)
	}
	refused(t, p.Infer(x, 3, nil), "1 to 2 images")
	refused(t, p.Infer(nil, 0, nil), "batch size")
	refused(t, p.Infer(one[1:], 1, nil), "wrong length")
	refused(t, p.Infer(one, 1, map[string][]float32{"middle": nil}), "no tap middle")
	refused(t, p.Infer(one, 1, map[string][]float32{"logits": make([]float32, 4)}), "tap logits has the wrong length")
	if err := p.Infer(one, 1, nil); err != nil {
		t.Error(err)
	}
	p.Close()
	refused(t, p.Infer(one, 1, nil), "closed")
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// Two goroutines may share a program.
func TestInferIsSafeForConcurrentUse(t *testing.T) {
	g := densenet.Build(small, 40)
	p := load(t, g, nn.Options{ISA: nn.Portable, Workers: 2})
	x := nntest.Images("x", 1, g.InputShape())
	want := infer(t, g, p, x, 1)["logits"]
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			got := make([]float32, len(want))
			if err := p.Infer(x, 1, map[string][]float32{"logits": got}); err != nil || !slices.Equal(got, want) {
				t.Errorf("logits %v, want %v (%v)", got, want, err)
			}
		})
	}
	wg.Wait()
}

// network builds the smallest graph that compiles, with what the test changes.
func network(change func(g *nn.Graph, at string, x nn.Value) nn.Value) *nn.Graph {
	g := nn.NewGraph()
	one := nn.Window{Kernel: 1, Stride: 1}
	three := nn.Window{Kernel: 3, Stride: 1, Pad: 1}
	x := g.Input(3, 40, 40)
	x = change(g, "stem", g.Conv(x, "c0", 32, nn.Window{Kernel: 5, Stride: 2, Pad: 2}, false))
	x = change(g, "relu", g.ReLU(g.BatchNorm(x, "n0", 1e-5)))
	x = change(g, "pool", g.MaxPool(x, nn.Window{Kernel: 3, Stride: 2, Pad: 1}))
	y := g.Conv(g.ReLU(g.BatchNorm(x, "n1", 1e-5)), "c1", 64, one, false)
	y = g.Conv(g.ReLU(g.BatchNorm(y, "n2", 1e-5)), "c2", 32, three, false)
	x = change(g, "block", g.Concat(x, y))
	g.Tap("end", change(g, "end", g.ReLU(g.BatchNorm(x, "n3", 1e-5))))
	return g
}

func TestCompileRefusesOtherGraphs(t *testing.T) {
	same := func(_ *nn.Graph, _ string, x nn.Value) nn.Value { return x }
	p, err := nn.New().Compile(network(same), nn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	for want, change := range map[string]func(g *nn.Graph, at string, x nn.Value) nn.Value{
		"expected: batch normalisation": func(g *nn.Graph, at string, x nn.Value) nn.Value {
			if at != "stem" {
				return x
			}
			return g.Conv(x, "odd", 33, nn.Window{Kernel: 1, Stride: 1}, true)
		},
		"expected: max pool": func(g *nn.Graph, at string, x nn.Value) nn.Value {
			if at != "relu" {
				return x
			}
			return g.AvgPool(x, nn.Window{Kernel: 2, Stride: 2})
		},
		"expected: a dense layer": func(g *nn.Graph, at string, x nn.Value) nn.Value {
			if at != "pool" {
				return x
			}
			return g.ReLU(x)
		},
		"expected: global average pool": func(g *nn.Graph, at string, x nn.Value) nn.Value {
			if at != "end" {
				return x
			}
			return g.ReLU(x)
		},
		"tap inner": func(g *nn.Graph, at string, x nn.Value) nn.Value {
			if at == "stem" {
				g.Tap("inner", x)
			}
			return x
		},
		"two taps of one name": func(g *nn.Graph, at string, x nn.Value) nn.Value {
			if at == "pool" {
				g.Tap("end", x)
			}
			return x
		},
		"a value of another graph": func(g *nn.Graph, at string, x nn.Value) nn.Value {
			if at == "pool" {
				return 1000
			}
			return x
		},
		"impossible window": func(g *nn.Graph, at string, x nn.Value) nn.Value {
			if at != "relu" {
				return x
			}
			return g.MaxPool(x, nn.Window{Kernel: 3, Stride: 0})
		},
		"differ in size": func(g *nn.Graph, at string, x nn.Value) nn.Value {
			if at == "block" {
				g.Concat(x, g.GlobalAvgPool(x))
			}
			return x
		},
		"a linear layer needs 1x1 input": func(g *nn.Graph, at string, x nn.Value) nn.Value {
			if at != "end" {
				return x
			}
			return g.Linear(x, "l", 2)
		},
	} {
		_, err := nn.New().Compile(network(change), nn.Options{})
		refused(t, err, want)
	}
	_, err = nn.New().Compile(nn.NewGraph(), nn.Options{})
	refused(t, err, "an input")
	narrow := small
	narrow.Growth = 20
	_, err = nn.New().Compile(densenet.Build(narrow, 64), nn.Options{})
	refused(t, err, "a multiple of 32")
	_, err = nn.New().Compile(network(same), nn.Options{ISA: 9})
	refused(t, err, "lacks the instruction set")
	_, err = nn.New().Compile(densenet.Graph(densenet.DenseNet169, 20000), nn.Options{})
	refused(t, err, "input is too large")
}
