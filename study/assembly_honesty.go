package study

import (
	"path/filepath"

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
