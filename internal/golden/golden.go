// Package golden reads oracle values for tests and finds the public data sets where they exist.
package golden

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Meta heads every oracle file: how it was made and how closely it must be met.
type Meta struct {
	Recipe    string            `json:"recipe"`    // the script in oracles/ that wrote it
	Versions  map[string]string `json:"versions"`  // tool -> version
	Tolerance float64           `json:"tolerance"` // largest allowed absolute difference unless the file says otherwise
	Reason    string            `json:"reason"`    // why that tolerance
}

// Load reads the JSON file at path (relative to the test's package) into v and fails the test if it cannot.
func Load(t testing.TB, path string, v any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("golden: %v (make oracle regenerates it)", err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("golden: %s: %v", path, err)
	}
}

// Data returns the folder under $SONOTYPE_DATA joined with elem, or skips the test and says why.
func Data(t testing.TB, elem ...string) string {
	t.Helper()
	root := os.Getenv("SONOTYPE_DATA")
	if root == "" {
		t.Skip("SONOTYPE_DATA is not set: it names the folder with the public data sets (docs/data.md)")
	}
	p := filepath.Join(append([]string{root}, elem...)...)
	if _, err := os.Stat(p); err != nil {
		t.Skipf("public data set missing: %v", err)
	}
	return p
}
