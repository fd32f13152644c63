// Package datasets turns public breast-ultrasound data sets into a cohort.csv and a study.yaml; images stay where they are.
package datasets

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sonotype/internal/artifact"
	"sonotype/internal/problem"
)

// Summary says what an import wrote and what it left out.
type Summary struct {
	Cohort   string    `json:"cohort"` // path of the table written
	Study    string    `json:"study"`  // path of the study file written
	Rows     int       `json:"rows"`
	Patients int       `json:"patients"`
	Positive int       `json:"positive"` // patients with the positive outcome
	Skipped  []Skipped `json:"skipped"`
}

// Skipped counts rows of the source that were not written, by reason.
type Skipped struct {
	Reason string `json:"reason"`
	Rows   int    `json:"rows"`
}

// reasonNoFiles is the note for rows whose image and mask are both absent: a partial copy of the data set.
const reasonNoFiles = "the image and mask files are not in this copy of the data set"

// importer collects the rows of one data set.
type importer struct {
	src, out string
	header   []string
	records  [][]string
	patients map[string]string // id -> outcome
	skipped  map[string]int
}

func newImporter(src, out string, header []string) (*importer, error) {
	info, err := os.Stat(src)
	if err != nil || !info.IsDir() {
		return nil, &problem.Error{What: "the data set's folder cannot be read", File: src, Err: err, Try: "give the folder that holds the unpacked download"}
	}
	return &importer{src: src, out: out, header: header, patients: make(map[string]string), skipped: make(map[string]int)}, nil
}

// add stores one row; the patient's id is its first cell.
func (m *importer) add(outcome string, record ...string) {
	m.records = append(m.records, record)
	m.patients[record[0]] = outcome
}

// present reports whether the files of a row exist. All absent: false, and counted as skipped. Some
// absent: the data set is broken, which is an error.
func (m *importer) present(table string, row int, files ...string) (bool, error) {
	var absent []string
	for _, f := range files {
		if info, err := os.Stat(filepath.Join(m.src, f)); err != nil || !info.Mode().IsRegular() {
			absent = append(absent, f)
		}
	}
	switch len(absent) {
	case 0:
		return true, nil
	case len(files):
		m.skipped[reasonNoFiles]++
		return false, nil
	}
	return false, &problem.Error{
		What: "the data set is broken: a file of the row is missing", File: table, Row: row,
		Expected: strings.Join(files, " and "), Found: "no " + strings.Join(absent, ", "), Try: "unpack or download the data set again",
	}
}

// relative writes a file of the source as cohort.csv names it: relative to the output folder where
// that is possible (it is not across Windows drives), with forward slashes.
func (m *importer) relative(file string) (string, error) {
	src, err := filepath.Abs(m.src)
	if err != nil {
		return "", err
	}
	out, err := filepath.Abs(m.out)
	if err != nil {
		return "", err
	}
	path := filepath.Join(src, file)
	if rel, err := filepath.Rel(out, path); err == nil {
		path = rel
	}
	return filepath.ToSlash(path), nil
}

// write stores cohort.csv and study.yaml and sums up.
func (m *importer) write(table, study string) (Summary, error) {
	if len(m.records) == 0 {
		return Summary{}, &problem.Error{What: "the data set has no case with its files here", File: table, Try: "check that the images and masks are unpacked beside the table"}
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.WriteAll(append([][]string{m.header}, m.records...)); err != nil {
		return Summary{}, err
	}
	s := Summary{
		Cohort: filepath.Join(m.out, "cohort.csv"), Study: filepath.Join(m.out, "study.yaml"),
		Rows: len(m.records), Patients: len(m.patients),
	}
	if err := artifact.WriteBytes(s.Cohort, b.Bytes()); err != nil {
		return Summary{}, err
	}
	if err := artifact.Write(s.Study, func(w io.Writer) error { _, err := io.WriteString(w, study); return err }); err != nil {
		return Summary{}, err
	}
	for _, outcome := range m.patients {
		if outcome == malignant {
			s.Positive++
		}
	}
	for reason, n := range m.skipped {
		s.Skipped = append(s.Skipped, Skipped{reason, n})
	}
	slices.SortFunc(s.Skipped, func(a, b Skipped) int { return strings.Compare(a.Reason, b.Reason) })
	return s, nil
}

const malignant = "malignant"

// studyYAML is the study file of one imported data set.
func studyYAML(title, citation, centre string) string {
	return fmt.Sprintf(`# %s
# %s
title: %s, benign or malignant
cohorts: [cohort.csv]        # add another table to test on its centre
development: %s  # split 7:3 into training and internal test; other centres are external
outcome: {column: outcome, positive: [malignant]}
`, title, citation, title, centre)
}
