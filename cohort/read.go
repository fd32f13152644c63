package cohort

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"sonotype/cohort/table"
)

// Rules say how a table is read.
type Rules struct {
	Outcome     Outcome `json:"outcome" yaml:"outcome"`
	Sheet       string  `json:"sheet,omitempty" yaml:"sheet,omitempty"`               // XLSX sheet; default: the first
	IgnoreSplit bool    `json:"ignore_split,omitempty" yaml:"ignore_split,omitempty"` // do not use a split column
}

// Table is one study table: every row, those to be left out with their reason.
type Table struct {
	Path     string
	Hash     string // SHA-256 of the file
	Columns  []string
	Rows     []Row
	Findings []Finding
	outcomes []string // distinct outcome cells, for messages
}

// StageCohort is the stage name of the exclusions that the tables give rise to.
const StageCohort = "cohort"

// Reasons for leaving out a row.
const (
	ReasonOutcomeMissing = "outcome missing"
	ReasonOutcomeOutside = "outcome in neither class"
	ReasonNoImage        = "no image"
	ReasonNoMask         = "no mask"
	reasonInvalid        = "invalid row" // comes with an error finding, so it reaches no result
)

// Read reads one table. A table that cannot be understood as a whole is an error; what is wrong
// with single rows is among the table's findings.
func Read(path string, columns Columns, rules Rules) (*Table, error) {
	if rules.Outcome.Column != "" {
		columns.Outcome = rules.Outcome.Column
	}
	if err := rules.Outcome.Validate(); err != nil {
		return nil, err
	}
	raw, err := table.Read(path, table.Options{Sheet: rules.Sheet})
	if err != nil {
		return nil, err
	}
	l, err := columns.locate(raw)
	if err != nil {
		return nil, err
	}
	if rules.IgnoreSplit {
		l.split = -1
	}
	r := reader{raw: raw, at: l, outcome: rules.Outcome, seen: make(map[string]bool)}
	r.out = &Table{Path: path, Hash: raw.Hash}
	for _, j := range l.clinical {
		r.out.Columns = append(r.out.Columns, raw.Header[j])
	}
	if l.dfsMonths >= 0 && l.dfsEvent < 0 {
		r.add(SeverityError, EventMissing, -1, "", "the table has follow-up times but no column that says whether the event happened",
			"add the column dfs_event with 1 = recurrence or death, 0 = none until then")
	}
	for i := range raw.Rows {
		r.out.Rows = append(r.out.Rows, r.row(i))
	}
	return r.out, nil
}

// reader turns the rows of one raw table into rows of the cohort.
type reader struct {
	raw     *table.Table
	at      layout
	outcome Outcome
	out     *Table
	seen    map[string]bool // patient-level findings already reported
	patient string          // of the current row
}

// cell returns the cell of row i in column j; "" when the column or the value is missing.
func (r *reader) cell(i, j int) string {
	if j < 0 || table.Missing(r.raw.Rows[i][j]) {
		return ""
	}
	return r.raw.Rows[i][j]
}

func (r *reader) add(severity string, code Code, i int, patient, message, try string) {
	line := 1
	if i >= 0 {
		line = r.raw.Line[i]
	}
	r.out.Findings = append(r.out.Findings, Finding{Severity: severity, Code: code, File: r.raw.Path, Row: line, Patient: patient, Message: message, Try: try})
}

// addOnce reports what holds for the patient only in the first of the patient's rows.
func (r *reader) addOnce(severity string, code Code, i int, value, message, try string) {
	key := string(code) + "\x00" + r.patient + "\x00" + value
	if !r.seen[key] {
		r.seen[key] = true
		r.add(severity, code, i, r.patient, message, try)
	}
}

