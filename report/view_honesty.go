package report

import (
	"fmt"
	"slices"
	"strings"

	"sonotype/internal/num"
)

// Honesty is what shows how far the study's figures can be trusted: comparisons of its models, the luck of its split and
// of its choice, what the field's leaks would have given, and every reading of a test set.
type Honesty struct {
	Comparisons []Comparison
	Nested      *Nested
	Permuted    *Permuted
	Leaky       *Leaky
	Ledger      []TestRead
	Commitment  *Commitment
}

// honestyView is what its templates show.
type honestyView struct {
	Compared  []comparisonView
	Heads     []string // of the comparison table, one a set
	Rows      []comparedRow
	Luck      []luckRow
	Nested    []string // sentences
	Figure    []figureView
	Permuted  string
	Leaks     []leakRow
	Condition string // after fine-tuning: what the figures are conditional on
}

// comparisonView is a set's comparisons in a sentence.
type comparisonView struct{ Title, Words string }

type comparedRow struct {
	Features, Model string
	Cells           []valueCell // three a set: difference, P, adjusted P
	First           bool
}

type luckRow struct {
	Title, Family, Best string
	First               bool
	Cells               []valueCell
}

type leakRow struct {
	Leak, Set, Models, Note string
	First                   bool
	Cells                   []valueCell
}

func (s *Study) honestyView(figures []figure) honestyView {
	v := honestyView{Figure: views(figures), Nested: s.nestedInWords(), Permuted: s.permutedInWords(), Leaks: s.leakRows()}
	for _, c := range s.Comparisons {
		v.Heads = append(v.Heads, c.Title)
		v.Compared = append(v.Compared, comparisonView{c.Title, comparedInWords(c)})
		v.Luck = append(v.Luck, s.luckRows(c)...)
	}
	v.Rows = s.comparedRows()
	if s.Nested != nil && s.Nested.Conditional || s.Leaky != nil && s.Leaky.Conditional {
		v.Condition = "Conditional on the network: these figures keep the trained networks as they are. Patients whom the networks learnt from are never scored, but what another training on other patients would give is not shown."
	}
	return v
}

// comparedInWords counts what differs after Holm's adjustment.
func comparedInWords(c Comparison) string {
	var differ []string
	tests := 0
	for _, r := range c.Rows {
		if !computable(r.Holm) {
			continue
		}
		if tests++; r.Holm < 0.05 {
			differ = append(differ, r.Key.title())
		}
	}
	primary := c.Primary.title()
	switch {
	case tests == 0:
		return "no model can be compared with " + primary + "."
	case len(differ) == 0:
		return fmt.Sprintf("none of the %d other models can be told from %s (Holm, 5 %%).", tests, primary)
	}
	return fmt.Sprintf("%d of the %d other models differ from %s (Holm, 5 %%): %s.", len(differ), tests, primary, strings.Join(differ, "; "))
}

// comparedRows has a row a model, the sets side by side.
func (s *Study) comparedRows() []comparedRow {
	var rows []comparedRow
	last := ""
	for _, key := range s.keys() {
		if len(s.Comparisons) == 0 || key == s.Comparisons[0].Primary {
			continue
		}
		row := comparedRow{Features: featureName(key.Features), Model: ModelName(key.Model), First: key.Features != last}
		last = key.Features
		for _, c := range s.Comparisons {
			row.Cells = append(row.Cells, comparedCells(c, key)...)
		}
		rows = append(rows, row)
	}
	return rows
}

func comparedCells(c Comparison, key Key) []valueCell {
	i := slices.IndexFunc(c.Rows, func(r Compared) bool { return r.Key == key })
	if i < 0 {
		return []valueCell{{Value: dash}, {Value: dash}, {Value: dash}}
	}
	r := c.Rows[i]
	return []valueCell{difference(r.Difference, r.Lo, r.Hi, r.Note), probability(r.P, r.Note), probability(r.Holm, r.Note)}
}

// difference is a value with a sign and its interval, whose ends may be negative.
func difference(d, lo, hi num.Float, why string) valueCell {
	c := signed(d, why)
	if computable(d, lo, hi) {
		c.Small = share(lo) + " to " + share(hi)
	}
	return c
}

