package cohort

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzCohort reads any text as a study table: an error, or a cohort whose parts agree.
func FuzzCohort(f *testing.F) {
	for _, k := range tableCases {
		f.Add([]byte(csvOf(append([]string{header + k.header}, k.rows...)...)))
	}
	f.Add([]byte("patient_id;image;mask;centre;outcome;pixel_mm\nP;a;b;A;1;0,08\nQ;c;d;A;0;0,1\n"))
	path := filepath.Join(f.TempDir(), "t.csv")
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load([]string{path}, Columns{}, Rules{})
		if err != nil {
			return
		}
		flow := c.Flow(nil)
		left := 0
		for _, step := range flow.Excluded {
			left += step.Rows
		}
		if flow.Read.Rows != flow.Analysed.Rows+left || flow.Analysed.Units != len(c.Units) {
			t.Errorf("the flow loses rows: %+v", flow)
		}
		s, err := Split(c, SplitConfig{Folds: 2}, 1)
		if err != nil {
			return
		}
		if err := s.Covers(c); err != nil {
			t.Error(err)
		}
	})
}
