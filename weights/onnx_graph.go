package weights

import (
	"fmt"
	"strings"

	"sonotype/internal/problem"
	"sonotype/nn"
)

// onnxWriter turns a graph's operations into ONNX nodes.
type onnxWriter struct {
	g     *nn.Graph
	graph message
	names map[nn.Value]string // what ONNX calls a value
	flat  map[nn.Value]bool   // whether it is N x C, not N x C x H x W
}

// onnxGraph is g as a GraphProto whose outputs are the named taps.
func onnxGraph(g *nn.Graph, t nn.Tensors, outputs []string) (*message, error) {
	w := &onnxWriter{g: g, names: map[nn.Value]string{0: ONNXInput}, flat: map[nn.Value]bool{}}
	if err := w.nameOutputs(outputs); err != nil {
		return nil, err
	}
	for v, n := range g.Nodes() {
		if n.Op == nn.OpInput {
			continue
		}
		if err := w.add(v, n); err != nil {
			return nil, err
		}
	}
	w.graph.texts(graphName, "network")
	for _, p := range g.Params() {
		w.graph.message(graphInitializer, initializer(p, t[p.Name].Data))
	}
	w.graph.message(graphInput, valueInfo(ONNXInput, g.InputShape(), false))
	for _, name := range outputs {
		v, _ := g.TapValue(name)
		w.graph.message(graphOutput, valueInfo(name, g.Shape(v), w.flat[v]))
	}
	return &w.graph, nil
}

// nameOutputs gives the values behind the outputs their names.
func (w *onnxWriter) nameOutputs(outputs []string) error {
	for _, name := range outputs {
		v, ok := w.g.TapValue(name)
		if _, named := w.names[v]; !ok || named || name == ONNXInput {
			return &problem.Error{What: fmt.Sprintf("the network has no output %q to export", name), Expected: "different ones of " + strings.Join(w.g.Taps(), ", ")}
		}
		w.names[v] = name
	}
	return nil
}

// add writes operation n, which makes v, as opset 13 defines the operators.
func (w *onnxWriter) add(v nn.Value, n nn.Node) error {
	if err := w.checkRank(v, n); err != nil {
		return err
	}
	switch n.Op {
	case nn.OpConv:
		w.node(v, n, "Conv", w.inputs(n), window(n.Window)...)
	case nn.OpBatchNorm:
		w.node(v, n, "BatchNormalization", w.inputs(n), floatAttribute("epsilon", n.Epsilon))
	case nn.OpReLU:
		w.node(v, n, "Relu", w.inputs(n))
	case nn.OpMaxPool:
		w.node(v, n, "MaxPool", w.inputs(n), window(n.Window)...)
	case nn.OpAvgPool:
		w.node(v, n, "AveragePool", w.inputs(n), append(window(n.Window), intAttribute("count_include_pad", 1))...)
	case nn.OpConcat:
		w.node(v, n, "Concat", w.inputs(n), intAttribute("axis", 1))
	case nn.OpGlobalAvgPool: // ONNX keeps height and width
		pooled := fmt.Sprintf("pooled_%d", v)
		w.write(pooled, "GlobalAveragePool", w.inputs(n), pooled)
		w.node(v, n, "Flatten", []string{pooled})
	case nn.OpLinear:
		w.node(v, n, "Gemm", w.inputs(n), intAttribute("transB", 1))
	default:
		return &problem.Error{What: "this operation cannot be exported to ONNX", Found: n.Op.String()}
	}
	return nil
}

// checkRank notes whether v is flat and refuses what ONNX would need a reshape for.
func (w *onnxWriter) checkRank(v nn.Value, n nn.Node) error {
	flat := w.flat[n.In[0]]
	fits := true
	switch n.Op {
	case nn.OpConv, nn.OpMaxPool, nn.OpAvgPool, nn.OpGlobalAvgPool:
		fits = !flat
	case nn.OpLinear:
		fits = flat
	case nn.OpConcat:
		for _, in := range n.In {
			fits = fits && w.flat[in] == flat
		}
	}
	if !fits {
		return &problem.Error{What: "this network cannot be exported to ONNX", Expected: "a linear layer, and nothing that needs an image, behind a global average pool", Found: strings.TrimSpace(n.Op.String() + " " + n.Name)}
	}
	w.flat[v] = flat || n.Op == nn.OpGlobalAvgPool
	return nil
}

// inputs names what n reads: values, then parameters in ONNX's order, which is that of torchvision's.
func (w *onnxWriter) inputs(n nn.Node) []string {
	var names []string
	for _, in := range n.In {
		names = append(names, w.names[in])
	}
	switch {
	case n.Op == nn.OpBatchNorm:
		names = append(names, n.Name+".weight", n.Name+".bias", n.Name+".running_mean", n.Name+".running_var")
	case n.Name != "":
		names = append(names, n.Name+".weight")
		if n.Bias {
			names = append(names, n.Name+".bias")
		}
	}
	return names
}

// node writes the operator that makes v; it and, unless v is an output of the model, v are named after n.
func (w *onnxWriter) node(v nn.Value, n nn.Node, op string, inputs []string, attributes ...*message) {
	label := fmt.Sprintf("%s_%d", strings.ToLower(op), v)
	if n.Name != "" {
		label = n.Name
	}
	if w.names[v] == "" {
		w.names[v] = fmt.Sprintf("value_%d", v)
	}
	w.write(label, op, inputs, w.names[v], attributes...)
}

// write adds one NodeProto.
func (w *onnxWriter) write(label, op string, inputs []string, output string, attributes ...*message) {
	var m message
	m.texts(nodeInput, inputs...)
	m.texts(nodeOutput, output)
	m.texts(nodeName, label)
	m.texts(nodeOp, op)
	for _, a := range attributes {
		m.message(nodeAttribute, a)
	}
	w.graph.message(graphNode, &m)
}
