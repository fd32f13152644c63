package cohort

import (
	"fmt"
	"slices"
	"strconv"

	"sonotype/cohort/table"
	"sonotype/internal/problem"
)

// Columns names the columns that have a role. An empty field stands for the default name; a name
// that is given must exist in every table.
type Columns struct {
	PatientID string `json:"patient_id,omitempty" yaml:"patient_id,omitempty"`
	Image     string `json:"image,omitempty" yaml:"image,omitempty"`
	Mask      string `json:"mask,omitempty" yaml:"mask,omitempty"`
	Centre    string `json:"centre,omitempty" yaml:"centre,omitempty"`
	Outcome   string `json:"outcome,omitempty" yaml:"outcome,omitempty"`
	LesionID  string `json:"lesion_id,omitempty" yaml:"lesion_id,omitempty"`
	Reader    string `json:"reader,omitempty" yaml:"reader,omitempty"`
	Device    string `json:"device,omitempty" yaml:"device,omitempty"`
	PixelMM   string `json:"pixel_mm,omitempty" yaml:"pixel_mm,omitempty"`
	DFSMonths string `json:"dfs_months,omitempty" yaml:"dfs_months,omitempty"`
	DFSEvent  string `json:"dfs_event,omitempty" yaml:"dfs_event,omitempty"`
	Split     string `json:"split,omitempty" yaml:"split,omitempty"`
	Age       string `json:"age,omitempty" yaml:"age,omitempty"`
	MStage    string `json:"m_stage,omitempty" yaml:"m_stage,omitempty"`
	Width     string `json:"width,omitempty" yaml:"width,omitempty"`
	Height    string `json:"height,omitempty" yaml:"height,omitempty"`
}

// layout holds the position of every role in one table; -1 = the table has no such column.
type layout struct {
	patient, image, mask, centre, outcome int
	lesion, reader, device, pixel         int
	dfsMonths, dfsEvent, split            int
	age, mStage, width, height            int
	clinical                              []int // columns that go to Row.Clinical
}

// role ties a field of Columns to its default names and its place in the layout.
type role struct {
	given    string
	defaults []string
	required bool
	at       *int
	clinical bool // the column is clinical data as well
}

func (c Columns) roles(l *layout) []role {
	return []role{
		{given: c.PatientID, defaults: []string{"patient_id"}, required: true, at: &l.patient},
		{given: c.Image, defaults: []string{"image"}, required: true, at: &l.image},
		{given: c.Mask, defaults: []string{"mask"}, required: true, at: &l.mask},
		{given: c.Centre, defaults: []string{"centre"}, required: true, at: &l.centre},
		{given: c.Outcome, defaults: []string{"outcome"}, required: true, at: &l.outcome},
		{given: c.LesionID, defaults: []string{"lesion_id"}, at: &l.lesion},
		{given: c.Reader, defaults: []string{"reader"}, at: &l.reader},
		{given: c.Device, defaults: []string{"device"}, at: &l.device},
		{given: c.PixelMM, defaults: []string{"pixel_mm"}, at: &l.pixel},
		{given: c.DFSMonths, defaults: []string{"dfs_months"}, at: &l.dfsMonths},
		{given: c.DFSEvent, defaults: []string{"dfs_event"}, at: &l.dfsEvent},
		{given: c.Split, defaults: []string{"split"}, at: &l.split},
		{given: c.Age, defaults: []string{"age"}, at: &l.age, clinical: true},
		{given: c.MStage, defaults: []string{"m_stage", "M"}, at: &l.mStage, clinical: true},
		{given: c.Width, defaults: []string{"width"}, at: &l.width},
		{given: c.Height, defaults: []string{"height"}, at: &l.height},
	}
}

// locate finds every role's column in the table.
func (c Columns) locate(t *table.Table) (layout, error) {
	var l layout
	hasRole := make([]bool, len(t.Header))
	for _, r := range c.roles(&l) {
		var err error
		if *r.at, err = r.find(t); err != nil {
			return layout{}, err
		}
		if *r.at >= 0 && !r.clinical {
			hasRole[*r.at] = true
		}
	}
	if l.image == l.mask {
		return layout{}, &problem.Error{What: "image and mask are the same column", File: t.Path, Row: 1, Found: strconv.Quote(t.Header[l.image])}
	}
	for j := range t.Header {
		if !hasRole[j] {
			l.clinical = append(l.clinical, j)
		}
	}
	return l, nil
}

func (r role) find(t *table.Table) (int, error) {
	if r.given != "" {
		return t.Require(r.given)
	}
	var matches []int
	for _, name := range r.defaults {
		if j := t.Column(name); j >= 0 && !slices.Contains(matches, j) {
			matches = append(matches, j)
		}
	}
	switch {
	case len(matches) == 1:
		return matches[0], nil
	case len(matches) > 1:
		return -1, &problem.Error{
			What: "two columns could be " + r.defaults[0], File: t.Path, Row: 1,
			Found: fmt.Sprintf("%q and %q", t.Header[matches[0]], t.Header[matches[1]]),
			Try:   "name the right one under `columns: {" + r.defaults[0] + ": ...}` in study.yaml",
		}
	case r.required:
		return t.Require(r.defaults[0])
	}
	return -1, nil
}
