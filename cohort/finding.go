package cohort

import (
	"cmp"
	"fmt"
	"slices"

	"sonotype/internal/problem"
)

// Severity says what a finding means for the study.
const (
	SeverityError   = "error"   // the study does not run
	SeverityWarning = "warning" // it runs; somebody should look
	SeverityNote    = "note"    // worth knowing
)

// Code names what was found; each has a test.
type Code string

// Findings of the tables.
const (
	PatientMissing   Code = "patient-missing"
	CentreMissing    Code = "centre-missing"
	ImageCellMissing Code = "image-cell-missing"
	MaskCellMissing  Code = "mask-cell-missing"
	LesionMissing    Code = "lesion-missing"
	UnitAmbiguous    Code = "unit-ambiguous"
	ImageConflict    Code = "image-conflict"
	RowRepeated      Code = "row-repeated"
	OutcomeMissing   Code = "outcome-missing"
	OutcomeInvalid   Code = "outcome-invalid"
	OutcomeOutside   Code = "outcome-in-neither-class"
	OutcomeConflict  Code = "outcome-conflict"
	OneOutcome       Code = "one-outcome"
	CentreConflict   Code = "patient-in-two-centres"
	NumberInvalid    Code = "number-invalid"
	PixelImpossible  Code = "pixel-size-impossible"
	AgeImpossible    Code = "age-impossible"
	AgeMinor         Code = "age-minor"
	TimeImpossible   Code = "time-impossible"
	EventInvalid     Code = "event-invalid"
	EventMissing     Code = "event-missing"
	TimeMissing      Code = "time-missing"
	FollowUpConflict Code = "follow-up-conflict"
	Metastatic       Code = "metastatic-in-disease-free"
	SplitInvalid     Code = "split-invalid"
	SplitConflict    Code = "split-conflict"
	ClinicalDiffers  Code = "clinical-differs"
)

// Findings of the files.
const (
	ImageMissing    Code = "image-missing"
	ImageUnreadable Code = "image-unreadable"
	MaskMissing     Code = "mask-missing"
	MaskUnreadable  Code = "mask-unreadable"
	SizeMismatch    Code = "size-mismatch"
	TableSize       Code = "table-size-differs"
	MaskEmpty       Code = "mask-empty"
	MaskEdge        Code = "mask-touches-edge"
	MaskNonBinary   Code = "mask-not-binary"
	SpacingDiffers  Code = "spacing-differs"
	DuplicateExact  Code = "duplicate-exact"
	DuplicateNear   Code = "duplicate-near"
)

// Finding is one thing that check reports.
type Finding struct {
	Severity string `json:"severity"`
	Code     Code   `json:"code"`
	File     string `json:"file"` // the table
	Row      int    `json:"row"`  // 1-based, the header being row 1; 0 = the table as a whole
	Patient  string `json:"patient,omitempty"`
	Path     string `json:"path,omitempty"` // the image or mask concerned
	Message  string `json:"message"`
	Try      string `json:"try,omitempty"`
}

// Err returns the first error among the findings, nil when there is none.
func Err(findings []Finding) error {
	first, n := Finding{}, 0
	for _, f := range findings {
		if f.Severity == SeverityError {
			if n == 0 {
				first = f
			}
			n++
		}
	}
	if n == 0 {
		return nil
	}
	e := &problem.Error{What: first.Message, File: first.File, Row: first.Row, Patient: first.Patient, Try: first.Try}
	if n > 1 {
		e.Found = fmt.Sprintf("%d errors in the cohort, of which this is the first; `sonotype check` lists them all", n)
	}
	return e
}

// Err returns the first error that the tables show, nil when there is none.
func (c *Cohort) Err() error { return Err(c.Findings) }

// sortFindings orders by severity, then table, row, code and path.
func sortFindings(f []Finding) {
	rank := map[string]int{SeverityError: 0, SeverityWarning: 1, SeverityNote: 2}
	slices.SortStableFunc(f, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(rank[a.Severity], rank[b.Severity]), cmp.Compare(a.File, b.File),
			cmp.Compare(a.Row, b.Row), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Path, b.Path))
	})
}
