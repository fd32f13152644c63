package study

import (
	"fmt"

	"sonotype/cohort"
)

// fit is one fit of stages 05 and 06: who is left out, and whose features it learns from.
type fit struct {
	name string // of its folder
	fold int    // the fold left out, or finalFit
	pair int    // the networks: finalFit, or those that do not know the fold
}

// fitName is the folder of a fit on the final networks' features.
func fitName(fold int) string {
	if fold == finalFit {
		return "final"
	}
	return fmt.Sprintf("fold-%d", fold)
}

// finalFit is the fold number of the fit on all training images.
const finalFit = -1

// fits lists the fits of the study: the final one, one without each fold, and with cross-fitting the same on features of
// networks that do not know the fold.
func (p *Plan) fits() []fit {
	out := []fit{{fitName(finalFit), finalFit, finalFit}}
	for fold := range p.Split.Folds {
		out = append(out, fit{fitName(fold), fold, finalFit})
	}
	if p.crossfits() {
		for fold := range p.Split.Folds {
			out = append(out, fit{networkDir(fold), fold, fold})
		}
	}
	return out
}

// learners are the training images that selection and models of a fit learn from.
func (r *Run) learners(images []imageRow, f fit) ([]int, error) {
	d, err := r.division(f.pair)
	if err != nil {
		return nil, err
	}
	return where(images, func(im imageRow) bool {
		mayLearn := r.Plan.fitOn() == fitOnAll || d.part[im.Patient] == partHeldout
		return im.Set == cohort.SetTrain && im.Fold != f.fold && mayLearn
	}), nil
}

// honest says which training images get a score that neither model nor network is responsible for: all of them without
// training or with cross-fitting, else those that the final networks did not learn from.
func (r *Run) honest(images []imageRow) ([]int, error) {
	d, err := r.division(finalFit)
	if err != nil {
		return nil, err
	}
	seen := d.learntFrom()
	return where(images, func(im imageRow) bool {
		return im.Set == cohort.SetTrain && (r.Plan.crossfits() || !seen[im.Patient])
	}), nil
}
