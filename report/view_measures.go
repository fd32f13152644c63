package report

import (
	"fmt"
	"strings"

	"sonotype/internal/num"
)

// measuresView is every measure of the primary model in every set, and a choice of them for all models.
type measuresView struct {
	Title        string
	Sets         []string
	Rows         []measureRow
	All          []allMeasures
	Draws        int
	Clustered    []string // sets in which patients bring several units
	Hosmer       []hosmerRow
	Reclassified []reclassifiedRow
}

type measureRow struct {
	Name, Why string // Why explains it, on hover
	First     bool   // of its group
	Cells     []valueCell
	Interval  string
}

// allMeasures is one set's table of all models.
type allMeasures struct {
	Title string
	Rows  []detailRow
}

type hosmerRow struct {
	Set, Groups, Note string
	Statistic, P      valueCell
}

type reclassifiedRow struct {
	Set, Against             string
	IDI, NRI, Categorical    valueCell
	IDIP, NRIP, CategoricalP valueCell
	Positives, Negatives     string
}

// measureNames tell a clinician what a measure is; those that begin a group stand below a line.
var measureNames = map[string]struct {
	name, why string
	first     bool
}{
	"auc":                                {"AUC", "the chance that a positive is scored above a negative; DeLong's interval", true},
	"auc_bootstrap":                      {"AUC, bootstrap interval", "the same with patients drawn anew within each class", false},
	"pr_auc":                             {"PR-AUC", "area under the precision-recall curve, as average precision; a score that knows nothing reaches the share of positives", false},
	"accuracy":                           {"Accuracy", "share called rightly at the threshold", true},
	"sensitivity":                        {"Sensitivity", "of the positives, the share found at the threshold", false},
	"specificity":                        {"Specificity", "of the negatives, the share recognised at the threshold", false},
	"ppv":                                {"PPV", "of those called positive, the share that are", false},
	"npv":                                {"NPV", "of those called negative, the share that are", false},
	"f1":                                 {"F1", "harmonic mean of sensitivity and PPV", false},
	"lr_positive":                        {"LR+", "a positive call multiplies the odds by this", false},
	"lr_negative":                        {"LR−", "a negative call multiplies the odds by this", false},
	"brier":                              {"Brier score", "mean squared error of the probabilities; 0 is perfect", true},
	"brier_scaled":                       {"Scaled Brier score", "1 is perfect, 0 no better than telling everybody the prevalence", false},
	"calibration_slope":                  {"Calibration slope", "1 is perfect; below: predictions too extreme", false},
	"calibration_intercept":              {"Calibration intercept", "calibration in the large, slope fixed at 1; 0 is perfect, below: predictions too high", false},
	"oe":                                 {"Observed : expected", "1 is perfect; below: predictions too high on average", false},
	"ici":                                {"ICI", "mean distance of the smooth calibration curve from the diagonal", false},
	"e50":                                {"E50", "median distance of the smooth calibration curve from the diagonal", false},
	"e90":                                {"E90", "nine in ten are nearer to the diagonal", false},
	"brier_recalibrated":                 {"Brier score, recalibrated", "after recalibration on other patients", true},
	"calibration_slope_recalibrated":     {"Slope, recalibrated", "after recalibration on other patients", false},
	"calibration_intercept_recalibrated": {"Intercept, recalibrated", "after recalibration on other patients", false},
	"oe_recalibrated":                    {"Observed : expected, recalibrated", "after recalibration on other patients", false},
	"ici_recalibrated":                   {"ICI, recalibrated", "after recalibration on other patients", false},
}

// nameOf gives a measure's name; those at a fixed rate carry the rate.
func nameOf(measure string) (name, why string, first bool) {
	if at, ok := strings.CutPrefix(measure, "sensitivity_at_specificity_"); ok {
		return "Sensitivity at specificity " + at, "read off the ROC curve", false
	}
	if at, ok := strings.CutPrefix(measure, "specificity_at_sensitivity_"); ok {
		return "Specificity at sensitivity " + at, "read off the ROC curve", false
	}
	n := measureNames[measure]
	return n.name, n.why, n.first
}

func (s *Study) measuresView() measuresView {
	v := measuresView{Title: "The primary model in full"}
	at := map[string]int{}
	for k, set := range s.Sets {
		v.Sets = append(v.Sets, set.Title)
		r := set.Results[s.Primary]
		v.Draws = max(v.Draws, r.Measures.Bootstrap.Draws)
		if n := r.Measures.Bootstrap.Patients; n > 0 && n < r.Performance.N {
			v.Clustered = append(v.Clustered, fmt.Sprintf("%s: %s of %s. Only the bootstrap’s intervals know that units of one patient are alike; DeLong’s, Wilson’s, Wald’s and those on the log scale take them for independent and are too narrow.",
				set.Title, count(r.Performance.N, s.unit()), count(n, "patient")))
		}
		for _, m := range r.List() {
			name, why, first := nameOf(m.Name)
			if name == "" {
				continue // it has a table of its own
			}
			i, ok := at[m.Name]
			if !ok {
				i = len(v.Rows)
				at[m.Name] = i
				v.Rows = append(v.Rows, measureRow{Name: name, Why: why, First: first, Interval: m.Method})
			}
			row := &v.Rows[i]
			for len(row.Cells) < k {
				row.Cells = append(row.Cells, valueCell{Value: dash, Title: "not measured in this set"})
			}
			row.Cells = append(row.Cells, m.cell(r.Performance.Note))
		}
		v.requested(set, r)
	}
	for i := range v.Rows {
		for len(v.Rows[i].Cells) < len(v.Sets) {
			v.Rows[i].Cells = append(v.Rows[i].Cells, valueCell{Value: dash, Title: "not measured in this set"})
		}
	}
	v.All = s.allMeasures()
	return v
}

