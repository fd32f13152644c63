package roi

import (
	"bufio"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// metaImage is a parsed MetaImage header: https://itk.org/Wiki/ITK/MetaIO/Documentation.
type metaImage struct {
	volume
	compressed bool
	dataFile   string // "" when the voxels follow the header (LOCAL)
	headerSize int    // bytes before the voxels in the data file; -1: the voxels are its last bytes
}

func readMetaImage(br *bufio.Reader, open sibling) (*Mask, MaskInfo, error) {
	lines, err := textHeader(br, func(line string) bool { return strings.HasPrefix(line, "ElementDataFile") })
	if err != nil {
		return nil, MaskInfo{}, err
	}
	h, err := parseMetaImage(lines)
	if err != nil {
		return nil, MaskInfo{}, err
	}
	var r io.Reader = br
	var size int64 = -1
	if h.dataFile != "" {
		f, length, err := open(h.dataFile)
		if err != nil {
			return nil, MaskInfo{}, err
		}
		defer f.Close()
		r, size = bufio.NewReaderSize(f, 1<<16), length
	}
	m, info, err := h.body(r, size)
	info.Format = "metaimage"
	return m, info, err
}

func (h metaImage) body(r io.Reader, size int64) (*Mask, MaskInfo, error) {
	skip := int64(h.headerSize)
	if skip < 0 {
		if h.compressed || h.ascii || size < h.bytes() {
			return nil, MaskInfo{}, fmt.Errorf("HeaderSize = -1 without a raw data file that is long enough")
		}
		skip = size - h.bytes()
	}
	if _, err := io.CopyN(io.Discard, r, skip); err != nil {
		return nil, MaskInfo{}, err
	}
	if !h.compressed {
		return h.read(r)
	}
	z, err := zlib.NewReader(r)
	if err != nil {
		return nil, MaskInfo{}, err
	}
	br := bufio.NewReaderSize(z, 1<<16)
	m, info, err := h.read(br)
	if err == nil {
		err = drain(br)
	}
	return m, info, err
}

var metaSamples = map[string]sample{
	"MET_UCHAR": {'u', 1}, "MET_CHAR": {'i', 1}, "MET_USHORT": {'u', 2}, "MET_SHORT": {'i', 2},
	"MET_UINT": {'u', 4}, "MET_INT": {'i', 4}, "MET_ULONG_LONG": {'u', 8}, "MET_LONG_LONG": {'i', 8},
	"MET_FLOAT": {'f', 4}, "MET_DOUBLE": {'f', 8},
	"MET_ULONG": {'u', 4}, "MET_LONG": {'i', 4}, // four bytes in MetaIO, whatever the machine
}

func parseMetaImage(lines []string) (h metaImage, err error) {
	field := map[string]string{}
	for _, line := range lines {
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			return h, fmt.Errorf("the header line %.40q is no \"key = value\"", line)
		}
		field[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	if err = h.setSize(field["NDims"], field["DimSize"]); err != nil {
		return h, err
	}
	if c := field["ElementNumberOfChannels"]; c != "" && c != "1" {
		return h, fmt.Errorf("%s channels; a mask has one", c)
	}
	var known bool
	if h.sample, known = metaSamples[field["ElementType"]]; !known {
		return h, fmt.Errorf("ElementType %q", field["ElementType"])
	}
	h.order = binary.LittleEndian
	if isTrue(field["BinaryDataByteOrderMSB"]) || isTrue(field["ElementByteOrderMSB"]) {
		h.order = binary.BigEndian
	}
	h.ascii = field["BinaryData"] != "" && !isTrue(field["BinaryData"])
	h.compressed = isTrue(field["CompressedData"])
	if h.headerSize, err = optionalInt(field["HeaderSize"], -1, maxOffset); err != nil {
		return h, err
	}
	switch f := field["ElementDataFile"]; {
	case f == "LOCAL" || f == "Local" || f == "local":
	case f == "":
		return h, fmt.Errorf("no ElementDataFile")
	case strings.HasPrefix(f, "LIST") || strings.Contains(f, "%"):
		return h, fmt.Errorf("one data file a slice (%.40q); save the mask as a single file", f)
	default:
		h.dataFile = f
	}
	for _, key := range []string{"ElementSize", "ElementSpacing"} { // the second wins
		if s := strings.Fields(field[key]); len(s) >= 2 {
			x, errX := strconv.ParseFloat(s[0], 64)
			y, errY := strconv.ParseFloat(s[1], 64)
			if errX == nil && errY == nil {
				h.spacing = spacingMM(x, y, 1)
			}
		}
	}
	return h, h.check()
}

func (h *metaImage) setSize(ndims, dimSize string) error {
	n, err := strconv.Atoi(ndims)
	s := strings.Fields(dimSize)
	if err != nil || n < 2 || n > 3 || len(s) != n {
		return fmt.Errorf("NDims %q with DimSize %q: 2 or 3 dimensions", ndims, dimSize)
	}
	h.dims = [3]int{1, 1, 1}
	for k := range s {
		if h.dims[k], err = strconv.Atoi(s[k]); err != nil {
			return fmt.Errorf("DimSize %q", dimSize)
		}
	}
	return nil
}

func isTrue(s string) bool { return s != "" && strings.ContainsAny(s[:1], "TtYy1") }
