//go:build !unix && !windows

package features

import (
	"io"
	"os"
)

// mapFile reads the whole file, where the system has no mapping.
func mapFile(f *os.File, size int) ([]byte, func() error, error) {
	b := make([]byte, size)
	_, err := io.ReadFull(io.NewSectionReader(f, 0, int64(size)), b)
	return b, func() error { return nil }, err
}
