package study

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"sonotype/cohort"
	"sonotype/evaluate"
	"sonotype/internal/artifact"
	"sonotype/report"
)

// sweepCutoffs learns and judges the primary model with other cut-offs of the outcome. Every set keeps its patients.
func (r *Run) sweepCutoffs(ctx context.Context, f *frozenModel) error {
	out := report.CutoffSweep{Key: r.key, Model: f.key, Column: cmp.Or(r.Plan.Outcome.Column, r.Plan.Columns.Outcome, "outcome")}
	cutoffs := r.Plan.Robustness.Cutoffs
	if own := r.Plan.Outcome.Cutoff; own == nil {
		out.Notes, cutoffs = append(out.Notes, "the outcome has no cut-off: it is a class, not a number"), nil
	} else if out.Cutoff = *own; len(cutoffs) > 0 && (*own < slices.Min(cutoffs) || *own > slices.Max(cutoffs)) {
		out.Notes, cutoffs = append(out.Notes, fmt.Sprintf("the study's cut-off %g does not lie among those of robustness.cutoffs, which may be meant for another marker", *own)), nil
	}
	if len(cutoffs) == 0 {
		return artifact.WriteJSON(r.partPath("cutoffs"), out)
	}
	splits, err := r.splits()
	if err != nil {
		return err
	}
	if err := r.readTestSets("cutoffs", "performance with other cut-offs of the outcome"); err != nil {
		return err
	}
	for i, cutoff := range cutoffs {
		err := r.addCutoff(ctx, &out, cutoff, f, splits, i)
		if err != nil {
			why, stop := whyNot(err)
			if stop != nil {
				return stop
			}
			out.Notes = append(out.Notes, fmt.Sprintf("%g: %s", cutoff, why))
		}
	}
	return artifact.WriteJSON(r.partPath("cutoffs"), out)
}

func (r *Run) addCutoff(ctx context.Context, out *report.CutoffSweep, cutoff float64, f *frozenModel, splits *cohort.Splits, nth int) error {
	scores, own := f.scores, cutoff == out.Cutoff
	if !own {
		v := variation{name: fmt.Sprintf("cutoff-%g", cutoff), words: fmt.Sprintf("%s > %g", out.Column, cutoff), splits: splits,
			change: func(p *Plan) { p.Outcome.Cutoff = &cutoff }}
		sub, err := r.vary(ctx, v, f.key, nth, len(r.Plan.Robustness.Cutoffs))
		if err != nil {
			return err
		}
		if scores, err = sub.scores("scores.csv"); err != nil {
			return err
		}
	}
	train := scores[cohort.SetTrain][f.key]
	threshold, err := r.Plan.threshold(train.scores, train.labels)
	if err != nil {
		return err
	}
	for _, set := range []string{cohort.SetInternal, cohort.SetExternal} {
		s := scores[set][f.key]
		if len(s.units) == 0 {
			continue
		}
		p, err := evaluate.Measure(s.scores, s.labels, float64(threshold))
		if err != nil {
			return err
		}
		out.Points = append(out.Points, report.CutoffPoint{Cutoff: cutoff, Own: own, Set: set, Performance: p})
	}
	return nil
}
