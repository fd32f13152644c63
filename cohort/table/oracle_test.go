package table

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sonotype/internal/golden"
)

// TestTextAgainstPandas reads every dialect and finds pandas' cells.
func TestTextAgainstPandas(t *testing.T) {
	var oracle struct {
		golden.Meta
		Cases []struct {
			Text   string
			Header []string
			Rows   [][]string
		}
	}
	golden.Load(t, "testdata/oracle/text.json", &oracle)
	for i, c := range oracle.Cases {
		path := filepath.Join(t.TempDir(), fmt.Sprintf("%d.csv", i))
		if err := os.WriteFile(path, []byte(c.Text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := Read(path, Options{})
		if err != nil {
			t.Fatalf("case %d: %v", i, err)
		}
		if !slices.Equal(got.Header, c.Header) || !slices.EqualFunc(got.Rows, c.Rows, slices.Equal) {
			t.Errorf("case %d: %v %v, pandas has %v %v", i, got.Header, got.Rows, c.Header, c.Rows)
		}
	}
}

// TestXLSXAgainstOpenpyxl finds openpyxl's raw values: dates as serial numbers, full precision.
func TestXLSXAgainstOpenpyxl(t *testing.T) {
	var oracle struct {
		golden.Meta
		Header []string
		Rows   [][]string
		Lines  []int
	}
	golden.Load(t, "testdata/oracle/xlsx.json", &oracle)
	got, err := Read("testdata/oracle/cells.xlsx", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Sheet != "patients" || !slices.Equal(got.Header, oracle.Header) || !slices.Equal(got.Line, oracle.Lines) {
		t.Errorf("sheet %q header %v lines %v", got.Sheet, got.Header, got.Line)
	}
	for i, want := range oracle.Rows {
		for j, cell := range want {
			if g := got.Rows[i][j]; g != cell && !sameNumber(g, cell) {
				t.Errorf("row %d column %d: %q, openpyxl has %q", got.Line[i], j, g, cell)
			}
		}
	}
}

// sameNumber compares numbers to the bit, since 1e-07 and 1E-7 are the same cell.
func sameNumber(a, b string) bool {
	x, errX := Number(a)
	y, errY := Number(b)
	return errX == nil && errY == nil && x == y
}
