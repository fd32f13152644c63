// Package nntest makes the weights and images of the network's tests from names and positions alone,
// so that oracle scripts in other languages make the same ones (oracles/nn_densenet.py).
package nntest

import (
	"hash/fnv"
	"math"
	"strings"

	"sonotype/nn"
)

// Uniform returns number i of the named stream, a multiple of 2^-24 in [0, 1): the upper bits of
// splitmix64's output function on FNV-1a(name) + (i+1)*0x9e3779b97f4a7c15.
func Uniform(name string, i int) float64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	return uniform(h.Sum64(), i)
}

func uniform(seed uint64, i int) float64 {
	z := seed + uint64(i+1)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	return float64(z>>40) / (1 << 24)
}

// Weights fills specs: convolutions and linear weights uniform with He's variance 2/fan-in,
// batch-normalisation weights and variances in [0.5, 1.5), biases and means in [-0.2, 0.2).
func Weights(specs []nn.ParamSpec) nn.Tensors {
	all := nn.Tensors{}
	for _, s := range specs {
		t := nn.Tensor{Shape: s.Shape}
		t.Data = make([]float32, t.Len())
		low, high := -0.2, 0.2
		switch {
		case len(s.Shape) > 1:
			fan := t.Len() / s.Shape[0]
			high = math.Sqrt(6 / float64(fan))
			low = -high
		case strings.HasSuffix(s.Name, ".weight"), strings.HasSuffix(s.Name, ".running_var"):
			low, high = 0.5, 1.5
		}
		fill(t.Data, s.Name, low, high)
		all[s.Name] = t
	}
	return all
}

// Images returns n x shape values in [-2, 2), as normalised pixels have.
func Images(name string, n int, shape nn.Shape) []float32 {
	x := make([]float32, n*shape.Len())
	fill(x, name, -2, 2)
	return x
}

func fill(x []float32, name string, low, high float64) {
	h := fnv.New64a()
	h.Write([]byte(name))
	seed := h.Sum64()
	for i := range x {
		x[i] = float32(low + (high-low)*uniform(seed, i))
	}
}
