package report

import (
	"strings"
	"testing"
)

// Lesions of one patient are no independent units: the report says which intervals know that.
func TestMeasuresNameClusters(t *testing.T) {
	s := sampleStudy(t)
	if v := s.measuresView(); len(v.Clustered) != 0 {
		t.Error(v.Clustered)
	}
	s.Unit = "lesion"
	set := s.Sets[1]
	r := set.Results[s.Primary]
	r.Measures.Bootstrap.Patients = r.Performance.N - 20
	set.Results[s.Primary] = r
	v := s.measuresView()
	if len(v.Clustered) != 1 || !strings.Contains(v.Clustered[0], "239 lesions of 219 patients") {
		t.Error(v.Clustered)
	}
}

// Every measure that is listed has a name and an explanation, or a table of its own.
func TestMeasuresAreNamed(t *testing.T) {
	s := sampleStudy(t)
	own := []string{"hosmer_lemeshow", "idi_", "nri_"}
	for _, set := range s.Sets {
		for _, m := range set.Results[s.Primary].List() {
			name, why, _ := nameOf(m.Name)
			inTable := false
			for _, prefix := range own {
				inTable = inTable || strings.HasPrefix(m.Name, prefix)
			}
			if (name == "" || why == "") != inTable {
				t.Errorf("%s is called %q (%q)", m.Name, name, why)
			}
		}
	}
}
