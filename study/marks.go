package study

import (
	"sonotype/describe"
	"sonotype/internal/num"
)

// marks tells whether burnt-in calipers and text go with the outcome. Index 0 is the negative class, 1 the positive.
type marks struct {
	Units  [2]int    `json:"units"`
	Marked [2]int    `json:"marked"` // units with a mark in at least one image
	P      num.Float `json:"p"`      // chi-square
}

func (r *Run) countMarks() (marks, error) {
	images, err := r.images()
	if err != nil {
		return marks{}, err
	}
	label, marked := map[string]int{}, map[string]bool{}
	for _, im := range images {
		label[im.Unit] = im.Label
		marked[im.Unit] = marked[im.Unit] || im.Marked
	}
	m := marks{P: num.NaN()}
	for unit, l := range label {
		m.Units[l]++
		if marked[unit] {
			m.Marked[l]++
		}
	}
	all := m.Marked[0] + m.Marked[1]
	if all == 0 || all == len(label) {
		return m, nil
	}
	t, err := describe.ChiSquare([][]int{
		{m.Marked[0], m.Units[0] - m.Marked[0]},
		{m.Marked[1], m.Units[1] - m.Marked[1]},
	}, false)
	m.P = t.P
	return m, err
}
