package table

import (
	"archive/zip"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"sonotype/internal/problem"
)

func readText(t *testing.T, text string) (*Table, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "t.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Read(path, Options{})
}

// wantError checks the error's shape: a *problem.Error naming the file, the row and the words.
func wantError(t *testing.T, err error, row int, words string) {
	t.Helper()
	p, ok := problem.As(err)
	if !ok {
		t.Fatalf("got %v, want a problem with %q", err, words)
	}
	if p.File == "" || p.Row != row || !strings.Contains(err.Error(), words) {
		t.Errorf("row %d: %v\nwant row %d and %q", p.Row, err, row, words)
	}
}

func TestTextErrors(t *testing.T) {
	cases := []struct {
		name, text string
		row        int
		words      string
	}{
		{"ragged", "a,b\n1,2\n1,2,3\n", 3, "found: 3 cells"},
		{"short row", "a,b,c\n1,2,3\n1,2\n", 3, "found: 2 cells"},
		{"row counts blank lines and inner breaks", "a,b\n\n\"x\ny\",2\n1\n", 4, "found: 1 cells"},
		{"two separators fit", "a,b;c\n1,2;3\n", 0, "comma or semicolon"},
		{"two separators fail", "a,b;c,d;e\n1;2\n", 0, "separator is not clear"},
		{"one column", "a\n1\n", 1, "no columns found"},
		{"empty", "", 1, "no columns found"},
		{"duplicate header", "a,b,a\n1,2,3\n", 1, `"a" in columns 1 and 3`},
		{"nameless column", "a,,b\n1,x,2\n", 2, "column 2 has no name"},
		{"latin-1", "a,b\n1,\xe9\n", 2, "byte 0xe9"},
		{"utf-16", "\xff\xfea\x00,\x00b\x00", 1, "UTF-16"},
		{"nul", "a,b\n1,\x00\n", 2, "NUL"},
		{"open quote", "a,b\n1,\"x\n2,3\n", 2, "quote"},
		{"bare quote", "a,b\n1,x\"y\n", 2, "quote"},
		{"both decimal marks", "a;b\nx;1,5\ny;1.5\n", 3, "mixes decimal commas and points"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := readText(t, c.text)
			wantError(t, err, c.row, c.words)
		})
	}
}

