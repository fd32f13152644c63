package weights

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"sonotype/internal/artifact"
	"sonotype/internal/problem"
	"sonotype/nn"
)

// ONNXInput is the name of an exported model's input, N x C x H x W.
const ONNXInput = "image"

// The oldest versions that have all that the writer uses, for the sake of old readers.
const (
	onnxIR    = 7  // of the file format
	onnxOpset = 13 // of the operators
)

// Field numbers of ModelProto and of what it holds (onnx.proto of github.com/onnx/onnx).
const (
	modelIR, modelProducer, modelDoc, modelGraph, modelOpset, modelMetadata = 1, 2, 6, 7, 8, 14

	opsetVersion            = 2
	metadataKeyF, metadataV = 1, 2
)

// ExportONNX writes g with t's values as an ONNX model, atomically: input "image", N x C x H x W with N left open, and
// as outputs the named taps. An output is N x C x H x W, or N x C behind a global pool or a linear layer. Initialisers
// have the names of t. Metadata and doc string hold c and how to prepare an image. The same g, t and c give the same
// bytes.
func ExportONNX(path string, g *nn.Graph, t nn.Tensors, c Card, outputs ...string) error {
	model, err := onnxModel(g, t, c, outputs)
	if err != nil {
		return named(path, err)
	}
	if err := artifact.Write(path, func(w io.Writer) error { return model.writeTo(w) }); err != nil {
		return &problem.Error{What: "cannot write the network", File: path, Err: err}
	}
	return nil
}

func onnxModel(g *nn.Graph, t nn.Tensors, c Card, outputs []string) (*message, error) {
	if err := g.Err(); err != nil {
		return nil, err
	}
	if err := Check(g.Params(), t); err != nil {
		return nil, err
	}
	graph, err := onnxGraph(g, t, outputs)
	if err != nil {
		return nil, err
	}
	properties, err := c.properties()
	if err != nil {
		return nil, err
	}
	var opset, model message
	opset.integer(opsetVersion, onnxOpset)
	model.integer(modelIR, onnxIR)
	model.texts(modelProducer, "sonotype")
	model.texts(modelDoc, onnxDoc(g, c))
	model.message(modelGraph, graph)
	model.message(modelOpset, &opset)
	for _, k := range slices.Sorted(maps.Keys(properties)) {
		var p message
		p.texts(metadataKeyF, k)
		p.texts(metadataV, properties[k])
		model.message(modelMetadata, &p)
	}
	if model.size > math.MaxInt32 {
		return nil, tooLarge("ONNX model", int64(model.size), math.MaxInt32, "bytes")
	}
	return &model, nil
}

// onnxDoc says how to use the model.
func onnxDoc(g *nn.Graph, c Card) string {
	s, p := g.InputShape(), c.Preprocessing
	return fmt.Sprintf("Input %s: N x %d x %d x %d, float32, RGB (a grey image three times), pixels scaled to 0..1, then "+
		"(x - mean)/std by channel, mean %v, std %v. Source: %s. Licence: %s.", ONNXInput, s.C, s.H, s.W, p.Mean, p.Std, c.Source, c.Licence)
}
