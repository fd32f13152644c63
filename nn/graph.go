package nn

import (
	"fmt"

	"sonotype/internal/problem"
)

// Op is a kind of graph node.
type Op int

// The vocabulary of graphs. Fusions are the compiler's business, not the graph's.
const (
	OpInput Op = iota
	OpConv
	OpBatchNorm
	OpReLU
	OpMaxPool
	OpAvgPool
	OpConcat
	OpGlobalAvgPool
	OpLinear
)

var opNames = [...]string{"input", "convolution", "batch normalisation", "ReLU", "max pool",
	"average pool", "concatenation", "global average pool", "linear layer"}

// String names the op in errors.
func (o Op) String() string { return opNames[o] }

// Shape is one image's activation: channels, height, width.
type Shape struct{ C, H, W int }

// Len is the number of values of one image.
func (s Shape) Len() int { return s.C * s.H * s.W }

// Value refers to the output of a node of one Graph.
type Value int

// Window is the geometry of a convolution or pool, the same along both axes.
type Window struct{ Kernel, Stride, Pad int }

// node is one operation. Name is the prefix of its parameters (name + ".weight").
type node struct {
	op     Op
	in     []Value
	name   string
	window Window
	bias   bool
	eps    float64
	shape  Shape
}

// Graph is a network under construction: nodes in topological order, with named taps.
// Builder methods never fail by themselves; the first mistake is kept and reported by Err.
type Graph struct {
	nodes []node
	taps  []tap
	err   error
}

type tap struct {
	name string
	at   Value
}

// NewGraph returns an empty graph.
func NewGraph() *Graph { return &Graph{} }

// Err returns the first mistake made while building.
func (g *Graph) Err() error { return g.err }

// Input adds the graph's only input, images of c x h x w.
func (g *Graph) Input(c, h, w int) Value {
	if len(g.nodes) > 0 {
		g.fail("the input must be the first node, and there is one only", "")
	}
	return g.add(node{op: OpInput, shape: Shape{c, h, w}})
}

// Conv adds a 2-D convolution (cross-correlation) with weight name.weight (OIHW) and, where bias
// is set, name.bias.
func (g *Graph) Conv(x Value, name string, out int, w Window, bias bool) Value {
	s := g.Shape(x)
	return g.add(node{op: OpConv, in: []Value{x}, name: name, window: w, bias: bias,
		shape: windowed(Shape{out, s.H, s.W}, w)})
}

// BatchNorm adds a batch normalisation with name.weight, bias, running_mean and running_var.
func (g *Graph) BatchNorm(x Value, name string, eps float64) Value {
	return g.add(node{op: OpBatchNorm, in: []Value{x}, name: name, eps: eps, shape: g.Shape(x)})
}

// ReLU adds max(x, 0).
func (g *Graph) ReLU(x Value) Value {
	return g.add(node{op: OpReLU, in: []Value{x}, shape: g.Shape(x)})
}

// MaxPool adds a max pool; padding never wins.
func (g *Graph) MaxPool(x Value, w Window) Value {
	return g.add(node{op: OpMaxPool, in: []Value{x}, window: w, shape: windowed(g.Shape(x), w)})
}

// AvgPool adds an average pool that counts padding as zeros, and drops what the last window
// does not cover.
func (g *Graph) AvgPool(x Value, w Window) Value {
	return g.add(node{op: OpAvgPool, in: []Value{x}, window: w, shape: windowed(g.Shape(x), w)})
}

// Concat joins values of equal height and width along the channels.
func (g *Graph) Concat(xs ...Value) Value {
	if len(xs) == 0 {
		g.fail("a concatenation needs inputs", "")
		return 0
	}
	s := g.Shape(xs[0])
	s.C = 0
	for _, x := range xs {
		t := g.Shape(x)
		if t.H != s.H || t.W != s.W {
			g.fail("concatenated values differ in size", fmt.Sprintf("%dx%d and %dx%d", s.H, s.W, t.H, t.W))
		}
		s.C += t.C
	}
	return g.add(node{op: OpConcat, in: xs, shape: s})
}

// GlobalAvgPool adds the mean over height and width.
func (g *Graph) GlobalAvgPool(x Value) Value {
	return g.add(node{op: OpGlobalAvgPool, in: []Value{x}, shape: Shape{g.Shape(x).C, 1, 1}})
}

