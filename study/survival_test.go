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
