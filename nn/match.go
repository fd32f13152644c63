package nn

import (
	"fmt"

	"sonotype/internal/problem"
)

// matcher recognises a DenseNet in a graph by walking from the input to the end.
type matcher struct {
	g     *Graph
	users [][]Value
	plan  plan
	sites map[Value]tapPlan // where values can be tapped
	err   error
}

// channelStep is what the channel counts of compiled convolutions are multiples of: the widest tile.
const channelStep = 32

// match turns g into a plan or says what the engine does not know.
func match(g *Graph) (*plan, error) {
	m := &matcher{g: g, users: make([][]Value, len(g.nodes)), sites: map[Value]tapPlan{}}
	for i, n := range g.nodes {
		for _, in := range n.in {
			m.users[in] = append(m.users[in], Value(i))
		}
	}
	v := m.stem()
	for m.err == nil {
		b := m.block(v)
		relu := m.normRelu(m.only(b.exit), &b.norm)
		if next := m.users[relu]; m.err == nil && len(next) == 1 && g.nodes[next[0]].op == OpConv {
			v = m.transition(next[0], b)
			continue
		}
		m.head(relu, b)
		break
	}
	m.taps()
	return &m.plan, m.err
}

// matched is a block and what the walk needs to go on.
type matched struct {
	exit Value
	norm convSpec // of the BN behind the block
}

func (m *matcher) fail(v Value, expected string) {
	if m.err != nil {
		return
	}
	found := "the end of the graph"
	if int(v) < len(m.g.nodes) {
		n := m.g.nodes[v]
		found = fmt.Sprintf("node %d, %s %s %dx%dx%d", v, n.op, n.name, n.shape.C, n.shape.H, n.shape.W)
	}
	m.err = &problem.Error{What: "the CPU engine cannot compile this graph", Expected: expected, Found: found,
		Try: "use a network of the DenseNet family"}
}

// only returns the one user of v.
func (m *matcher) only(v Value) Value {
	if m.err == nil && len(m.users[v]) != 1 {
		m.fail(v, "a value with one user")
	}
	if m.err != nil {
		return 0
	}
	return m.users[v][0]
}

// expect returns node v if it is an op.
func (m *matcher) expect(v Value, op Op) node {
	if m.err == nil && m.g.nodes[v].op != op {
		m.fail(v, op.String())
	}
	return m.g.nodes[v]
}

// conv checks a convolution without bias; out channels must fill whole tiles.
func (m *matcher) conv(v Value, w Window) (convSpec, int) {
	n := m.expect(v, OpConv)
	if m.err == nil && (n.window != w || n.bias || n.shape.C%channelStep != 0) {
		m.fail(v, fmt.Sprintf("a %dx%d convolution of stride %d, padding %d, without bias, outputs a multiple of %d",
			w.Kernel, w.Kernel, w.Stride, w.Pad, channelStep))
	}
	return convSpec{name: n.name}, n.shape.C
}

// normRelu checks v = BN followed by its ReLU alone and returns the ReLU.
func (m *matcher) normRelu(v Value, norm *convSpec) Value {
	n := m.expect(v, OpBatchNorm)
	*norm = convSpec{n.name, n.eps}
	relu := m.only(v)
	m.expect(relu, OpReLU)
	return relu
}

func (m *matcher) stem() Value {
	if len(m.g.nodes) == 0 {
		m.fail(0, "an input")
		return 0
	}
	m.plan.input = m.g.nodes[0].shape
	conv := m.only(0)
	n := m.expect(conv, OpConv)
	s := &m.plan.stem
	s.conv, _ = m.conv(conv, n.window)
	s.window, s.convShape = n.window, n.shape
	pool := m.only(m.normRelu(m.only(conv), &s.norm))
	if n := m.expect(pool, OpMaxPool); n.window != (Window{3, 2, 1}) {
		m.fail(pool, "a 3x3 max pool of stride 2, padding 1")
	}
	return pool
}

// block follows dense layers from the value that enters them.
func (m *matcher) block(v Value) *matched {
	i := len(m.plan.blocks)
	entry := m.g.nodes[v].shape
	b := blockPlan{in: entry.C}
	m.sites[v] = tapPlan{site: tapEntry, block: i}
	for m.err == nil && len(m.users[v]) == 2 {
		v = m.layer(v, &b)
	}
	b.shape = m.g.nodes[v].shape
	if m.err == nil && len(b.layers) == 0 {
		m.fail(v, "a dense layer")
	}
	m.sites[v] = tapPlan{site: tapExit, block: i}
	m.plan.blocks = append(m.plan.blocks, b)
	return &matched{exit: v}
}

// layer checks one dense layer on v and returns the concatenation.
func (m *matcher) layer(v Value, b *blockPlan) Value {
	var l layerPlan
	var neck, grow int
	bn, cat := m.users[v][0], m.users[v][1]
	conv1 := m.only(m.normRelu(bn, &l.norm1))
	l.conv1, neck = m.conv(conv1, Window{Kernel: 1, Stride: 1})
	conv2 := m.only(m.normRelu(m.only(conv1), &l.norm2))
	l.conv2, grow = m.conv(conv2, Window{Kernel: 3, Stride: 1, Pad: 1})
	n := m.expect(cat, OpConcat)
	if m.err == nil && (len(n.in) != 2 || n.in[0] != v || n.in[1] != conv2) {
		m.fail(cat, "the concatenation of a layer's input and output")
	}
	if m.err == nil && len(b.layers) > 0 && (neck != b.neck || grow != b.grow) {
		m.fail(conv2, "layers of equal width inside a block")
	}
	b.neck, b.grow = neck, grow
	b.layers = append(b.layers, l)
	return cat
}

func (m *matcher) transition(conv Value, b *matched) Value {
	t := &transitionPlan{norm: b.norm}
	t.conv, _ = m.conv(conv, Window{Kernel: 1, Stride: 1})
	pool := m.only(conv)
	n := m.expect(pool, OpAvgPool)
	if m.err == nil && n.window != (Window{2, 2, 0}) {
		m.fail(pool, "a 2x2 average pool of stride 2")
	}
	t.out = n.shape
	m.plan.blocks[len(m.plan.blocks)-1].transition = t
	return pool
}

func (m *matcher) head(relu Value, b *matched) {
	m.plan.head.norm = b.norm
	m.sites[relu] = tapPlan{site: tapFeatures}
	if m.err != nil || len(m.users[relu]) == 0 {
		return
	}
	pool := m.only(relu)
	m.expect(pool, OpGlobalAvgPool)
	m.sites[pool] = tapPlan{site: tapPool}
	if m.err != nil || len(m.users[pool]) == 0 {
		return
	}
	linear := m.only(pool)
	n := m.expect(linear, OpLinear)
	m.sites[linear] = tapPlan{site: tapLogits}
	m.plan.head.linear, m.plan.head.classes = n.name, n.shape.C
	if m.err == nil && len(m.users[linear]) > 0 {
		m.fail(m.users[linear][0], "the end of the graph")
	}
}

func (m *matcher) taps() {
	for _, t := range m.g.taps {
		site, ok := m.sites[t.at]
		if !ok {
			m.fail(t.at, "tap "+t.name+" at the entry or exit of a block, or in the head")
			return
		}
		site.name, site.shape = t.name, m.g.nodes[t.at].shape
		m.plan.taps = append(m.plan.taps, site)
	}
}