func TestTextForms(t *testing.T) {
	cases := []struct{ name, text, cells string }{
		{"blank rows", "a,b\n\n1,2\n,\n3,4\n", "a|b 1|2 3|4"},
		{"no newline at the end", "a,b\n1,2", "a|b 1|2"},
		{"old Mac", "a,b\r1,2\r", "a|b 1|2"},
		{"sep line", "sep=;\na,x;b\n1,5;2\n", "a,x|b 1.5|2"},
		{"empty last column", "a,b,\n1,2,\n", "a|b 1|2"},
		{"R's row names", "\"\",\"a\",\"b\"\n\"1\",5,6\n\"2\",5,6\n", "a|b 5|6 5|6"},
		{"trimmed", " a ,b\n 1\u00a0,\u200b2\n", "a|b 1|2"},
		{"decimal comma", "a;b\n1,5;x\n;y\n2;z\nNA;1,5\n", "a|b 1.5|x |y 2|z NA|1,5"},
		{"decimal comma, tab", "a\tb\n1,5e3\t2\n", "a|b 1.5e3|2"},
		{"comma text with quotes", "a,b\n\"1,5\",2\n", "a|b 1,5|2"},
		{"semicolons in text", "a,b\n1;2,3\n", "a|b 1;2|3"},
		{"header only", "a,b\n", "a|b"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := readText(t, c.text)
			if err != nil {
				t.Fatal(err)
			}
			lines := []string{strings.Join(got.Header, "|")}
			for _, r := range got.Rows {
				lines = append(lines, strings.Join(r, "|"))
			}
			if s := strings.Join(lines, " "); s != c.cells {
				t.Errorf("got %q, want %q", s, c.cells)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.csv")
	if err := os.WriteFile(path, []byte("a,b,c\n1,2,3\n4,5,6\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, o := range []Options{{MaxBytes: 10}, {MaxColumns: 2}, {MaxCells: 8}} {
		_, err := Read(path, o)
		if err == nil || !strings.Contains(err.Error(), "too large") {
			t.Errorf("%+v: %v", o, err)
		}
	}
	_, err := Read(filepath.Join(t.TempDir(), "none.csv"), Options{})
	wantError(t, err, 0, "cannot be read")
	_, err = Read(t.TempDir(), Options{})
	wantError(t, err, 0, "not a table")
}

func TestColumns(t *testing.T) {
	tab, err := readText(t, "Patient_ID,M,m,Image path\nP,1,2,x\n")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"patient_id": 0, "M": 1, "m": 2, "image path": 3, "none": -1} {
		if got := tab.Column(name); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
	_, err = tab.Require("patientid")
	wantError(t, err, 1, `columns "Patient_ID"`)
}

func TestNumber(t *testing.T) {
	for cell, want := range map[string]float64{"1": 1, "-2.5": -2.5, "+.5": .5, "3.": 3, "1e-3": .001} {
		if got, err := Number(cell); err != nil || got != want {
			t.Errorf("%s: %v %v", cell, got, err)
		}
	}
	for _, cell := range []string{"", "inf", "NaN", "0x10", "1,5", "1_000", "1e999", "1 2", "."} {
		if got, err := Number(cell); err == nil || !math.IsNaN(got) {
			t.Errorf("%s: %v, want an error", cell, got)
		}
	}
	for _, cell := range []string{"", "NA", "not available", "#N/A", "Unknown"} {
		if !Missing(cell) {
			t.Errorf("%q is missing", cell)
		}
	}
	for _, cell := range []string{"0", "no", "-", "not applicable"} {
		if Missing(cell) {
			t.Errorf("%q is a value", cell)
		}
	}
}

// workbook writes a workbook with the cells given by name.
func workbook(t testing.TB, cells map[string]any) string {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for name, v := range cells {
		var err error
		if s, ok := v.(string); ok && strings.HasPrefix(s, "=") {
			err = f.SetCellFormula("Sheet1", name, s)
		} else {
			err = f.SetCellValue("Sheet1", name, v)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "t.xlsx")
	if err := f.SaveAs(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestXLSXErrors(t *testing.T) {
	_, err := Read("testdata/oracle/pending.xlsx", Options{})
	wantError(t, err, 2, "cell B2")
	_, err = Read(workbook(t, map[string]any{"A1": "a", "B1": "b", "A2": 1, "B2": "=A2+1"}), Options{})
	wantError(t, err, 2, "cell B2")
	_, err = Read(workbook(t, map[string]any{"A1": "a", "B1": "b", "A2": 1, "B2": "#REF!"}), Options{})
	wantError(t, err, 2, "cell B2")
	_, err = Read(workbook(t, map[string]any{"A1": "a", "B1": "b", "A2": 1, "D3": 5}), Options{})
	wantError(t, err, 3, "cell D3")
	_, err = Read("testdata/oracle/cells.xlsx", Options{Sheet: "patient"})
	wantError(t, err, 0, `sheets "patients"`)
	path := filepath.Join(t.TempDir(), "not.xlsx")
	if err := os.WriteFile(path, []byte("a,b\n1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Read(path, Options{})
	wantError(t, err, 0, "not an .xlsx file")
}

// TestXLSXTruncated cuts a workbook everywhere: an error each time, never a panic.
func TestXLSXTruncated(t *testing.T) {
	b, err := os.ReadFile("testdata/oracle/cells.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "cut.xlsx")
	for n := 0; n < len(b); n += 97 {
		if err := os.WriteFile(path, b[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path, Options{}); err == nil {
			t.Errorf("%d of %d bytes were read without an error", n, len(b))
		}
	}
}

// TestXLSXHostile: what would take much memory or time is refused early.
func TestXLSXHostile(t *testing.T) {
	const open = `<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1">`
	const end = `</row></sheetData></worksheet>`
	for words, body := range map[string]string{
		"more than 2000000 XML elements":  strings.Repeat("<c/>", maxElements),
		"more than 1 MiB":                 "<c " + strings.Repeat(`a="b" `, 200_000) + "/>",
		"unpack to more than 64 MiB":      strings.Repeat("<c></c>  ", maxUnzipped/9),
		"unexpected EOF":                  "<c><v>1</v>",
		"element <f> closed by </c>":      "<c><f>1</c>",
		"outside the header's columns":    `<c r="A1"><v>1</v></c></row><row r="2"><c r="XFD2"><v>1</v></c>`,
		"formula whose value is not stor": `<c r="A1"><f t="shared" si="0"/></c>`,
	} {
		closing := end
		if words == "unexpected EOF" {
			closing = ""
		}
		parts := readParts(t, workbook(t, map[string]any{"A1": "a"}))
		parts[sheetXML] = []byte(open + body + closing)
		path := filepath.Join(t.TempDir(), "t.xlsx")
		if err := os.WriteFile(path, zipParts(t, parts, zip.Deflate), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path, Options{}); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%.300v, want %q", err, words)
		}
	}
}

func TestXLSXFirstSheetWithGaps(t *testing.T) {
	got, err := Read(workbook(t, map[string]any{"A2": "a", "B2": "b", "C2": "c", "A3": 1, "C5": 0.1}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"1", "", ""}, {"", "", "0.1"}}
	if !slices.EqualFunc(got.Rows, want, slices.Equal) || !slices.Equal(got.Line, []int{3, 5}) {
		t.Errorf("%v in rows %v", got.Rows, got.Line)
	}
}
