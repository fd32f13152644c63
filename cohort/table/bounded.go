package table

import (
	"fmt"
	"io"
	"os"

	"sonotype/internal/problem"
)

// readBounded reads a regular file of at most limit bytes.
func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, unreadable(path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, &problem.Error{What: "not a table", File: path, Expected: "a CSV or XLSX file", Found: info.Mode().Type().String()}
	}
	// The size is checked on what is read: a file may grow, and some report no size.
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, unreadable(path, err)
	}
	if int64(len(b)) > limit {
		return nil, &problem.Error{
			What: "the table is too large", File: path,
			Expected: fmt.Sprintf("at most %d MiB", limit>>20), Found: fmt.Sprintf("%d MiB or more", limit>>20),
			Try: "keep images and long texts out of the table",
		}
	}
	return b, nil
}

func unreadable(path string, err error) error {
	return &problem.Error{What: "the table cannot be read", File: path, Err: err, Try: "check the path and the file's permissions"}
}
