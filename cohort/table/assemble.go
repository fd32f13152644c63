package table

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"sonotype/internal/problem"
)

// trim cuts white space and the invisible marks that spreadsheet programs leave around a cell.
func trim(cell string) string {
	return strings.TrimFunc(cell, func(r rune) bool {
		return unicode.IsSpace(r) || r == '\ufeff' || r == '\u200b'
	})
}

func blank(record []string) bool {
	for _, c := range record {
		if trim(c) != "" {
			return false
		}
	}
	return true
}

// assemble makes a table of raw records: blank rows carry no data and are left out, every other row
// must have the header's width, and every column with data a name of its own.
func assemble(path string, raw [][]string, lines []int, o Options) (*Table, error) {
	t := &Table{Path: path}
	for i, record := range raw {
		if blank(record) {
			continue
		}
		if t.Header != nil && len(record) != len(t.Header) {
			return nil, ragged(path, lines[i], len(t.Header), len(record))
		}
		for j, c := range record {
			record[j] = trim(c)
		}
		if t.Header == nil {
			for j, h := range record {
				record[j] = strings.Join(strings.Fields(h), " ") // headers may hold line breaks
			}
			t.Header = record
			continue
		}
		t.Rows, t.Line = append(t.Rows, record), append(t.Line, lines[i])
	}
	if t.Header == nil {
		return nil, &problem.Error{What: "the table is empty", File: path, Expected: "a header row and at least one row"}
	}
	t.dropRowNames()
	if err := t.dropUnnamed(); err != nil {
		return nil, err
	}
	return t, t.checkHeader()
}

// dropRowNames removes a nameless first column whose values are all different: R and pandas write
// their row names so.
func (t *Table) dropRowNames() {
	if t.Header[0] != "" {
		return
	}
	seen := make(map[string]bool, len(t.Rows))
	for _, r := range t.Rows {
		if r[0] == "" || seen[r[0]] {
			return
		}
		seen[r[0]] = true
	}
	t.keepColumns(func(j int) bool { return j > 0 })
}

// dropUnnamed removes columns that have neither a name nor a value (separators at the end of every row).
func (t *Table) dropUnnamed() error {
	empty := make(map[int]bool)
	for j, h := range t.Header {
		if h != "" {
			continue
		}
		for i, r := range t.Rows {
			if r[j] != "" {
				return &problem.Error{
					What: fmt.Sprintf("column %d has no name", j+1), File: t.Path, Row: t.Line[i],
					Found: "the value " + strconv.Quote(shorten(r[j])), Try: "name the column in the header row, or delete it",
				}
			}
		}
		empty[j] = true
	}
	if len(empty) > 0 {
		t.keepColumns(func(j int) bool { return !empty[j] })
	}
	return nil
}

func (t *Table) keepColumns(keep func(j int) bool) {
	filter := func(record []string) []string {
		var kept []string
		for j, c := range record {
			if keep(j) {
				kept = append(kept, c)
			}
		}
		return kept
	}
	t.Header = filter(t.Header)
	for i := range t.Rows {
		t.Rows[i] = filter(t.Rows[i])
	}
}

func (t *Table) checkHeader() error {
	first := make(map[string]int, len(t.Header))
	for j, h := range t.Header {
		if k, ok := first[h]; ok {
			return &problem.Error{
				What: "two columns have the same name", File: t.Path, Row: 1,
				Found: fmt.Sprintf("%q in columns %d and %d", shorten(h), k+1, j+1), Try: "rename or delete one of them",
			}
		}
		first[h] = j
	}
	if len(t.Header) == 0 {
		return &problem.Error{What: "the table has no columns", File: t.Path, Row: 1}
	}
	return nil
}

var (
	commaNumber = regexp.MustCompile(`^[+-]?[0-9]+,[0-9]+([eE][+-]?[0-9]+)?$`)
	dotNumber   = regexp.MustCompile(`^[+-]?[0-9]*\.[0-9]+([eE][+-]?[0-9]+)?$`)
)

// normaliseDecimals turns decimal commas into points in columns that hold numbers only. A column of
// numbers with both marks is ambiguous (one of them may group thousands).
func (t *Table) normaliseDecimals() error {
	for j, h := range t.Header {
		comma, dot, numeric := -1, -1, true
		for i, r := range t.Rows {
			switch c := r[j]; {
			case Missing(c):
			case commaNumber.MatchString(c):
				comma = i
			case dotNumber.MatchString(c):
				dot = i
			default:
				numeric = numeric && decimal.MatchString(c)
			}
		}
		if comma < 0 || !numeric {
			continue
		}
		if dot >= 0 {
			return &problem.Error{
				What: "column " + strconv.Quote(shorten(h)) + " mixes decimal commas and points", File: t.Path, Row: t.Line[dot],
				Found: fmt.Sprintf("%q here and %q in row %d", t.Rows[dot][j], t.Rows[comma][j], t.Line[comma]),
				Try:   "use one decimal mark in the whole table",
			}
		}
		for _, r := range t.Rows {
			r[j] = strings.Replace(r[j], ",", ".", 1)
		}
	}
	return nil
}

// shorten keeps error lines readable.
func shorten(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:57]) + "..."
	}
	return s
}
