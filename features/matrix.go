package features

import (
	"os"
	"unsafe"

	"sonotype/internal/problem"
)

// Matrix is an open feature file: n rows of p columns that the operating system brings into memory as they are used
// and drops again when it needs room.
type Matrix struct {
	n, p  int
	data  []float32
	close func() error
}

// Open maps the feature file at path. Close the Matrix when done.
func Open(path string) (*Matrix, error) {
	m, err := open(path)
	if err == nil {
		return m, nil
	}
	p, ok := problem.As(err)
	if !ok {
		return nil, &problem.Error{What: "cannot read the features", File: path, Err: err}
	}
	q := *p
	q.File = path
	return nil, &q
}

func open(path string) (*Matrix, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() { // opening a pipe would wait for its other end
		return nil, &problem.Error{What: "cannot read the features", Expected: "a file", Found: st.Mode().Type().String()}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // a mapping outlives its file
	if st, err = f.Stat(); err != nil {
		return nil, err
	}
	h, err := decodeHeader(f, st.Size())
	if err != nil {
		return nil, err
	}
	m := &Matrix{n: h.n, p: h.p, close: func() error { return nil }}
	if h.n == 0 {
		return m, nil
	}
	raw, unmap, err := mapFile(f, int(st.Size()))
	if err != nil {
		return nil, err
	}
	m.data, m.close = floats(raw[h.offset:]), unmap
	return m, nil
}

// floats views bytes as float32 (little-endian, as all platforms of this program are); a header of another program
// may leave the data unaligned, and then they are copied.
func floats(b []byte) []float32 {
	if uintptr(unsafe.Pointer(&b[0]))%4 != 0 {
		b = append(make([]byte, 0, len(b)), b...)
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&b[0])), len(b)/4)
}

// Dims gives the number of rows and columns.
func (m *Matrix) Dims() (n, p int) { return m.n, m.p }

// Row is a view of row i (from 0). It must not be written to, nor used after Close.
func (m *Matrix) Row(i int) []float32 {
	return m.data[i*m.p : (i+1)*m.p : (i+1)*m.p]
}

// Close gives the mapping back; rows are unusable from then on.
func (m *Matrix) Close() error {
	unmap := m.close
	m.data, m.n, m.close = nil, 0, func() error { return nil }
	return unmap()
}
