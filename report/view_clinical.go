package report

import (
	"fmt"
	"slices"
	"strings"

	"sonotype/clinical"
	"sonotype/internal/stats"
)

// clinicalView is the section on clinical variables.
type clinicalView struct {
	Shown       bool
	Basis       string // whom the models were fitted on
	Reading     string // what the score adds
	Odds        []oddsRow
	LeftOut     string // columns that can be no variable, with the reasons
	HasModels   bool
	Performance []clinicalPerformanceRow
	Comparisons []clinicalComparisonRow
	Missing     []clinicalMissingRow
	MissingHow  string
	Notes       []string
	Nomogram    []figureView
	Figures     []figureView
}

// oddsRow is a line of the table of odds ratios; P stands in a variable's first line only.
type oddsRow struct {
	Name, Level                        string
	First                              bool
	Alone, AloneP, Clinical, ClinicalP valueCell
	Combined, CombinedP                valueCell
}

type clinicalPerformanceRow struct {
	Set, Model                    string
	First                         bool
	N                             string
	AUC, Sensitivity, Specificity valueCell
	Brier, Slope, Large           valueCell
}

type clinicalComparisonRow struct {
	Set, Pair  string
	Difference valueCell
	P, Holm    valueCell
}

type clinicalMissingRow struct {
	Set, Analysed string
	Counts        []string
}

// clinicalModelNames are the models as the report calls them.
var clinicalModelNames = map[string]string{"clinical": "clinical alone", "deep": "score alone", "combined": "clinical and score"}

func (s *Study) clinicalView(nomogram, figures []figure) clinicalView {
	c := s.Clinical
	if c == nil || len(c.Univariable) == 0 && len(c.Models) == 0 {
		return clinicalView{}
	}
	v := clinicalView{Shown: true, HasModels: len(c.Models) > 0, Notes: c.notes(), Nomogram: views(nomogram), Figures: views(figures)}
	v.Odds, v.LeftOut = c.oddsRows(), c.leftOut()
	if !v.HasModels {
		v.Basis = "No clinical model was fitted: the study's plan names no clinical variables (clinical.variables) that could be used, and the tables hold no age."
		return v
	}
	v.Basis, v.MissingHow, v.Reading = s.clinicalBasis(), c.missingHow(), c.reading()
	for _, set := range c.Sets {
		counts := []string{}
		for _, m := range set.Missing {
			text := whole(m.Missing)
			if m.New > 0 {
				text += fmt.Sprintf(" (%d with a value that no training patient has)", m.New)
			}
			counts = append(counts, text)
		}
		v.Missing = append(v.Missing, clinicalMissingRow{set.Title, fmt.Sprintf("%d / %d", set.Analysed, set.Units), counts})
		v.Performance = append(v.Performance, set.performanceRows()...)
		for _, k := range set.Comparisons {
			t := k.Test
			v.Comparisons = append(v.Comparisons, clinicalComparisonRow{Set: set.Title, Pair: clinicalModelNames[k.A] + " − " + clinicalModelNames[k.B],
				Difference: signedCell(t.Difference, t.Lo, t.Hi, 3, t.Note), P: pCell(t.P, t.Note), Holm: pCell(k.Holm, t.Note)})
		}
	}
	return v
}

func (s *Study) clinicalBasis() string {
	c := s.Clinical
	n := c.Models[0].Model.N
	out := fmt.Sprintf("The models were fitted on %d of %d training %ss", n, c.Train, s.unit())
	if n == c.Train {
		out = fmt.Sprintf("The models were fitted on all %d training %ss", n, s.unit())
	}
	if c.Honest < c.Train {
		out += fmt.Sprintf(", of the %d whose score is honest, since the network did not learn from them", c.Honest)
	}
	if n < c.Honest {
		out += ", those with every value"
	}
	return out + fmt.Sprintf(". The score is that of %s, as its logit: of training %ss the out-of-fold score.", c.Score.title(), s.unit())
}

func (c *Clinical) missingHow() string {
	if c.Missing == "impute" {
		return fmt.Sprintf("Missing values were completed by chained equations, %d times, fitted inside each fold on its training patients; estimates are pooled by Rubin's rules. Patients to be scored are completed without their outcome.", c.Imputations)
	}
	return "Patients with a missing value take no part (complete cases); the table says how many."
}

func (c *Clinical) notes() []string {
	out := slices.Clone(c.Notes)
	for _, m := range c.Models {
		for _, n := range m.Model.Notes {
			out = append(out, fmt.Sprintf("Model %q: %s.", clinicalModelNames[m.Name], n))
		}
	}
	for _, s := range c.Sets {
		if s.Note != "" {
			out = append(out, s.Title+": "+s.Note+".")
		}
	}
	return out
}

