package features

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sonotype/internal/golden"
	"sonotype/internal/problem"
)

// row is row i of the oracle's table: element j is i - j/8.
func row(i, p int) []float32 {
	out := make([]float32, p)
	for j := range out {
		out[j] = float32(i) - float32(j)/8
	}
	return out
}

func writeTable(t testing.TB, path string, n, p int) {
	t.Helper()
	w, err := Write(path, n, p)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := w.Row(row(i, p)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestBytesAreNumpys(t *testing.T) {
	var o struct {
		Saved []struct {
			N      int    `json:"n"`
			P      int    `json:"p"`
			SHA256 string `json:"sha256"`
		} `json:"saved"`
	}
	golden.Load(t, "testdata/oracle/npy.json", &o)
	if len(o.Saved) != 6 {
		t.Fatalf("%d tables", len(o.Saved))
	}
	for _, c := range o.Saved {
		path := filepath.Join(t.TempDir(), "sub", "x.npy")
		writeTable(t, path, c.N, c.P)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if s := sha256.Sum256(b); hex.EncodeToString(s[:]) != c.SHA256 {
			t.Errorf("%d x %d differs from numpy.save: %q", c.N, c.P, b[:min(len(b), 128)])
		}
		checkTable(t, path, c.N, c.P)
	}
}

func checkTable(t *testing.T, path string, n, p int) {
	t.Helper()
	m, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := m.Dims(); a != n || b != p {
		t.Fatalf("%d x %d, want %d x %d", a, b, n, p)
	}
	for i := range n {
		if !slices.Equal(m.Row(i), row(i, p)) {
			t.Fatalf("row %d: %v", i, m.Row(i))
		}
	}
	for range 2 {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestReadsNumpysFiles(t *testing.T) {
	checkTable(t, "testdata/table.npy", 3, 5)
	checkTable(t, "testdata/version2.npy", 3, 5)
}

// npyFile is a version 1.0 file with this dictionary and data.
func npyFile(dict string, data int) []byte {
	return append([]byte(fmt.Sprintf("%s\x01\x00%s%s", magic, string([]byte{byte(len(dict)), byte(len(dict) >> 8)}), dict)), make([]byte, data)...)
}

func hostile() map[string][]byte {
	dict := func(shape string) string {
		return "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }\n"
	}
	return map[string][]byte{
		"empty":            {},
		"magic only":       []byte(magic),
		"version 9":        []byte(magic + "\x09\x00\x00\x00\x00\x00"),
		"another file":     []byte("PK\x03\x04 something else"),
		"cut header":       npyFile(dict("(3, 5)"), 0)[:30],
		"long header":      []byte(magic + "\x02\x00\xff\xff\xff\xff"),
		"no dictionary":    npyFile("hello\n", 4),
		"python code":      npyFile("{'descr': __import__('os').system('touch PWNED'), 'fortran_order': False, 'shape': (1, 1), }\n", 4),
		"object":           npyFile("{'descr': '|O', 'fortran_order': False, 'shape': (1, 1), }\n", 4),
		"cut data":         npyFile(dict("(3, 5)"), 56),
		"surplus":          npyFile(dict("(3, 5)"), 64),
		"negative":         npyFile(dict("(-3, 5)"), 60),
		"no columns":       npyFile(dict("(3, 0)"), 0),
		"scalar":           npyFile(dict("()"), 4),
		"three dimensions": npyFile(dict("(1, 1, 1)"), 4),
		"overflow":         npyFile(dict("(4611686018427387904, 4)"), 0),
		"overflow to 0":    npyFile(dict("(4294967296, 4294967296)"), 0),
		"beyond 64 bits":   npyFile(dict("(9999999999999999999, 1)"), 0),
	}
}

func TestBadFilesGiveErrorsThatNameThem(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{"folder": dir, "none": filepath.Join(dir, "none.npy")}
	for what, data := range hostile() {
		files[what] = filepath.Join(dir, what+".npy")
		if err := os.WriteFile(files[what], data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"float64", "fortran", "vector", "big_endian"} {
		files[name] = filepath.Join("testdata", name+".npy")
	}
	sparse := filepath.Join(dir, "sparse.npy")
	if err := os.WriteFile(sparse, npyFile("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 5), }\n", 0), 0o600); err != nil {
		t.Fatal(err)
	}
	if os.Truncate(sparse, 1<<40) == nil {
		files["sparse"] = sparse
	}
	for what, path := range files {
		_, err := Open(path)
		if p, ok := problem.As(err); !ok || p.File != path {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := Open("testdata/float64.npy")
	if !strings.Contains(err.Error(), "astype('<f4')") || !strings.Contains(err.Error(), "<f8") {
		t.Errorf("float64: %v", err)
	}
}

func TestWriterFaultsLeaveNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.npy")
	for what, rows := range map[string][][]float32{
		"too few":  {row(0, 5)},
		"too many": {row(0, 5), row(1, 5), row(2, 5)},
		"narrow":   {row(0, 4), row(1, 5)},
		"NaN":      {row(0, 5), {0, 1, float32(math.NaN()), 3, 4}},
		"infinite": {row(0, 5), {0, 1, float32(math.Inf(-1)), 3, 4}},
	} {
		w, err := Write(path, 2, 5)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if err = w.Row(r); err != nil {
				break
			}
		}
		if cerr := w.Close(); cerr == nil || err != nil && cerr != err || !strings.Contains(cerr.Error(), path) {
			t.Errorf("%s: %v, then %v", what, err, cerr)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%s: left behind %v", what, left)
		}
	}
	if _, err := Write(path, 1, 0); err == nil {
		t.Error("no columns")
	}
	if _, err := Write(filepath.Join("/dev/null", "x.npy"), 1, 1); err == nil {
		t.Error("a folder that cannot be")
	}
}

func TestARewriteKeepsOpenReaders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npy")
	writeTable(t, path, 3, 5)
	m, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	w, err := Write(path, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Row([]float32{9}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Skip("this system does not replace open files: ", err)
	}
	if !slices.Equal(m.Row(2), row(2, 5)) {
		t.Error("an open matrix changed")
	}
}

func FuzzHeader(f *testing.F) {
	for _, b := range hostile() {
		f.Add(b)
	}
	for _, name := range []string{"table", "version2", "float64", "vector"} {
		b, err := os.ReadFile("testdata/" + name + ".npy")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := decodeHeader(strings.NewReader(string(b)), int64(len(b)))
		if err == nil && (h.n < 0 || h.p < 1 || h.offset+int64(4*h.n*h.p) != int64(len(b))) {
			t.Errorf("%+v for %d bytes", h, len(b))
		}
	})
}
