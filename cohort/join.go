package cohort

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"sonotype/internal/problem"
)

// Load reads and joins tables that share the columns and rules.
func Load(paths []string, columns Columns, rules Rules) (*Cohort, error) {
	tables := make([]*Table, len(paths))
	for i, p := range paths {
		var err error
		if tables[i], err = Read(p, columns, rules); err != nil {
			return nil, err
		}
	}
	return Join(tables)
}

// Join makes one cohort of the tables. The same patient id in tables of different centres names
// different people: then the ids of those tables get the table's name as a prefix. What is wrong
// with single rows, patients or units is among the cohort's findings (Err gives the first error).
func Join(tables []*Table) (*Cohort, error) {
	if len(tables) == 0 {
		return nil, &problem.Error{What: "the study names no cohort table", Try: "list at least one under `cohorts:` in study.yaml"}
	}
	seen := make(map[string]bool)
	for _, t := range tables {
		if p := filepath.Clean(t.Path); seen[p] {
			return nil, &problem.Error{What: "the table is listed twice", File: t.Path, Try: "list every table once under `cohorts:`"}
		} else {
			seen[p] = true
		}
	}
	c := &Cohort{}
	names, prefixed := tableNames(tables), clashing(tables)
	for i, t := range tables {
		prefix := ""
		if prefixed[i] {
			prefix = names[i] + ":"
		}
		c.Sources = append(c.Sources, Source{
			Path: t.Path, Name: names[i], Prefix: prefix, Hash: t.Hash,
			Rows: len(t.Rows), Patients: len(centresOf(t)), Main: mainCentre(t),
		})
		c.append(t, prefix)
	}
	c.group()
	c.findConflicts(tables)
	sortFindings(c.Findings)
	return c, nil
}

// append adds the table's rows, findings and clinical columns, with prefixed patient ids.
func (c *Cohort) append(t *Table, prefix string) {
	for _, r := range t.Rows {
		if r.Patient != "" {
			r.Patient = prefix + r.Patient
		}
		c.Rows = append(c.Rows, r)
	}
	for _, f := range t.Findings {
		if f.Patient != "" {
			f.Patient = prefix + f.Patient
		}
		c.Findings = append(c.Findings, f)
	}
	for _, name := range t.Columns {
		if !slices.Contains(c.Columns, name) {
			c.Columns = append(c.Columns, name)
		}
	}
}

// tableNames gives every table a short name of its own: its file's name, else its folder's, else
// its place in the list.
func tableNames(tables []*Table) []string {
	schemes := []func(i int) string{
		func(i int) string { b := filepath.Base(tables[i].Path); return strings.TrimSuffix(b, filepath.Ext(b)) },
		func(i int) string {
			abs, err := filepath.Abs(tables[i].Path)
			if err != nil {
				return ""
			}
			return filepath.Base(filepath.Dir(abs))
		},
		func(i int) string { return fmt.Sprintf("table%d", i+1) },
	}
	var names []string
	for _, scheme := range schemes {
		names = names[:0]
		for i := range tables {
			names = append(names, scheme(i))
		}
		if unique := slices.Compact(slices.Sorted(slices.Values(names))); len(unique) == len(tables) {
			break
		}
	}
	return names
}

// centresOf returns, by patient id, the centres that the table gives.
func centresOf(t *Table) map[string][]string {
	out := make(map[string][]string)
	for _, r := range t.Rows {
		if r.Patient != "" && !slices.Contains(out[r.Patient], r.Centre) {
			out[r.Patient] = append(out[r.Patient], r.Centre)
		}
	}
	return out
}

// clashing marks the tables that share a patient id while no centre of that patient is the same.
func clashing(tables []*Table) []bool {
	centres := make([]map[string][]string, len(tables))
	for i, t := range tables {
		centres[i] = centresOf(t)
	}
	marked := make([]bool, len(tables))
	for i := range tables {
		for j := range i {
			for id, here := range centres[i] {
				there, ok := centres[j][id]
				if ok && !slices.ContainsFunc(here, func(c string) bool { return slices.Contains(there, c) }) {
					marked[i], marked[j] = true, true
					break
				}
			}
		}
	}
	return marked
}

// mainCentre is the centre with the most patients, the first by name among equals.
func mainCentre(t *Table) string {
	count := make(map[string]int)
	for _, centres := range centresOf(t) {
		for _, c := range centres {
			count[c]++
		}
	}
	best := ""
	for _, c := range slices.Sorted(maps.Keys(count)) {
		if c != "" && (best == "" || count[c] > count[best]) {
			best = c
		}
	}
	return best
}

// group builds the units and images of the rows that are used. It keeps the first row where rows
// contradict each other: findConflicts reports those as errors.
func (c *Cohort) group() {
	order := make([]int, 0, len(c.Rows))
	for i := range c.Rows {
		if c.Rows[i].Reason == "" {
			order = append(order, i)
		}
	}
	path := make(map[int]string, len(order))
	for _, i := range order {
		path[i] = c.Rows[i].ImagePath()
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := &c.Rows[i], &c.Rows[j]
		return cmp.Or(cmp.Compare(unitID(*a), unitID(*b)), cmp.Compare(a.Lesion, b.Lesion), cmp.Compare(path[i], path[j]),
			cmp.Compare(a.Reader, b.Reader), cmp.Compare(a.Mask, b.Mask), cmp.Compare(a.Table, b.Table), cmp.Compare(a.Line, b.Line))
	})
	c.Units, c.Images = nil, nil
	for _, i := range order {
		r := &c.Rows[i]
		if n := len(c.Units); n == 0 || c.Units[n-1].Patient != r.Patient || c.Units[n-1].Lesion != r.Lesion {
			c.Units = append(c.Units, newUnit(*r))
		}
		u := len(c.Units) - 1
		c.Units[u].merge(*r)
		if n := len(c.Images); n == 0 || c.Images[n-1].Unit != u || c.Images[n-1].Path != path[i] {
			c.Units[u].Images = append(c.Units[u].Images, n)
			c.Images = append(c.Images, Image{
				Unit: u, Patient: r.Patient, Name: r.Image, Path: path[i],
				Centre: r.Centre, Device: r.Device, PixelMM: r.PixelMM,
			})
		}
		m := &c.Images[len(c.Images)-1]
		m.Masks = append(m.Masks, Mask{Reader: r.Reader, Name: r.Mask, Path: r.MaskPath(), Row: i})
	}
}

func unitID(r Row) string {
	if r.Lesion == "" {
		return r.Patient
	}
	return r.Patient + "#" + r.Lesion
}

func newUnit(r Row) Unit {
	return Unit{
		ID: unitID(r), Patient: r.Patient, Lesion: r.Lesion, Centre: r.Centre, Label: r.Label, Outcome: r.Outcome,
		DFSMonths: r.DFSMonths, DFSEvent: r.DFSEvent, Clinical: maps.Clone(r.Clinical),
	}
}

// merge fills what the unit does not know yet.
func (u *Unit) merge(r Row) {
	if math.IsNaN(u.DFSMonths) {
		u.DFSMonths, u.DFSEvent = r.DFSMonths, r.DFSEvent
	}
	for name, v := range r.Clinical {
		if u.Clinical[name] == "" {
			u.Clinical[name] = v
		}
	}
}
