package study

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"

	"sonotype/cohort"
	"sonotype/internal/artifact"
	"sonotype/internal/num"
	"sonotype/internal/rng"
	"sonotype/report"
)

const permutedName, permutedVersion = "permuted", 1

// permutation is the nested cross-validation of one deal of the labels.
type permutation struct {
	Key string    `json:"key"`
	AUC num.Float `json:"auc"`
}

// ComputedFrom is the key of the permutation's inputs.
func (p permutation) ComputedFrom() string { return p.Key }

// permuted runs the nested cross-validation on labels dealt anew, so often, and once on the true labels.
func (r *Run) permuted(ctx context.Context, deals int) error {
	return r.afterLine(permutedName, permutedVersion, func() (bool, error) {
		n, err := r.newNesting()
		if err != nil {
			return false, err
		}
		if err := r.readTest(permutedName, cohort.SetInternal, "nested cross-validation with the labels permuted, and once with the true ones", n.testUnits()); err != nil {
			return false, err
		}
		k, done, reused := r.Plan.Split.Folds, 0, true
		n.ticked = func() { done++; r.Observer.Progress(done, (deals+1)*k*(k+1)) }
		var folds []outerFold
		out := report.Permuted{Key: r.key}
		for i := range deals + 1 { // the first is the true labels
			deal, fresh, err := part(r, permutedName, i, func() (permutation, error) {
				if folds == nil {
					if folds, err = n.sharedFolds(ctx); err != nil {
						return permutation{}, err
					}
				}
				rep, err := n.repeat(ctx, n.dealt(folds, i), folds)
				return permutation{r.key, rep.AUC}, err
			})
			if err != nil {
				return false, err
			}
			done, reused = (i+1)*k*(k+1), reused && !fresh
			if i == 0 {
				out.Observed = deal.AUC
				continue
			}
			out.AUC = append(out.AUC, deal.AUC)
		}
		sumUp(&out)
		return reused, artifact.WriteJSON(filepath.Join(r.RunDir, robustnessDir, permutedName+".json"), out)
	})
}

// sharedFolds are the folds of the first repeat with their components, which no label has touched: all deals share them.
func (n *nesting) sharedFolds(ctx context.Context) ([]outerFold, error) {
	folds, err := n.folds(1)
	if err != nil {
		return nil, err
	}
	for o := range folds {
		fits := []*nestedFit{&folds[o].final}
		for i := range folds[o].inner {
			fits = append(fits, &folds[o].inner[i])
		}
		for _, f := range fits {
			if f.components, err = n.reduce(ctx, f.fitted, f.scored); err != nil {
				return nil, err
			}
		}
	}
	return folds, nil
}

// dealt is the pipeline with the i-th deal of the labels; deal 0 leaves them as they are. Patients swap the labels of
// all their units with patients of the same outer fold and as many units, so that the folds stay stratified.
func (n *nesting) dealt(folds []outerFold, i int) *pipeline {
	p := n.pipeline
	if i == 0 {
		return &p
	}
	p.images = slices.Clone(n.images)
	draw := rng.Stream(n.plan.Seed, "permuted-labels", strconv.Itoa(i))
	for _, o := range folds {
		dealLabels(p.images, o.final.scored, draw)
	}
	dealLabels(p.images, n.teach, draw)
	return &p
}

// dealLabels permutes the labels of the images idx by patient.
func dealLabels(images []imageRow, idx []int, draw *rand.Rand) {
	units := map[string][]string{} // of a patient, sorted
	label := map[string]int{}
	for _, i := range idx {
		im := images[i]
		if _, seen := label[im.Unit]; !seen {
			units[im.Patient] = append(units[im.Patient], im.Unit)
		}
		label[im.Unit] = im.Label
	}
	alike := map[int][]string{} // patients by their number of units
	for _, id := range slices.Sorted(maps.Keys(units)) {
		slices.Sort(units[id])
		alike[len(units[id])] = append(alike[len(units[id])], id)
	}
	anew := map[string]int{}
	for _, count := range slices.Sorted(maps.Keys(alike)) {
		from := slices.Clone(alike[count])
		draw.Shuffle(len(from), func(a, b int) { from[a], from[b] = from[b], from[a] })
		for j, to := range alike[count] {
			for u := range count {
				anew[units[to][u]] = label[units[from[j]][u]]
			}
		}
	}
	for _, i := range idx {
		images[i].Label = anew[images[i].Unit]
	}
}

// sumUp compares the mean with one half, and the true labels with the deals.
func sumUp(p *report.Permuted) {
	aucs := make([]float64, len(p.AUC))
	reached := 0
	for i, v := range p.AUC {
		if aucs[i] = float64(v); v >= p.Observed {
			reached++
		}
	}
	s := spreadOf(aucs)
	p.Mean, p.SE = s.Mean, s.SD/num.Float(math.Sqrt(float64(len(aucs))))
	p.Within = math.Abs(float64(p.Mean)-0.5) <= 2*float64(p.SE)
	p.P = num.Float(float64(reached+1) / float64(len(aucs)+1))
}

// permutedInWords is what the command line says.
func permutedInWords(p *report.Permuted) string {
	if p.Within {
		return fmt.Sprintf("labels permuted %d times: mean AUC %.3f (SE %.3f), within two standard errors of 0.5; the true labels give %.3f (P = %.3g)", len(p.AUC), p.Mean, p.SE, p.Observed, p.P)
	}
	return fmt.Sprintf("labels permuted %d times: mean AUC %.3f (SE %.3f), more than two standard errors from 0.5: look for a leak; the true labels give %.3f", len(p.AUC), p.Mean, p.SE, p.Observed)
}
