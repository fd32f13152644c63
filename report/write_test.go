package report

import (
	"flag"
	"path/filepath"
	"testing"
)

var keep = flag.String("keep", "", "write the sample reports into this folder, to look at them")

// out is where a test writes its report.
func out(t *testing.T, name string) string {
	if *keep != "" {
		return filepath.Join(*keep, name)
	}
	return filepath.Join(t.TempDir(), name)
}

func TestWrite(t *testing.T) {
	dir := out(t, "full")
	if err := Write(dir, sampleStudy(t), nil); err != nil {
		t.Fatal(err)
	}
}
