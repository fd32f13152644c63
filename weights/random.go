package weights

import (
	"math"
	"strings"

	"sonotype/internal/rng"
	"sonotype/nn"
)

// Random makes an untrained network's parameters as torchvision initialises a DenseNet: convolutions He normal
// (variance 2/fan-in; He et al. 2015), batch normalisation 1/0 with mean 0 and variance 1, linear weights uniform
// within 1/sqrt(fan-in), biases 0. Each tensor draws from its own stream of seed, so that the same name gets the
// same values in every network.
func Random(specs []nn.ParamSpec, seed uint64) nn.Tensors {
	out := make(nn.Tensors, len(specs))
	for _, s := range specs {
		t := nn.Tensor{Shape: append([]int(nil), s.Shape...)}
		t.Data = make([]float32, t.Len())
		draw := rng.Stream(seed, "weights", s.Name)
		switch len(s.Shape) {
		case 4:
			sd := math.Sqrt(2 / float64(s.Shape[1]*s.Shape[2]*s.Shape[3]))
			for i := range t.Data {
				t.Data[i] = float32(sd * draw.NormFloat64())
			}
		case 2:
			bound := 1 / math.Sqrt(float64(s.Shape[1]))
			for i := range t.Data {
				t.Data[i] = float32(bound * (2*draw.Float64() - 1))
			}
		default:
			if strings.HasSuffix(s.Name, ".weight") || strings.HasSuffix(s.Name, ".running_var") {
				for i := range t.Data {
					t.Data[i] = 1
				}
			}
		}
		out[s.Name] = t
	}
	return out
}
