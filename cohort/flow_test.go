package cohort

import (
	"reflect"
	"testing"
)

func TestFlow(t *testing.T) {
	c := load(t, Rules{}, csvOf(header+"|reader",
		"P1|a.png|a1.nii|A|1|R1", "P1|a.png|a2.nii|A|1|R2",
		"P2|b.png||A|0|R1", "P2|b.png|b.nii|A|0|R2", // the image stays through its other reader
		"P3|c.png|c.nii|A||R1", "P3|d.png||A||R1", // lost: no outcome
		"P4|e.png||B|1|R1", // lost: no mask
		"P5|f.png|f.nii|B|0|R1", "P5|g.png|g.nii|B|0|R1", "P6|i.png|i.nii|A|1|R1"))
	if err := c.Err(); err != nil {
		t.Fatal(err)
	}
	var drop map[int]string
	for i, m := range c.Images {
		if m.Name == "f.png" {
			drop = map[int]string{i: "the ring leaves the image"}
		}
	}
	d := c.DropImages("roi", drop).DropImages("features", map[int]string{})
	s := &Splits{Patients: []Assignment{{"P1", SetTrain, 0}, {"P2", SetTrain, 1}, {"P5", SetExternal, -1}, {"P6", SetTrain, 1}}}
	want := Flow{
		Sources: []FlowSource{{"t0", Count{Rows: 10, Images: 8, Patients: 6}}},
		Read:    Count{Rows: 10, Images: 8, Patients: 6},
		Excluded: []FlowStep{
			{"cohort", ReasonNoMask, 2, 1, 1},
			{"cohort", ReasonOutcomeMissing, 2, 2, 1},
			{"roi", "the ring leaves the image", 1, 1, 0},
		},
		Analysed: Count{Rows: 5, Images: 4, Units: 4, Patients: 4, Positive: 2},
		Sets: []FlowSet{
			{SetTrain, Count{4, 3, 3, 3, 2}, []FlowCentre{{"A", Count{4, 3, 3, 3, 2}}}},
			{SetExternal, Count{1, 1, 1, 1, 0}, []FlowCentre{{"B", Count{1, 1, 1, 1, 0}}}},
		},
	}
	if got := d.Flow(s); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	if len(c.Images) != 5 || len(c.Excluded()) != 4 || len(d.Excluded()) != 5 {
		t.Error("DropImages changed the cohort it was called on")
	}
	last := d.Excluded()[4]
	if want := (Exclusion{Table: "t0", Line: 9, Patient: "P5", Image: "f.png", Stage: "roi", Reason: "the ring leaves the image"}); last != want {
		t.Errorf("%+v", last)
	}
	if got := c.Flow(nil); got.Sets != nil || got.Analysed.Images != 5 {
		t.Errorf("flow without splits: %+v", got)
	}
}
