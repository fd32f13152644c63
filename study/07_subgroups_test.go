package study

import (
	"math"
	"slices"
	"testing"

	"sonotype/cohort"
	"sonotype/internal/num"
)

func TestReceptorsMakeTheSubtype(t *testing.T) {
	for _, c := range []struct {
		er, pr, her2 string
		want         int
	}{
		{"positive", "negative", "negative", 0}, {"Neg", "high", "low", 0}, {"90 %", "0", "1+", 0}, {"0", "5", "0", 0},
		{"negative", "negative", "high", 1}, {"", "", "3+", 1}, {"1", "1", "Positive", 1},
		{"-", "-", "-", 2}, {"0", "0%", "negative", 2},
		{"", "negative", "negative", -1}, {"positive", "positive", "2+", -1}, {"positive", "positive", "", -1}, {"0.4", "0", "0", -1}, {"150", "0", "0", -1},
	} {
		if got := subtype(hormoneStatus(c.er), hormoneStatus(c.pr), her2Status(c.her2, true)); got != c.want {
			t.Errorf("ER %q, PR %q, HER2 %q: %d, want %d", c.er, c.pr, c.her2, got, c.want)
		}
	}
	if !her2Scored([]string{"0", "1", "2"}) || her2Scored([]string{"0", "1", ""}) {
		t.Error("a HER2 column of scores is not told from one of zeros and ones")
	}
	if her2Status("1", false) != statusPositive || her2Status("1", true) != statusNegative {
		t.Error("a bare 1")
	}
}

func TestBandsTakeTheirLowerBound(t *testing.T) {
	v := banded("age", "", "", []float64{40, 60}, map[string]float64{"a": 39.9, "b": 40, "c": 59, "d": 60, "e": math.NaN(), "f": 95})
	want := map[string]int{"a": 0, "b": 1, "c": 1, "d": 2, "f": 2}
	for id, level := range want {
		if v.of[id] != level {
			t.Errorf("%s is %q", id, v.levels[v.of[id]])
		}
	}
	if _, ok := v.of["e"]; ok {
		t.Error("an unknown age has a band")
	}
	if !slices.Equal(v.levels, []string{"under 40", "40 to under 60", "60 or more"}) {
		t.Errorf("levels %q", v.levels)
	}
}

// subgroupRun is a run whose cohort and images are in memory.
func subgroupRun(images []imageRow, units []cohort.Unit, columns []string) *Run {
	c := &cohort.Cohort{Units: units, Columns: columns}
	r := &Run{}
	r.Plan.Subgroups = defaultSubgroups()
	r.cache.images, r.cache.analysed = images, c
	return r
}

func TestSubgroupVariablesComeFromWhatTheStudyHas(t *testing.T) {
	nan := num.NaN()
	images := []imageRow{
		{Unit: "a", Device: "X", Set: cohort.SetTrain, Area: 100, Diameter: 12},
		{Unit: "a", Device: "Y", Set: cohort.SetTrain, Area: 90, Diameter: 25},
		{Unit: "b", Device: "X", Set: cohort.SetTrain, Area: 300, Diameter: nan},
		{Unit: "c", Device: "Y", Set: cohort.SetExternal, Area: 500, Diameter: 60},
	}
	units := []cohort.Unit{
		{ID: "a", Clinical: map[string]string{"Age": "35", "ER": "positive", "PR": "positive", "HER2": "1+", "grade": "2"}},
		{ID: "b", Clinical: map[string]string{"Age": "61", "ER": "0", "PR": "0", "HER2": "0", "grade": ""}},
		{ID: "c", Clinical: map[string]string{"Age": "", "ER": "", "PR": "", "HER2": "3+", "grade": "3"}},
	}
	r := subgroupRun(images, units, []string{"Age", "ER", "PR", "HER2", "grade"})
	r.Plan.Subgroups.By = append(r.Plan.Subgroups.By, "grade")
	variables, left, err := r.subgroupVariables()
	if err != nil || len(left) != 0 || len(variables) != 5 {
		t.Fatalf("%d variables, left out %q, %v", len(variables), left, err)
	}
	level := func(v variable, unit string) string {
		if k, ok := v.of[unit]; ok {
			return v.levels[k]
		}
		return ""
	}
	for i, want := range [][3]string{
		{"", "X", "Y"}, {"under 40", "60 or more", ""}, {"20 to under 50 mm", "", "50 mm or more"},
		{"HR+/HER2−", "triple negative", "HER2+"}, {"2", "", "3"},
	} {
		for k, unit := range []string{"a", "b", "c"} {
			if got := level(variables[i], unit); got != want[k] {
				t.Errorf("%s of %s is %q, want %q", variables[i].name, unit, got, want[k])
			}
		}
	}

	for i := range images {
		images[i].Diameter = nan
	}
	r = subgroupRun(images, units, nil)
	variables, left, err = r.subgroupVariables()
	if err != nil || len(left) != 2 || len(variables) != 2 {
		t.Fatalf("without columns: %d variables, left out %q, %v", len(variables), left, err)
	}
	if size := variables[1]; level(size, "a") != "smaller" || level(size, "b") != "larger" || level(size, "c") != "larger" {
		t.Errorf("by area: %v of %v", size.of, size.levels)
	}
	r.Plan.Subgroups.By = []string{"grad"}
	if _, _, err := r.subgroupVariables(); err == nil {
		t.Error("a column that does not exist")
	}
}

func TestMarksByOutcome(t *testing.T) {
	images := []imageRow{
		{Unit: "a", Label: 1, Marked: false}, {Unit: "a", Label: 1, Marked: true}, {Unit: "b", Label: 1, Marked: true},
		{Unit: "c", Label: 0, Marked: true}, {Unit: "d", Label: 0}, {Unit: "e", Label: 1}, {Unit: "f", Label: 0, Set: "other"},
	}
	m, err := markedIn(images, func(im imageRow) bool { return im.Set == "" })
	if err != nil {
		t.Fatal(err)
	}
	// 2 of 3 positives and 1 of 2 negatives: the conditional odds ratio of R's fisher.test is 1.732051.
	if m.Units != [2]int{2, 3} || m.Marked != [2]int{1, 2} || math.Abs(float64(m.Odds)-1.7320508) > 1e-6 || m.P != 1 {
		t.Errorf("%+v", m)
	}
}
