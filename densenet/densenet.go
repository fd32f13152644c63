// Package densenet describes the DenseNet family: variant and input size in, an nn graph with
// torchvision's parameter names, or a compiled program, out.
package densenet

import (
	"fmt"

	"sonotype/internal/problem"
	"sonotype/nn"
)

// Variant names a member of the family, as in study.yaml.
type Variant string

// The variants that the study offers.
const (
	DenseNet169 Variant = "densenet169"
	DenseNet121 Variant = "densenet121"
)

// Variants lists the known variants, the paper's first.
func Variants() []Variant { return []Variant{DenseNet169, DenseNet121} }

// Config is the shape of a DenseNet with bottleneck layers and halving transitions
// (Huang et al., Densely connected convolutional networks, CVPR 2017).
type Config struct {
	Blocks  []int // layers of each dense block
	Growth  int   // channels that a layer adds
	Stem    int   // channels of the first convolution
	Neck    int   // a layer's 1x1 convolution has Neck x Growth outputs
	Classes int   // outputs of the classifier, 0 = none
}

const eps = 1e-5 // of every batch normalisation in torchvision

// Config returns the variant's shape, without classifier.
func (v Variant) Config() (Config, error) {
	c := Config{Growth: 32, Stem: 64, Neck: 4}
	switch v {
	case DenseNet169:
		c.Blocks = []int{6, 12, 32, 32}
	case DenseNet121:
		c.Blocks = []int{6, 12, 24, 16}
	default:
		return Config{}, &problem.Error{What: "unknown network", Found: string(v),
			Expected: fmt.Sprintf("%s or %s", DenseNet169, DenseNet121)}
	}
	return c, nil
}

// Graph builds the variant for RGB images of size x size. Taps: "stem", "block1", "transition1",
// ..., "features" (after the last batch normalisation and ReLU) and "avgpool" (their mean over
// height and width). An unknown variant or a size that leaves nothing gives a graph whose Err says so.
func Graph(v Variant, size int) *nn.Graph {
	c, err := v.Config()
	if err != nil {
		return nn.Failed(err)
	}
	return Build(c, size)
}

// Build builds a DenseNet of any shape for RGB images of size x size, with Graph's taps and, where
// it has a classifier, "logits".
func Build(c Config, size int) *nn.Graph {
	g := nn.NewGraph()
	x := g.Input(3, size, size)
	x = g.Conv(x, "features.conv0", c.Stem, nn.Window{Kernel: 7, Stride: 2, Pad: 3}, false)
	x = g.ReLU(g.BatchNorm(x, "features.norm0", eps))
	x = g.MaxPool(x, nn.Window{Kernel: 3, Stride: 2, Pad: 1})
	g.Tap("stem", x)
	for i, layers := range c.Blocks {
		x = block(g, x, fmt.Sprintf("features.denseblock%d", i+1), layers, c)
		g.Tap(fmt.Sprintf("block%d", i+1), x)
		if i < len(c.Blocks)-1 {
			x = transition(g, x, fmt.Sprintf("features.transition%d", i+1))
			g.Tap(fmt.Sprintf("transition%d", i+1), x)
		}
	}
	x = g.ReLU(g.BatchNorm(x, "features.norm5", eps))
	g.Tap("features", x)
	x = g.GlobalAvgPool(x)
	g.Tap("avgpool", x)
	if c.Classes > 0 {
		g.Tap("logits", g.Linear(x, "classifier", c.Classes))
	}
	return g
}

// block adds layers that each see everything before them in the block.
func block(g *nn.Graph, x nn.Value, name string, layers int, c Config) nn.Value {
	for i := range layers {
		p := fmt.Sprintf("%s.denselayer%d.", name, i+1)
		y := g.ReLU(g.BatchNorm(x, p+"norm1", eps))
		y = g.Conv(y, p+"conv1", c.Neck*c.Growth, nn.Window{Kernel: 1, Stride: 1}, false)
		y = g.ReLU(g.BatchNorm(y, p+"norm2", eps))
		y = g.Conv(y, p+"conv2", c.Growth, nn.Window{Kernel: 3, Stride: 1, Pad: 1}, false)
		x = g.Concat(x, y)
	}
	return x
}

// transition halves the channels and the size.
func transition(g *nn.Graph, x nn.Value, name string) nn.Value {
	half := g.Shape(x).C / 2
	x = g.ReLU(g.BatchNorm(x, name+".norm", eps))
	x = g.Conv(x, name+".conv", half, nn.Window{Kernel: 1, Stride: 1}, false)
	return g.AvgPool(x, nn.Window{Kernel: 2, Stride: 2})
}

// Params lists the variant's parameters and buffers (convolutions, batch normalisations with
// running statistics), without classifier. An unknown variant has none.
func Params(v Variant) []nn.ParamSpec { return Graph(v, 224).Params() }

// FeatureShape returns channels, height and width of the "features" tap: 1664, 7, 7 for
// DenseNet169 at 224. All are 0 for an unknown variant or a size that is too small.
func FeatureShape(v Variant, size int) (c, h, w int) {
	g := Graph(v, size)
	if g.Err() != nil {
		return 0, 0, 0
	}
	s, _ := g.TapShape("features")
	return s.C, s.H, s.W
}

// Compile builds, compiles and loads the variant. Missing or misshapen tensors are errors that
// name the tensor.
func Compile(v Variant, size int, weights nn.Tensors, o nn.Options) (nn.Program, error) {
	g := Graph(v, size)
	if err := g.Err(); err != nil {
		return nil, err
	}
	p, err := nn.New().Compile(g, o)
	if err != nil {
		return nil, err
	}
	if err := p.ImportState(nn.State{Tensors: weights}); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}
