package weights

import (
	"encoding/binary"
	"math"
)

// dtype is a number type of a weight file.
type dtype struct {
	name  string // safetensors' name
	size  int64  // bytes a value
	float bool   // kept as float32; integers are left out
}

// dtypes are the number types that may stand in a file, by safetensors' names.
func dtypeByName(name string) (dtype, bool) {
	switch name {
	case "F64":
		return dtype{name, 8, true}, true
	case "F32":
		return dtype{name, 4, true}, true
	case "F16", "BF16":
		return dtype{name, 2, true}, true
	case "I64", "U64":
		return dtype{name, 8, false}, true
	case "I32", "U32":
		return dtype{name, 4, false}, true
	case "I16", "U16":
		return dtype{name, 2, false}, true
	case "I8", "U8", "BOOL":
		return dtype{name, 1, false}, true
	}
	return dtype{}, false
}

// storageDType is the number type of a torch storage class.
func storageDType(class string) (dtype, bool) {
	name, ok := map[string]string{
		"torch.DoubleStorage": "F64", "torch.FloatStorage": "F32", "torch.HalfStorage": "F16", "torch.BFloat16Storage": "BF16",
		"torch.LongStorage": "I64", "torch.IntStorage": "I32", "torch.ShortStorage": "I16",
		"torch.CharStorage": "I8", "torch.ByteStorage": "U8", "torch.BoolStorage": "BOOL",
	}[class]
	if !ok {
		return dtype{}, false
	}
	return dtypeByName(name)
}

// convert fills dst with the little-endian values of raw, which holds len(dst) of them.
func (d dtype) convert(dst []float32, raw []byte) {
	switch d.name {
	case "F64":
		for i := range dst {
			dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:])))
		}
	case "F32":
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	case "F16":
		for i := range dst {
			dst[i] = halfToFloat(binary.LittleEndian.Uint16(raw[2*i:]))
		}
	case "BF16":
		for i := range dst {
			dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(raw[2*i:])) << 16)
		}
	}
}

// halfToFloat is the exact float32 of an IEEE 754 binary16 number.
func halfToFloat(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10)&31, uint32(h)&0x3ff
	switch exp {
	case 31: // infinity or NaN
		return math.Float32frombits(sign | 0xff<<23 | frac<<13)
	case 0: // zero or subnormal: frac * 2^-24, exact in float32
		return math.Float32frombits(sign | math.Float32bits(float32(frac)*0x1p-24))
	}
	return math.Float32frombits(sign | (exp+127-15)<<23 | frac<<13)
}