// Linear adds a fully connected layer with name.weight (out x in) and name.bias.
func (g *Graph) Linear(x Value, name string, out int) Value {
	if s := g.Shape(x); s.H != 1 || s.W != 1 {
		g.fail("a linear layer needs 1x1 input: "+name, fmt.Sprintf("%dx%d", s.H, s.W))
	}
	return g.add(node{op: OpLinear, in: []Value{x}, name: name, bias: true, shape: Shape{out, 1, 1}})
}

// Tap makes x readable under a name.
func (g *Graph) Tap(name string, x Value) {
	if _, ok := g.findTap(name); ok {
		g.fail("two taps of one name", name)
	}
	g.Shape(x)
	g.taps = append(g.taps, tap{name, x})
}

// Taps lists the names of the taps in the order in which they were made.
func (g *Graph) Taps() []string {
	names := make([]string, len(g.taps))
	for i, t := range g.taps {
		names[i] = t.name
	}
	return names
}

// TapShape returns the shape of one image's tap.
func (g *Graph) TapShape(name string) (Shape, bool) {
	at, ok := g.findTap(name)
	if !ok {
		return Shape{}, false
	}
	return g.nodes[at].shape, true
}

// InputShape returns the shape of one input image.
func (g *Graph) InputShape() Shape {
	if len(g.nodes) == 0 {
		return Shape{}
	}
	return g.nodes[0].shape
}

// Shape returns the shape of x.
func (g *Graph) Shape(x Value) Shape {
	if x < 0 || int(x) >= len(g.nodes) {
		g.fail("a value of another graph", fmt.Sprint(int(x)))
		return Shape{}
	}
	return g.nodes[x].shape
}

// Params lists the parameters and buffers that the graph needs, in the order of its nodes.
func (g *Graph) Params() []ParamSpec {
	var ps []ParamSpec
	for _, n := range g.nodes {
		c := n.shape.C
		switch n.op {
		case OpConv:
			k := n.window.Kernel
			ps = append(ps, ParamSpec{n.name + ".weight", []int{c, g.nodes[n.in[0]].shape.C, k, k}})
		case OpLinear:
			ps = append(ps, ParamSpec{n.name + ".weight", []int{c, g.nodes[n.in[0]].shape.C}})
		case OpBatchNorm:
			for _, part := range []string{".weight", ".bias", ".running_mean", ".running_var"} {
				ps = append(ps, ParamSpec{n.name + part, []int{c}})
			}
		}
		if n.bias {
			ps = append(ps, ParamSpec{n.name + ".bias", []int{c}})
		}
	}
	return ps
}

func (g *Graph) findTap(name string) (Value, bool) {
	for _, t := range g.taps {
		if t.name == name {
			return t.at, true
		}
	}
	return 0, false
}

// add appends n after checking its geometry.
func (g *Graph) add(n node) Value {
	where := n.op.String()
	if n.name != "" {
		where += " " + n.name
	}
	if w := n.window; n.windowed() && (w.Kernel < 1 || w.Stride < 1 || w.Pad < 0 || w.Pad >= w.Kernel) {
		g.fail("impossible window of the "+where, fmt.Sprintf("kernel %d, stride %d, pad %d", w.Kernel, w.Stride, w.Pad))
	}
	if s := n.shape; s.C < 1 || s.H < 1 || s.W < 1 {
		g.fail("the network's input is too small: nothing is left after the "+where,
			fmt.Sprintf("%d channels of %dx%d", s.C, s.H, s.W))
	}
	g.nodes = append(g.nodes, n)
	return Value(len(g.nodes) - 1)
}

func (n *node) windowed() bool {
	return n.op == OpConv || n.op == OpMaxPool || n.op == OpAvgPool
}

func (g *Graph) fail(what, found string) {
	if g.err == nil {
		g.err = &problem.Error{What: what, Found: found}
	}
}

// windowed returns the output shape of a window on s, channels kept.
func windowed(s Shape, w Window) Shape {
	if w.Stride < 1 || s.H+2*w.Pad < w.Kernel || s.W+2*w.Pad < w.Kernel {
		return Shape{s.C, 0, 0}
	}
	return Shape{s.C, (s.H+2*w.Pad-w.Kernel)/w.Stride + 1, (s.W+2*w.Pad-w.Kernel)/w.Stride + 1}
}

// Failed returns an empty graph whose Err is err, for builders that find a mistake first.
func Failed(err error) *Graph { return &Graph{err: err} }
