package weights

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sonotype/internal/problem"
	"sonotype/nn"
)

func storeWith(t *testing.T, file, name string) (Store, Card) {
	t.Helper()
	s := Store{Dir: filepath.Join(t.TempDir(), "weights")}
	c, err := s.Import(filepath.Join("testdata", file), name)
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

func TestImportOpenVerify(t *testing.T) {
	s, c := storeWith(t, "legacy_old.pth", "mine")
	if c.Source != "legacy_old.pth" || c.Format != FormatLegacy || c.Preprocessing != ImageNet || c.Licence == "" || len(c.SourceSHA256) != 64 {
		t.Errorf("card %+v", c)
	}
	if err := s.Verify(); err != nil {
		t.Error(err)
	}
	cards, err := s.List()
	if err != nil || len(cards) != 1 || cards[0].TensorsHash != c.TensorsHash {
		t.Errorf("%v, %v", cards, err)
	}
	specs := []nn.ParamSpec{{Name: "features.denseblock1.denselayer1.norm1.weight", Shape: []int{4}}}
	x, oc, err := s.Open("mine", specs, 0)
	if err != nil {
		t.Fatal(err)
	}
	if Hash(x) != c.TensorsHash || oc.TensorsHash != c.TensorsHash {
		t.Error("opened other values than imported")
	}
	x, oc, err = s.Open(filepath.Join("testdata", "zip_new.pth"), specs, 0)
	if err != nil || Hash(x) != c.TensorsHash || oc.SourceSHA256 == "" || oc.Name != "" {
		t.Errorf("by path: %+v, %v", oc, err)
	}
	x, oc, err = s.Open(RandomName, specs, 7)
	if err != nil || len(x) != 1 || oc.Source != "He normal, seed 7" {
		t.Errorf("random: %+v, %v", oc, err)
	}
	again, err := s.Import(filepath.Join("testdata", "legacy_old.pth"), "mine")
	if err != nil || again.FileSHA256 != c.FileSHA256 {
		t.Errorf("a second import gives another file: %v", err)
	}
}

func TestOpenFaults(t *testing.T) {
	s, _ := storeWith(t, "zip_new.pth", "mine")
	for what, words := range map[string][]string{
		"densenet169": {"no weights called", "mine", "weights fetch densenet169"},
		"other":       {"no weights called", "mine", "weights import"},
		"x.pth":       {"x.pth"},
		"../mine":     {"../mine"},
		"":            {"under this name"},
	} {
		_, _, err := s.Open(what, nil, 0)
		for _, w := range words {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%q: %v lacks %q", what, err, w)
			}
		}
	}
	specs := []nn.ParamSpec{{Name: "features.conv0.weight", Shape: []int{64, 3, 7, 7}}}
	_, _, err := s.Open("mine", specs, 0)
	if p, ok := problem.As(err); !ok || p.File != "zip_new.pth" || !strings.Contains(p.Found, "[4 3 2 2]") {
		t.Errorf("wrong network: %v", err)
	}
	for _, name := range []string{"", "random", "../x", "a/b", strings.Repeat("x", 101), "a\x00"} {
		if _, err := s.Import("testdata/zip_new.pth", name); err == nil {
			t.Errorf("imported as %q", name)
		}
	}
}

// change rewrites a file of the store.
func change(t *testing.T, path string, edit func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, edit(b), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestVerifyNamesWhatChanged(t *testing.T) {
	for what, c := range map[string]struct {
		file  string
		edit  func([]byte) []byte
		words []string
	}{
		"a value": {"mine.safetensors", func(b []byte) []byte { b[len(b)-2] ^= 1; return b }, // the last tensor by name
			[]string{"mine.safetensors", "1 changed tensors, first features.transition1.norm.weight"}},
		"the header": {"mine.safetensors", func(b []byte) []byte { return []byte(strings.Replace(string(b), `"pt"`, `"tf"`, 1)) },
			[]string{"mine.safetensors", "the header is not"}},
		"cut":        {"mine.safetensors", func(b []byte) []byte { return b[:len(b)-4] }, []string{"mine.safetensors"}},
		"no card":    {"mine.json", func([]byte) []byte { return nil }, []string{"mine.json", "import"}},
		"wrong card": {"mine.json", func(b []byte) []byte { return []byte(strings.Replace(string(b), `"mine"`, `"yours"`, 1)) }, []string{"mine.json", "yours"}},
		"card's tensor": {"mine.json", func(b []byte) []byte {
			return []byte(strings.Replace(string(b), `"features.conv0.weight"`, `"features.conv9.weight"`, 1))
		},
			[]string{"features.conv0.weight", "features.conv9.weight (missing)"}},
	} {
		s, _ := storeWith(t, "zip_new.pth", "mine")
		change(t, filepath.Join(s.Dir, c.file), c.edit)
		err := s.Verify()
		for _, w := range c.words {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %v lacks %q", what, err, w)
			}
		}
		if _, _, err := s.Open("mine", nil, 0); err == nil {
			t.Errorf("%s: opened all the same", what)
		}
	}
	s, _ := storeWith(t, "zip_new.pth", "mine")
	if err := os.Remove(s.file("mine")); err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(); err == nil || !strings.Contains(err.Error(), "mine.safetensors") {
		t.Errorf("a card without its file: %v", err)
	}
	if err := (Store{Dir: filepath.Join(t.TempDir(), "none")}).Verify(); err != nil {
		t.Errorf("an empty store: %v", err)
	}
}