func (r *reader) row(i int) Row {
	a := &r.at
	r.patient = r.cell(i, a.patient)
	row := Row{
		Table: r.raw.Path, Line: r.raw.Line[i], Patient: r.patient,
		Lesion: r.cell(i, a.lesion), Reader: r.cell(i, a.reader),
		Image: slashes(r.cell(i, a.image)), Mask: slashes(r.cell(i, a.mask)),
		Centre: r.cell(i, a.centre), Device: r.cell(i, a.device),
		Outcome: math.NaN(), Label: -1,
		Clinical: make(map[string]string, len(a.clinical)),
	}
	for _, j := range a.clinical {
		row.Clinical[r.raw.Header[j]] = r.cell(i, j)
	}
	r.readOutcome(i, &row)
	r.checkPresence(i, &row)
	r.readPixel(i, &row)
	r.readFollowUp(i, &row)
	r.checkAge(i)
	r.checkMetastatic(i, row)
	row.Split = r.readSplit(i)
	row.Width, row.Height = r.readSide(i, a.width), r.readSide(i, a.height)
	if row.Reason != "" {
		row.Stage = StageCohort
	}
	return row
}

// slashes makes a path written on Windows readable everywhere.
func slashes(path string) string { return strings.ReplaceAll(path, `\`, "/") }

// quote shortens and quotes a cell for a message.
func quote(cell string) string {
	if c := []rune(cell); len(c) > 60 {
		cell = string(c[:57]) + "..."
	}
	return strconv.Quote(cell)
}

func (r *reader) readOutcome(i int, row *Row) {
	cell := r.cell(i, r.at.outcome)
	name := r.raw.Header[r.at.outcome]
	if cell == "" {
		row.Reason = ReasonOutcomeMissing
		r.add(SeverityWarning, OutcomeMissing, i, r.patient, "the outcome is missing: the row is left out", "fill in column "+quote(name))
		return
	}
	if len(r.out.outcomes) < 8 && !slices.Contains(r.out.outcomes, cell) {
		r.out.outcomes = append(r.out.outcomes, cell)
	}
	var err error
	row.Outcome, row.Label, err = r.outcome.label(cell)
	switch {
	case err != nil:
		row.Reason = reasonInvalid
		r.add(SeverityError, OutcomeInvalid, i, r.patient, "the outcome cannot be used: "+err.Error(),
			"set `outcome: {column: ..., cutoff: ...}` for a number or `positive: [...]` for a category in study.yaml")
	case row.Label < 0:
		row.Reason = ReasonOutcomeOutside
		r.add(SeverityNote, OutcomeOutside, i, r.patient, "the outcome "+quote(cell)+" is neither positive nor negative: the row is left out", "")
	}
}

// checkPresence finds the cells that a row cannot do without.
func (r *reader) checkPresence(i int, row *Row) {
	leaveOut := func(reason string) {
		if row.Reason == "" {
			row.Reason = reason
		}
	}
	if row.Patient == "" {
		leaveOut(reasonInvalid)
		r.add(SeverityError, PatientMissing, i, "", "the patient id is missing", "fill in column "+quote(r.raw.Header[r.at.patient])+" in every row")
	}
	if row.Centre == "" {
		leaveOut(reasonInvalid)
		r.add(SeverityError, CentreMissing, i, row.Patient, "the centre is missing", "fill in column "+quote(r.raw.Header[r.at.centre])+" in every row")
	}
	if row.Image == "" {
		leaveOut(ReasonNoImage)
		r.add(SeverityWarning, ImageCellMissing, i, row.Patient, "the row names no image: it is left out", "")
	}
	if row.Mask == "" {
		leaveOut(ReasonNoMask)
		r.add(SeverityWarning, MaskCellMissing, i, row.Patient, "the row names no mask: it is left out", "draw the region of interest, or ignore this if there is no lesion")
	}
}

// number reads an optional number; NaN when it is missing or, with a finding, when it is invalid.
func (r *reader) number(i, column int, severity string) float64 {
	cell := r.cell(i, column)
	if cell == "" {
		return math.NaN()
	}
	v, err := table.Number(cell)
	if err != nil {
		r.addOnce(severity, NumberInvalid, i, cell, "column "+quote(r.raw.Header[column])+": "+err.Error(), "write a number, or leave the cell empty")
	}
	return v
}

// Plausible pixel sizes of breast ultrasound, in mm.
const minPixelMM, maxPixelMM = 0.01, 1.0

func (r *reader) readPixel(i int, row *Row) {
	row.PixelMM = r.number(i, r.at.pixel, SeverityError)
	switch v := row.PixelMM; {
	case v <= 0:
		r.add(SeverityError, PixelImpossible, i, r.patient, fmt.Sprintf("the pixel size %g mm is impossible", v), "leave the cell empty when the size is unknown")
	case v < minPixelMM || v > maxPixelMM:
		r.add(SeverityWarning, PixelImpossible, i, r.patient, fmt.Sprintf("the pixel size %g mm is outside %g to %g mm", v, minPixelMM, maxPixelMM),
			"pixel_mm is in millimetres a pixel; was it given in cm, or as pixels a mm?")
	}
}

// maxFollowUp is the longest follow-up, in months, that is believed.
const maxFollowUp = 720

func (r *reader) readFollowUp(i int, row *Row) {
	row.DFSMonths, row.DFSEvent = r.number(i, r.at.dfsMonths, SeverityError), -1
	cell := r.cell(i, r.at.dfsEvent)
	switch v, err := table.Number(cell); {
	case cell == "":
	case err != nil || (v != 0 && v != 1):
		r.addOnce(SeverityError, EventInvalid, i, cell, "the event flag "+quote(cell)+" is neither 0 nor 1", "1 = recurrence or death, 0 = none until dfs_months")
		return
	default:
		row.DFSEvent = int(v)
	}
	months := row.DFSMonths
	value := strconv.FormatFloat(months, 'g', -1, 64)
	switch {
	case months < 0 || months > maxFollowUp:
		r.addOnce(SeverityError, TimeImpossible, i, value, "the follow-up time "+value+" months is impossible",
			"dfs_months are the months from surgery to the first recurrence, death or the last visit")
	case !math.IsNaN(months) && row.DFSEvent < 0 && r.at.dfsEvent >= 0:
		r.addOnce(SeverityError, EventMissing, i, value, "a follow-up time without an event flag", "set dfs_event to 1 = recurrence or death, 0 = none until then")
	case math.IsNaN(months) && row.DFSEvent >= 0 && r.cell(i, r.at.dfsMonths) == "":
		r.addOnce(SeverityWarning, TimeMissing, i, cell, "an event flag without a follow-up time: not in the survival analysis", "")
	}
}

func (r *reader) checkAge(i int) {
	age := r.number(i, r.at.age, SeverityWarning)
	value := strconv.FormatFloat(age, 'g', -1, 64)
	switch {
	case age < 0 || age > 120:
		r.addOnce(SeverityError, AgeImpossible, i, value, "the age "+value+" is impossible", "leave the cell empty when the age is unknown")
	case age < 18:
		r.addOnce(SeverityWarning, AgeMinor, i, value, "the patient is "+value+" years old: not an adult", "check the inclusion criteria")
	}
}

var m1 = regexp.MustCompile(`^(?i:[cp]?m?)1[a-zA-Z]?$`)

// checkMetastatic: who has distant metastases at the start was never free of disease.
func (r *reader) checkMetastatic(i int, row Row) {
	if stage := r.cell(i, r.at.mStage); m1.MatchString(stage) && !math.IsNaN(row.DFSMonths) {
		r.addOnce(SeverityWarning, Metastatic, i, stage, "stage "+quote(stage)+" with disease-free survival: an M1 patient has no disease-free start",
			"clear dfs_months and dfs_event of M1 patients, or analyse overall survival instead")
	}
}

// readSplit reads the table's own split; the usual longer names are understood.
func (r *reader) readSplit(i int) string {
	cell := r.cell(i, r.at.split)
	switch strings.ToLower(strings.NewReplacer("_", " ", "-", " ").Replace(cell)) {
	case "":
		return ""
	case "train", "training":
		return SetTrain
	case "internal", "internal test":
		return SetInternal
	case "external", "external test":
		return SetExternal
	}
	r.addOnce(SeverityError, SplitInvalid, i, cell, "the split "+quote(cell)+" is unknown",
		"write train, internal or external; or name another column under `columns: {split: ...}`")
	return ""
}

// readSide reads an image's width or height; 0 when the table does not say.
func (r *reader) readSide(i, column int) int {
	v := r.number(i, column, SeverityWarning)
	if v >= 1 && v <= 1e6 && v == math.Trunc(v) {
		return int(v)
	}
	return 0
}
