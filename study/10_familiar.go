package study

import (
	"path/filepath"

	"sonotype/bundle"
	"sonotype/cohort"
	"sonotype/internal/artifact"
)

// addFamiliar adds what tells a case like those of the training set from a strange one.
func (f *freezing) addFamiliar() error {
	var all [][]float64
	if err := artifact.ReadJSON(filepath.Join(f.run.dir(2, "roi"), statisticsFile), &all); err != nil {
		return err
	}
	var training [][]float64
	for i, im := range f.from.images {
		if im.Set == cohort.SetTrain {
			training = append(training, all[i])
		}
	}
	var nearest []float64
	if f.run.Plan.Bundle.Neighbours != neighboursNone {
		n, patients, err := f.trainingCases()
		if err != nil {
			return err
		}
		nearest = n.Apart(patients)
	}
	familiar, err := bundle.FitFamiliar(training, nearest)
	if err != nil {
		return err
	}
	f.builder.AddJSON(bundle.OODEntry, familiar)
	return nil
}
