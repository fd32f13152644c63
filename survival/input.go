package survival

import (
	"fmt"
	"math"

	"sonotype/internal/problem"
)

// checkFollowUp demands one finite time >= 0 and one 0/1 event flag per patient and returns the number of events.
// Times are compared exactly: round them (R's survival treats times closer than 1e-8 relative as tied).
func checkFollowUp(time []float64, event []int) (events int, err error) {
	if len(time) != len(event) {
		return 0, &problem.Error{What: "follow-up times and event flags differ in number", Expected: fmt.Sprintf("%d flags", len(time)), Found: fmt.Sprintf("%d", len(event))}
	}
	if len(time) == 0 {
		return 0, &problem.Error{What: "there is no follow-up to analyse"}
	}
	for i, t := range time {
		if math.IsNaN(t) || math.IsInf(t, 0) || t < 0 {
			return 0, &problem.Error{What: "a follow-up time is impossible", Expected: "a finite number, 0 or more", Found: fmt.Sprintf("%v for patient %d of %d", t, i+1, len(time)),
				Try: "leave the patient out, with the reason, before the analysis"}
		}
		if event[i] != 0 && event[i] != 1 {
			return 0, &problem.Error{What: "an event flag is neither 0 nor 1", Found: fmt.Sprintf("%d for patient %d of %d", event[i], i+1, len(event))}
		}
		events += event[i]
	}
	return events, nil
}

// checkScores is checkFollowUp with one finite score a patient.
func checkScores(time []float64, event []int, score []float64) (events int, err error) {
	if events, err = checkFollowUp(time, event); err != nil {
		return 0, err
	}
	if err := checkLength("scores", len(score), len(time)); err != nil {
		return 0, err
	}
	for i, s := range score {
		if math.IsNaN(s) || math.IsInf(s, 0) {
			return 0, &problem.Error{What: "a score is not a finite number", Found: fmt.Sprintf("%v for patient %d of %d", s, i+1, len(score))}
		}
	}
	return events, nil
}

func checkLength(what string, got, want int) error {
	if got == want {
		return nil
	}
	return &problem.Error{What: what + " and follow-up times differ in number", Expected: fmt.Sprintf("%d", want), Found: fmt.Sprintf("%d", got)}
}

// strataOf numbers the strata; without names, or with one, there is one stratum and no numbers.
func strataOf(names []string, n int) (stratum []int, strata int, err error) {
	if names == nil {
		return nil, 1, nil
	}
	if err := checkLength("strata", len(names), n); err != nil {
		return nil, 0, err
	}
	distinct, stratum := numbered(names)
	if len(distinct) == 1 {
		return nil, 1, nil
	}
	return stratum, len(distinct), nil
}
