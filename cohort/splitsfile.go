package cohort

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"sonotype/internal/artifact"
	"sonotype/internal/problem"
)

// ErrTampered marks frozen splits that are not what they were.
var ErrTampered = errors.New("the frozen splits were changed")

var splitsHeader = []string{"patient_id", "set", "fold"}

// csv is the canonical form, which is hashed: sorted by patient, "\n" line ends, an empty fold
// outside the training set.
func (s *Splits) csv() []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write(splitsHeader) // writing to a buffer does not fail
	for _, a := range s.Patients {
		fold := ""
		if a.Fold >= 0 {
			fold = strconv.Itoa(a.Fold)
		}
		_ = w.Write([]string{a.Patient, a.Set, fold})
	}
	w.Flush()
	return b.Bytes()
}

func hashBytes(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// HashPatients is the fingerprint of a set of patients; the order does not matter.
func HashPatients(ids []string) string {
	return hashBytes([]byte(strings.Join(slices.Compact(slices.Sorted(slices.Values(ids))), "\x00")))
}

// sidecar holds how the splits were made and their hash: splits.json beside splits.csv.
func sidecar(path string) string { return strings.TrimSuffix(path, filepath.Ext(path)) + ".json" }

// Write freezes the splits: path (splits.csv) and, beside it, the .json with seed and hash. The
// hash is what sha256sum prints for splits.csv.
func (s *Splits) Write(path string) error {
	if err := artifact.WriteBytes(path, s.csv()); err != nil {
		return err
	}
	return artifact.WriteJSON(sidecar(path), s)
}

// ReadSplits reads frozen splits and verifies their hash; a file that was changed is ErrTampered.
func ReadSplits(path string) (*Splits, error) {
	s := &Splits{}
	if err := artifact.ReadJSON(sidecar(path), s); err != nil {
		return nil, &problem.Error{What: "the record of the frozen splits cannot be read", File: sidecar(path), Err: err, Try: "start a new run"}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, &problem.Error{What: "the frozen splits cannot be read", File: path, Err: err, Try: "start a new run"}
	}
	if found := hashBytes(b); found != s.Hash {
		return nil, &problem.Error{What: "the frozen splits do not have the recorded hash", File: path, Expected: s.Hash, Found: found,
			Try: "restore the file, or start a new run", Err: ErrTampered}
	}
	return s, s.parse(path, b)
}

// parse reads the canonical form and checks that it is what csv would write.
func (s *Splits) parse(path string, b []byte) error {
	r := csv.NewReader(bytes.NewReader(b))
	r.FieldsPerRecord = len(splitsHeader)
	for line := 1; ; line++ {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return &problem.Error{What: "the frozen splits cannot be read", File: path, Row: line, Err: err}
		}
		if line == 1 {
			continue
		}
		a := Assignment{Patient: record[0], Set: record[1], Fold: -1}
		if record[2] != "" {
			if a.Fold, err = strconv.Atoi(record[2]); err != nil {
				return &problem.Error{What: "the frozen splits hold a fold that is not a number", File: path, Row: line, Err: err}
			}
		}
		if !slices.Contains(Sets, a.Set) || a.Fold < -1 || a.Fold >= s.Folds || (a.Fold >= 0) != (a.Set == SetTrain) {
			return &problem.Error{What: "the frozen splits hold an impossible set or fold", File: path, Row: line, Patient: a.Patient, Found: strings.Join(record[1:], ", ")}
		}
		s.Patients = append(s.Patients, a)
	}
	if !bytes.Equal(s.csv(), b) || !slices.IsSortedFunc(s.Patients, func(a, b Assignment) int { return strings.Compare(a.Patient, b.Patient) }) {
		return &problem.Error{What: "the frozen splits are not in their canonical form", File: path, Expected: "sorted by patient, as written by sonotype"}
	}
	return nil
}