// cell prints ratios and slopes with two decimals, shares with three.
func (m Measure) cell(why string) valueCell {
	switch {
	case strings.HasPrefix(m.Name, "lr_"):
		return ratio(m.Value, m.Lo, m.Hi, why)
	case strings.HasPrefix(m.Name, "calibration_"), strings.HasPrefix(m.Name, "oe"):
		return signedCell(m.Value, m.Lo, m.Hi, 2, why)
	case strings.HasPrefix(m.Name, "brier_scaled"):
		return signedCell(m.Value, m.Lo, m.Hi, 3, why)
	}
	return metric(m.Value, m.Lo, m.Hi, why)
}

// signedCell is metric for values that may be negative.
func signedCell(v, lo, hi num.Float, decimals int, why string) valueCell {
	if !computable(v) {
		return valueCell{Value: dash, Title: note(why)}
	}
	c := valueCell{Value: fixed(float64(v), decimals)}
	if computable(lo, hi) {
		c.Small = signedInterval(float64(lo), float64(hi), decimals)
	}
	return c
}

// requested adds what the study asked for beyond the measures that are always given.
func (v *measuresView) requested(set Set, r Result) {
	if h := r.HosmerLemeshow; h != nil {
		v.Hosmer = append(v.Hosmer, hosmerRow{Set: set.Title, Groups: whole(h.Groups), Note: h.Note, Statistic: valueCell{Value: fixed(float64(h.Statistic), 2)}, P: pCell(h.P, h.Note)})
	}
	for _, q := range r.Reclassified {
		v.Reclassified = append(v.Reclassified, reclassifiedRow{Set: set.Title, Against: q.Against.title(),
			IDI: signedCell(q.IDI.Value, q.IDI.Lo, q.IDI.Hi, 3, q.Note), IDIP: pCell(q.IDIP, q.Note),
			NRI: signedCell(q.NRI.Value, q.NRI.Lo, q.NRI.Hi, 3, q.Note), NRIP: pCell(q.NRIP, q.Note),
			Categorical: signedCell(q.Categorical.Value, q.Categorical.Lo, q.Categorical.Hi, 3, q.Note), CategoricalP: pCell(q.CategoricalP, q.Note),
			Positives: fixed(float64(q.CategoricalPositive), 3), Negatives: fixed(float64(q.CategoricalNegative), 3)})
	}
}

// chosenMeasures stand in the table of all models.
var chosenMeasures = []string{"pr_auc", "lr_positive", "lr_negative", "brier_scaled", "calibration_slope", "calibration_intercept", "oe", "ici"}

func (s *Study) allMeasures() []allMeasures {
	var out []allMeasures
	for _, set := range s.Sets {
		a := allMeasures{Title: set.Title}
		features := ""
		for _, key := range s.keys() {
			r, ok := set.Results[key]
			if !ok {
				continue
			}
			row := detailRow{Features: featureName(key.Features), Model: ModelName(key.Model), First: key.Features != features, Primary: key == s.Primary, Note: r.Calibration.Note}
			features = key.Features
			by := map[string]Measure{}
			for _, m := range r.List() {
				by[m.Name] = m
			}
			for _, name := range chosenMeasures {
				m, ok := by[name]
				if !ok {
					row.Metrics = append(row.Metrics, valueCell{Value: dash, Title: "the scores are not probabilities"})
					continue
				}
				row.Metrics = append(row.Metrics, m.cell(r.Performance.Note))
			}
			a.Rows = append(a.Rows, row)
		}
		out = append(out, a)
	}
	return out
}

// measuresTable is every measure of every model in every set.
func (s *Study) measuresTable() table {
	t := table{header: []string{"set", "features", "model", "measure", "value", "lo", "hi", "interval"}}
	for _, set := range s.Sets {
		for _, key := range s.keys() {
			for _, m := range set.Results[key].List() {
				if set.Results[key].Performance.N > 0 {
					t.add(set.Name, key.Features, key.Model, m.Name, cell(m.Value), cell(m.Lo), cell(m.Hi), m.Method)
				}
			}
		}
	}
	return t
}

// DrawsInWords says how the bootstrap's intervals were made.
func (v measuresView) DrawsInWords() string {
	if v.Draws == 0 {
		return ""
	}
	return fmt.Sprintf("“bootstrap”: percentile interval over %d draws of patients, the same draws for all models, a patient’s lesions together: within each class for AUC and the rates at a fixed other rate, of all patients for what depends on the prevalence.", v.Draws)
}