// reading says what the score adds to the clinical model, in the training set and on the test sets.
func (c *Clinical) reading() string {
	var parts []string
	if m := c.model("combined"); m != nil && m.Fitted() {
		t := m.Tests[len(m.Tests)-1]
		verb := "adds to"
		if !(t.P < 0.05) {
			verb = "is not shown to add to"
		}
		parts = append(parts, fmt.Sprintf("In the training set the score %s the clinical variables (%s, %s).", verb, strings.Replace(t.Name, "likelihood ratio", "likelihood-ratio test", 1), pEquals(t.P)))
	}
	for _, s := range c.Sets {
		for _, k := range s.Comparisons {
			if k.A != "combined" || k.B != "clinical" || !computable(k.Test.Difference) {
				continue
			}
			parts = append(parts, fmt.Sprintf("%s: AUC %s with the score against %s without (difference %s, 95 %% CI %s to %s, DeLong %s).", s.Title,
				share(k.Test.AUC1), share(k.Test.AUC2), fixed(float64(k.Test.Difference), 3), fixed(float64(k.Test.Lo), 3), fixed(float64(k.Test.Hi), 3), pEquals(k.Test.P)))
		}
	}
	return strings.Join(parts, " ")
}

func (c *Clinical) model(name string) *clinical.Model {
	for _, m := range c.Models {
		if m.Name == name {
			return m.Model
		}
	}
	return nil
}

// oddsRows puts univariable and multivariable odds ratios side by side.
func (c *Clinical) oddsRows() []oddsRow {
	var out []oddsRow
	add := func(name string, alone *clinical.Model, why string) {
		levels := levelsOf(name, alone, c.model("clinical"), c.model("combined"))
		for i, level := range levels {
			r := oddsRow{Level: level, First: i == 0}
			if i == 0 {
				r.Name = name
				r.AloneP, r.ClinicalP, r.CombinedP = oddsTestCell(alone, name, why), oddsTestCell(c.model("clinical"), name, ""), oddsTestCell(c.model("combined"), name, "")
			}
			r.Alone, r.Clinical, r.Combined = oddsCell(alone, name, level), oddsCell(c.model("clinical"), name, level), oddsCell(c.model("combined"), name, level)
			out = append(out, r)
		}
	}
	for _, u := range c.Univariable {
		if u.Model != nil {
			add(u.Variable, u.Model, strings.Join(u.Model.Notes, "; "))
		}
	}
	if m := c.model("deep"); m != nil {
		add(m.Variables[len(m.Variables)-1].Name, m, strings.Join(m.Notes, "; "))
	}
	return out
}

// leftOut lists the columns that can be no variable.
func (c *Clinical) leftOut() string {
	var out []string
	for _, u := range c.Univariable {
		if u.Model == nil {
			out = append(out, u.Variable+" ("+u.Note+")")
		}
	}
	return strings.Join(out, "; ")
}

// levelsOf lists a variable's lines: its levels, the reference first, or one line without a name.
func levelsOf(name string, models ...*clinical.Model) []string {
	for _, m := range models {
		if m == nil {
			continue
		}
		for _, v := range m.Variables {
			if v.Name == name && len(v.Levels) > 0 {
				return v.Levels
			}
		}
	}
	return []string{""}
}

func oddsCell(m *clinical.Model, name, level string) valueCell {
	if m == nil {
		return valueCell{}
	}
	for _, v := range m.Variables {
		if v.Name == name && len(v.Levels) > 0 && v.Levels[0] == level {
			return valueCell{Value: "1", Small: "reference"}
		}
	}
	for _, t := range m.Terms {
		if t.Variable == name && t.Level == level {
			if !computable(t.OR) {
				return valueCell{Value: dash, Title: note(strings.Join(m.Notes, "; "))}
			}
			c := valueCell{Value: significant(float64(t.OR)), Small: ratioInterval(t.Lo, t.Hi)}
			if m.Method == "Firth" {
				c.Value += " ᶠ"
				c.Title = "Firth's penalised likelihood"
			}
			return c
		}
	}
	return valueCell{}
}

func oddsTestCell(m *clinical.Model, name, why string) valueCell {
	if m == nil {
		return valueCell{}
	}
	for i, v := range m.Variables {
		if v.Name == name {
			return testValue(m.Tests[i], why)
		}
	}
	return valueCell{}
}

func testValue(t stats.Test, why string) valueCell {
	c := pCell(t.P, t.Note)
	if c.Title == "" {
		c.Title = t.Name
		if why != "" {
			c.Title += "; " + why
		}
	}
	return c
}

