package evaluate

import (
	"fmt"
	"slices"
	"strconv"

	"sonotype/internal/problem"
	"sonotype/internal/rng"
)

// draws holds bootstrap samples as multiplicities: how often each unit stands in each sample. All models of a set
// share one, so that their differences are paired and the drawing is done once.
type draws struct {
	n       int
	samples [][]uint16 // by draw, one entry a unit
	patient int        // patients
}

// drawPatients draws patients with replacement, a patient bringing all of their units (lesions), within strata: patients
// with negative units only, with positive units only, and with both. patients names the patient of each unit; nil makes
// every unit a patient of its own. Sample b has a random stream of its own.
func drawPatients(labels []int, patients []string, n int, seed uint64) (*draws, error) {
	if patients != nil && len(patients) != len(labels) {
		return nil, &problem.Error{What: "labels and patients differ in number", Expected: fmt.Sprintf("%d patients", len(labels)), Found: strconv.Itoa(len(patients))}
	}
	strata, total := patientStrata(labels, patients)
	d := &draws{n: len(labels), samples: make([][]uint16, n), patient: total}
	for b := range d.samples {
		source := rng.Stream(seed, "evaluate", "bootstrap", strconv.Itoa(b))
		sample := make([]uint16, d.n)
		for _, members := range strata {
			for range members {
				for _, unit := range members[source.IntN(len(members))] {
					sample[unit]++
				}
			}
		}
		d.samples[b] = sample
	}
	return d, nil
}

// patientStrata lists the units of each patient, patients in order of first appearance, by stratum.
func patientStrata(labels []int, patients []string) (strata [3][][]int, total int) {
	var units [][]int
	at := map[string]int{}
	for i := range labels {
		if patients == nil {
			units = append(units, []int{i})
			continue
		}
		k, ok := at[patients[i]]
		if !ok {
			k = len(units)
			at[patients[i]] = k
			units = append(units, nil)
		}
		units[k] = append(units[k], i)
	}
	for _, u := range units {
		var has [2]bool
		for _, i := range u {
			has[labels[i]] = true
		}
		k := slices.Index([][2]bool{{true, false}, {false, true}, {true, true}}, has)
		strata[k] = append(strata[k], u)
	}
	return strata, len(units)
}
