package roi

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"

	"sonotype/imaging"
)

// Limits of a volume, checked from the header before anything is allocated. Voxels are read row by
// row, so memory is one slice of one byte a pixel whatever the file declares.
const (
	maxVoxels  = imaging.MaxPixels // in all slices
	maxColumns = 1 << 20
)

// sample is an element type: 'u'nsigned, 'i'nteger or 'f'loat of size bytes.
type sample struct {
	kind byte
	size int
}

// volume is what the header of a NIfTI, NRRD or MetaImage file declares.
type volume struct {
	dims         [3]int // columns, rows, slices
	sample       sample
	order        binary.ByteOrder
	ascii        bool
	slope, inter float64    // value = slope * stored + inter; slope 0 means as stored
	spacing      [2]float64 // mm, 0 when unknown
}

func (v volume) check() error {
	w, h, n := int64(v.dims[0]), int64(v.dims[1]), int64(v.dims[2])
	if w < 1 || h < 1 || n < 1 {
		return fmt.Errorf("a size of %d x %d x %d", w, h, n)
	}
	if w > maxColumns || h > maxVoxels || n > maxVoxels || w*h > maxVoxels || w*h*n > maxVoxels {
		return fmt.Errorf("%d x %d x %d voxels, more than the limit of %d million", w, h, n, maxVoxels>>20)
	}
	return nil
}

// bytes is the size of the voxels, uncompressed and binary.
func (v volume) bytes() int64 {
	return int64(v.dims[0]) * int64(v.dims[1]) * int64(v.dims[2]) * int64(v.sample.size)
}

// read streams the voxels; check must have passed.
func (v volume) read(r io.Reader) (*Mask, MaskInfo, error) {
	next := v.binaryRows(r)
	if v.ascii {
		next = v.asciiRows(r)
	}
	w, h, n := v.dims[0], v.dims[1], v.dims[2]
	row := make([]float64, w)
	seen := labelSet{values: map[float64]bool{}}
	var kept, cur *Mask
	keptAt := 0
	for z := range n {
		labelled := false
		if cur == nil {
			cur = NewMask(w, h)
		}
		for y := range h {
			if err := next(row); err != nil {
				return nil, MaskInfo{}, err
			}
			in, err := seen.row(row, cur.Row(y))
			if err != nil {
				return nil, MaskInfo{}, fmt.Errorf("row %d: %w", y, err)
			}
			labelled = labelled || in
		}
		if !labelled {
			continue
		}
		if keptAt > 0 {
			return nil, MaskInfo{}, fmt.Errorf("labels on slices %d and %d of %d, but an image has one slice", keptAt, z+1, n)
		}
		kept, cur, keptAt = cur, nil, z+1
	}
	if keptAt == 0 {
		kept = cur // which no slice has marked
	}
	info := MaskInfo{Rule: "value >= 0.5", Labels: seen.sorted(), NonBinary: seen.nonBinary(),
		Spacing: v.spacing, Slice: max(keptAt, 1), Slices: n}
	if v.spacing[0] == 1 && v.spacing[1] == 1 {
		info.Spacing = [2]float64{}
	}
	return kept, info, nil
}

// binaryRows returns a function that reads the next row of values.
func (v volume) binaryRows(r io.Reader) func([]float64) error {
	buf := make([]byte, v.dims[0]*v.sample.size)
	value, size := v.sample.reader(v.order), v.sample.size
	return func(row []float64) error {
		if _, err := io.ReadFull(r, buf); err != nil {
			return err
		}
		for x := range row {
			row[x] = v.scale(value(buf[x*size:]))
		}
		return nil
	}
}

// asciiRows reads numbers parted by white space.
func (v volume) asciiRows(r io.Reader) func([]float64) error {
	const longest = 64
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, longest), longest)
	s.Split(bufio.ScanWords)
	return func(row []float64) error {
		for x := range row {
			if !s.Scan() {
				if s.Err() != nil {
					return s.Err()
				}
				return io.ErrUnexpectedEOF
			}
			f, err := strconv.ParseFloat(s.Text(), 64)
			if err != nil {
				return fmt.Errorf("%q is not a number", s.Text())
			}
			row[x] = v.scale(f)
		}
		return nil
	}
}

func (v volume) scale(f float64) float64 {
	if v.slope == 0 {
		return f
	}
	return v.slope*f + v.inter
}

// reader returns the function that reads one element.
func (s sample) reader(o binary.ByteOrder) func([]byte) float64 {
	switch s {
	case sample{'u', 1}:
		return func(b []byte) float64 { return float64(b[0]) }
	case sample{'i', 1}:
		return func(b []byte) float64 { return float64(int8(b[0])) }
	case sample{'u', 2}:
		return func(b []byte) float64 { return float64(o.Uint16(b)) }
	case sample{'i', 2}:
		return func(b []byte) float64 { return float64(int16(o.Uint16(b))) }
	case sample{'u', 4}:
		return func(b []byte) float64 { return float64(o.Uint32(b)) }
	case sample{'i', 4}:
		return func(b []byte) float64 { return float64(int32(o.Uint32(b))) }
	case sample{'u', 8}:
		return func(b []byte) float64 { return float64(o.Uint64(b)) }
	case sample{'i', 8}:
		return func(b []byte) float64 { return float64(int64(o.Uint64(b))) }
	case sample{'f', 4}:
		return func(b []byte) float64 { return float64(math.Float32frombits(o.Uint32(b))) }
	}
	return func(b []byte) float64 { return math.Float64frombits(o.Uint64(b)) }
}

// labelSet turns samples into 0 or 1 and remembers the distinct ones.
type labelSet struct {
	values map[float64]bool
	last   float64
}

const (
	maxSeen   = 256 // distinct samples remembered
	maxListed = 16  // of them, listed
)

// row thresholds a row at 0.5 and reports whether any sample is inside.
func (l *labelSet) row(values []float64, dst []uint8) (inside bool, err error) {
	for x, v := range values {
		dst[x] = 0
		if v == 0 {
			continue
		}
		if v != l.last {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return false, fmt.Errorf("a value that is not a number")
			}
			l.last = v
			if len(l.values) < maxSeen {
				l.values[label(v)] = true
			}
		}
		if v >= 0.5 {
			dst[x] = 1
			inside = true
		}
	}
	return inside, nil
}

// label undoes the rounding of a scaled integer (0.01 x 100 in float32).
func label(v float64) float64 {
	if r := math.Round(v); math.Abs(v-r) < 1e-6 {
		return r
	}
	return v
}

func (l *labelSet) sorted() []float64 {
	s := slices.Sorted(maps.Keys(l.values))
	return s[:min(len(s), maxListed)]
}

func (l *labelSet) nonBinary() bool {
	for v := range l.values {
		if v < 0 || v != math.Trunc(v) {
			return true
		}
	}
	return len(l.values) > 1
}

// drain reads to the end of compressed data, so that a checksum behind the voxels is verified.
func drain(r io.Reader) error {
	const most = 1 << 20 // what may follow the voxels
	_, err := io.CopyN(io.Discard, r, most)
	if err == io.EOF {
		return nil
	}
	return err
}
