package weights

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"io"
	"maps"
	"math"
	"slices"

	"sonotype/nn"
)

// Hash is the SHA-256, in hex, of all tensors: for each name in order, the length of the name, the name, the
// number of dimensions, the dimensions and the values, all numbers little-endian.
func Hash(t nn.Tensors) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(t)) {
		hashInt(h, len(name))
		h.Write([]byte(name))
		hashTensor(h, t[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// hashOne is the SHA-256, in hex, of one tensor's shape and values.
func hashOne(t nn.Tensor) string {
	h := sha256.New()
	hashTensor(h, t)
	return hex.EncodeToString(h.Sum(nil))
}

func hashTensor(h hash.Hash, t nn.Tensor) {
	hashInt(h, len(t.Shape))
	for _, d := range t.Shape {
		hashInt(h, d)
	}
	_ = writeFloats(h, t.Data) // a hash takes everything
}

func hashInt(h hash.Hash, v int) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(v))
	h.Write(b[:])
}

// appendFloats appends x as little-endian float32.
func appendFloats(b []byte, x []float32) []byte {
	for _, v := range x {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// writeFloats writes x as little-endian float32.
func writeFloats(w io.Writer, x []float32) error {
	buf := make([]byte, 0, 1<<14)
	for chunk := range slices.Chunk(x, 1<<12) {
		buf = appendFloats(buf[:0], chunk)
		if _, err := w.Write(buf); err != nil {
			return err
		}
	}
	return nil
}
