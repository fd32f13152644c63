package evaluate

import (
	"fmt"
	"slices"
	"strconv"

	"sonotype/internal/problem"
	"sonotype/internal/rng"
)

// resampler draws bootstrap samples as multiplicities: how often each unit stands in a sample. Sample b has a random stream
// of its own, so that all models of a set see the same samples, in any order and by any number of workers, and none is kept.
type resampler struct {
	seed    uint64
	units   int
	strata  [3][][]int // the units of each patient, by stratum
	patient int        // patients
}

// newResampler draws patients with replacement, a patient bringing all of their units (lesions), within strata: patients
// with negative units only, with positive units only, and with both. patients names the patient of each unit; nil makes
// every unit a patient of its own.
func newResampler(labels []int, patients []string, seed uint64) (*resampler, error) {
	if patients != nil && len(patients) != len(labels) {
		return nil, &problem.Error{What: "labels and patients differ in number", Expected: fmt.Sprintf("%d patients", len(labels)), Found: strconv.Itoa(len(patients))}
	}
	r := &resampler{seed: seed, units: len(labels)}
	r.strata, r.patient = patientStrata(labels, patients)
	return r, nil
}

// draw fills counts, one entry a unit, with sample b.
func (r *resampler) draw(b int, counts []uint16) {
	clear(counts)
	source := rng.Stream(r.seed, "evaluate", "bootstrap", strconv.Itoa(b))
	for _, members := range r.strata {
		for range members {
			for _, unit := range members[source.IntN(len(members))] {
				counts[unit]++
			}
		}
	}
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
