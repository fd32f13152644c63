package study

import (
	"maps"
	"path/filepath"
	"slices"

	"sonotype/cohort"
	"sonotype/internal/artifact"
	"sonotype/internal/problem"
)

const commitmentsFile = "commitments.json"

// commitments is commitments.json: what stage 01 binds itself to before an outcome meets an image or a score.
type commitments struct {
	Splits string         `json:"splits_sha256"` // what sha256sum prints for splits.csv
	Source string         `json:"source"`        // random, stratified by outcome, or a column of the table
	Seed   uint64         `json:"seed"`
	Folds  int            `json:"folds"`
	Sets   []committedSet `json:"sets"`
}

// committedSet is a set's patients.
type committedSet struct {
	Set      string `json:"set"`
	Patients int    `json:"patients"`
	Hash     string `json:"patients_hash"` // cohort.HashPatients
}

func commit(s *cohort.Splits) commitments {
	c := commitments{Splits: s.Hash, Source: s.Source, Seed: s.Seed, Folds: s.Folds, Sets: []committedSet{}}
	for _, set := range cohort.Sets {
		if ids := s.In(set); len(ids) > 0 {
			c.Sets = append(c.Sets, committedSet{set, len(ids), cohort.HashPatients(ids)})
		}
	}
	return c
}

func readCommitments(dir string) (c commitments, err error) {
	return c, artifact.ReadJSON(filepath.Join(dir, commitmentsFile), &c)
}

// holds refuses splits that are not those that were committed to.
func (c commitments) holds(s *cohort.Splits) error {
	now := commit(s)
	if c.Splits == now.Splits && slices.Equal(c.Sets, now.Sets) {
		return nil
	}
	return &ErrTampered{&problem.Error{
		What: "the splits are not those that the run committed to", File: commitmentsFile,
		Expected: "sha256 " + c.Splits, Found: "sha256 " + now.Splits, Try: "restore splits.csv, or start a new run with a fresh --out",
	}}
}

// inTheirSets refuses an image whose set or fold is not its patient's.
func inTheirSets(path string, images []imageRow, s *cohort.Splits) error {
	for i, im := range images {
		if a, ok := s.Of(im.Patient); !ok || a.Set != im.Set || a.Fold != im.Fold {
			return &ErrTampered{&problem.Error{
				What: "an image is in another set than the frozen splits say", File: path, Row: i + 2, Patient: im.Patient,
				Try: "delete the folder " + filepath.Base(filepath.Dir(path)) + " and run again",
			}}
		}
	}
	return nil
}

// fittedOn is fitted_on.json beside a fit: the patients that it knows.
type fittedOn struct {
	Hash     string   `json:"patients_hash"`
	Patients []string `json:"patients"`
}

const fittedOnFile = "fitted_on.json"

func writeFittedOn(dir string, seen patientSet) error {
	ids := slices.Sorted(maps.Keys(seen))
	return artifact.WriteJSON(filepath.Join(dir, fittedOnFile), fittedOn{cohort.HashPatients(ids), ids})
}

// readFittedOn returns the patients that a fit knows.
func readFittedOn(dir string) (patientSet, error) {
	path := filepath.Join(dir, fittedOnFile)
	var f fittedOn
	if err := artifact.ReadJSON(path, &f); err != nil {
		return nil, err
	}
	if found := cohort.HashPatients(f.Patients); found != f.Hash {
		return nil, &ErrTampered{&problem.Error{What: "the list of a fit's patients was changed", File: path, Expected: "sha256 " + f.Hash, Found: "sha256 " + found, Try: "delete the stage's folder and run again"}}
	}
	seen := patientSet{}
	for _, id := range f.Patients {
		seen[id] = true
	}
	return seen, nil
}
