package cli

import (
	"strings"
	"testing"
)

func TestBenchMeasuresKnownPartsOnly(t *testing.T) {
	code, _, errOut := call(t, "bench", "--only", "backward")
	if code != exitUsage || !strings.Contains(errOut, "forward nor train") {
		t.Errorf("exit code %d, want %d: %s", code, exitUsage, errOut)
	}
}
