package report

import (
	"html/template"
	"strings"

	"sonotype/internal/num"
	"sonotype/internal/stats"
	"sonotype/report/chart"
)

// subgroupView is one set's table.
type subgroupView struct {
	Title string
	Words string
	Rows  []subgroupRow
}

type subgroupRow struct {
	Variable, Level, Rule string
	First                 bool
	N                     valueCell
	AUC                   valueCell
	Forest                template.HTML
	Sensitivity           valueCell
	Specificity           valueCell
	P, Interaction        valueCell // in a variable's first row
}

// subgroupViews are the tables of the test sets, or of the training set when there are none.
func (s *Study) subgroupViews() []subgroupView {
	var out []subgroupView
	for _, shown := range s.shown() {
		for _, set := range s.Subgroups.Sets {
			if set.Set == shown.Name {
				out = append(out, s.subgroupView(set, shown))
			}
		}
	}
	return out
}

func (s *Study) subgroupView(set SubgroupSet, shown Set) subgroupView {
	v := subgroupView{Title: set.Title, Words: subgroupsInWords(set)}
	from := s.subgroupStart()
	all := shown.Results[s.Primary].Performance
	v.Rows = append(v.Rows, subgroupRow{
		Level: "all", First: true, N: countCell(all.N, all.Positive), AUC: metric(all.AUC, all.AUCLo, all.AUCHi, all.Note),
		Forest:      intervalPlot(from, all.AUC, all.AUCLo, all.AUCHi, chart.Ink),
		Sensitivity: metric(all.Sensitivity, all.SensitivityLo, all.SensitivityHi, all.Note), Specificity: metric(all.Specificity, all.SpecificityLo, all.SpecificityHi, all.Note),
	})
	for _, x := range set.Variables {
		for i, l := range x.Levels {
			v.Rows = append(v.Rows, subgroupRow{
				Variable: variableName(x.Variable), Level: l.Level, Rule: x.Rule, First: i == 0,
				N: countCell(l.N, l.Positive), AUC: metric(l.AUC, l.AUCLo, l.AUCHi, l.Note),
				Forest:      intervalPlot(from, l.AUC, l.AUCLo, l.AUCHi, chart.Blue),
				Sensitivity: metric(l.Sensitivity, l.SensitivityLo, l.SensitivityHi, "no positive "+s.unit()+"s"),
				Specificity: metric(l.Specificity, l.SpecificityLo, l.SpecificityHi, "no negative "+s.unit()+"s"),
				P:           subgroupP(x.AUCs, x.AUCHolm), Interaction: subgroupP(x.Interaction, num.NaN()),
			})
		}
		if x.Unknown > 0 {
			none := valueCell{Value: dash, Title: "the level of these " + s.unit() + "s is not known"}
			v.Rows = append(v.Rows, subgroupRow{Level: "unknown", N: valueCell{Value: whole(x.Unknown)}, AUC: none, Sensitivity: none, Specificity: none})
		}
	}
	return v
}

func countCell(n, positive int) valueCell {
	return valueCell{Value: whole(n), Small: whole(positive) + " positive"}
}

// subgroupP prints a P value, its adjusted one below, and what the test notes when pointed at.
func subgroupP(t stats.Test, adjusted num.Float) valueCell {
	c := valueCell{Value: pValue(t.P), Title: t.Note}
	if !computable(t.P) {
		c.Title = note(t.Note)
	}
	if computable(adjusted) {
		c.Small = "Holm " + pValue(adjusted)
	}
	return c
}

// subgroupsInWords says in a sentence whether the model does alike everywhere.
func subgroupsInWords(set SubgroupSet) string {
	var differ, alike, open []string
	for _, x := range set.Variables {
		name := strings.ToLower(variableName(x.Variable))
		if x.Variable == "subtype" {
			name = "molecular subtype"
		}
		switch {
		case !computable(x.AUCHolm):
			open = append(open, name)
		case x.AUCHolm < 0.05:
			differ = append(differ, name+" ("+pEquals(x.AUCHolm)+")")
		default:
			alike = append(alike, name)
		}
	}
	var out []string
	if len(differ) > 0 {
		out = append(out, "The AUC differs by "+listed(differ)+", after Holm’s adjustment.")
	}
	if len(alike) > 0 {
		out = append(out, "No difference of the AUC was shown by "+listed(alike)+"; in groups of this size only a large one would be.")
	}
	if len(open) > 0 {
		out = append(out, "Too few to compare by "+listed(open)+".")
	}
	return strings.Join(out, " ")
}

