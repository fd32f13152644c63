package nn_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"sonotype/densenet"
	"sonotype/nn"
	"sonotype/nn/kernel"
	"sonotype/nn/nntest"
)

// small is a DenseNet with all the parts of the large ones.
var small = densenet.Config{Blocks: []int{2, 4, 2}, Growth: 32, Stem: 64, Neck: 2, Classes: 3}

func load(t testing.TB, g *nn.Graph, o nn.Options) nn.Program {
	t.Helper()
	p, err := nn.New().Compile(g, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	if err := p.ImportState(nn.State{Tensors: nntest.Weights(g.Params())}); err != nil {
		t.Fatal(err)
	}
	return p
}

// infer returns all taps of n images.
func infer(t testing.TB, g *nn.Graph, p nn.Program, x []float32, n int) map[string][]float32 {
	t.Helper()
	taps := map[string][]float32{}
	for _, name := range g.Taps() {
		s, _ := g.TapShape(name)
		taps[name] = make([]float32, n*s.Len())
	}
	if err := p.Infer(x, n, taps); err != nil {
		t.Fatal(err)
	}
	return taps
}

// Every tap of the compiled network is the interpreter's, for every instruction set, at sizes whose
// tiles have odd edges and at batches that the workers cannot share evenly.
func TestCompiledEqualsInterpreter(t *testing.T) {
	for _, size := range []int{32, 47, 101} {
		g := densenet.Build(small, size)
		if err := g.Err(); err != nil {
			t.Fatal(err)
		}
		const n = 3
		x := nntest.Images("x", n, g.InputShape())
		want, err := nn.Interpret(g, nn.State{Tensors: nntest.Weights(g.Params())}, x, n)
		if err != nil {
			t.Fatal(err)
		}
		for _, isa := range kernel.Available() {
			t.Run(fmt.Sprintf("%d/%s", size, isa), func(t *testing.T) {
				got := infer(t, g, load(t, g, nn.Options{ISA: isa, Workers: 2}), x, n)
				for _, name := range g.Taps() {
					near(t, name, got[name], want[name])
				}
			})
		}
	}
}

// near allows for the rounding of float32: sums of up to a few hundred terms of size 1.
func near(t *testing.T, name string, got []float32, want []float64) {
	t.Helper()
	const tolerance = 3e-5
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", name, len(got), len(want))
	}
	worst, at := 0.0, 0
	for i, w := range want {
		d := math.Abs(float64(got[i])-w) / max(1, math.Abs(w))
		if !(d <= worst) {
			worst, at = d, i
		}
	}
	if !(worst <= tolerance) {
		t.Errorf("%s: off by %.2g at %d: %v, want %v", name, worst, at, got[at], want[at])
	}
}

// An image's bytes depend neither on its batch nor on the number of workers, and the two
// instruction sets with fused multiply-add agree on them.
func TestBytesDoNotDependOnBatchOrWorkers(t *testing.T) {
	g := densenet.Build(small, 103)
	const most = 5
	x := nntest.Images("x", most, g.InputShape())
	fused := map[string][]float32{}
	for _, isa := range kernel.Available() {
		want := map[string][]float32{}
		for _, workers := range []int{1, 2, 3} {
			p := load(t, g, nn.Options{ISA: isa, Workers: workers})
			for _, n := range []int{most, 1, 2} {
				got := infer(t, g, p, x[:n*g.InputShape().Len()], n)
				for name, v := range got {
					if want[name] == nil {
						want[name] = v
					}
					if !slices.Equal(v, want[name][:len(v)]) {
						t.Errorf("%s, %d workers, batch %d: %s differs", isa, workers, n, name)
					}
				}
			}
		}
		for name, v := range want {
			if isa != nn.Portable && fused[name] == nil {
				fused[name] = v
			} else if isa != nn.Portable && !slices.Equal(v, fused[name]) {
				t.Errorf("%s: %s differs from the other fused instruction set", isa, name)
			}
		}
	}
}

func BenchmarkInfer(b *testing.B) {
	g := densenet.Graph(densenet.DenseNet169, 224)
	for _, isa := range kernel.Available()[1:] {
		for _, n := range []int{1, 16} {
			b.Run(fmt.Sprintf("%s/batch%d", isa, n), func(b *testing.B) {
				p := load(b, g, nn.Options{ISA: isa})
				x := nntest.Images("x", n, g.InputShape())
				taps := map[string][]float32{"features": make([]float32, n*81536)}
				for b.Loop() {
					if err := p.Infer(x, n, taps); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(b.Elapsed().Seconds()*1e3/float64(b.N*n), "ms/image")
			})
		}
	}
}

func TestBench(t *testing.T) {
	if testing.Short() {
		t.Skip("measures for seconds")
	}
	g := densenet.Build(small, 64)
	ms, err := nn.Bench(context.Background(), g, nntest.Weights(g.Params()), nn.Detect(), 0, 2)
	if err != nil || !(ms > 0) {
		t.Errorf("Bench = %v, %v", ms, err)
	}
}
