package table

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"sonotype/internal/problem"
)

var separators = []struct {
	char rune
	name string
}{{',', "comma"}, {';', "semicolon"}, {'\t', "tab"}}

// parseText reads delimited text. The separator is the one that gives every record the header's
// width, two columns or more; when several do, the file is ambiguous and refused.
func parseText(path string, b []byte, o Options) (*Table, error) {
	b, declared, firstRow, err := normaliseText(path, b)
	if err != nil {
		return nil, err
	}
	sep := declared
	if sep == 0 {
		if sep, err = recogniseSeparator(path, b, firstRow, o); err != nil {
			return nil, err
		}
	}
	s := newScanner(path, b, sep, firstRow, o)
	raw, lines, err := s.all()
	if err != nil {
		return nil, err
	}
	t, err := assemble(path, raw, lines, o)
	if err != nil {
		return nil, err
	}
	if sep != ',' { // with commas between the cells there is no decimal comma
		err = t.normaliseDecimals()
	}
	return t, err
}

// normaliseText checks the encoding, strips the byte order mark, makes line ends "\n" and takes
// spreadsheet programs' "sep=;" line, if there is one. firstRow is the row number of what follows.
func normaliseText(path string, b []byte) (out []byte, sep rune, firstRow int, err error) {
	if bytes.HasPrefix(b, []byte{0xff, 0xfe}) || bytes.HasPrefix(b, []byte{0xfe, 0xff}) {
		return nil, 0, 0, encodingError(path, 1, "UTF-16 text")
	}
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	if !utf8.Valid(b) {
		at := 0
		for at < len(b) {
			r, n := utf8.DecodeRune(b[at:])
			if r == utf8.RuneError && n == 1 {
				break
			}
			at += n
		}
		return nil, 0, 0, encodingError(path, 1+bytes.Count(b[:at], []byte("\n")), fmt.Sprintf("byte 0x%02x that is not UTF-8", b[at]))
	}
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return nil, 0, 0, encodingError(path, 1+bytes.Count(b[:i], []byte("\n")), "a NUL byte: this is not text")
	}
	b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	if !bytes.ContainsRune(b, '\n') { // line ends of old Macs
		b = bytes.ReplaceAll(b, []byte("\r"), []byte("\n"))
	}
	if line, rest, ok := bytes.Cut(b, []byte("\n")); ok && len(line) == 5 && bytes.EqualFold(line[:4], []byte("sep=")) {
		for _, s := range separators {
			if rune(line[4]) == s.char {
				return rest, s.char, 2, nil
			}
		}
	}
	return b, 0, 1, nil
}

func encodingError(path string, row int, found string) error {
	return &problem.Error{
		What: "the table is not UTF-8 text", File: path, Row: row, Expected: "UTF-8", Found: found,
		Try: `save it as "CSV UTF-8" (or as .xlsx)`,
	}
}

// recogniseSeparator tries every separator over the whole file.
func recogniseSeparator(path string, b []byte, firstRow int, o Options) (rune, error) {
	var fits, fails []string
	var fit, failed rune
	var failure error
	for _, s := range separators {
		header, _, err := newScanner(path, b, s.char, firstRow, o).next()
		if err != nil && !errors.Is(err, io.EOF) {
			if bytes.ContainsRune(b, s.char) {
				failure = cmpError(failure, err)
			}
			continue
		}
		if len(header) < 2 {
			continue
		}
		if err := newScanner(path, b, s.char, firstRow, o).check(); err != nil {
			fails, failed, failure = append(fails, s.name), s.char, err
			continue
		}
		fits, fit = append(fits, s.name), s.char
	}
	switch {
	case len(fits) == 1:
		return fit, nil
	case len(fits) == 0 && len(fails) == 1:
		return failed, failure
	case len(fits) == 0 && len(fails) == 0 && failure != nil:
		return 0, failure
	case len(fits)+len(fails) == 0:
		return 0, &problem.Error{
			What: "no columns found", File: path, Row: firstRow,
			Expected: "a header with names separated by comma, semicolon or tab", Found: "one column or none",
			Try: "save the table as CSV UTF-8 or .xlsx",
		}
	}
	return 0, &problem.Error{
		What: "the separator is not clear", File: path,
		Expected: "one of comma, semicolon and tab that gives every row the header's number of columns",
		Found:    "it could be " + strings.Join(append(fits, fails...), " or "),
		Try:      `put cells that hold a separator in double quotes, or add a first line "sep=,"`,
	}
}

// cmpError keeps the first error that was met.
func cmpError(first, next error) error {
	if first != nil {
		return first
	}
	return next
}

// scanner walks the records of delimited text and knows their row as a spreadsheet counts it.
type scanner struct {
	path     string
	r        *csv.Reader
	o        Options
	firstRow int
	inner    int // line breaks inside the quoted cells so far: they do not start a row
	cells    int
}

func newScanner(path string, b []byte, sep rune, firstRow int, o Options) *scanner {
	r := csv.NewReader(bytes.NewReader(b))
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = sep, -1, true
	return &scanner{path: path, r: r, o: o, firstRow: firstRow}
}

// next returns the next record, valid until the following call, and its row; io.EOF at the end.
func (s *scanner) next() ([]string, int, error) {
	record, err := s.r.Read()
	if errors.Is(err, io.EOF) {
		return nil, 0, io.EOF
	}
	if err != nil {
		var p *csv.ParseError
		row := 0
		if errors.As(err, &p) {
			row, err = p.StartLine-s.inner+s.firstRow-1, p.Err
		}
		return nil, 0, &problem.Error{
			What: "the row cannot be read", File: s.path, Row: row, Err: err,
			Try: `a cell that holds quotes must be quoted, with every inner quote doubled ("")`,
		}
	}
	line, _ := s.r.FieldPos(0)
	row := line - s.inner + s.firstRow - 1
	for _, cell := range record {
		s.inner += strings.Count(cell, "\n")
	}
	s.cells += len(record)
	if len(record) > s.o.MaxColumns || s.cells > s.o.MaxCells {
		return nil, 0, tooMany(s.path, row, s.o)
	}
	return record, row, nil
}

// check walks all records and reports the first whose width is not the header's.
func (s *scanner) check() error {
	header, _, err := s.next()
	if err != nil {
		return err
	}
	width := len(header)
	for {
		record, row, err := s.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(record) != width && !blank(record) {
			return ragged(s.path, row, width, len(record))
		}
	}
}

// all returns every record and its row.
func (s *scanner) all() (records [][]string, rows []int, err error) {
	s.r.ReuseRecord = false
	for {
		record, row, err := s.next()
		if errors.Is(err, io.EOF) {
			return records, rows, nil
		}
		if err != nil {
			return nil, nil, err
		}
		records, rows = append(records, record), append(rows, row)
	}
}

func tooMany(path string, row int, o Options) error {
	return &problem.Error{
		What: "the table is too large", File: path, Row: row,
		Expected: fmt.Sprintf("at most %d columns and %d cells", o.MaxColumns, o.MaxCells),
		Try:      "leave out columns that the study does not use",
	}
}

func ragged(path string, row, want, got int) error {
	return &problem.Error{
		What: "the row does not have the header's number of cells", File: path, Row: row,
		Expected: fmt.Sprintf("%d cells", want), Found: fmt.Sprintf("%d cells", got),
		Try: "look for a missing or an unquoted separator in this row",
	}
}
