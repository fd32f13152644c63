package study

import (
	"fmt"
	"strings"

	"sonotype/evaluate"
)

// clinicalInWords is the paragraph of the methods on clinical models; none without them.
func (a *assembly) clinicalInWords() []string {
	c, p := &a.clinical, &a.run.Plan.Clinical
	if len(c.Models) == 0 {
		return nil
	}
	chosen := "named in the study's plan"
	if len(p.Variables) == 0 {
		chosen = "the default"
	}
	penalty := map[string]string{"auto": "Firth's penalised likelihood where outcomes are separated", "always": "Firth's penalised likelihood throughout", "never": "no penalty"}[string(p.Firth)]
	missing := "Patients with a missing value were left out (complete cases)."
	if p.Missing == missingImpute {
		missing = fmt.Sprintf("Missing values were completed %d times by chained equations (%d rounds; predictive mean matching for numbers, Bayesian multinomial regression for categories), fitted inside each fold on its training patients, with outcome and score among the predictors for fitting and without the outcome for patients to be scored; estimates were pooled by Rubin's rules with Barnard and Rubin's degrees of freedom, likelihood-ratio tests by Meng and Rubin's D3.", p.Imputations, p.Iterations)
	}
	return []string{fmt.Sprintf("Logistic models of clinical variables (%s; %s), of the logit of the %s score, and of both were fitted on training patients with an honest score, with %s; odds ratios with Wald's intervals (Firth's with those of the profile likelihood, unless imputed), P by likelihood ratio. Their AUCs were compared on the test sets by DeLong's paired test with Holm's correction within each set. %s",
		strings.Join(c.Variables, ", "), chosen, c.Score, penalty, missing)}
}

// clinicalResults are the models' figures for results.json: model -> set.
func (a *assembly) clinicalResults() map[string]map[string]evaluate.Performance {
	out := map[string]map[string]evaluate.Performance{}
	for _, s := range a.clinical.Sets {
		for _, m := range s.Models {
			if out[m.Name] == nil {
				out[m.Name] = map[string]evaluate.Performance{}
			}
			out[m.Name][s.Set] = m.Performance
		}
	}
	return out
}
