package weights

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sonotype/densenet"
	"sonotype/nn"
	"sonotype/nn/nntest"
)

var onnxOutputs = []string{"features", "avgpool", "logits"}

// smallNet is a DenseNet of two short blocks with a classifier of two outputs, and weights for it.
func smallNet() (*nn.Graph, nn.Tensors) {
	g := densenet.Build(densenet.Config{Blocks: []int{2, 1}, Growth: 32, Stem: 32, Neck: 2, Classes: 2}, 40)
	return g, nntest.Weights(g.Params())
}

// exported is the model that ExportONNX makes of g.
func exported(t *testing.T, g *nn.Graph, x nn.Tensors, c Card, outputs ...string) wireMessage {
	t.Helper()
	path := filepath.Join(t.TempDir(), "net.onnx")
	if err := ExportONNX(path, g, x, c, outputs...); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return readWire(t, b)
}

func TestONNXHoldsEveryTensor(t *testing.T) {
	g, x := smallNet()
	graph := exported(t, g, x, trainedCard(), onnxOutputs...).messages(t, 7)[0]
	got := nn.Tensors{}
	for _, m := range graph.messages(t, 5) {
		if m.integers[2][0] != 1 {
			t.Errorf("data type %v", m.integers[2])
		}
		v := nn.Tensor{Shape: m.integers[1]}
		v.Data = make([]float32, v.Len())
		raw := m.bytes[9][0]
		if len(raw) != 4*len(v.Data) {
			t.Fatalf("%s: %d bytes for shape %v", m.text(t, 8), len(raw), v.Shape)
		}
		dtype{name: "F32"}.convert(v.Data, raw)
		got[m.text(t, 8)] = v
	}
	if len(got) != len(g.Params()) || Hash(got) != Hash(x) {
		t.Errorf("%d initialisers for %d parameters, or other values", len(got), len(g.Params()))
	}
}

