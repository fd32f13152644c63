package roi

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// NIfTI-1: a header of 348 bytes, four bytes that announce extensions, and voxels from vox_offset on.
// https://nifti.nimh.nih.gov/nifti-1 (nifti1.h).
const (
	niftiHeader = 348
	niftiData   = 352
	maxOffset   = 64 << 20 // extensions before the voxels
)

// Offsets in the header.
const (
	niftiDim     = 40
	niftiType    = 70
	niftiBitpix  = 72
	niftiPixdim  = 76
	niftiVox     = 108
	niftiSlope   = 112
	niftiInter   = 116
	niftiUnits   = 123
	niftiQform   = 252
	niftiQuatern = 256
	niftiSrow    = 280
	niftiMagic   = 344
)

var niftiSamples = map[int16]sample{
	2: {'u', 1}, 256: {'i', 1}, 512: {'u', 2}, 4: {'i', 2}, 768: {'u', 4}, 8: {'i', 4},
	1280: {'u', 8}, 1024: {'i', 8}, 16: {'f', 4}, 64: {'f', 8},
}

// niftiOrder tells the byte order by the header's own size.
func niftiOrder(head []byte) binary.ByteOrder {
	if len(head) < 4 {
		return nil
	}
	for _, o := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		if o.Uint32(head) == niftiHeader {
			return o
		}
	}
	return nil
}

func isNIfTI(head []byte) bool { return niftiOrder(head) != nil }

func readGzipNIfTI(r io.Reader) (*Mask, MaskInfo, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, MaskInfo{}, err
	}
	br := bufio.NewReaderSize(z, 1<<16)
	m, info, err := readNIfTI(br)
	if err == nil {
		err = drain(br)
	}
	return m, info, err
}

func readNIfTI(r io.Reader) (*Mask, MaskInfo, error) {
	head := make([]byte, niftiHeader)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, MaskInfo{}, err
	}
	v, offset, err := parseNIfTI(head)
	if err == nil {
		err = v.check()
	}
	if err == nil {
		_, err = io.CopyN(io.Discard, r, offset-niftiHeader)
	}
	if err != nil {
		return nil, MaskInfo{}, err
	}
	m, info, err := v.read(r)
	info.Format = "nifti"
	return m, info, err
}

// parseNIfTI reads size, type, scaling and spacing, and where the voxels start.
func parseNIfTI(head []byte) (v volume, offset int64, err error) {
	o := niftiOrder(head)
	if o == nil {
		return v, 0, fmt.Errorf("not NIfTI-1 (a header size other than 348); NIfTI-2 and other gzip files are not read")
	}
	i16 := func(at int) int16 { return int16(o.Uint16(head[at:])) }
	f32 := func(at int) float64 { return float64(math.Float32frombits(o.Uint32(head[at:]))) }
	switch magic := string(head[niftiMagic : niftiMagic+4]); magic {
	case "n+1\x00":
	case "ni1\x00":
		return v, 0, fmt.Errorf("a NIfTI pair of .hdr and .img files; only single files are read")
	default:
		return v, 0, fmt.Errorf("the NIfTI magic is %q, not \"n+1\"", magic)
	}
	n := int(i16(niftiDim))
	if n < 2 || n > 7 {
		return v, 0, fmt.Errorf("%d dimensions", n)
	}
	v.dims = [3]int{1, 1, 1}
	for k := range n {
		d := int(i16(niftiDim + 2 + 2*k))
		if k < 3 {
			v.dims[k] = d
		} else if d != 1 {
			return v, 0, fmt.Errorf("dimension %d has %d elements; a mask has columns, rows and slices", k+1, d)
		}
	}
	var known bool
	if v.sample, known = niftiSamples[i16(niftiType)]; !known {
		return v, 0, fmt.Errorf("voxel type %d: colour, complex and 128-bit voxels are not labels", i16(niftiType))
	}
	if bits := int(i16(niftiBitpix)); bits != 8*v.sample.size {
		return v, 0, fmt.Errorf("%d bits a voxel declared for a type of %d", bits, 8*v.sample.size)
	}
	v.order = o
	v.slope, v.inter = f32(niftiSlope), f32(niftiInter)
	if math.IsNaN(v.slope+v.inter) || math.IsInf(v.slope+v.inter, 0) {
		return v, 0, fmt.Errorf("scl_slope and scl_inter are not numbers")
	}
	vox := f32(niftiVox)
	if vox == 0 {
		vox = niftiData
	}
	if !(vox >= niftiHeader && vox <= maxOffset) || vox != math.Trunc(vox) {
		return v, 0, fmt.Errorf("vox_offset is %g", f32(niftiVox))
	}
	v.spacing = spacingMM(f32(niftiPixdim+4), f32(niftiPixdim+8), niftiUnit(head[niftiUnits]))
	return v, int64(vox), nil
}

// niftiUnit returns millimetres per spatial unit; files without a unit mean millimetres.
func niftiUnit(code byte) float64 {
	switch code & 7 {
	case 1:
		return 1000
	case 3:
		return 1e-3
	}
	return 1
}

// spacingMM converts a pixel's size to mm; zeros when it is no size.
func spacingMM(x, y, unit float64) [2]float64 {
	x, y = math.Abs(x)*unit, math.Abs(y)*unit
	if !(x > 0 && y > 0) || math.IsInf(x, 0) || math.IsInf(y, 0) {
		return [2]float64{}
	}
	return [2]float64{x, y}
}
