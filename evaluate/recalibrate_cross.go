package evaluate

import (
	"fmt"
	"slices"
	"strconv"

	"sonotype/internal/problem"
	"sonotype/internal/rng"
)

// CrossRecalibrate gives each unit the probability that a recalibration (FitRecalibration) fitted on the other folds'
// units gives it: for scores that come without training data. Folds are dealt by patient, at random by seed, in equal
// shares of the patients with and without a positive unit. patients names the patient of each unit; nil makes every unit
// a patient of its own.
// Like every cross-fitted probability it is honest about a recalibration fitted on as many units as there are here.
func CrossRecalibrate(scores []float64, labels []int, patients []string, input string, folds int, seed uint64) ([]float64, error) {
	if _, _, err := checkInput(scores, labels); err != nil {
		return nil, err
	}
	if patients != nil && len(patients) != len(labels) {
		return nil, &problem.Error{What: "labels and patients differ in number", Expected: fmt.Sprintf("%d patients", len(labels)), Found: strconv.Itoa(len(patients))}
	}
	members := unitsOf(labels, patients)
	positive, negative := patientsWith(members, labels, 1), patientsWith(members, labels, 0)
	if folds < 2 || min(positive, negative) < folds {
		return nil, &problem.Error{What: "too few patients to recalibrate by cross-fitting", Expected: fmt.Sprintf("at least %d with a positive and %d with a negative unit", folds, folds), Found: fmt.Sprintf("%d and %d", positive, negative)}
	}
	fold := patientFolds(members, labels, folds, seed)
	out := make([]float64, len(scores))
	for k := range folds {
		var s []float64
		var l []int
		for i := range scores {
			if fold[i] != k {
				s, l = append(s, scores[i]), append(l, labels[i])
			}
		}
		r, err := FitRecalibration(s, l, input)
		if err != nil {
			return nil, err
		}
		for i := range scores {
			if fold[i] != k {
				continue
			}
			if out[i], err = r.Apply(scores[i]); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// hasClass says whether a patient has a unit of a class.
func hasClass(units, labels []int, class int) bool {
	return slices.ContainsFunc(units, func(i int) bool { return labels[i] == class })
}

func patientsWith(members [][]int, labels []int, class int) int {
	n := 0
	for _, units := range members {
		if hasClass(units, labels, class) {
			n++
		}
	}
	return n
}

// patientFolds deals patients, given as their units, out over the folds in random order, those with a positive unit and
// those without apart. It gives the fold of each unit.
func patientFolds(members [][]int, labels []int, folds int, seed uint64) []int {
	source := rng.Stream(seed, "evaluate", "folds")
	fold := make([]int, len(labels))
	with, without := 0, 0
	for _, k := range source.Perm(len(members)) {
		next := &without
		if hasClass(members[k], labels, 1) {
			next = &with
		}
		for _, i := range members[k] {
			fold[i] = *next % folds
		}
		*next++
	}
	return fold
}