// Penalised says that some odds ratio is Firth's.
func (v clinicalView) Penalised() bool {
	return slices.ContainsFunc(v.Odds, func(r oddsRow) bool {
		return strings.HasSuffix(r.Alone.Value+r.Clinical.Value+r.Combined.Value, "ᶠ") || strings.HasSuffix(r.Alone.Value, "ᶠ") || strings.HasSuffix(r.Clinical.Value, "ᶠ")
	})
}

func (set ClinicalSet) performanceRows() []clinicalPerformanceRow {
	var out []clinicalPerformanceRow
	for i, m := range set.Models {
		p, k := m.Performance, m.Calibration
		r := clinicalPerformanceRow{Model: clinicalModelNames[m.Name], First: i == 0, N: fmt.Sprintf("%d / %d", p.Positive, p.N),
			AUC: metric(p.AUC, p.AUCLo, p.AUCHi, p.Note), Sensitivity: metric(p.Sensitivity, p.SensitivityLo, p.SensitivityHi, p.Note),
			Specificity: metric(p.Specificity, p.SpecificityLo, p.SpecificityHi, p.Note), Brier: plain(p.Brier, p.Note),
			Slope: signedCell(k.Slope.Value, k.Slope.Lo, k.Slope.Hi, 2, k.Note), Large: signedCell(k.Intercept.Value, k.Intercept.Lo, k.Intercept.Hi, 2, k.Note)}
		if i == 0 {
			r.Set = set.Title
		}
		out = append(out, r)
	}
	return out
}

// clinicalTables are the section's CSV files.
func (s *Study) clinicalTables() []namedTable {
	c := s.Clinical
	if c == nil {
		return nil
	}
	odds := table{header: []string{"model", "variable", "level", "reference", "method", "interval", "n", "positive", "missing", "beta", "se", "or", "or_lo", "or_hi", "wald_p", "lr_statistic", "lr_df", "lr_p", "fmi", "note"}}
	for _, u := range c.Univariable {
		if u.Model == nil {
			odds.add("univariable", u.Variable, "", "", "", "", "", "", whole(u.Missing), "", "", "", "", "", "", "", "", "", "", u.Note)
			continue
		}
		addOdds(&odds, "univariable", u.Model, whole(u.Missing))
	}
	for _, m := range c.Models {
		addOdds(&odds, m.Name, m.Model, "")
	}
	out := []namedTable{{"odds-ratios", odds}}
	if len(c.Models) == 0 {
		return out
	}
	performance := table{header: []string{"set", "model", "n", "positive", "units", "auc", "auc_lo", "auc_hi", "threshold", "sensitivity", "specificity", "brier", "calibration_slope", "calibration_intercept"}}
	comparisons := table{header: []string{"set", "a", "b", "auc_a", "auc_b", "difference", "lo", "hi", "z", "p", "holm_p"}}
	missing := table{header: []string{"set", "units", "analysed", "variable", "missing", "of_them_unknown_category"}}
	for _, set := range c.Sets {
		for _, m := range set.Models {
			p := m.Performance
			performance.add(set.Set, m.Name, whole(p.N), whole(p.Positive), whole(set.Units), cell(p.AUC), cell(p.AUCLo), cell(p.AUCHi), cell(p.Threshold), cell(p.Sensitivity), cell(p.Specificity), cell(p.Brier),
				cell(m.Calibration.Slope.Value), cell(m.Calibration.Intercept.Value))
		}
		for _, k := range set.Comparisons {
			t := k.Test
			comparisons.add(set.Set, k.A, k.B, cell(t.AUC1), cell(t.AUC2), cell(t.Difference), cell(t.Lo), cell(t.Hi), cell(t.Z), cell(t.P), cell(k.Holm))
		}
		for _, m := range set.Missing {
			missing.add(set.Set, whole(set.Units), whole(set.Analysed), m.Variable, whole(m.Missing), whole(m.New))
		}
	}
	return append(out, namedTable{"clinical-models", performance}, namedTable{"clinical-comparisons", comparisons}, namedTable{"clinical-missing", missing})
}

func addOdds(t *table, name string, m *clinical.Model, missing string) {
	for i, v := range m.Variables {
		test := m.Tests[i]
		reference := ""
		if len(v.Levels) > 0 {
			reference = v.Levels[0]
		}
		for _, c := range m.Terms {
			if c.Variable == v.Name {
				t.add(name, v.Name, c.Level, reference, m.Method, m.Interval, whole(m.N), whole(m.Positive), missing, cell(c.Beta), cell(c.SE), cell(c.OR), cell(c.Lo), cell(c.Hi), cell(c.WaldP),
					cell(test.Statistic), cell(test.DF), cell(test.P), cell(c.FMI), strings.Join(m.Notes, "; "))
			}
		}
	}
}
