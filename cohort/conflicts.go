package cohort

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// findConflicts reports rows that contradict each other about a patient, a unit or an image.
func (c *Cohort) findConflicts(tables []*Table) {
	c.patientConflicts()
	c.unitConflicts()
	c.followUpConflicts()
	c.imageConflicts()
	c.clinicalDifferences()
	c.oneOutcome(tables)
}

func (c *Cohort) add(severity string, code Code, r Row, message, try string) {
	c.Findings = append(c.Findings, Finding{Severity: severity, Code: code, File: r.Table, Row: r.Line, Patient: r.Patient, Message: message, Try: try})
}

// where names another row for a message about row r.
func where(r, other Row) string {
	if r.Table == other.Table {
		return fmt.Sprintf("row %d", other.Line)
	}
	return fmt.Sprintf("%s row %d", other.Table, other.Line)
}

// patientConflicts: one centre, one split, and lesion ids in all rows of a patient or in none.
// Rows that are left out count too, since a patient in two centres is an error of the table.
func (c *Cohort) patientConflicts() {
	first := make(map[string]Row)
	reported := make(map[string]bool)
	once := func(code Code, r Row, message, try string) {
		if key := string(code) + "\x00" + r.Patient; !reported[key] {
			reported[key] = true
			c.add(SeverityError, code, r, message, try)
		}
	}
	for _, r := range c.Rows {
		f, ok := first[r.Patient]
		if !ok {
			if r.Patient != "" {
				first[r.Patient] = r
			}
			continue
		}
		if r.Centre != "" && f.Centre != "" && r.Centre != f.Centre {
			once(CentreConflict, r, fmt.Sprintf("the patient is in two centres: %s here and %s in %s", quote(r.Centre), quote(f.Centre), where(r, f)),
				"give different people different ids; a patient seen in both centres belongs to one of them")
		}
		if r.Split != f.Split {
			once(SplitConflict, r, fmt.Sprintf("the patient is in two sets: %s here and %s in %s", quote(r.Split), quote(f.Split), where(r, f)),
				"put all rows of a patient in the same set")
		}
		if (r.Lesion == "") != (f.Lesion == "") {
			once(LesionMissing, r, "some rows of the patient have a lesion id and some have none: "+where(r, f)+" differs",
				"fill in lesion_id in all rows of the patient, or in none")
		}
	}
}

// unitConflicts: one outcome a unit, and ids that cannot be confused.
func (c *Cohort) unitConflicts() {
	for i, u := range c.Units {
		if i > 0 && c.Units[i-1].ID == u.ID {
			c.add(SeverityError, UnitAmbiguous, c.firstRow(u), "the lesion's id "+quote(u.ID)+" is also that of another patient or lesion", `do not use "#" in patient ids`)
		}
		f := c.firstRow(u)
		for _, r := range c.rowsOf(u) {
			if r.Label != f.Label || r.Outcome != f.Outcome {
				c.add(SeverityError, OutcomeConflict, r, fmt.Sprintf("different outcomes for one unit of analysis (%s): %g here and %g in %s", u.ID, r.Outcome, f.Outcome, where(r, f)),
					"one outcome a patient, or a lesion_id for each lesion")
				break
			}
		}
	}
}

// followUpConflicts: one follow-up a patient, all lesions together.
func (c *Cohort) followUpConflicts() {
	first := make(map[string]Row)
	reported := make(map[string]bool)
	for _, u := range c.Units {
		for _, r := range c.rowsOf(u) {
			f, known := first[u.Patient]
			switch {
			case math.IsNaN(r.DFSMonths):
			case !known:
				first[u.Patient] = r
			case !reported[u.Patient] && (r.DFSMonths != f.DFSMonths || r.DFSEvent != f.DFSEvent):
				reported[u.Patient] = true
				c.add(SeverityError, FollowUpConflict, r, fmt.Sprintf("different follow-up for one patient: %g months, event %d here and %g months, event %d in %s",
					r.DFSMonths, r.DFSEvent, f.DFSMonths, f.DFSEvent, where(r, f)), "one dfs_months and dfs_event a patient")
			}
		}
	}
}

// rowsOf returns the unit's rows in the order of its images and readers.
func (c *Cohort) rowsOf(u Unit) []Row {
	var rows []Row
	for _, i := range u.Images {
		for _, m := range c.Images[i].Masks {
			rows = append(rows, c.Rows[m.Row])
		}
	}
	return rows
}

func (c *Cohort) firstRow(u Unit) Row { return c.Rows[c.Images[u.Images[0]].Masks[0].Row] }

// imageConflicts: a reader reads an image once, and all readers see the same device and pixel size.
func (c *Cohort) imageConflicts() {
	for _, m := range c.Images {
		f := c.Rows[m.Masks[0].Row]
		for k, mask := range m.Masks[1:] {
			r, before := c.Rows[mask.Row], c.Rows[m.Masks[k].Row]
			if r.Reader == before.Reader {
				c.add(SeverityError, RowRepeated, r, fmt.Sprintf("image %s of reader %s stands in two rows: here and in %s", quote(m.Name), quote(r.Reader), where(r, before)),
					"delete one of the rows, or tell the readers apart in the column reader")
			}
			if r.Device != f.Device || !same(r.PixelMM, f.PixelMM) {
				c.add(SeverityError, ImageConflict, r, fmt.Sprintf("image %s has another device or pixel size than in %s", quote(m.Name), where(r, f)),
					"all readers' rows of an image need the same device and pixel_mm")
			}
		}
	}
}

// same compares two values that may be unknown.
func same(a, b float64) bool { return a == b || (math.IsNaN(a) && math.IsNaN(b)) }

// clinicalDifferences notes the columns for which a unit takes the first of several values.
func (c *Cohort) clinicalDifferences() {
	for _, name := range c.Columns {
		n, first, example := 0, Row{}, ""
		for _, u := range c.Units {
			for _, r := range c.rowsOf(u) {
				if v := r.Clinical[name]; v != "" && v != u.Clinical[name] {
					if n == 0 {
						first, example = r, fmt.Sprintf("%s and %s", quote(u.Clinical[name]), quote(v))
					}
					n++
					break
				}
			}
		}
		if n > 0 {
			c.add(SeverityNote, ClinicalDiffers, first, fmt.Sprintf("column %s has several values within %d units of analysis (here %s): the first is used", quote(name), n, example), "")
		}
	}
}

// oneOutcome: two classes are needed.
func (c *Cohort) oneOutcome(tables []*Table) {
	var count [2]int
	for _, u := range c.Units {
		count[u.Label]++
	}
	if count[0] > 0 && count[1] > 0 {
		return
	}
	var cells []string
	for _, t := range tables {
		for _, o := range t.outcomes {
			if q := quote(o); len(cells) < 8 && !slices.Contains(cells, q) {
				cells = append(cells, q)
			}
		}
	}
	message := fmt.Sprintf("%d units of analysis are positive and %d negative: both are needed", count[1], count[0])
	if len(cells) > 0 {
		message += "; the outcome column holds " + strings.Join(cells, ", ")
	}
	c.add(SeverityError, OneOutcome, Row{Table: tables[0].Path}, message, "check `outcome:` (column, cutoff or positive values) in study.yaml")
}
