package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// The committed files are the generator's.
func TestFilesAreCurrent(t *testing.T) {
	all, err := files()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range all {
		got, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the generator writes: run go generate ./nn/kernel", name)
		}
	}
}
