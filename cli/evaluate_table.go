package cli

import (
	"strconv"

	"sonotype/cohort/table"
	"sonotype/evaluate"
	"sonotype/internal/problem"
)

// scoredTable is a table's scores, one entry a patient.
type scoredTable struct {
	path    string
	ids     []string // empty where each row is a patient
	score   []float64
	against []float64 // a second score
	label   []int
	time    []float64
	event   []int
	columns map[string][]string // covariates and strata

	probability []float64 // of each score, where it has one of its own
	calibrated  string    // how probability was made
}

// readScores reads the columns and averages the scores of each patient.
func readScores(path string, f *evaluateFlags) (*scoredTable, error) {
	t, err := table.Read(path, table.Options{})
	if err != nil {
		return nil, err
	}
	if len(t.Rows) == 0 {
		return nil, &problem.Error{What: "the table has no rows", File: path}
	}
	s := &scoredTable{path: path, columns: map[string][]string{}}
	if s.label, err = labelColumn(t, f.label, f.positive); err != nil {
		return nil, err
	}
	if s.score, err = numberColumn(t, f.score); err != nil {
		return nil, err
	}
	if f.against != "" {
		if s.against, err = numberColumn(t, f.against); err != nil {
			return nil, err
		}
	}
	if f.time != "" {
		if err := s.readFollowUp(t, f); err != nil {
			return nil, err
		}
	}
	if f.patient == "" {
		return s, nil
	}
	at, err := t.Require(f.patient)
	if err != nil {
		return nil, err
	}
	s.ids = columnOf(t, at)
	return s.byPatient()
}

func (s *scoredTable) readFollowUp(t *table.Table, f *evaluateFlags) (err error) {
	if s.time, err = numberColumn(t, f.time); err != nil {
		return err
	}
	if s.event, err = labelColumn(t, f.event, ""); err != nil {
		return err
	}
	names := f.covariates
	if f.strata != "" {
		names = append([]string{f.strata}, names...)
	}
	for _, name := range names {
		at, err := t.Require(name)
		if err != nil {
			return err
		}
		s.columns[name] = columnOf(t, at)
	}
	return nil
}

// byPatient makes one entry a patient: the mean score, and label, follow-up and covariates that all rows must share.
func (s *scoredTable) byPatient() (*scoredTable, error) {
	pooled, err := evaluate.Pool(s.score, s.label, s.ids)
	if err != nil {
		return nil, err
	}
	out := &scoredTable{ids: pooled.Unit, score: pooled.Score, label: pooled.Label, path: s.path, columns: map[string][]string{}}
	if s.against != nil {
		other, err := evaluate.Pool(s.against, s.label, s.ids)
		if err != nil {
			return nil, err
		}
		out.against = other.Score
	}
	if s.time == nil {
		return out, nil
	}
	first := map[string]int{}
	for i, id := range s.ids {
		j, ok := first[id]
		if !ok {
			first[id] = i
			continue
		}
		if s.time[i] != s.time[j] || s.event[i] != s.event[j] {
			return nil, &problem.Error{What: "a patient has two follow-ups", File: s.path, Patient: id, Try: "give every row of a patient the same time and event"}
		}
		for name, values := range s.columns {
			if values[i] != values[j] {
				return nil, &problem.Error{What: "a patient has two values of " + name, File: s.path, Patient: id, Found: values[j] + " and " + values[i]}
			}
		}
	}
	for _, id := range pooled.Unit {
		at := first[id]
		out.time, out.event = append(out.time, s.time[at]), append(out.event, s.event[at])
		for name, values := range s.columns {
			out.columns[name] = append(out.columns[name], values[at])
		}
	}
	return out, nil
}

func numberColumn(t *table.Table, name string) ([]float64, error) {
	at, err := t.Require(name)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(t.Rows))
	for i, row := range t.Rows {
		if out[i], err = table.Number(row[at]); err != nil {
			return nil, &problem.Error{What: "a value is not a number", File: t.Path, Row: t.Line[i], Expected: "a number in column " + name, Found: strconv.Quote(row[at])}
		}
	}
	return out, nil
}
