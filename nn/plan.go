package nn

// plan is a graph as the CPU engine runs it: a stem, dense blocks joined by transitions, a head.
// Every block's activations lie in one NHWC buffer with the block's final channel count as the
// stride, so that concatenation costs nothing.
type plan struct {
	input  Shape
	stem   stemPlan
	blocks []blockPlan
	head   headPlan
	taps   []tapPlan
}

// stemPlan is convolution + BN + ReLU + 3x3 max pool of stride 2, padding 1.
type stemPlan struct {
	conv, norm convSpec
	window     Window
	convShape  Shape // before the pool
}

// convSpec names a convolution or a batch normalisation.
type convSpec struct {
	name string
	eps  float64 // of a batch normalisation
}

// blockPlan is one dense block and the transition behind it, if any.
type blockPlan struct {
	in         int   // channels at the entry
	shape      Shape // C: channels at the exit
	neck, grow int   // outputs of a layer's 1x1 and 3x3 convolutions
	layers     []layerPlan
	transition *transitionPlan
}

func (b *blockPlan) pixels() int { return b.shape.H * b.shape.W }

// layerPlan is BN + ReLU + 1x1 convolution + BN + ReLU + 3x3 convolution.
type layerPlan struct{ norm1, conv1, norm2, conv2 convSpec }

// transitionPlan is BN + ReLU + 1x1 convolution + 2x2 average pool. Pool and convolution are
// linear and commute, so the engine pools first: a quarter of the products.
type transitionPlan struct {
	norm, conv convSpec
	out        Shape
}

// headPlan is the last BN + ReLU, the global average pool and a linear layer, both optional.
type headPlan struct {
	norm    convSpec
	linear  string // "" = none
	classes int
}

// tapSite is where a tap is read.
type tapSite int

const (
	tapEntry    tapSite = iota // what enters a block
	tapExit                    // what leaves a block
	tapFeatures                // the head's ReLU
	tapPool                    // the head's global average pool
	tapLogits                  // the head's linear layer
)

type tapPlan struct {
	name  string
	site  tapSite
	block int
	shape Shape
}

// convs counts the convolutions.
func (p *plan) convs() int {
	n := 1
	for _, b := range p.blocks {
		n += 2 * len(b.layers)
		if b.transition != nil {
			n++
		}
	}
	return n
}
