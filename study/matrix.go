package study

import (
	"io"
	"os"

	"github.com/sbinet/npyio"
	"gonum.org/v1/gonum/mat"

	"sonotype/internal/artifact"
	"sonotype/internal/problem"
)

// writeMatrix writes a float64 matrix as npy, atomically.
func writeMatrix(path string, m *mat.Dense) error {
	return artifact.Write(path, func(w io.Writer) error { return npyio.Write(w, m) })
}

// readMatrix reads what writeMatrix wrote.
func readMatrix(path string) (*mat.Dense, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var m mat.Dense
	if err := npyio.Read(f, &m); err != nil {
		return nil, &problem.Error{What: "cannot read a matrix", File: path, Err: err, Try: "delete its stage's folder and run again"}
	}
	return &m, nil
}
