package nn

import (
	"iter"
	"slices"
)

// Node is a copy of one operation of a Graph, for writers of other formats.
type Node struct {
	Op      Op
	In      []Value
	Name    string  // prefix of its parameters (Name.weight, ...); "" where it has none
	Window  Window  // of a convolution or pool
	Bias    bool    // it has Name.bias; a batch normalisation always has one, and says false
	Epsilon float64 // of a batch normalisation
	Shape   Shape   // of its output
}

// Nodes gives the operations in topological order, each with the value that it makes; the input comes first.
func (g *Graph) Nodes() iter.Seq2[Value, Node] {
	return func(yield func(Value, Node) bool) {
		for i, n := range g.nodes {
			view := Node{Op: n.op, In: slices.Clone(n.in), Name: n.name, Window: n.window, Bias: n.bias, Epsilon: n.eps, Shape: n.shape}
			if !yield(Value(i), view) {
				return
			}
		}
	}
}

// TapValue returns the value that a tap reads.
func (g *Graph) TapValue(name string) (Value, bool) { return g.findTap(name) }
