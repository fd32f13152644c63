package features

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"sonotype/internal/problem"
)

const (
	magic     = "\x93NUMPY"
	alignment = 64      // the data begin at a multiple of this
	maxHeader = 1 << 16 // bytes of a header; a version 1.0 header cannot be longer
	maxValues = 1 << 40 // values of a file, so that sizes in bytes never overflow
)

// header is what a .npy file of features says about its data.
type header struct {
	n, p   int   // rows, columns
	offset int64 // of the data in the file
}

// encode gives the bytes before the data, exactly as numpy.save writes them: numpy leaves room for the number of
// rows to grow to 21 digits.
func (h header) encode() []byte {
	dict := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", h.n, h.p)
	dict += strings.Repeat(" ", max(0, 21-len(strconv.Itoa(h.n))))
	total := len(magic) + 4 + len(dict) + 1
	dict += strings.Repeat(" ", (alignment-total%alignment)%alignment) + "\n"
	b := append([]byte(magic), 1, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(dict)))
	return append(b, dict...)
}

// decodeHeader reads the header of a file of size bytes and checks that the data are there, all of them and no more.
func decodeHeader(r io.ReaderAt, size int64) (header, error) {
	text, offset, err := headerText(r)
	if err != nil {
		return header{}, err
	}
	h, err := parseDict(text)
	if err != nil {
		return header{}, err
	}
	h.offset = offset
	if want := offset + 4*int64(h.n)*int64(h.p); want != size {
		return header{}, &problem.Error{
			What:     "the feature file does not have the length that its header says",
			Expected: fmt.Sprintf("%d bytes for %d x %d float32", want, h.n, h.p),
			Found:    fmt.Sprintf("%d bytes", size),
			Try:      "make the features again: the file may be cut short",
		}
	}
	return h, nil
}

// headerText gives the dictionary and the offset of the data.
func headerText(r io.ReaderAt) (string, int64, error) {
	var b [12]byte
	n, err := r.ReadAt(b[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", 0, err
	}
	if n < len(b) || !bytes.HasPrefix(b[:], []byte(magic)) {
		return "", 0, &problem.Error{What: "this is not a .npy file", Expected: `a file that starts with \x93NUMPY`, Found: fmt.Sprintf("%x", b[:min(n, 6)])}
	}
	length, start := int64(binary.LittleEndian.Uint16(b[8:])), int64(10)
	switch major := b[6]; major {
	case 1:
	case 2, 3: // a longer length; version 3 allows UTF-8, which no header of ours needs
		length, start = int64(binary.LittleEndian.Uint32(b[8:])), 12
	default:
		return "", 0, &problem.Error{What: "the .npy file has an unknown version", Expected: "1, 2 or 3", Found: fmt.Sprint(major)}
	}
	if length > maxHeader {
		return "", 0, &problem.Error{What: "the .npy header is too long", Expected: fmt.Sprintf("at most %d bytes", maxHeader), Found: fmt.Sprintf("%d bytes", length)}
	}
	text := make([]byte, length)
	if _, err := r.ReadAt(text, start); err != nil && !errors.Is(err, io.EOF) {
		return "", 0, err
	} else if err != nil && int64(n) < start+length {
		return "", 0, &problem.Error{What: "the .npy file is cut short in its header", Expected: fmt.Sprintf("%d bytes of header", length)}
	}
	return string(text), start + length, nil
}

var (
	descrItem   = regexp.MustCompile(`^'descr':'([^']*)',`)
	fortranItem = regexp.MustCompile(`^'fortran_order':(True|False),`)
	shapeItem   = regexp.MustCompile(`^'shape':\((\d{1,19}),(\d{1,19}),?\),?\}$`)
)

// parseDict reads the header's dictionary, whose keys numpy writes in alphabetical order.
func parseDict(text string) (header, error) {
	s := strings.NewReplacer(" ", "", "\n", "").Replace(text)
	fault := func(what, expected string) (header, error) {
		return header{}, &problem.Error{What: what, Expected: expected, Found: fmt.Sprintf("%.120q", strings.TrimSpace(text))}
	}
	s, ok := strings.CutPrefix(s, "{")
	descr := descrItem.FindStringSubmatch(s)
	if !ok || descr == nil {
		return fault("the .npy header is not understood", "{'descr': '<f4', 'fortran_order': False, 'shape': (n, p), }")
	}
	if descr[1] != "<f4" {
		return fault("the .npy file holds other numbers than features", "'<f4': save it with numpy's x.astype('<f4')")
	}
	s = s[len(descr[0]):]
	order := fortranItem.FindStringSubmatch(s)
	if order == nil {
		return fault("the .npy header is not understood", "'fortran_order': False")
	}
	if order[1] != "False" {
		return fault("the .npy file is stored column by column", "'fortran_order': False: save it with numpy.ascontiguousarray(x)")
	}
	shape := shapeItem.FindStringSubmatch(s[len(order[0]):])
	if shape == nil {
		return fault("the .npy file is not a table of rows and columns", "'shape': (n, p)")
	}
	n, err1 := strconv.ParseInt(shape[1], 10, 64)
	p, err2 := strconv.ParseInt(shape[2], 10, 64)
	if err1 != nil || err2 != nil || n > maxValues || p < 1 || p > maxValues || n > maxValues/p {
		return fault("the .npy file claims an impossible size", fmt.Sprintf("at least one column, at most %d values", int64(maxValues)))
	}
	return header{n: int(n), p: int(p)}, nil
}