// probability is a P value, or a dash that says why.
func probability(p num.Float, why string) valueCell {
	if !computable(p) {
		return valueCell{Value: dash, Title: note(why)}
	}
	return valueCell{Value: pValue(p)}
}

// luckRows shows what chance gives to the best of each family of models.
func (s *Study) luckRows(c Comparison) []luckRow {
	var rows []luckRow
	for i, l := range c.Luck {
		family := fmt.Sprintf("%d on %s", l.Models, featureName(l.Family))
		if l.Family == "all" {
			family = fmt.Sprintf("all %d", l.Models)
		}
		rows = append(rows, luckRow{
			Title: c.Title, Family: family, Best: featureName(l.Best.Features) + ", " + ModelName(l.Best.Model), First: i == 0,
			Cells: []valueCell{plain(l.AUC, l.Note), plain(l.Lead, l.Note), plain(l.LeadByLuck, l.Note), probability(l.P, l.Note), plain(l.Optimism, l.Note)},
		})
	}
	return rows
}

// nestedInWords says what the repeats show.
func (s *Study) nestedInWords() []string {
	n := s.Nested
	if n == nil {
		return nil
	}
	out := []string{fmt.Sprintf("%s (%d with %s, %s) of the development centre, training and internal test set together, were divided into %d folds, %d times anew. In every outer fold the whole choice of features, model and threshold was made by an inner cross-validation that never saw the fold’s patients, who were then scored once.",
		count(n.Patients, "patient"), n.Positive, s.positive(), count(n.Images, "image"), n.Folds, n.Chosen.N)}
	words := fmt.Sprintf("The AUC of the procedure has a median of %s; over the divisions it runs from %s to %s (95 %% of them: %s). ", share(n.Chosen.Median), share(n.Chosen.Min), share(n.Chosen.Max), interval(n.Chosen.Lo, n.Chosen.Hi))
	words += fmt.Sprintf("A single fold, a test set of about %d patients, gives anything from %s to %s: that is the luck of one split.", (n.Patients+n.Folds/2)/max(1, n.Folds), share(n.Single.Min), share(n.Single.Max))
	if computable(n.Sensitivity.Median, n.Specificity.Median) {
		words += fmt.Sprintf(" At the thresholds chosen inside, the median sensitivity is %s and the median specificity %s.", share(n.Sensitivity.Median), share(n.Specificity.Median))
	}
	if computable(n.Study) {
		words += fmt.Sprintf(" The study’s own split gave %s in its internal test set.", share(n.Study))
	}
	out = append(out, words, s.pickedInWords())
	if n.TeachOnly > 0 {
		out = append(out, fmt.Sprintf("%s whom the networks learnt from teach the models in every fold and are never scored.", count(n.TeachOnly, "patient")))
	}
	return out
}

// pickedInWords says how often which model was chosen.
func (s *Study) pickedInWords() string {
	keys := s.keys()
	slices.SortStableFunc(keys, func(a, b Key) int { return s.Nested.Picked[b] - s.Nested.Picked[a] })
	total := 0
	var parts []string
	for _, n := range s.Nested.Picked {
		total += n
	}
	for _, k := range keys {
		if n := s.Nested.Picked[k]; n > 0 && len(parts) < 4 {
			parts = append(parts, fmt.Sprintf("%s in %d", k.title(), n))
		}
	}
	words := fmt.Sprintf("Of %d choices, the inner cross-validation named %s", total, strings.Join(parts, ", "))
	if len(parts) < len(s.Nested.Picked) {
		words += ", and others less often"
	}
	return words + "."
}

func (s *Study) permutedInWords() string {
	p := s.Permuted
	if p == nil {
		return ""
	}
	verdict := "within two standard errors of one half: the procedure finds nothing where nothing is"
	if !p.Within {
		verdict = "more than two standard errors from one half: either chance, or a leak that must be found"
	}
	return fmt.Sprintf("With the labels dealt anew %d times among the patients, the same procedure has a mean AUC of %s (standard error %s), %s. With the true labels and the same folds it reaches %s (%s among the permutations).",
		len(p.AUC), share(p.Mean), share(p.SE), verdict, share(p.Observed), pEquals(p.P))
}

