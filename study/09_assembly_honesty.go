package study

import (
	"fmt"
	"path/filepath"

	"sonotype/cohort"
	"sonotype/report"
)

// honestyOf gathers what the report shows of comparisons, luck, leaks and readings of the test sets.
func (a *assembly) honestyOf() (h report.Honesty, err error) {
	found, err := a.run.honesty()
	if err != nil {
		return h, err
	}
	a.honesty = found
	h.Nested, h.Permuted, h.Leaky, h.Comparisons = found.Nested, found.Permuted, found.Leaky, a.evaluation.Comparisons
	reads, _, _, err := readLedger(filepath.Join(a.run.RunDir, ledgerFile))
	if err != nil {
		return h, err
	}
	for _, r := range reads {
		h.Ledger = append(h.Ledger, report.TestRead{
			Seq: r.Seq, Stage: r.Stage, Set: r.Set, N: r.N, Purpose: r.Purpose, Patients: r.Patients, Splits: r.Splits, StageKey: r.StageKey,
		})
	}
	c, err := readCommitments(a.run.dir(1, "cohort"))
	if err != nil {
		return h, err
	}
	h.Commitment = &report.Commitment{Splits: c.Splits, Source: c.Source, Seed: c.Seed}
	for _, s := range c.Sets {
		h.Commitment.Sets = append(h.Commitment.Sets, report.CommittedSet(s))
	}
	return h, nil
}

// honestyWarnings say where luck or a leak undermines the headline.
func (a *assembly) honestyWarnings() []string {
	var out []string
	if p := a.honesty.Permuted; p != nil && !p.Within {
		out = append(out, fmt.Sprintf("With permuted labels the mean AUC is %.3f, more than two standard errors (%.3f) from 0.5: look for a leak.", p.Mean, p.SE))
	}
	if n := a.honesty.Nested; n != nil && n.Single.N >= 20 && n.Study > n.Single.Hi {
		out = append(out, fmt.Sprintf("The study's own split was a lucky one: its internal AUC of %.3f lies above 97.5 %% of the folds of nested cross-validation (median of the repeats %.3f).", n.Study, n.Chosen.Median))
	}
	if a.run.Plan.Classify.Primary != "best-on-internal" {
		return out
	}
	for _, c := range a.evaluation.Comparisons {
		for _, l := range c.Luck {
			if c.Set == cohort.SetInternal && l.Family == a.evaluation.Primary.Features && !l.Optimism.IsNaN() {
				out = append(out, fmt.Sprintf("The primary model was named by the internal test set, the best of %d: that alone makes its AUC there too high by %.3f on average.", l.Models, l.Optimism))
			}
		}
	}
	return out
}

// partsOf says which of a set's patients or units take part in one analysis only, so that nobody leaves unseen: those
// that the networks learnt from, those held out, and those with follow-up.
func (a *assembly) partsOf(set string) []string {
	var out []string
	if final := a.networks.of(finalFit); set == cohort.SetTrain && len(final) > 0 {
		out = append(out, fmt.Sprintf("%d patients train the networks, %d are held out", final[0].Train.Patients, final[0].Heldout.Patients))
	}
	units := 0
	for _, u := range a.cohort.Units {
		if s, ok := a.splits.Of(u.Patient); ok && s.Set == set {
			units++
		}
	}
	for _, sv := range a.survival.Sets {
		if sv.Set != set {
			continue
		}
		words := fmt.Sprintf("%d %ss in the survival analysis", sv.ByScore.N, a.unitName())
		if left := units - sv.ByScore.N; left > 0 {
			words += fmt.Sprintf("; %d without follow-up", left)
		}
		out = append(out, words)
	}
	return out
}
