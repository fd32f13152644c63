package cli

import (
	"strings"
	"testing"
)

// Counts that say nothing are usage errors before anything is read or computed.
func TestEvidenceFlags(t *testing.T) {
	study := file(t, "study.yaml", "cohorts: [cohort.csv]\noutcome: {column: ki67, cutoff: 20}\n")
	for _, k := range []struct{ flag, value, words string }{
		{"--repeats", "-1", "repeats"}, {"--permutations", "1", "standard error"}, {"--permutations", "20000", "permutations"},
	} {
		code, _, errOut := call(t, "run", study, "--out", t.TempDir(), k.flag, k.value)
		if code != exitUsage || !strings.Contains(errOut, k.words) {
			t.Errorf("%s %s: exit code %d, %s", k.flag, k.value, code, errOut)
		}
	}
}