// Reading the nodes back gives the graph that was written.
func TestONNXHoldsTheGraph(t *testing.T) {
	g, x := smallNet()
	graph := exported(t, g, x, trainedCard(), onnxOutputs...).messages(t, 7)[0]
	back := rebuild(t, graph, g.InputShape())
	if err := back.Err(); err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for v, n := range g.Nodes() {
		n.Epsilon = float64(float32(n.Epsilon)) // ONNX keeps float32
		want = append(want, fmt.Sprintf("%d %+v", v, n))
	}
	for v, n := range back.Nodes() {
		got = append(got, fmt.Sprintf("%d %+v", v, n))
	}
	if !slices.Equal(got, want) {
		t.Errorf("\n got %s\nwant %s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for i, m := range graph.messages(t, 12) {
		a, _ := g.TapValue(onnxOutputs[i])
		b, _ := back.TapValue(m.text(t, 1))
		if a != b || m.text(t, 1) != onnxOutputs[i] {
			t.Errorf("output %s is value %d, want %s, %d", m.text(t, 1), b, onnxOutputs[i], a)
		}
	}
}

// onnxReader builds a graph from the nodes of an ONNX graph.
type onnxReader struct {
	t      *testing.T
	g      *nn.Graph
	values map[string]nn.Value
	first  map[string]int // first dimension of every initialiser
}

// rebuild reads an ONNX graph, with a tap for every output.
func rebuild(t *testing.T, graph wireMessage, input nn.Shape) *nn.Graph {
	t.Helper()
	r := onnxReader{t: t, g: nn.NewGraph(), first: map[string]int{}}
	r.values = map[string]nn.Value{"image": r.g.Input(input.C, input.H, input.W)}
	for _, m := range graph.messages(t, 5) {
		r.first[m.text(t, 8)] = m.integers[1][0]
	}
	for _, n := range graph.messages(t, 1) {
		out := n.text(t, 2)
		if _, twice := r.values[out]; twice {
			t.Fatalf("two values called %s", out)
		}
		r.values[out] = r.operation(n.text(t, 4), n.text(t, 3), n.texts(1), r.attributes(n))
	}
	for _, m := range graph.messages(t, 12) {
		r.g.Tap(m.text(t, 1), r.value(m.text(t, 1)))
	}
	return r.g
}

// value is what an earlier node made.
func (r onnxReader) value(name string) nn.Value {
	r.t.Helper()
	v, ok := r.values[name]
	if !ok {
		r.t.Fatalf("no node made %s before it was read", name)
	}
	return v
}

// operation adds the ONNX operator op, called name, to the graph.
func (r onnxReader) operation(op, name string, in []string, a map[string]any) nn.Value {
	r.t.Helper()
	x := r.value(in[0])
	switch op {
	case "Conv":
		r.checkParams(name, in[1:], ".weight")
		return r.g.Conv(x, name, r.first[in[1]], r.window(a), false)
	case "BatchNormalization":
		r.checkParams(name, in[1:], ".weight", ".bias", ".running_mean", ".running_var")
		return r.g.BatchNorm(x, name, float64(a["epsilon"].(float32)))
	case "Relu":
		return r.g.ReLU(x)
	case "MaxPool":
		return r.g.MaxPool(x, r.window(a))
	case "AveragePool":
		if a["count_include_pad"] != 1 {
			r.t.Error("an average pool that does not count its padding")
		}
		return r.g.AvgPool(x, r.window(a))
	case "Concat":
		if a["axis"] != 1 {
			r.t.Errorf("concatenated along axis %v", a["axis"])
		}
		var all []nn.Value
		for _, v := range in {
			all = append(all, r.value(v))
		}
		return r.g.Concat(all...)
	case "GlobalAveragePool":
		return x // the flattening that follows stands for both
	case "Flatten":
		return r.g.GlobalAvgPool(x)
	case "Gemm":
		if a["transB"] != 1 {
			r.t.Error("weights that are not transposed")
		}
		r.checkParams(name, in[1:], ".weight", ".bias")
		return r.g.Linear(x, name, r.first[in[1]])
	}
	r.t.Fatalf("operator %s", op)
	return 0
}

func (r onnxReader) checkParams(name string, in []string, parts ...string) {
	r.t.Helper()
	for i, p := range parts {
		if len(in) != len(parts) || in[i] != name+p {
			r.t.Fatalf("%s has the parameters %v, want %v", name, in, parts)
		}
	}
}

// attributes are a node's by name: float32, int or []int, whatever their type field says.
func (r onnxReader) attributes(n wireMessage) map[string]any {
	r.t.Helper()
	out := map[string]any{}
	for _, m := range n.messages(r.t, 5) {
		name := m.text(r.t, 1)
		switch m.integers[20][0] {
		case 1:
			out[name] = m.floats[2][0]
		case 2:
			out[name] = m.integers[3][0]
		case 7:
			out[name] = m.integers[8]
		default:
			r.t.Fatalf("%s: attribute of type %v", name, m.integers[20])
		}
	}
	return out
}

func (r onnxReader) window(a map[string]any) nn.Window {
	r.t.Helper()
	k, s, p := a["kernel_shape"].([]int), a["strides"].([]int), a["pads"].([]int)
	w := nn.Window{Kernel: k[0], Stride: s[0], Pad: p[0]}
	if !slices.Equal(k, []int{w.Kernel, w.Kernel}) || !slices.Equal(s, []int{w.Stride, w.Stride}) || !slices.Equal(p, []int{w.Pad, w.Pad, w.Pad, w.Pad}) {
		r.t.Errorf("window of kernel %v, strides %v, pads %v", k, s, p)
	}
	return w
}

func TestONNXSaysWhatItIs(t *testing.T) {
	g, x := smallNet()
	m := exported(t, g, x, trainedCard(), onnxOutputs...)
	opset := m.messages(t, 8)
	if m.integers[1][0] != 7 || len(opset) != 1 || opset[0].integers[2][0] != 13 || m.text(t, 2) != "sonotype" {
		t.Errorf("file format %v, operators %v, by %q", m.integers[1], opset, m.text(t, 2))
	}
	if doc := m.text(t, 6); !strings.Contains(doc, "N x 3 x 40 x 40") || !strings.Contains(doc, "mean [0.485 0.456 0.406]") {
		t.Errorf("doc string %q", doc)
	}
	properties := map[string]string{}
	for _, p := range m.messages(t, 14) {
		properties[p.text(t, 1)] = p.text(t, 2)
	}
	for k, want := range map[string]string{
		"backbone": "densenet169", "classes": `["low","high"]`, "data_hash": "d", "metrics": `{"heldout_auc":0.75,"heldout_loss":null}`,
		"preprocessing": `{"mean":[0.485,0.456,0.406],"size":96,"std":[0.229,0.224,0.225]}`,
	} {
		if properties[k] != want {
			t.Errorf("%s is %q, want %q", k, properties[k], want)
		}
	}
	graph := m.messages(t, 7)[0]
	got := fmt.Sprint(ports(t, graph.messages(t, 11)), ports(t, graph.messages(t, 12)))
	if want := "[image:N,3,40,40] [features:N,80,5,5 avgpool:N,80 logits:N,2]"; got != want {
		t.Errorf("inputs and outputs %s, want %s", got, want)
	}
}

// ports are inputs or outputs as name:dimensions.
func ports(t *testing.T, infos []wireMessage) []string {
	t.Helper()
	var out []string
	for _, info := range infos {
		tensor := info.messages(t, 2)[0].messages(t, 1)[0]
		var dims []string
		for _, d := range tensor.messages(t, 2)[0].messages(t, 1) {
			dims = append(dims, strings.Trim(fmt.Sprint(d.texts(2), d.integers[1]), "[] "))
		}
		out = append(out, info.text(t, 1)+":"+strings.Join(dims, ","))
	}
	return out
}

func TestONNXBytesAreDeterministic(t *testing.T) {
	g, x := smallNet()
	var files [2][]byte
	for i := range files {
		path := filepath.Join(t.TempDir(), "net.onnx")
		if err := ExportONNX(path, g, x, trainedCard(), onnxOutputs...); err != nil {
			t.Fatal(err)
		}
		files[i], _ = os.ReadFile(path)
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("two exports differ")
	}
}

func TestONNXRefuses(t *testing.T) {
	flatConv := nn.NewGraph()
	flatConv.Tap("out", flatConv.Conv(flatConv.GlobalAvgPool(flatConv.Input(3, 8, 8)), "c", 2, nn.Window{Kernel: 1, Stride: 1}, false))
	unpooled := nn.NewGraph()
	unpooled.Tap("out", unpooled.Linear(unpooled.Input(3, 1, 1), "l", 1))
	good, _ := smallNet()
	for what, c := range map[string]struct {
		g       *nn.Graph
		lacking string
		outputs []string
		word    string
	}{
		"no such tap":      {good, "", []string{"nose"}, "features, avgpool, logits"},
		"a tap twice":      {good, "", []string{"logits", "logits"}, "different ones"},
		"a missing tensor": {good, "classifier.bias", onnxOutputs, `lack the tensor "classifier.bias"`},
		"a broken graph":   {densenet.Graph("resnet50", 224), "", nil, "resnet50"},
		"flat convolution": {flatConv, "", []string{"out"}, "convolution c"},
		"unpooled linear":  {unpooled, "", []string{"out"}, "linear layer l"},
	} {
		x := nntest.Weights(c.g.Params())
		delete(x, c.lacking)
		path := filepath.Join(t.TempDir(), "net.onnx")
		err := ExportONNX(path, c.g, x, Card{}, c.outputs...)
		if err == nil || !strings.Contains(err.Error(), c.word) || !strings.Contains(err.Error(), "net.onnx") {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s: a file was left", what)
		}
	}
}

// A convolution's bias, an average pool with padding and a batch normalisation behind the pool, which no DenseNet has.
func TestONNXBeyondDenseNet(t *testing.T) {
	g := nn.NewGraph()
	x := g.AvgPool(g.Conv(g.Input(3, 9, 9), "c", 4, nn.Window{Kernel: 3, Stride: 2, Pad: 1}, true), nn.Window{Kernel: 3, Stride: 1, Pad: 1})
	x = g.GlobalAvgPool(x)
	g.Tap("out", g.Linear(g.ReLU(g.BatchNorm(g.Concat(x, x), "b", 1e-3)), "l", 2))
	graph := exported(t, g, nntest.Weights(g.Params()), Card{}, "out").messages(t, 7)[0]
	var ops []string
	for _, n := range graph.messages(t, 1) {
		ops = append(ops, n.text(t, 4))
	}
	want := []string{"Conv", "AveragePool", "GlobalAveragePool", "Flatten", "Concat", "BatchNormalization", "Relu", "Gemm"}
	if !slices.Equal(ops, want) || !slices.Equal(graph.messages(t, 1)[0].texts(1), []string{"image", "c.weight", "c.bias"}) {
		t.Errorf("%v reading %v", ops, graph.messages(t, 1)[0].texts(1))
	}
}
