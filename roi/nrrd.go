package roi

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// maxHeader bounds a text header in bytes.
const maxHeader = 1 << 20

// nrrd is a parsed NRRD header: https://teem.sourceforge.net/nrrd/format.html.
type nrrd struct {
	volume
	encoding           string // "raw", "gzip", "ascii"
	dataFile           string // "" when the voxels follow the header
	lineSkip, byteSkip int
}

func readNRRD(br *bufio.Reader, open sibling) (*Mask, MaskInfo, error) {
	fields, err := textHeader(br, func(line string) bool { return line == "" })
	if err != nil {
		return nil, MaskInfo{}, err
	}
	n, err := parseNRRD(fields)
	if err != nil {
		return nil, MaskInfo{}, err
	}
	var body io.Reader = br
	var size int64 = -1
	if n.dataFile != "" {
		f, length, err := open(n.dataFile)
		if err != nil {
			return nil, MaskInfo{}, err
		}
		defer f.Close()
		body, size = f, length
	}
	m, info, err := n.body(body, size)
	info.Format = "nrrd"
	return m, info, err
}

// body skips what the header says and reads the voxels. size is the data file's, -1 when unknown.
func (n nrrd) body(r io.Reader, size int64) (*Mask, MaskInfo, error) {
	br := bufio.NewReaderSize(r, 1<<16)
	for range n.lineSkip {
		if err := skipLine(br); err != nil {
			return nil, MaskInfo{}, err
		}
	}
	r = br
	if n.encoding == "gzip" {
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, MaskInfo{}, err
		}
		r = bufio.NewReaderSize(z, 1<<16)
	}
	skip := int64(n.byteSkip)
	if skip < 0 { // the voxels are the last bytes of the data file
		if n.encoding != "raw" || size < n.bytes() || n.lineSkip > 0 {
			return nil, MaskInfo{}, fmt.Errorf("byte skip -1 without a raw data file that is long enough")
		}
		skip = size - n.bytes()
	}
	if _, err := io.CopyN(io.Discard, r, skip); err != nil {
		return nil, MaskInfo{}, err
	}
	m, info, err := n.read(r)
	if err == nil && n.encoding == "gzip" {
		err = drain(r)
	}
	return m, info, err
}

// parseNRRD reads the header's fields; comments and key:=value pairs are ignored.
func parseNRRD(lines []string) (n nrrd, err error) {
	field := map[string]string{}
	for _, line := range lines[1:] {
		if strings.HasPrefix(line, "#") || strings.Contains(line, ":=") {
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			return n, fmt.Errorf("the header line %.40q is no \"field: value\"", line)
		}
		field[strings.ToLower(strings.TrimSpace(key))] = strings.TrimSpace(value)
	}
	get := func(names ...string) string {
		for _, k := range names {
			if v, ok := field[k]; ok {
				return v
			}
		}
		return ""
	}
	if err = n.setSize(get("dimension"), get("sizes"), get("kinds")); err != nil {
		return n, err
	}
	if n.sample, err = nrrdSample(get("type")); err != nil {
		return n, err
	}
	switch e := strings.ToLower(get("encoding")); e {
	case "raw":
		n.encoding = "raw"
	case "gzip", "gz":
		n.encoding = "gzip"
	case "ascii", "txt", "text":
		n.encoding, n.ascii = "ascii", true
	default:
		return n, fmt.Errorf("encoding %q: raw, gzip and ascii are read", e)
	}
	switch e := strings.ToLower(get("endian")); {
	case e == "little" || e == "" && (n.sample.size == 1 || n.ascii):
		n.order = binary.LittleEndian
	case e == "big":
		n.order = binary.BigEndian
	default:
		return n, fmt.Errorf("endian %q: little or big", e)
	}
	n.dataFile = get("data file", "datafile")
	if n.lineSkip, err = optionalInt(get("line skip", "lineskip"), 0, maxHeader); err != nil {
		return n, err
	}
	if n.byteSkip, err = optionalInt(get("byte skip", "byteskip"), -1, maxOffset); err != nil {
		return n, err
	}
	n.spacing = nrrdSpacing(get("spacings"), get("space directions"), get("space units"), get("units"))
	return n, n.check()
}

