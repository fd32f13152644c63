package study

import (
	"sonotype/cohort"
	"sonotype/describe"
	"sonotype/internal/num"
	"sonotype/report"
)

// marks tells whether burnt-in calipers and text go with the outcome. Index 0 is the negative class, 1 the positive.
type marks struct {
	Units  [2]int        `json:"units"`
	Marked [2]int        `json:"marked"` // units with a mark in at least one image
	P      num.Float     `json:"p"`      // chi-square
	Sets   []report.Mark `json:"sets"`   // the odds of a mark by outcome, exactly
}

// countMarks compares the shares of marked units between the classes, in all units and in each set.
func (r *Run) countMarks() (marks, error) {
	images, err := r.images()
	if err != nil {
		return marks{}, err
	}
	groups, err := r.setGroups()
	if err != nil {
		return marks{}, err
	}
	all, err := markedIn(images, func(imageRow) bool { return true })
	if err != nil {
		return marks{}, err
	}
	m := marks{Units: all.Units, Marked: all.Marked, P: num.NaN()}
	for _, g := range groups {
		if g.centre != "" {
			continue
		}
		set, err := markedIn(images, func(im imageRow) bool { return im.Set == g.set })
		if err != nil {
			return m, err
		}
		set.Set, set.Title = g.name, g.title
		if g.name == cohort.SetTrain { // all of it, whoever has an honest score
			set.Title = "Training"
		}
		m.Sets = append(m.Sets, set)
	}
	if n := m.Marked[0] + m.Marked[1]; n == 0 || n == m.Units[0]+m.Units[1] {
		return m, nil
	}
	t, err := describe.ChiSquare([][]int{
		{m.Marked[0], m.Units[0] - m.Marked[0]},
		{m.Marked[1], m.Units[1] - m.Marked[1]},
	}, false)
	m.P = t.P
	return m, err
}

// markedIn counts the units of the given images by outcome and marks.
func markedIn(images []imageRow, in func(imageRow) bool) (report.Mark, error) {
	label, marked := map[string]int{}, map[string]bool{}
	for _, im := range images {
		if in(im) {
			label[im.Unit] = im.Label
			marked[im.Unit] = marked[im.Unit] || im.Marked
		}
	}
	var m report.Mark
	for unit, l := range label {
		m.Units[l]++
		if marked[unit] {
			m.Marked[l]++
		}
	}
	o, err := describe.Odds(m.Marked[1], m.Units[1]-m.Marked[1], m.Marked[0], m.Units[0]-m.Marked[0])
	m.Odds, m.Lo, m.Hi, m.Open, m.P, m.Note = o.Value, o.Lo, o.Hi, o.Open, o.P, o.Note
	return m, err
}
