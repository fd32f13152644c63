package cohort

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// threeCentres has 60 patients at A, 40 at B and 20 at C, every third low; with a split column on demand.
func threeCentres(column bool) string {
	var b strings.Builder
	b.WriteString("patient_id,image,mask,centre,outcome")
	if column {
		b.WriteString(",split")
	}
	for i := range 120 {
		centre := "A"
		if i >= 60 {
			centre = "B"
		}
		if i >= 100 {
			centre = "C"
		}
		fmt.Fprintf(&b, "\nP%03d,%d.png,%d.nii,%s,%d", i, i, i, centre, min(i%3, 1))
		if column {
			b.WriteString(",train")
		}
	}
	return b.String() + "\n"
}

func TestLeaveOut(t *testing.T) {
	for _, column := range []bool{false, true} { // a split column is not asked
		c := load(t, Rules{}, threeCentres(column))
		s, err := Split(c, SplitConfig{Development: "A", LeaveOut: "B", TrainFraction: 0.75}, 1)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, set := range c.Flow(s).Sets {
			var centres []string
			for _, k := range set.Centres {
				centres = append(centres, k.Centre)
			}
			got = append(got, fmt.Sprintf("%s %d/%d %s", set.Set, set.Patients, set.Positive, strings.Join(centres, "")))
		}
		if want := []string{"train 60/40 AC", "internal 20/14 AC", "external 40/26 B"}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
		if s.Source != "random" || s.LeftOut != "B" || s.Development != "" {
			t.Errorf("%+v", s)
		}
	}
	c := load(t, Rules{}, threeCentres(false))
	if _, err := Split(c, SplitConfig{LeaveOut: "D"}, 1); err == nil || !strings.Contains(err.Error(), "split.leave_out") {
		t.Errorf("a centre that does not exist: %v", err)
	}
}
