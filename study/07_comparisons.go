package study

import (
	"fmt"

	"sonotype/cohort"
	"sonotype/evaluate"
	"sonotype/internal/num"
	"sonotype/report"
)

// luckDraws is the number of simulated test sets behind the luck of the best model: its chance has a standard error of
// at most .0035.
const luckDraws = 20_000

// compareModels tests the primary model against every other on each test set (DeLong, paired, Holm over the set's tests),
// and asks how far chance alone makes the best of them stand out.
func (e *evaluation) compareModels(keys []report.Key, t *scoreTables, seed uint64) error {
	for _, set := range e.Sets {
		if set.Name != cohort.SetInternal && set.Name != cohort.SetExternal {
			continue
		}
		c := report.Comparison{Set: set.Name, Title: set.Title, Primary: e.Primary}
		scores := t.scores[set.Name]
		if err := compareWithPrimary(&c, keys, scores); err != nil {
			return fmt.Errorf("the comparison of models in the %s set: %w", set.Name, err)
		}
		families := append([]string{allFamilies}, FeatureSets...)
		for _, family := range families {
			l, ok, err := luckOf(family, keys, scores, seed)
			if err != nil {
				return err
			}
			if ok {
				c.Luck = append(c.Luck, l)
			}
		}
		e.Comparisons = append(e.Comparisons, c)
	}
	return nil
}

func compareWithPrimary(c *report.Comparison, keys []report.Key, scores map[report.Key]scored) error {
	primary := scores[c.Primary]
	var p []num.Float
	for _, key := range keys {
		if key == c.Primary {
			continue
		}
		paired, err := evaluate.DeLongPaired(primary.scores, scores[key].scores, primary.labels)
		if err != nil {
			return err
		}
		c.Rows = append(c.Rows, report.Compared{Key: key, PairedAUC: paired})
		p = append(p, paired.P)
	}
	for i, holm := range evaluate.Holm(p) {
		c.Rows[i].Holm = holm
	}
	return nil
}

// allFamilies is the family of all models on all feature sets.
const allFamilies = "all"

// luckOf simulates the luck of the best of a family of models; ok is false for a family of one.
func luckOf(family string, keys []report.Key, scores map[report.Key]scored, seed uint64) (l report.LuckOfSet, ok bool, err error) {
	var members []report.Key
	var of [][]float64
	for _, key := range keys {
		if family == allFamilies || key.Features == family {
			members, of = append(members, key), append(of, scores[key].scores)
		}
	}
	if len(members) < 2 {
		return l, false, nil
	}
	l.Family = family
	l.Luck, err = evaluate.BestByLuck(of, scores[members[0]].labels, luckDraws, seed)
	l.Best = members[l.Luck.Best]
	return l, true, err
}
