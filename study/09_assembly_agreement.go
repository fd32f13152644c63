package study

import (
	"fmt"
	"path/filepath"

	"sonotype/cohort"
	"sonotype/evaluate"
	"sonotype/internal/artifact"
	"sonotype/internal/num"
	"sonotype/report"
)

// agreementOf gathers what the report shows of subgroups, burnt-in marks and several readers.
func (a *assembly) agreementOf() (g report.Agreement, err error) {
	dir := a.run.dir(7, "evaluate")
	g.Marks = a.evaluation.Marks.Sets
	if err := artifact.ReadJSON(filepath.Join(dir, subgroupsFile), &g.Subgroups); err != nil {
		return g, err
	}
	if path := filepath.Join(dir, readersResult); exists(path) {
		g.Readers = &report.Readers{}
		err = artifact.ReadJSON(path, g.Readers)
	}
	return g, err
}

// agreementWarnings names the sets where burnt-in marks go with the outcome (Fisher's P after Holm's adjustment over the
// sets), and the variables by which the primary model's AUC differs in a test set.
func agreementWarnings(s *report.Study) []string {
	var out []string
	var p []num.Float
	for _, m := range s.Marks {
		p = append(p, m.P)
	}
	for i, adjusted := range evaluate.Holm(p) {
		if m := s.Marks[i]; float64(adjusted) < 0.05 {
			out = append(out, fmt.Sprintf("%s: burnt-in marks go with the outcome (%d of %d with %s, %d of %d with %s; P = %.2g after Holm's adjustment): a model may read them instead of the tumour.",
				m.Title, m.Marked[1], m.Units[1], s.Positive, m.Marked[0], m.Units[0], s.Negative, float64(adjusted)))
		}
	}
	for _, set := range s.Subgroups.Sets {
		for _, v := range set.Variables {
			if set.Set != cohort.SetTrain && float64(v.AUCHolm) < 0.05 {
				out = append(out, fmt.Sprintf("%s: the AUC differs by %s (P = %.2g after Holm's adjustment; section Subgroups).", set.Title, v.Variable, float64(v.AUCHolm)))
			}
		}
	}
	return out
}

// agreementInWords tells in the methods how features were harmonised or dropped, and how subgroups were compared.
func (a *assembly) agreementInWords() []string {
	p := &a.run.Plan
	words := ""
	if p.harmonises() {
		words += fmt.Sprintf("Before scaling, the deep features were harmonised between %ss by ComBat (parametric empirical Bayes, no covariates), fitted on training images without their labels. ", p.HarmoniseBy)
	}
	if p.Readers.ICC > 0 {
		words += fmt.Sprintf("Deep features whose intraclass correlation ICC(2,1) between readers was below %g in the training patients were dropped (%d of TA, %d of PTA). ", p.Readers.ICC, a.selection["ta"].Disagreed, a.selection["pta"].Disagreed)
	}
	words += "The primary model was measured in subgroups at the same threshold; AUCs were compared between subgroups by Cochran's Q with DeLong's variances and Holm's adjustment, the effect of the score by the likelihood-ratio test of its interaction with the subgroup in logistic regression. Burnt-in marks were compared between outcomes by the exact conditional odds ratio."
	return []string{words}
}
