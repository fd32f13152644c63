package study

import (
	"strings"
	"testing"

	"sonotype/evaluate"
	"sonotype/internal/num"
	"sonotype/report"
)

func TestAgreementWarnings(t *testing.T) {
	s := &report.Study{Positive: "malignant", Negative: "benign"}
	s.Marks = []report.Mark{ // BUS-BRA's internal test set, one without an association, one without marks
		{Title: "Internal test", Units: [2]int{216, 103}, Marked: [2]int{182, 97}, P: 0.01143773},
		{Title: "Training", Units: [2]int{506, 239}, Marked: [2]int{452, 215}, P: 0.898},
		{Title: "External test", Units: [2]int{77, 49}, P: num.NaN()},
	}
	differs := report.SubgroupVariable{Subgroups: evaluate.Subgroups{Variable: "device"}, AUCHolm: 0.004}
	alike := report.SubgroupVariable{Subgroups: evaluate.Subgroups{Variable: "age"}, AUCHolm: 0.4}
	s.Subgroups.Sets = []report.SubgroupSet{
		{Set: "train", Title: "Training", Variables: []report.SubgroupVariable{differs}},
		{Set: "external", Title: "External test", Variables: []report.SubgroupVariable{differs, alike}},
	}
	got := agreementWarnings(s)
	if len(got) != 2 || !strings.Contains(got[0], "Internal test: burnt-in marks go with the outcome (97 of 103 with malignant, 182 of 216 with benign; P = 0.023") ||
		!strings.Contains(got[1], "External test: the AUC differs by device (P = 0.004") {
		t.Errorf("%q", got)
	}
}
