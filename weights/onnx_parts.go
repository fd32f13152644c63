package weights

import "sonotype/nn"

// Field numbers of GraphProto and of what it holds (onnx.proto of github.com/onnx/onnx).
const (
	graphNode, graphName, graphInitializer, graphInput, graphOutput = 1, 2, 5, 11, 12

	nodeInput, nodeOutput, nodeName, nodeOp, nodeAttribute = 1, 2, 3, 4, 5

	attributeName, attributeFloat, attributeInt, attributeInts, attributeType = 1, 2, 3, 8, 20

	tensorDims, tensorType, tensorName, tensorRaw = 1, 2, 8, 9

	valueName, valueType         = 1, 2
	typeTensor                   = 1
	tensorTypeElem, tensorShape  = 1, 2
	shapeDim, dimValue, dimParam = 1, 1, 2
)

// Values of the enumerations AttributeProto.AttributeType and TensorProto.DataType.
const (
	attributeIsFloat, attributeIsInt, attributeIsInts = 1, 2, 7

	dataFloat = 1
)

// window is the geometry of a convolution or pool as attributes.
func window(win nn.Window) []*message {
	k, s, p := win.Kernel, win.Stride, win.Pad
	return []*message{intsAttribute("kernel_shape", k, k), intsAttribute("pads", p, p, p, p), intsAttribute("strides", s, s)}
}

func intAttribute(name string, v int) *message {
	var m message
	m.texts(attributeName, name)
	m.integer(attributeInt, v)
	m.integer(attributeType, attributeIsInt)
	return &m
}

func intsAttribute(name string, vs ...int) *message {
	var m message
	m.texts(attributeName, name)
	m.integers(attributeInts, vs...)
	m.integer(attributeType, attributeIsInts)
	return &m
}

func floatAttribute(name string, v float64) *message {
	var m message
	m.texts(attributeName, name)
	m.float(attributeFloat, float32(v))
	m.integer(attributeType, attributeIsFloat)
	return &m
}

// initializer is a parameter as a TensorProto.
func initializer(p nn.ParamSpec, x []float32) *message {
	var m message
	m.integers(tensorDims, p.Shape...)
	m.integer(tensorType, dataFloat)
	m.texts(tensorName, p.Name)
	m.floats(tensorRaw, x)
	return &m
}

// valueInfo is the ValueInfoProto of an input or output: N x s, or N x s.C where it is flat.
func valueInfo(name string, s nn.Shape, flat bool) *message {
	var batch, shape, tensor, kind, m message
	batch.texts(dimParam, "N")
	shape.message(shapeDim, &batch)
	dims := []int{s.C, s.H, s.W}
	if flat {
		dims = dims[:1]
	}
	for _, d := range dims {
		var dim message
		dim.integer(dimValue, d)
		shape.message(shapeDim, &dim)
	}
	tensor.integer(tensorTypeElem, dataFloat)
	tensor.message(tensorShape, &shape)
	kind.message(typeTensor, &tensor)
	m.texts(valueName, name)
	m.message(valueType, &kind)
	return &m
}
