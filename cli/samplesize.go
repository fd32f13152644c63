package cli

import (
	"fmt"
	"strings"

	"sonotype/samplesize"
)

// criterionNames are the criteria as the command line calls them.
var criterionNames = map[string]string{
	samplesize.Overfitting: "little overfitting", samplesize.Optimism: "little optimism", samplesize.OverallRisk: "overall risk",
	samplesize.PreciseOE: "observed:expected", samplesize.PreciseSlope: "calibration slope", samplesize.PreciseAUC: "AUC",
	samplesize.PreciseNetBenefit: "net benefit",
}

// printSampleSize says what the cohort is large enough for, by Riley's criteria. It is advice: nothing fails for it.
func (a *app) printSampleSize(s samplesize.Assessment) {
	if d := s.Development; d != nil {
		allowed := fmt.Sprintf("those at hand allow %d", d.Affordable)
		if d.Affordable == 0 {
			allowed = "those at hand are too few for any"
		}
		fmt.Fprintf(a.out, "sample size, development: %d learn (%d positive); %d candidate parameters at an AUC of %.2f need %d (%s); %s\n",
			d.Patients, d.Positive, d.Parameters, d.AUC, d.N, criteria(d.Criteria), allowed)
	}
	for _, v := range s.Validation {
		verdict := "enough"
		if !v.Enough() {
			verdict = "too few for precise figures"
		}
		fmt.Fprintf(a.out, "sample size, %s test: %d (%d positive), %s; %d needed (%s)\n", v.Set, v.Patients, v.Positive, verdict, v.N, criteria(v.Criteria))
	}
	for _, n := range s.Notes {
		fmt.Fprintf(a.out, "sample size, not assessed: %s\n", n)
	}
}

// criteria lists what each criterion asks for.
func criteria(list []samplesize.Criterion) string {
	parts := make([]string, len(list))
	for i, c := range list {
		parts[i] = fmt.Sprintf("%s %d", criterionNames[c.Name], c.N)
	}
	return strings.Join(parts, ", ")
}
