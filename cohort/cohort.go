// Package cohort turns study tables into patients, units and images with an outcome, splits the
// patients into frozen sets and folds, and checks table and files; no image enters a split.
package cohort

import (
	"path/filepath"
	"slices"
)

// Row is one line of a table: one image read by one reader.
type Row struct {
	Table     string            `json:"table"`     // path of the table
	Line      int               `json:"line"`      // row in the table, the header being row 1
	Patient   string            `json:"patient"`   // after Join: with the table's prefix, where it needs one
	Lesion    string            `json:"lesion"`    // "" when the table has none
	Image     string            `json:"image"`     // as the table writes it
	Mask      string            `json:"mask"`      // as the table writes it
	Reader    string            `json:"reader"`    // "" when the table has none
	Centre    string            `json:"centre"`    //
	Device    string            `json:"device"`    //
	PixelMM   float64           `json:"-"`         // mm a pixel; NaN when unknown
	Outcome   float64           `json:"-"`         // the measured value; the label itself for a category; NaN when missing
	Label     int               `json:"label"`     // 1 = positive (high), 0 = negative, -1 = missing
	DFSMonths float64           `json:"-"`         // NaN when unknown
	DFSEvent  int               `json:"dfs_event"` // 1 = recurrence or death, 0 = censored, -1 = unknown
	Split     string            `json:"split"`     // the table's own split, "" when it has none
	Clinical  map[string]string `json:"clinical"`  // all columns without a role, age and M stage too; a missing value is ""
	Width     int               `json:"-"`         // pixels, as the table says; 0 when it does not
	Height    int               `json:"-"`
	Reason    string            `json:"reason,omitempty"` // why the row is left out; "" = it is used
	Stage     string            `json:"stage,omitempty"`  // the stage that left it out
}

// ImagePath is where the image lies: relative paths start at the table's folder.
func (r Row) ImagePath() string { return resolve(r.Table, r.Image) }

// MaskPath is where the mask lies: relative paths start at the table's folder.
func (r Row) MaskPath() string { return resolve(r.Table, r.Mask) }

func resolve(table, path string) string {
	path = filepath.FromSlash(path)
	if path == "" || filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(filepath.Dir(table), path)
}

// Exclusion is a row that is left out, and why; it appears in the flow diagram.
type Exclusion struct {
	Table   string `json:"table"` // the source's short name
	Line    int    `json:"line"`
	Patient string `json:"patient"`
	Image   string `json:"image"`
	Stage   string `json:"stage"`  // the stage that left it out: "cohort", "roi", ...
	Reason  string `json:"reason"` // the same words for the same reason, since reasons are counted
}

// Mask is one reader's mask of an image.
type Mask struct {
	Reader string `json:"reader"`
	Name   string `json:"name"` // as the table writes it
	Path   string `json:"-"`
	Row    int    `json:"row"` // index into Cohort.Rows
}

// Image is one sample: an image of one unit, with the masks of all its readers.
type Image struct {
	Unit    int     `json:"unit"` // index into Cohort.Units
	Patient string  `json:"patient"`
	Name    string  `json:"name"` // as the table writes it
	Path    string  `json:"-"`
	Centre  string  `json:"centre"`
	Device  string  `json:"device"`
	PixelMM float64 `json:"-"`     // mm a pixel; NaN when unknown
	Masks   []Mask  `json:"masks"` // by reader
}

// Readings returns the masks to use: the primary reader's where there is one, else all of them
// (the caller takes their majority), so that several readers never multiply samples.
func (m Image) Readings(primary string) []Mask {
	if primary != "" {
		if i := slices.IndexFunc(m.Masks, func(x Mask) bool { return x.Reader == primary }); i >= 0 {
			return m.Masks[i : i+1]
		}
	}
	return m.Masks
}

// Unit is the unit of analysis: the lesion where the table has lesions, else the patient.
type Unit struct {
	ID        string            `json:"id"` // the patient's id, or patient#lesion
	Patient   string            `json:"patient"`
	Lesion    string            `json:"lesion"`
	Centre    string            `json:"centre"`
	Label     int               `json:"label"`
	Outcome   float64           `json:"-"`
	DFSMonths float64           `json:"-"` // NaN when unknown
	DFSEvent  int               `json:"dfs_event"`
	Clinical  map[string]string `json:"clinical"` // the first known value of each column, in the order of the images
	Images    []int             `json:"images"`   // indices into Cohort.Images
}

// Source is a table that the cohort was read from.
type Source struct {
	Path     string `json:"-"`
	Name     string `json:"name"`   // short, unique among the sources
	Prefix   string `json:"prefix"` // put before its patient ids; "" when ids are unique as they are
	Hash     string `json:"sha256"`
	Rows     int    `json:"rows"`
	Patients int    `json:"patients"`
	Main     string `json:"main_centre"` // the centre with the most patients
}

// Cohort is what the tables say, grouped. Units are sorted by id and images by unit and path, so
// that the order of the tables' rows changes nothing downstream.
type Cohort struct {
	Sources  []Source  `json:"sources"`
	Columns  []string  `json:"columns"` // names of the clinical columns, in the tables' order
	Rows     []Row     `json:"-"`       // all rows, those left out too (Row.Reason)
	Units    []Unit    `json:"units"`
	Images   []Image   `json:"images"`
	Findings []Finding `json:"findings"` // what the tables alone show; Check adds what the files show
	dropped  []string  // the later stages that dropped images, in order
}

// Excluded lists the rows that are left out, in the order of the tables.
func (c *Cohort) Excluded() []Exclusion {
	name := make(map[string]string, len(c.Sources))
	for _, s := range c.Sources {
		name[s.Path] = s.Name
	}
	var out []Exclusion
	for _, r := range c.Rows {
		if r.Reason != "" {
			out = append(out, Exclusion{Table: name[r.Table], Line: r.Line, Patient: r.Patient, Image: r.Image, Stage: r.Stage, Reason: r.Reason})
		}
	}
	return out
}

// DropImages returns the cohort without the given images (index into Images -> reason), which a
// later stage could not use; a unit without images goes too. The reasons appear in the flow diagram.
func (c *Cohort) DropImages(stage string, reasons map[int]string) *Cohort {
	d := *c
	d.Rows = slices.Clone(c.Rows)
	if len(reasons) > 0 && !slices.Contains(c.dropped, stage) {
		d.dropped = append(slices.Clip(c.dropped), stage)
	}
	for i, reason := range reasons {
		for _, m := range c.Images[i].Masks {
			d.Rows[m.Row].Stage, d.Rows[m.Row].Reason = stage, reason
		}
	}
	d.group()
	return &d
}