// listed joins words as a sentence does: a, b and c.
func listed(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// variableName is how the report calls a subgroup variable.
func variableName(v string) string {
	if name, ok := map[string]string{"device": "Device", "age": "Age", "size": "Size", "subtype": "Molecular subtype"}[v]; ok {
		return name
	}
	return v
}

// subgroupStart is where the interval plots begin: 0.4, or a tenth below the least AUC, as in the table of models.
func (s *Study) subgroupStart() float64 {
	least := 0.5
	for _, set := range s.Subgroups.Sets {
		for _, x := range set.Variables {
			for _, l := range x.Levels {
				if computable(l.AUC) {
					least = min(least, float64(l.AUC))
				}
			}
		}
	}
	return max(0, float64(int(10*least))/10-0.1)
}

// intervalPlot draws a value with its interval, from start to 1.
func intervalPlot(start float64, v, lo, hi num.Float, colour chart.Colour) template.HTML {
	if !computable(v) {
		return ""
	}
	c := chart.New(130, 20, "AUC "+share(v)+", 95 % CI "+interval(lo, hi))
	x := func(v num.Float) float64 { return 4 + 122*(min(max(float64(v), start), 1)-start)/(1-start) }
	c.Line(at(x(0.5), 2), at(x(0.5), 18), chart.Stroke{Colour: chart.Grey, Width: 1})
	if computable(lo, hi) {
		c.Line(at(x(lo), 10), at(x(hi), 10), chart.Stroke{Colour: colour, Width: 1.6})
	}
	c.Dot(at(x(v), 10), 3.2, colour, "")
	return template.HTML(c.Inline())
}

// subgroupsTable is every level of every set.
func (s *Study) subgroupsTable() table {
	t := table{header: []string{"set", "variable", "level", "n", "positive", "auc", "auc_lo", "auc_hi", "threshold", "sensitivity", "sensitivity_lo", "sensitivity_hi", "specificity", "specificity_lo", "specificity_hi", "unknown", "auc_q", "auc_df", "auc_p", "auc_p_holm", "interaction_lr", "interaction_df", "interaction_p", "rule", "note"}}
	for _, set := range s.Subgroups.Sets {
		for _, x := range set.Variables {
			for _, l := range x.Levels {
				notes := []string{}
				for _, n := range []string{l.Note, x.AUCs.Note, x.Interaction.Note} {
					if n != "" {
						notes = append(notes, n)
					}
				}
				t.add(set.Set, x.Variable, l.Level, whole(l.N), whole(l.Positive), cell(l.AUC), cell(l.AUCLo), cell(l.AUCHi), cell(l.Threshold),
					cell(l.Sensitivity), cell(l.SensitivityLo), cell(l.SensitivityHi), cell(l.Specificity), cell(l.SpecificityLo), cell(l.SpecificityHi), whole(x.Unknown),
					cell(x.AUCs.Statistic), cell(x.AUCs.DF), cell(x.AUCs.P), cell(x.AUCHolm), cell(x.Interaction.Statistic), cell(x.Interaction.DF), cell(x.Interaction.P), x.Rule, strings.Join(notes, "; "))
			}
		}
	}
	return t
}

// markRow is the association of burnt-in marks in one set.
type markRow struct {
	Title              string
	Positive, Negative valueCell // marked
	Odds, P            valueCell
}

// markRows is empty when no image carries marks.
func (s *Study) markRows() []markRow {
	var out []markRow
	any := 0
	for _, m := range s.Marks {
		any += m.Marked[0] + m.Marked[1]
		odds := valueCell{Value: significant(float64(m.Odds)), Title: m.Note}
		if computable(m.Lo, m.Hi) {
			odds.Small = ratioInterval(m.Lo, m.Hi)
		} else if computable(m.Lo) && m.Open {
			odds.Small = significant(float64(m.Lo)) + "–∞"
		}
		if m.Open {
			odds.Value = "∞"
		}
		out = append(out, markRow{m.Title, markedCell(m, 1), markedCell(m, 0), odds, valueCell{Value: pValue(m.P), Title: m.Note}})
	}
	if any == 0 {
		return nil
	}
	return out
}

func markedCell(m Mark, class int) valueCell {
	return valueCell{Value: whole(m.Marked[class]) + " of " + whole(m.Units[class]), Small: percent(m.Marked[class], m.Units[class]) + " %"}
}

func (s *Study) marksTable() table {
	t := table{header: []string{"set", "marked_positive", "positive", "marked_negative", "negative", "odds_ratio", "lo", "hi", "p_fisher", "note"}}
	for _, m := range s.Marks {
		t.add(m.Set, whole(m.Marked[1]), whole(m.Units[1]), whole(m.Marked[0]), whole(m.Units[0]), cell(m.Odds), cell(m.Lo), cell(m.Hi), cell(m.P), m.Note)
	}
	return t
}
