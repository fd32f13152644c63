package table

import (
	"archive/zip"
	"bytes"
	"io"
	"maps"
	"slices"
	"testing"
)

// checkTable holds for every table that Read accepts.
func checkTable(t *testing.T, tab *Table) {
	names := make(map[string]bool)
	for _, h := range tab.Header {
		if h == "" || names[h] {
			t.Errorf("header %q", tab.Header)
		}
		names[h] = true
	}
	if len(tab.Rows) != len(tab.Line) {
		t.Errorf("%d rows, %d row numbers", len(tab.Rows), len(tab.Line))
	}
	for i, r := range tab.Rows {
		if len(r) != len(tab.Header) {
			t.Errorf("row %d has %d cells of %d", tab.Line[i], len(r), len(tab.Header))
		}
		if tab.Line[i] < 2 || (i > 0 && tab.Line[i] <= tab.Line[i-1]) {
			t.Errorf("row numbers %v", tab.Line)
		}
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "a;b\n1,5;2\n", "sep=,\na,b\n\"x\ny\",2\n", "a\tb\r\n1\t2\r\n", "\ufeffa,b\n", "a,b;c\n1,2;3\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		tab, err := parseText("t.csv", b, Options{MaxColumns: 100, MaxCells: 10_000}.withDefaults())
		if err == nil {
			checkTable(t, tab)
		}
	})
}

// FuzzXLSX changes the XML of a sheet and of the shared strings inside a sound container, which
// random bytes would hardly ever be.
func FuzzXLSX(f *testing.F) {
	base := readParts(f, workbook(f, map[string]any{"A1": "id", "B1": "size", "A2": "P1", "B2": 0.5, "A3": "P2", "B3": "=B2*2"}))
	f.Add(base[sheetXML], base[stringsXML])
	f.Add(readParts(f, "testdata/oracle/cells.xlsx")[sheetXML], base[stringsXML])
	f.Fuzz(func(t *testing.T, sheet, shared []byte) {
		parts := maps.Clone(base)
		parts[sheetXML], parts[stringsXML] = sheet, shared
		tab, err := parseXLSX("t.xlsx", zipParts(t, parts, zip.Store), Options{MaxColumns: 100, MaxCells: 10_000}.withDefaults())
		if err == nil {
			checkTable(t, tab)
		}
	})
}

const (
	sheetXML   = "xl/worksheets/sheet1.xml"
	stringsXML = "xl/sharedStrings.xml"
)

// zipParts packs the parts of a workbook.
func zipParts(t testing.TB, parts map[string][]byte, method uint16) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		p, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Write(parts[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// readParts unpacks a workbook.
func readParts(t testing.TB, path string) map[string][]byte {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	parts := make(map[string][]byte)
	for _, file := range z.File {
		r, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		if parts[file.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	return parts
}
