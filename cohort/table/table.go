// Package table reads a delimited text file (comma, semicolon or tab) or an XLSX sheet into rows of
// trimmed strings; whatever could be read in two ways is an error that names the row.
package table

import (
	"fmt"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"sonotype/internal/artifact"
	"sonotype/internal/problem"
	"sonotype/internal/suggest"
)

// Table is one sheet: a header and rows of equal width. Cells are trimmed; numbers have a decimal point.
type Table struct {
	Path   string
	Hash   string // SHA-256 of the file, hex
	Sheet  string // name of the XLSX sheet; "" for text
	Header []string
	Rows   [][]string // each as wide as Header
	Line   []int      // the row number of Rows[i] in the file as a spreadsheet shows it; the header is row 1
}

// Options bound what Read accepts. Zero fields take the default.
type Options struct {
	Sheet      string // XLSX sheet to read; default: the first
	MaxBytes   int64  // default 64 MiB
	MaxColumns int    // default 100,000
	MaxCells   int    // default 10 million
}

func (o Options) withDefaults() Options {
	if o.MaxBytes <= 0 {
		o.MaxBytes = 64 << 20
	}
	if o.MaxColumns <= 0 {
		o.MaxColumns = 100_000
	}
	if o.MaxCells <= 0 {
		o.MaxCells = 10_000_000
	}
	return o
}

// Read reads path; .xlsx and .xlsm are spreadsheets, everything else is delimited text.
func Read(path string, o Options) (*Table, error) {
	o = o.withDefaults()
	b, err := readBounded(path, o.MaxBytes)
	if err != nil {
		return nil, err
	}
	var t *Table
	switch strings.ToLower(filepath.Ext(path)) {
	case ".xlsx", ".xlsm":
		t, err = parseXLSX(path, b, o)
	default:
		t, err = parseText(path, b, o)
	}
	if err != nil {
		return nil, err
	}
	if t.Hash, err = artifact.HashFile(path); err != nil {
		return nil, unreadable(path, err)
	}
	return t, nil
}

// Column returns the position of the column with exactly this name or, failing that, of the only
// one that has it in another case; -1 when there is none or the choice is not clear.
func (t *Table) Column(name string) int {
	if i := slices.Index(t.Header, name); i >= 0 {
		return i
	}
	found := -1
	for i, h := range t.Header {
		if strings.EqualFold(h, name) {
			if found >= 0 {
				return -1
			}
			found = i
		}
	}
	return found
}

// Require is Column with an error that lists the nearest names.
func (t *Table) Require(name string) (int, error) {
	if i := t.Column(name); i >= 0 {
		return i, nil
	}
	return -1, &problem.Error{
		What: "the table has no column " + strconv.Quote(name), File: t.Path, Row: 1,
		Found: "columns " + quoteList(suggest.Nearest(name, t.Header, 5)),
		Try:   "rename the column in the table, or name the right one in study.yaml",
	}
}

// missing are the texts, in lower case, that stand for "no value" in any column.
var missing = []string{"", "na", "n/a", "#n/a", "nan", "null", "none", ".", "not available", "not known", "unknown", "missing"}

// Missing reports whether a cell holds no value: empty, or one of the usual texts for that in any case.
func Missing(cell string) bool {
	return len(cell) <= len("not available") && slices.Contains(missing, strings.ToLower(cell))
}

var decimal = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$`)

// Number parses a decimal number; hexadecimal, infinite and "not a number" forms are refused.
func Number(cell string) (float64, error) {
	if !decimal.MatchString(cell) {
		return math.NaN(), fmt.Errorf("%q is not a number", cell)
	}
	v, err := strconv.ParseFloat(cell, 64)
	if err != nil {
		return math.NaN(), fmt.Errorf("%q is out of range", cell)
	}
	return v, nil
}

func quoteList(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = strconv.Quote(n)
	}
	return strings.Join(q, ", ")
}
