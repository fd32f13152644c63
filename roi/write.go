package roi

import (
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"

	"sonotype/internal/artifact"
	"sonotype/internal/problem"
)

// WriteNIfTI writes a mask as ITK (and so ITK-SNAP) does: uint8, one slice, column first, an affine of
// diag(-x, -y, 1), gzip-compressed when path ends in .gz. spacingMM is a pixel's width and height in
// mm; 0 writes 1, as tools do when the spacing is unknown. The bytes depend on the arguments only.
func WriteNIfTI(path string, m *Mask, spacingMM [2]float64) error {
	return artifact.Write(path, func(w io.Writer) error {
		if !strings.HasSuffix(path, ".gz") {
			return EncodeNIfTI(w, m, spacingMM)
		}
		z := gzip.NewWriter(w)
		if err := EncodeNIfTI(z, m, spacingMM); err != nil {
			return err
		}
		return z.Close()
	})
}

// EncodeNIfTI writes a mask as an uncompressed NIfTI-1 file.
func EncodeNIfTI(w io.Writer, m *Mask, spacingMM [2]float64) error {
	if m.W > math.MaxInt16 || m.H > math.MaxInt16 {
		return &problem.Error{What: "the mask is too large for NIfTI",
			Expected: "at most 32767 pixels a side", Found: fmt.Sprintf("%d x %d", m.W, m.H)}
	}
	if _, err := w.Write(niftiBytes(m.W, m.H, spacingMM)); err != nil {
		return err
	}
	_, err := w.Write(m.Pix)
	return err
}

// niftiBytes is the header and the empty extension flag of a w x h x 1 uint8 volume.
func niftiBytes(w, h int, spacingMM [2]float64) []byte {
	sx, sy := float32(spacingMM[0]), float32(spacingMM[1])
	if !(sx > 0 && sy > 0) {
		sx, sy = 1, 1
	}
	b := make([]byte, niftiData)
	o := binary.LittleEndian
	shorts := func(at int, v ...int16) {
		for i, n := range v {
			o.PutUint16(b[at+2*i:], uint16(n))
		}
	}
	floats := func(at int, v ...float32) {
		for i, f := range v {
			o.PutUint32(b[at+4*i:], math.Float32bits(f))
		}
	}
	const uint8Type, bits, units = 2, 8, 2 | 8 // mm and s
	minusZero := float32(math.Copysign(0, -1))
	o.PutUint32(b, niftiHeader)
	b[38] = 'r' // "regular"
	shorts(niftiDim, 3, int16(w), int16(h), 1, 1, 1, 1, 1)
	shorts(niftiType, uint8Type, bits)
	floats(niftiPixdim, 1, sx, sy, 1)
	floats(niftiVox, niftiData)
	floats(niftiSlope, 1)
	b[niftiUnits] = units
	shorts(niftiQform, 1, 1) // scanner coordinates, for qform_code and sform_code
	floats(niftiQuatern, 0, 0, 1, minusZero, minusZero)
	floats(niftiSrow, -sx, 0, 0, minusZero, 0, -sy, 0, minusZero, 0, 0, 1, 0)
	copy(b[niftiMagic:], "n+1\x00")
	return b
}
