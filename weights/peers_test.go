package weights

import (
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"sonotype/densenet"
	"sonotype/nn"
	"sonotype/nn/nntest"
)

// peerTolerance is how far a peer's float32 may be from ours in any value: seven digits of features up to 34, summed in
// another order in each of 168 layers.
const peerTolerance = 2e-4

// peer is another program that runs a network on a batch of images.
type peer struct {
	program []string // its command, to which file, batch, shape and output folder are added
	env     []string
}

// nodePeer is ONNX Runtime in node, or the test is skipped.
func nodePeer(t *testing.T) peer {
	t.Helper()
	modules := os.Getenv("SONOTYPE_NODE_MODULES")
	if modules == "" {
		t.Skip("SONOTYPE_NODE_MODULES is not set: it names a node_modules folder with onnxruntime-node")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skipf("no node: %v", err)
	}
	if _, err := os.Stat(filepath.Join(modules, "onnxruntime-node")); err != nil {
		t.Skipf("no onnxruntime-node: %v", err)
	}
	return peer{[]string{node, "testdata/peers/onnx_run.cjs"}, []string{"NODE_PATH=" + modules}}
}

// pythonPeer is a script for a Python that has the modules, or the test is skipped.
func pythonPeer(t *testing.T, script, modules string) peer {
	t.Helper()
	python := os.Getenv("SONOTYPE_ORACLE_PYTHON")
	if python == "" {
		t.Skipf("SONOTYPE_ORACLE_PYTHON is not set: it names a Python with %s", modules)
	}
	if out, err := exec.Command(python, "-c", "import "+modules).CombinedOutput(); err != nil {
		t.Skipf("%s lacks one of %s: %s", python, modules, out)
	}
	return peer{[]string{python, "testdata/peers/" + script}, nil}
}

// run gives the peer's outputs for n images of x; each of want says how many values it has.
func (p peer) run(t *testing.T, file string, x []float32, n int, shape nn.Shape, want map[string][]float32) map[string][]float32 {
	t.Helper()
	dir := t.TempDir()
	input := filepath.Join(dir, "input")
	if err := os.WriteFile(input, appendFloats(nil, x), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append(slices.Clone(p.program[1:]), file, input)
	for _, d := range []int{n, shape.C, shape.H, shape.W} {
		args = append(args, strconv.Itoa(d))
	}
	cmd := exec.Command(p.program[0], append(args, dir)...)
	cmd.Env = append(os.Environ(), p.env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	got := map[string][]float32{}
	for name, w := range want {
		raw, err := os.ReadFile(filepath.Join(dir, name+".f32"))
		if err != nil || len(raw) != 4*len(w) {
			t.Fatalf("%s: %d bytes for %d values, %v", name, len(raw), len(w), err)
		}
		got[name] = make([]float32, len(w))
		dtype{name: "F32"}.convert(got[name], raw)
	}
	return got
}

// trainedLike is DenseNet169 with one logit and, for n images, its input and what nn says of it at the taps.
func trainedLike(t *testing.T, size, n int, taps ...string) (g *nn.Graph, w nn.Tensors, x []float32, want map[string][]float32) {
	t.Helper()
	c, err := densenet.DenseNet169.Config()
	if err != nil {
		t.Fatal(err)
	}
	c.Classes = 1
	g = densenet.Build(c, size)
	w = nntest.Weights(g.Params())
	x = nntest.Images("image", n, g.InputShape())
	p, err := nn.New().Compile(g, nn.Options{ISA: nn.Detect()})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.ImportState(nn.State{Tensors: w}); err != nil {
		t.Fatal(err)
	}
	want = map[string][]float32{}
	for _, name := range taps {
		s, _ := g.TapShape(name)
		want[name] = make([]float32, n*s.Len())
	}
	if err := p.Infer(x, n, want); err != nil {
		t.Fatal(err)
	}
	return g, w, x, want
}

func comparePeer(t *testing.T, got, want map[string][]float32) {
	t.Helper()
	for name, w := range want {
		worst, largest := 0.0, 0.0
		for i, v := range w {
			worst = max(worst, math.Abs(float64(v)-float64(got[name][i])))
			largest = max(largest, math.Abs(float64(v)))
		}
		if !(worst <= peerTolerance) {
			t.Errorf("%s: off by %.2g", name, worst)
		}
		t.Logf("%s: off by %.2g of values up to %.3g", name, worst, largest)
	}
}

// ONNX Runtime gives the exported network's features, their means and its logit as nn does, for the input of the paper
// and one that the pools do not divide, and for batches that the file does not fix.
func TestONNXRuntimeAgrees(t *testing.T) {
	for name, find := range map[string]func(*testing.T) peer{
		"node":   nodePeer,
		"python": func(t *testing.T) peer { return pythonPeer(t, "onnx_run.py", "numpy, onnx, onnxruntime") },
	} {
		t.Run(name, func(t *testing.T) {
			runtime := find(t)
			for _, c := range []struct{ size, n int }{{224, 3}, {75, 1}} {
				g, w, x, want := trainedLike(t, c.size, c.n, onnxOutputs...)
				path := filepath.Join(t.TempDir(), "net.onnx")
				if err := ExportONNX(path, g, w, trainedCard(), onnxOutputs...); err != nil {
					t.Fatal(err)
				}
				comparePeer(t, runtime.run(t, path, x, c.n, g.InputShape(), want), want)
			}
		})
	}
}

// PyTorch loads a trained network as docs/weights.md says, and finds the same logits.
func TestTorchLoadsTrainedWeights(t *testing.T) {
	torch := pythonPeer(t, "torch_load.py", "numpy, torch, torchvision, safetensors.torch")
	g, w, x, want := trainedLike(t, 224, 3, "logits")
	dir := t.TempDir()
	if _, err := SaveTrained(dir, "ta", w, trainedCard()); err != nil {
		t.Fatal(err)
	}
	comparePeer(t, torch.run(t, filepath.Join(dir, "ta.safetensors"), x, 3, g.InputShape(), want), want)
}