// leakNames are the leaks in words.
var leakNames = map[string]string{
	"selection":    "Components and LASSO fitted on all patients, the tested ones included",
	"image-split":  "Images divided instead of patients",
	"best-on-test": "The best model named by the test set",
	"all":          "All three at once",
}

// leakRows puts the honest and the leaky AUC side by side.
func (s *Study) leakRows() []leakRow {
	if s.Leaky == nil {
		return nil
	}
	var rows []leakRow
	last := ""
	for _, l := range s.Leaky.Rows {
		row := leakRow{Leak: leakNames[l.Leak], Set: leakSet(l), Note: l.Note, First: l.Leak != last}
		last = l.Leak
		row.Models = featureName(l.HonestModel.Features) + ", " + ModelName(l.HonestModel.Model)
		if l.LeakyModel != l.HonestModel {
			row.Models += " → " + featureName(l.LeakyModel.Features) + ", " + ModelName(l.LeakyModel.Model)
		}
		row.Cells = []valueCell{metric(l.Honest, l.HonestLo, l.HonestHi, l.Note), metric(l.Leaky, l.LeakyLo, l.LeakyHi, l.Note), signed(l.Leaky-l.Honest, l.Note)}
		rows = append(rows, row)
	}
	return rows
}

func leakSet(l Leak) string {
	if l.Splits == 0 {
		return setTitle(l.Set)
	}
	words := fmt.Sprintf("Development centre, mean of %d random divisions", l.Splits)
	if computable(l.Shared) {
		words += fmt.Sprintf("; %s %% of the test images have a patient in training", fixed(100*float64(l.Shared), 0))
	}
	return words
}

// signed is a difference with its sign.
func signed(d num.Float, why string) valueCell {
	c := plain(d, why)
	if d > 0 {
		c.Value = "+" + c.Value
	}
	return c
}

// honestyTables are the CSV files of the comparisons, leaks and the ledger.
func (s *Study) honestyTables() []namedTable {
	var out []namedTable
	if len(s.Comparisons) > 0 {
		compared := table{header: []string{"set", "primary", "model", "n", "auc_primary", "auc_model", "difference", "lo", "hi", "z", "p", "p_holm", "note"}}
		luck := table{header: []string{"set", "family", "models", "best", "auc", "mean_auc", "lead", "lead_by_luck", "p", "optimism", "correlation", "draws", "note"}}
		for _, c := range s.Comparisons {
			for _, r := range c.Rows {
				compared.add(c.Set, c.Primary.String(), r.Key.String(), whole(r.N), cell(r.AUC1), cell(r.AUC2), cell(r.Difference), cell(r.Lo), cell(r.Hi), cell(r.Z), cell(r.P), cell(r.Holm), r.Note)
			}
			for _, l := range c.Luck {
				luck.add(c.Set, l.Family, whole(l.Models), l.Best.String(), cell(l.AUC), cell(l.Mean), cell(l.Lead), cell(l.LeadByLuck), cell(l.P), cell(l.Optimism), cell(l.Correlation), whole(l.Draws), l.Note)
			}
		}
		out = append(out, namedTable{"comparisons", compared}, namedTable{"luck-of-the-best", luck})
	}
	if s.Leaky != nil {
		leaks := table{header: []string{"leak", "set", "splits", "n", "shared", "honest_model", "honest_auc", "honest_lo", "honest_hi", "leaky_model", "leaky_auc", "leaky_lo", "leaky_hi", "note"}}
		for _, l := range s.Leaky.Rows {
			leaks.add(l.Leak, l.Set, whole(l.Splits), whole(l.N), cell(l.Shared), l.HonestModel.String(), cell(l.Honest), cell(l.HonestLo), cell(l.HonestHi), l.LeakyModel.String(), cell(l.Leaky), cell(l.LeakyLo), cell(l.LeakyHi), l.Note)
		}
		out = append(out, namedTable{"leaks", leaks})
	}
	if len(s.Ledger) > 0 {
		reads := table{header: []string{"seq", "stage", "set", "patients", "purpose", "patients_sha256", "splits_sha256", "stage_key"}}
		for _, r := range s.Ledger {
			reads.add(whole(r.Seq), r.Stage, r.Set, whole(r.N), r.Purpose, r.Patients, r.Splits, r.StageKey)
		}
		out = append(out, namedTable{"ledger", reads})
	}
	return out
}
