package selection

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"regexp"
	"strconv"

	"sonotype/internal/problem"
)

// Version 1.0 of NumPy's format, C order, little-endian: magic, header length, a Python dict, the numbers.
const npyMagic = "\x93NUMPY\x01\x00"

var npyHeader = regexp.MustCompile(`^\{'descr': '(<[fi][48])', 'fortran_order': False, 'shape': \((\d+), (\d+)\), \}\s*$`)

// number is what the reduction's npy files hold.
type number interface{ float32 | float64 | int64 }

func npyType[T number]() string {
	switch any(*new(T)).(type) {
	case float32:
		return "<f4"
	case float64:
		return "<f8"
	}
	return "<i8"
}

// writeNPY writes a rows x columns matrix.
func writeNPY[T number](w io.Writer, rows, columns int, data []T) error {
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%d, %d), }", npyType[T](), rows, columns)
	pad := 64 - (len(npyMagic)+2+len(dict)+1)%64 // numbers start at a multiple of 64
	dict += fmt.Sprintf("%*s\n", pad%64, "")
	if _, err := io.WriteString(w, npyMagic); err != nil {
		return err
	}
	if err := binary.Write(w, binary.LittleEndian, uint16(len(dict))); err != nil {
		return err
	}
	if _, err := io.WriteString(w, dict); err != nil {
		return err
	}
	const block = 1 << 16 // binary.Write encodes into memory first
	for len(data) > 0 {
		n := min(block, len(data))
		if err := binary.Write(w, binary.LittleEndian, data[:n]); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// readNPY reads the file's bytes and checks that they hold a rows x columns matrix of T.
func readNPY[T number](b []byte, file string, rows, columns int) ([]T, error) {
	damaged := func(found string) error {
		return &problem.Error{What: "damaged reduction file", File: file,
			Expected: fmt.Sprintf("a %d x %d npy matrix of type %s", rows, columns, npyType[T]()), Found: found,
			Try: "restore the file or fit the reduction again"}
	}
	at := len(npyMagic) + 2
	if len(b) < at || !bytes.HasPrefix(b, []byte(npyMagic)) {
		return nil, damaged("no npy header")
	}
	end := at + int(binary.LittleEndian.Uint16(b[at-2:]))
	if len(b) < end {
		return nil, damaged("a truncated header")
	}
	m := npyHeader.FindSubmatch(b[at:end])
	if m == nil {
		return nil, damaged(strconv.Quote(string(b[at:end])))
	}
	if string(m[1]) != npyType[T]() || string(m[2]) != strconv.Itoa(rows) || string(m[3]) != strconv.Itoa(columns) {
		return nil, damaged(fmt.Sprintf("%s x %s of type %s", m[2], m[3], m[1]))
	}
	size := binary.Size(*new(T))
	if len(b)-end != rows*columns*size {
		return nil, damaged(fmt.Sprintf("%d bytes of numbers", len(b)-end))
	}
	data := make([]T, rows*columns)
	_, err := binary.Decode(b[end:], binary.LittleEndian, data)
	return data, err
}
