package features

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"sonotype/internal/problem"
)

// Writer writes a feature file row by row. The file appears under its name only when Close succeeds.
type Writer struct {
	path string
	n, p int // rows and columns promised
	done int // rows written
	f    *os.File
	w    *bufio.Writer
	buf  []byte
	err  error // first fault; later calls repeat it
}

// Write starts a file of n rows and p columns at path, whose folder is made if need be.
func Write(path string, n, p int) (*Writer, error) {
	if n < 0 || p < 1 || n > maxValues/p {
		return nil, &problem.Error{What: "a feature file of this size cannot be", File: path, Found: fmt.Sprintf("%d rows, %d columns", n, p)}
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, cannotWrite(path, err)
	}
	f, err := os.CreateTemp(dir, ".tmp-*")
	if err != nil {
		return nil, cannotWrite(path, err)
	}
	w := &Writer{path: path, n: n, p: p, f: f, w: bufio.NewWriterSize(f, 1<<20), buf: make([]byte, 0, 4*min(p, 1<<12))}
	if _, err := w.w.Write(header{n: n, p: p}.encode()); err != nil {
		w.err = cannotWrite(path, err)
	}
	return w, nil
}

// Row appends one row, which must have as many columns as promised and only finite values.
func (w *Writer) Row(row []float32) error {
	if w.err != nil {
		return w.err
	}
	if len(row) != w.p || w.done == w.n {
		w.err = &problem.Error{What: "the feature file gets other rows than promised", File: w.path, Expected: fmt.Sprintf("%d rows of %d", w.n, w.p), Found: fmt.Sprintf("row %d of %d", w.done+1, len(row))}
		return w.err
	}
	for len(row) > 0 {
		chunk := row[:min(len(row), cap(w.buf)/4)]
		row = row[len(chunk):]
		b := w.buf[:0]
		for _, v := range chunk {
			if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
				w.err = &problem.Error{What: fmt.Sprintf("the network gave a feature that is not a finite number for image %d of %d", w.done+1, w.n), File: w.path, Found: fmt.Sprint(v), Try: "check the weights: sonotype weights verify"}
				return w.err
			}
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
		if _, err := w.w.Write(b); err != nil {
			w.err = cannotWrite(w.path, err)
			return w.err
		}
	}
	w.done++
	return nil
}

// Close completes the file and gives it its name. If a row failed or is missing, nothing is left behind and the
// fault is returned.
func (w *Writer) Close() error {
	if w.err == nil && w.done != w.n {
		w.err = &problem.Error{What: "the feature file lacks rows", File: w.path, Expected: fmt.Sprintf("%d rows", w.n), Found: fmt.Sprintf("%d rows", w.done)}
	}
	if w.f == nil {
		return w.err
	}
	if w.err == nil {
		if err := w.finish(); err != nil {
			w.err = cannotWrite(w.path, err)
		}
	}
	if w.err != nil {
		w.Abort()
		return w.err
	}
	w.f = nil
	return nil
}

func (w *Writer) finish() error {
	if err := w.w.Flush(); err != nil {
		return err
	}
	if err := w.f.Chmod(0o644); err != nil {
		return err
	}
	if err := w.f.Sync(); err != nil {
		return err
	}
	if err := w.f.Close(); err != nil {
		return err
	}
	return os.Rename(w.f.Name(), w.path)
}

// Abort drops what was written. It does nothing after Close.
func (w *Writer) Abort() {
	if w.f == nil {
		return
	}
	w.f.Close()
	os.Remove(w.f.Name())
	w.f = nil
	if w.err == nil {
		w.err = errors.New("the feature file was given up")
	}
}

func cannotWrite(path string, err error) error {
	return &problem.Error{What: "cannot write the features", File: path, Err: err}
}
