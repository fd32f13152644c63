package table

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"sonotype/internal/problem"
	"sonotype/internal/suggest"
)

const (
	maxUnzipped = 64 << 20  // bytes of all parts of a workbook
	maxElements = 2_000_000 // XML elements: what excelize holds in memory grows with them
	maxMarkup   = 1 << 20   // bytes between two ">": a cell holds 32,767 characters at most
)

// parseXLSX reads a sheet's raw cell values: numbers in full precision, dates as their serial
// number, booleans as 0 and 1. A formula without a stored value is an error, as is an error value.
func parseXLSX(path string, b []byte, o Options) (t *Table, err error) {
	// excelize may panic on a damaged workbook; the caller gets an error that names the file instead.
	defer func() {
		if r := recover(); r != nil {
			t, err = nil, badWorkbook(path, fmt.Errorf("damaged: %v", r))
		}
	}()
	s, err := scanParts(b)
	if err != nil {
		return nil, badWorkbook(path, err)
	}
	f, err := excelize.OpenReader(bytes.NewReader(b), excelize.Options{
		RawCellValue: true, UnzipSizeLimit: maxUnzipped, UnzipXMLSizeLimit: 16 << 20,
	})
	if err != nil {
		return nil, badWorkbook(path, err)
	}
	defer f.Close()
	sheet, err := chooseSheet(path, f, o.Sheet)
	if err != nil {
		return nil, err
	}
	if err := s.rejectPending(path, sheet); err != nil {
		return nil, err
	}
	raw, lines, err := sheetRows(path, f, sheet, o)
	if err != nil {
		return nil, err
	}
	if t, err = assemble(path, raw, lines, o); err != nil {
		return nil, err
	}
	t.Sheet = sheet
	return t, nil
}

func badWorkbook(path string, err error) error {
	return &problem.Error{
		What: "the workbook cannot be read", File: path, Err: err,
		Try: "open it in a spreadsheet program and save it again as .xlsx without a password, or as CSV UTF-8",
	}
}

func chooseSheet(path string, f *excelize.File, want string) (string, error) {
	names := f.GetSheetList()
	switch {
	case len(names) == 0:
		return "", badWorkbook(path, errors.New("it has no sheet"))
	case want == "":
		return names[0], nil
	case slices.Contains(names, want):
		return want, nil
	}
	return "", &problem.Error{
		What: "the workbook has no sheet " + strconv.Quote(want), File: path,
		Found: "sheets " + quoteList(suggest.Nearest(want, names, 5)), Try: "name one of these sheets",
	}
}

// sheetRows streams the sheet. Rows are padded to the header's width, since a sheet does not store
// empty cells at the end of a row.
func sheetRows(path string, f *excelize.File, sheet string, o Options) (raw [][]string, lines []int, err error) {
	rows, err := f.Rows(sheet)
	if err != nil {
		return nil, nil, badWorkbook(path, err)
	}
	defer rows.Close()
	width, cells := 0, 0
	for line := 1; rows.Next(); line++ {
		record, err := rows.Columns()
		if err != nil {
			return nil, nil, badWorkbook(path, fmt.Errorf("row %d: %w", line, err))
		}
		if blank(record) {
			continue
		}
		for j, c := range record {
			if isErrorValue(c) {
				return nil, nil, cellError(path, line, j, "the cell holds the error value "+c, "correct the formula or clear the cell")
			}
		}
		for len(record) > width && width > 0 && record[len(record)-1] == "" {
			record = record[:len(record)-1]
		}
		if width == 0 {
			width = len(record)
		}
		if len(record) > width {
			return nil, nil, cellError(path, line, len(record)-1, "the cell is outside the header's columns", "name the column in the header row, or clear the cell")
		}
		if cells += width; width > o.MaxColumns || cells > o.MaxCells {
			return nil, nil, tooMany(path, line, o)
		}
		raw = append(raw, append(record, make([]string, width-len(record))...))
		lines = append(lines, line)
	}
	if err := rows.Error(); err != nil {
		return nil, nil, badWorkbook(path, err)
	}
	return raw, lines, nil
}

// isErrorValue recognises spreadsheets' error values; #N/A means "no value" and is let through.
func isErrorValue(c string) bool {
	return slices.Contains([]string{"#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"}, c)
}

func cellError(path string, row, column int, what, try string) error {
	name, err := excelize.CoordinatesToCellName(column+1, row)
	if err != nil {
		name = fmt.Sprintf("column %d", column+1)
	}
	return &problem.Error{What: what, File: path, Row: row, Found: "cell " + name, Try: try}
}

