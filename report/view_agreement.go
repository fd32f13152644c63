package report

import "slices"

// agreementView is what the templates of Agreement show.
type agreementView struct {
	From          float64 // where the subgroups' interval plots begin
	Subgroups     []subgroupView
	SubgroupRules []string // how units get their levels
	Marks         []markRow
	Readers       *readersView
}

func (s *Study) agreementView(readers []figure) agreementView {
	v := agreementView{From: s.subgroupStart(), Subgroups: s.subgroupViews(), Marks: s.markRows(), Readers: s.readersView(readers)}
	for _, set := range s.Subgroups.Sets[:min(1, len(s.Subgroups.Sets))] {
		for _, x := range set.Variables {
			v.SubgroupRules = append(v.SubgroupRules, variableName(x.Variable)+": "+x.Rule+".")
		}
	}
	return v
}

// agreementTables are the CSV files of the sections.
func (s *Study) agreementTables() []namedTable {
	var out []namedTable
	if len(s.Subgroups.Sets) > 0 {
		out = append(out, namedTable{"subgroups", s.subgroupsTable()})
	}
	if len(s.markRows()) > 0 {
		out = append(out, namedTable{"marks", s.marksTable()})
	}
	return slices.Concat(out, s.readersTables())
}