// setSize reads "dimension", "sizes" and "kinds" of a 2-D or 3-D scalar volume.
func (n *nrrd) setSize(dimension, sizes, kinds string) error {
	d, err := strconv.Atoi(dimension)
	if err != nil || d < 2 || d > 3 {
		return fmt.Errorf("dimension %q: 2 or 3, one label map", dimension)
	}
	s := strings.Fields(sizes)
	if len(s) != d {
		return fmt.Errorf("%d sizes for %d dimensions", len(s), d)
	}
	n.dims = [3]int{1, 1, 1}
	for k := range s {
		if n.dims[k], err = strconv.Atoi(s[k]); err != nil {
			return fmt.Errorf("size %q", s[k])
		}
	}
	for _, k := range strings.Fields(strings.ToLower(kinds)) {
		if !slices.Contains([]string{"domain", "space", "???", "none"}, k) {
			return fmt.Errorf("an axis of kind %q; export one label map", k)
		}
	}
	return nil
}

func nrrdSample(name string) (sample, error) {
	switch strings.ToLower(name) {
	case "uchar", "unsigned char", "uint8", "uint8_t":
		return sample{'u', 1}, nil
	case "signed char", "int8", "int8_t":
		return sample{'i', 1}, nil
	case "ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t":
		return sample{'u', 2}, nil
	case "short", "short int", "signed short", "signed short int", "int16", "int16_t":
		return sample{'i', 2}, nil
	case "uint", "unsigned int", "uint32", "uint32_t":
		return sample{'u', 4}, nil
	case "int", "signed int", "int32", "int32_t":
		return sample{'i', 4}, nil
	case "ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t":
		return sample{'u', 8}, nil
	case "longlong", "long long", "long long int", "signed long long", "signed long long int", "int64", "int64_t":
		return sample{'i', 8}, nil
	case "float":
		return sample{'f', 4}, nil
	case "double":
		return sample{'f', 8}, nil
	}
	return sample{}, fmt.Errorf("type %q", name)
}

// nrrdSpacing takes the pixel's size from "spacings" or from the lengths of the "space directions",
// in the unit that the header names for the first axis (mm when it names none).
func nrrdSpacing(spacings, directions, spaceUnits, units string) [2]float64 {
	unit := 1.0
	for _, u := range []string{spaceUnits, units} {
		if quoted := strings.Split(u, `"`); len(quoted) > 1 && quoted[1] != "" {
			unit = unitMM(quoted[1])
		}
	}
	if s := strings.Fields(spacings); len(s) >= 2 {
		x, errX := strconv.ParseFloat(s[0], 64)
		y, errY := strconv.ParseFloat(s[1], 64)
		if errX == nil && errY == nil {
			return spacingMM(x, y, unit)
		}
	}
	var length [2]float64
	rest := directions
	for k := range length {
		_, after, ok := strings.Cut(rest, "(")
		inner, tail, closed := strings.Cut(after, ")")
		if !ok || !closed {
			return [2]float64{}
		}
		for _, c := range strings.Split(inner, ",") {
			f, err := strconv.ParseFloat(strings.TrimSpace(c), 64)
			if err != nil {
				return [2]float64{}
			}
			length[k] = math.Hypot(length[k], f)
		}
		rest = tail
	}
	return spacingMM(length[0], length[1], unit)
}

// unitMM is the length of a named unit in mm; 0 for a name that is no length.
func unitMM(name string) float64 {
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "mm", "millimeter", "millimeters", "millimetre":
		return 1
	case "cm", "centimeter":
		return 10
	case "m", "meter":
		return 1000
	case "um", "µm", "micrometer", "micron":
		return 1e-3
	}
	return 0
}