// scan is what a first walk over the workbook's XML parts learns. It reads them as a stream, before
// anything holds them in memory: every part must be complete, and the number of elements is bounded.
type scan struct {
	budget  int               // elements that may still come
	sheets  map[string]string // sheet name -> relationship
	targets map[string]string // relationship -> part
	pending map[string]string // part -> its first formula cell without a value
}

func scanParts(b []byte) (*scan, error) {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, fmt.Errorf("not an .xlsx file: %w", err)
	}
	var size uint64
	for _, f := range z.File {
		if size += f.UncompressedSize64; f.UncompressedSize64 > maxUnzipped || size > maxUnzipped {
			return nil, fmt.Errorf("its parts unpack to more than %d MiB", maxUnzipped>>20)
		}
	}
	s := &scan{budget: maxElements, sheets: make(map[string]string), targets: make(map[string]string), pending: make(map[string]string)}
	for _, f := range z.File {
		switch strings.ToLower(path.Ext(f.Name)) {
		case ".xml", ".rels":
			if err := s.part(f); err != nil {
				return nil, fmt.Errorf("part %s: %w", shorten(f.Name), err)
			}
		}
	}
	return s, nil
}

// part walks one part.
func (s *scan) part(f *zip.File) error {
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	name := strings.TrimPrefix(f.Name, "/")
	var c cellState
	for d := xml.NewDecoder(&markupLimit{r: r}); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch e := token.(type) {
		case xml.StartElement:
			if s.budget--; s.budget < 0 {
				return fmt.Errorf("more than %d XML elements", maxElements)
			}
			s.index(name, e)
			c.open(e)
		case xml.EndElement:
			if cell := c.close(e.Name.Local); cell != "" && s.pending[name] == "" {
				s.pending[name] = cell
			}
		case xml.CharData:
			c.text(e)
		}
	}
}

// markupLimit refuses a single element or text of enormous size, which the decoder would hold whole.
type markupLimit struct {
	r   io.Reader
	run int // bytes since the last ">"
}

func (m *markupLimit) Read(b []byte) (int, error) {
	n, err := m.r.Read(b)
	if i := bytes.LastIndexByte(b[:n], '>'); i >= 0 {
		m.run = n - i - 1
	} else {
		m.run += n
	}
	if m.run > maxMarkup {
		return n, errors.New("an XML element or text of more than 1 MiB")
	}
	return n, err
}

// index notes which part holds which sheet.
func (s *scan) index(part string, e xml.StartElement) {
	switch {
	case part == "xl/workbook.xml" && e.Name.Local == "sheet":
		s.sheets[attribute(e, "name")] = attribute(e, "id")
	case part == "xl/_rels/workbook.xml.rels" && e.Name.Local == "Relationship":
		target := attribute(e, "Target")
		if !strings.HasPrefix(target, "/") {
			target = path.Join("xl", target)
		}
		s.targets[attribute(e, "Id")] = strings.TrimPrefix(target, "/")
	}
}

// rejectPending reports the sheet's first formula cell without a stored value; of any sheet, when
// the workbook is laid out so that the sheet's part is not known.
func (s *scan) rejectPending(file, sheet string) error {
	part, known := s.targets[s.sheets[sheet]]
	for _, p := range slices.Sorted(maps.Keys(s.pending)) {
		column, row, err := excelize.CellNameToCoordinates(s.pending[p])
		if err == nil && (p == part || !known) {
			return cellError(file, row, column-1, "the cell is a formula whose value is not stored",
				"open the workbook in a spreadsheet program and save it, or paste the values")
		}
	}
	return nil
}

// cellState follows the <c> elements of a sheet: a formula <f> needs a value <v>, which may be
// empty only where the cell's type says that the formula's result is text.
type cellState struct {
	row, column             int
	inValue                 bool
	formula, value, textual bool
}

func (s *cellState) open(e xml.StartElement) {
	switch e.Name.Local {
	case "row":
		s.row, s.column = s.row+1, 0
		if n, err := strconv.Atoi(attribute(e, "r")); err == nil {
			s.row = n
		}
	case "c":
		s.column++
		if column, row, err := excelize.CellNameToCoordinates(attribute(e, "r")); err == nil {
			s.column, s.row = column, row
		}
		s.formula, s.value, s.textual = false, false, attribute(e, "t") == "str"
	case "f":
		s.formula = true
	case "v":
		s.inValue, s.value = true, s.value || s.textual
	}
}

func (s *cellState) text(t xml.CharData) {
	if s.inValue && len(t) > 0 {
		s.value = true
	}
}

// close returns the cell's name when the element that ends is a formula cell without a value.
func (s *cellState) close(element string) string {
	switch element {
	case "v":
		s.inValue = false
	case "c":
		if s.formula && !s.value {
			s.formula = false
			if name, err := excelize.CoordinatesToCellName(s.column, s.row); err == nil {
				return name
			}
		}
	}
	return ""
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
