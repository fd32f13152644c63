// Package nn is the network engine: graphs of convolutional networks compiled to fused CPU programs.
package nn

// Tensor is a dense float32 array in row-major order; convolution weights are OIHW as in torchvision.
type Tensor struct {
	Shape []int
	Data  []float32
}

// Len is the number of elements that Shape asks for.
func (t Tensor) Len() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Tensors are named parameters and buffers, by torchvision's names (features.conv0.weight, ...).
type Tensors map[string]Tensor

// ParamSpec is one parameter or buffer that a graph needs, in the graph's order.
type ParamSpec struct {
	Name  string
	Shape []int
}
