// Package problem gives every error that a user sees one shape: what failed, where,
// what was expected and found, and what to try.
package problem

import (
	"errors"
	"fmt"
	"strings"
)

// Error says what failed and where. Only What is required; empty fields are left out.
type Error struct {
	What     string // what failed, in the user's words
	File     string // the file concerned
	Row      int    // 1-based row of File, the header being row 1; 0 = none
	Patient  string // patient id concerned
	Expected string
	Found    string
	Try      string // the next step for the user
	Err      error  // the cause
}

// Error renders the one-line what and where, then one line each for expected/found, cause and "Try:".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.What)
	if w := e.Where(); w != "" {
		b.WriteString(" (" + w + ")")
	}
	if e.Expected != "" {
		b.WriteString("\n  expected: " + e.Expected)
	}
	if e.Found != "" {
		b.WriteString("\n  found: " + e.Found)
	}
	if e.Err != nil {
		b.WriteString("\n  cause: " + e.Err.Error())
	}
	if e.Try != "" {
		b.WriteString("\n  Try: " + e.Try)
	}
	return b.String()
}

// Where renders "file, row 3, patient P7" from the fields that are set.
func (e *Error) Where() string {
	var where []string
	if e.File != "" {
		where = append(where, e.File)
	}
	if e.Row > 0 {
		where = append(where, fmt.Sprintf("row %d", e.Row))
	}
	if e.Patient != "" {
		where = append(where, "patient "+e.Patient)
	}
	return strings.Join(where, ", ")
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// As finds the first *Error in err's chain.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}
