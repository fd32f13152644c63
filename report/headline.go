package report

import (
	"cmp"
	"fmt"
	"strings"
)

// names of the sets that a study may hold.
const (
	setTrain    = "train"
	setInternal = "internal"
	setExternal = "external"
)

// setTitle is how a set is called in a heading; other names stay as they are.
func setTitle(name string) string {
	return cmp.Or(map[string]string{setTrain: "Training", setInternal: "Internal test", setExternal: "External test"}[name], name)
}

// set finds a whole set (not one centre of it) by name.
func (s *Study) set(name string) (Set, bool) {
	for _, set := range s.Sets {
		if set.Name == name && set.Centre == "" {
			return set, true
		}
	}
	return Set{}, false
}

// answer is the set that the study's question is answered on: external, else internal, else training.
func (s *Study) answer() (Set, bool) {
	for _, name := range []string{setExternal, setInternal, setTrain} {
		if set, ok := s.set(name); ok {
			if _, ok := set.Results[s.Primary]; ok {
				return set, true
			}
		}
	}
	return Set{}, false
}

// Headline is the report's first sentence: the primary model's external (else internal, else out-of-fold training)
// AUC, sensitivity, specificity, calibration in words and the survival contrast.
func Headline(s *Study) string {
	set, ok := s.answer()
	if !ok {
		return "The study holds no evaluated model."
	}
	return s.headlineOf(set, "fixed beforehand")
}

// headlineOf is the headline on one set; threshold says where it comes from.
func (s *Study) headlineOf(set Set, threshold string) string {
	r := set.Results[s.Primary]
	p := r.Performance
	parts := []string{fmt.Sprintf("%s, %s (%d %s): %s told them from the others with an AUC of %s (95 %% CI %s)", set.Title,
		count(p.N, s.unit()), p.Positive, s.positive(), s.Primary.title(), share(p.AUC), interval(p.AUCLo, p.AUCHi))}
	if p.AUCLo <= 0.5 && p.AUCHi >= 0.5 {
		parts[0] += ", which cannot be told from guessing"
	}
	if !isNumber(float64(p.AUC)) {
		parts[0] = fmt.Sprintf("%s, %s (%d %s): the AUC of %s cannot be computed (%s)", set.Title,
			count(p.N, s.unit()), p.Positive, s.positive(), s.Primary.title(), cmp.Or(p.Note, "no reason recorded"))
	}
	parts = append(parts, fmt.Sprintf("at the threshold %s (%s) sensitivity was %s and specificity %s",
		threshold, share(p.Threshold), share(p.Sensitivity), share(p.Specificity)))
	if words := calibrationInWords(r.Calibration); words != "" && r.Calibration.N > 0 { // 0: the scores are no probabilities
		if r.Recalibrated {
			words = "recalibrated " + r.recalibratedHow() + ", " + words
		}
		parts = append(parts, words)
	}
	if words := s.contrastInWords(set.Name); words != "" {
		parts = append(parts, words)
	}
	return strings.Join(parts, "; ") + "."
}

// contrastInWords is the disease-free survival of high against low scores, in the named set if it has follow-up.
func (s *Study) contrastInWords(set string) string {
	for _, sv := range s.Survival {
		c := sv.ByScore
		if sv.Set != set || !isNumber(float64(c.LogRankP)) {
			continue
		}
		hazard := ""
		if isNumber(float64(c.HR)) {
			hazard = fmt.Sprintf("hazard ratio %s, 95 %% CI %s, ", significant(float64(c.HR)), ratioInterval(c.HRLo, c.HRHi))
		}
		return fmt.Sprintf("disease-free survival of high against low scores: %slog-rank %s (%s)", hazard, pEquals(c.LogRankP), count(c.Events, "event"))
	}
	return ""
}

func (s *Study) unit() string     { return cmp.Or(s.Unit, "patient") }
func (s *Study) positive() string { return cmp.Or(s.Positive, "positive") }
func (s *Study) negative() string { return cmp.Or(s.Negative, "negative") }

// title is "the fusion SVM".
func (k Key) title() string { return "the " + featureName(k.Features) + " " + ModelName(k.Model) }

func featureName(f string) string {
	if f == "ta" || f == "pta" {
		return strings.ToUpper(f)
	}
	return f
}

// ModelName is how a model is written in text.
func ModelName(m string) string {
	names := map[string]string{"lr": "LR", "svm": "SVM", "knn": "KNN", "rf": "RandomForest", "lightgbm": "LightGBM", "adaboost": "AdaBoost"}
	return cmp.Or(names[m], m)
}
