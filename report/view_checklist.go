package report

import (
	"fmt"
	"strings"

	"sonotype/checklist"
)

// Checklists are the reporting checklists with their answers.
type Checklists []checklist.Filled

// statusNames are how the page calls the statuses.
var statusNames = map[checklist.Status]string{
	checklist.Answered: "answered", checklist.Partly: "in part", checklist.Authors: "authors", checklist.NotDone: "not done", checklist.NotApplicable: "not applicable",
}

// ChecklistView is one checklist as the page shows it.
type ChecklistView struct {
	Name, Source, Licence, Counts, Score string
	Rows                                 []ChecklistRow
	CSV                                  string // name of its table
}

// ChecklistRow is one item.
type ChecklistRow struct {
	ID, Section, Item, Status, Class, Text, Add, Vote string
	Links                                             []checklist.Link
	Own                                               bool
}

// Views are the checklists in display order.
func (c Checklists) Views() []ChecklistView {
	var out []ChecklistView
	for _, list := range c {
		v := ChecklistView{Name: list.Name, Source: list.Source, Licence: list.Licence, CSV: "checklist-" + list.Key, Score: scoreInWords(list.Score)}
		var counts []string
		for _, s := range checklist.Statuses {
			if n := list.Counts[s]; n > 0 {
				counts = append(counts, fmt.Sprintf("%d %s", n, statusNames[s]))
			}
		}
		v.Counts = fmt.Sprintf("%d items: %s", len(list.Items), strings.Join(counts, ", "))
		section := ""
		for _, it := range list.Items {
			row := ChecklistRow{ID: it.ID, Item: it.Text, Status: statusNames[it.Status], Class: string(it.Status), Text: it.Answer.Text, Add: it.Add, Links: it.Links, Own: it.Own, Vote: string(it.Score)}
			if it.Section != section {
				section, row.Section = it.Section, it.Section
			}
			v.Rows = append(v.Rows, row)
		}
		out = append(out, v)
	}
	return out
}

// scoreInWords says the METRICS score; a range while the authors have items to answer.
func scoreInWords(s *checklist.Score) string {
	switch {
	case s == nil:
		return ""
	case s.Open == 0:
		return fmt.Sprintf("Score %s %% (%d yes, %d no, %d not applicable).", fixed(s.Lowest, 1), s.Yes, s.No, s.Apart)
	}
	return fmt.Sprintf("Score between %s %% and %s %%: %d items answered yes and %d no from the run, %d not applicable; %d are the authors’ to answer, counted as no for the lower figure and as yes for the upper.",
		fixed(s.Lowest, 1), fixed(s.Highest, 1), s.Yes, s.No, s.Apart, s.Open)
}

// checklistTable is one checklist as CSV.
func checklistTable(list checklist.Filled) table {
	t := table{header: []string{"item", "section", "question", "status", "answer", "authors_add", "links", "answered_by_authors", "metrics_vote"}}
	for _, it := range list.Items {
		links := make([]string, len(it.Links))
		for i, l := range it.Links {
			links[i] = l.Href
		}
		t.add(it.ID, it.Section, it.Text, string(it.Status), it.Answer.Text, it.Add, strings.Join(links, " "), yesNo(it.Own), string(it.Score))
	}
	return t
}

// planningTables are the CSV files of the sample size and the checklists.
func (s *Study) planningTables() []namedTable {
	var out []namedTable
	if s.SampleSize != nil {
		out = append(out, namedTable{"sample-size", s.SampleSize.table()})
	}
	for _, list := range s.Checklists {
		out = append(out, namedTable{"checklist-" + list.Key, checklistTable(list)})
	}
	return out
}
