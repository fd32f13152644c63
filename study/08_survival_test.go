package study

import (
	"math"
	"slices"
	"strings"
	"testing"

	"sonotype/cohort"
)

// Numbers stay numbers, categories become columns against the most frequent level, and what is missing is NaN.
func TestCovariatesOfAColumn(t *testing.T) {
	age := Covariates("age", []string{"50", "", "61.5"}, "")
	if len(age) != 1 || age[0].Name != "age (per unit)" || age[0].Values[2] != 61.5 || !math.IsNaN(age[0].Values[1]) {
		t.Errorf("%+v", age)
	}
	er := Covariates("er", []string{"positive", "negative", "positive", "", "low"}, "")
	var names []string
	for _, c := range er {
		names = append(names, c.Name)
		if c.Term != "er" || !math.IsNaN(c.Values[3]) || c.Values[0] != 0 {
			t.Errorf("%+v", c)
		}
	}
	if want := []string{"er: low against positive", "er: negative against positive"}; !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
	if er[1].Values[1] != 1 || er[1].Values[4] != 0 {
		t.Errorf("%+v", er[1])
	}
	if low := Covariates("er", []string{"positive", "positive", "low"}, "low"); len(low) != 1 || low[0].Name != "er: positive against low" {
		t.Errorf("reference: %+v", low)
	}
	if none := Covariates("her2", []string{"", ""}, ""); len(none) != 1 || !math.IsNaN(none[0].Values[0]) {
		t.Errorf("nothing known: %+v", none)
	}
	if one := Covariates("side", []string{"left", "left"}, ""); len(one) != 0 {
		t.Errorf("one level: %+v", one)
	}
}

func TestSurvivalPlan(t *testing.T) {
	for text, want := range map[string]string{
		"survival: {times: [12, -3]}":  "survival.times",
		"survival: {horizon: -1}":      "survival.horizon",
		"survival: {horizon: .nan}":    "survival.horizon",
		"survival: {strata: ''}":       "survival.strata",
		"survival: {covariate: [age]}": `did you mean "covariates"`,
	} {
		if _, err := LoadPlan(writeStudy(t, text+"\n"), "", nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	c := &cohort.Cohort{Columns: []string{"age", "t_stage"}}
	if _, err := clinicalColumn(c, nil, "survival.covariates", "tstage"); err == nil || !strings.Contains(err.Error(), `did you mean "t_stage"`) {
		t.Errorf("%v", err)
	}
}

// A patient with two lesions stands once in the survival analysis, with what the lesions say together.
func TestFollowUpIsThePatients(t *testing.T) {
	nan := math.NaN()
	units := []cohort.Unit{
		{ID: "a", Patient: "a", Label: 0, DFSMonths: 10, DFSEvent: 1, Clinical: map[string]string{"age": "50"}},
		{ID: "b#1", Patient: "b", Lesion: "1", Label: 0, DFSMonths: nan, DFSEvent: -1, Clinical: map[string]string{"age": "", "er": "low"}},
		{ID: "b#2", Patient: "b", Lesion: "2", Label: 1, DFSMonths: 20, DFSEvent: 0, Clinical: map[string]string{"age": "60", "er": "positive"}},
		{ID: "c", Patient: "c", Label: 1, DFSMonths: nan, DFSEvent: -1},
	}
	scores := []float64{.1, .25, .75, .9}
	check := func(f followed) {
		t.Helper()
		months, event := f.followUp()
		if !slices.Equal(f.ids(), []string{"a", "b"}) || !slices.Equal(f.score, []float64{.1, .5}) || !slices.Equal(f.labels(), []float64{0, 1}) ||
			!slices.Equal(months, []float64{10, 20}) || !slices.Equal(event, []int{1, 0}) {
			t.Errorf("%+v", f)
		}
		if b := f.patients[1].Clinical; b["age"] != "60" || b["er"] != "low" {
			t.Errorf("clinical columns %v", b)
		}
	}
	check(follow(units, scores))
	check(followScored(&cohort.Cohort{Units: units}, scored{units: []string{"a", "b#1", "b#2", "c"}, scores: scores}))
	if units[1].Clinical["age"] != "" {
		t.Error("joining changed the cohort")
	}
	site := &Site{}
	for i, u := range units {
		site.Units = append(site.Units, SiteUnit{Unit: u, Score: scores[i]})
	}
	if d, labels := site.FollowUp(); !slices.Equal(d.Score, []float64{.1, .5}) || !slices.Equal(d.Time, []float64{10, 20}) || !slices.Equal(labels, []float64{0, 1}) {
		t.Errorf("%+v, %v", d, labels)
	}
}
