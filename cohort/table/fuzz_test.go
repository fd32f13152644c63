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
	for _, name := range []string{"cells.xlsx", "pending.xlsx"} {
		parts := readParts(f, "testdata/oracle/"+name)
		f.Add(parts[sheetXML], parts[stringsXML])
	}
	base := readParts(f, "testdata/oracle/cells.xlsx")
	f.Fuzz(func(t *testing.T, sheet, shared []byte) {
		parts := maps.Clone(base)
		parts[sheetXML], parts[stringsXML] = sheet, shared
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for _, name := range slices.Sorted(maps.Keys(parts)) {
			p, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
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
		tab, err := parseXLSX("t.xlsx", b.Bytes(), Options{MaxColumns: 100, MaxCells: 10_000}.withDefaults())
		if err == nil {
			checkTable(t, tab)
		}
	})
}

const (
	sheetXML   = "xl/worksheets/sheet1.xml"
	stringsXML = "xl/sharedStrings.xml"
)

func readParts(f *testing.F, path string) map[string][]byte {
	z, err := zip.OpenReader(path)
	if err != nil {
		f.Fatal(err)
	}
	defer z.Close()
	parts := make(map[string][]byte)
	for _, file := range z.File {
		r, err := file.Open()
		if err != nil {
			f.Fatal(err)
		}
		if parts[file.Name], err = io.ReadAll(r); err != nil {
			f.Fatal(err)
		}
		r.Close()
	}
	return parts
}
