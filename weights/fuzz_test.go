package weights

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// seed adds the oracles' files and the hostile ones with this format to the corpus.
func seed(f *testing.F, pattern string, wanted func([]byte) bool) {
	files, err := filepath.Glob("testdata/" + pattern)
	if err != nil || len(files) == 0 {
		f.Fatal("no files", err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for what, b := range hostileFiles(f) {
		if wanted(b) && len(b) < 1<<14 && !strings.Contains(what, "bomb") {
			f.Add(b)
		}
	}
}

// fuzzDecode demands that whatever decodes is consistent.
func fuzzDecode(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		tensors, _, err := decode(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		total := 0
		for name, x := range tensors {
			if len(x.Data) != x.Len() {
				t.Errorf("%q: %d values for %v", name, len(x.Data), x.Shape)
			}
			total += len(x.Data)
		}
		if total > maxElements {
			t.Errorf("%d values", total)
		}
	})
}

func FuzzZip(f *testing.F) {
	seed(f, "zip_*.pth", func(b []byte) bool { return bytes.HasPrefix(b, []byte("PK")) })
	fuzzDecode(f)
}

func FuzzLegacy(f *testing.F) {
	seed(f, "legacy_*.pth", func(b []byte) bool { return bytes.HasPrefix(b, []byte("\x80")) })
	fuzzDecode(f)
}

func FuzzSafetensors(f *testing.F) {
	seed(f, "*.safetensors", func(b []byte) bool { return len(b) > 8 && b[8] == '{' })
	fuzzDecode(f)
}

// FuzzPickle reads bare pickles, which the checksums of a zip would hide from the fuzzer.
func FuzzPickle(f *testing.F) {
	for _, p := range []string{
		tensorPickle(4, 0, 4, 1), tensorPickle(4, 1, 2, 0),
		"\x80\x02}q\x00(X\x01\x00\x00\x00aK\x01u.", "\x80\x04\x95\x02\x00\x00\x00\x00\x00\x00\x00)\x94.",
		"\x80\x02ccollections\nOrderedDict\n)R}b.", "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", "\x80\x02G\x3f\xf0\x00\x00\x00\x00\x00\x00\x88N\x89(\x85\x86\x87.",
	} {
		f.Add([]byte(p))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		value, err := newUnpickler(bytes.NewReader(b), storageTable{}.persistent).load()
		if err != nil {
			return
		}
		if jobs, err := plan(newCollector(FormatZip), value); err == nil {
			for s, todo := range jobs {
				raw := make([]byte, min(s.count*s.dtype.size, 1<<16))
				if int64(len(raw)) == s.count*s.dtype.size && len(todo) < 10 {
					if err := (&storageReader{}).read(bytes.NewReader(raw), s, todo); err != nil {
						t.Error(err)
					}
				}
			}
		}
	})
}
