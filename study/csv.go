package study

import (
	"bytes"
	"encoding/csv"
	"io"
	"os"

	"github.com/jszwec/csvutil"

	"sonotype/internal/artifact"
	"sonotype/internal/problem"
)

// writeCSV writes a slice of tagged structs with a header, atomically.
func writeCSV[T any](path string, rows []T) error {
	return artifact.Write(path, func(w io.Writer) error {
		cw := csv.NewWriter(w)
		enc := csvutil.NewEncoder(cw)
		if len(rows) == 0 {
			var none T
			if err := enc.EncodeHeader(none); err != nil {
				return err
			}
		}
		for _, r := range rows {
			if err := enc.Encode(r); err != nil {
				return err
			}
		}
		cw.Flush()
		return cw.Error()
	})
}

// readCSV reads what writeCSV wrote.
func readCSV[T any](path string) ([]T, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	dec, err := csvutil.NewDecoder(csv.NewReader(bytes.NewReader(b)))
	if err != nil {
		return nil, &problem.Error{What: "cannot read a result table", File: path, Err: err, Try: "delete its stage's folder and run again"}
	}
	var rows []T
	if err := dec.Decode(&rows); err != nil && err != io.EOF {
		return nil, &problem.Error{What: "cannot read a result table", File: path, Err: err, Try: "delete its stage's folder and run again"}
	}
	return rows, nil
}
