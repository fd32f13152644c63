package weights

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"sonotype/internal/problem"
	"sonotype/nn"
)

// maxHalf is the largest finite binary16 number.
const maxHalf = 65504

// Halved is t as a file of half precision gives it back: tensors of two or more dimensions (convolutions, linear layers)
// rounded to IEEE 754 binary16, the others, whose values are few and may be tiny, as they are. A value beyond binary16's
// range is an error.
func Halved(t nn.Tensors) (nn.Tensors, error) {
	out := make(nn.Tensors, len(t))
	for name, x := range t {
		if len(x.Shape) >= 2 {
			rounded := nn.Tensor{Shape: x.Shape, Data: make([]float32, len(x.Data))}
			for i, v := range x.Data {
				if !(math.Abs(float64(v)) <= maxHalf) {
					return nil, &problem.Error{What: fmt.Sprintf("the tensor %q cannot be kept in half precision", name), Expected: fmt.Sprintf("values up to %d", maxHalf), Found: fmt.Sprint(v), Try: "keep the weights in fp32"}
				}
				rounded.Data[i] = halfToFloat(floatToHalf(v))
			}
			x = rounded
		}
		out[name] = x
	}
	return out, nil
}

// floatToHalf is the nearest IEEE 754 binary16 number, ties to even; what is too large becomes infinite.
func floatToHalf(v float32) uint16 {
	bits := math.Float32bits(v)
	sign, exp, frac := uint16(bits>>31)<<15, int(bits>>23&0xff), bits&0x7fffff
	if exp == 0xff { // infinity, or NaN as a quiet one
		if frac != 0 {
			return sign | 0x7e00
		}
		return sign | 0x7c00
	}
	if abs := math.Abs(float64(v)); abs < 0x1p-14 { // zero or subnormal: a multiple of 2^-24
		return sign | uint16(math.RoundToEven(abs*0x1p24))
	}
	// Rounding may carry into the exponent, which is then right as it stands.
	half := uint32(exp-127+15)<<10 | frac>>13
	if rest := frac & 0x1fff; rest > 0x1000 || (rest == 0x1000 && half&1 == 1) {
		half++
	}
	return sign | uint16(min(half, 0x7c00))
}

// writeHalves writes values as little-endian binary16.
func writeHalves(w io.Writer, x []float32) error {
	b := make([]byte, 0, 2*len(x))
	for _, v := range x {
		b = binary.LittleEndian.AppendUint16(b, floatToHalf(v))
	}
	_, err := w.Write(b)
	return err
}
