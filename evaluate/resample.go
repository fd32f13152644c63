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
	seed   uint64
	stream string
	units  int
	strata [][][]int // the units of each patient, by stratum
}

// samplers draw patients with replacement, a patient bringing all of their units (lesions): within keeps the numbers of
// patients with negative units only, with positive units only, and with both, as what is conditional on the class wants;
// whole draws from all patients together, so that the prevalence varies as it does from one set of patients to the next.
type samplers struct {
	within, whole *resampler
	patients      int
}

// newSamplers takes the patient of each unit; nil makes every unit a patient of its own.
func newSamplers(labels []int, patients []string, seed uint64) (*samplers, error) {
	if patients != nil && len(patients) != len(labels) {
		return nil, &problem.Error{What: "labels and patients differ in number", Expected: fmt.Sprintf("%d patients", len(labels)), Found: strconv.Itoa(len(patients))}
	}
	units := unitsOf(labels, patients)
	return &samplers{
		within:   &resampler{seed: seed, stream: "bootstrap", units: len(labels), strata: strataOf(units, labels)},
		whole:    &resampler{seed: seed, stream: "bootstrap of all patients", units: len(labels), strata: [][][]int{units}},
		patients: len(units),
	}, nil
}

// draw fills counts, one entry a unit, with sample b.
func (r *resampler) draw(b int, counts []uint16) {
	clear(counts)
	source := rng.Stream(r.seed, "evaluate", r.stream, strconv.Itoa(b))
	for _, members := range r.strata {
		for range members {
			for _, unit := range members[source.IntN(len(members))] {
				counts[unit]++
			}
		}
	}
}

// unitsOf lists the units of each patient, patients in order of first appearance.
func unitsOf(labels []int, patients []string) (units [][]int) {
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
	return units
}

// strataOf parts the patients by the classes of their units.
func strataOf(units [][]int, labels []int) [][][]int {
	strata := make([][][]int, 3)
	for _, u := range units {
		var has [2]bool
		for _, i := range u {
			has[labels[i]] = true
		}
		k := slices.Index([][2]bool{{true, false}, {false, true}, {true, true}}, has)
		strata[k] = append(strata[k], u)
	}
	return strata
}
