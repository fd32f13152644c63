package study

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"sonotype/cohort"
	"sonotype/cohort/table"
	"sonotype/evaluate"
	"sonotype/internal/artifact"
	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/internal/stats"
	"sonotype/internal/suggest"
	"sonotype/report"
)

// SubgroupsPlan says in which subgroups the primary model is measured.
type SubgroupsPlan struct {
	By         []string  `yaml:"by" json:"by"`                   // device, age, size, subtype, or a clinical column
	Age        []float64 `yaml:"age" json:"age"`                 // bounds of the age bands, years
	Size       []float64 `yaml:"size" json:"size"`               // bounds of the size bands, mm
	SizeColumn string    `yaml:"size_column" json:"size_column"` // mm; "" = the outline's largest diameter
	ER         string    `yaml:"er" json:"er"`                   // columns of the receptors
	PR         string    `yaml:"pr" json:"pr"`
	HER2       string    `yaml:"her2" json:"her2"`
}

// The subgroup variables that the program makes itself.
const (
	byDevice  = "device"
	byAge     = "age"
	bySize    = "size"
	bySubtype = "subtype"
)

func defaultSubgroups() SubgroupsPlan {
	return SubgroupsPlan{By: []string{byDevice, byAge, bySize, bySubtype}, Age: []float64{40, 60}, Size: []float64{20, 50}, ER: "er", PR: "pr", HER2: "her2"}
}

func (s SubgroupsPlan) validate(bad complain) error {
	for key, bounds := range map[string][]float64{"subgroups.age": s.Age, "subgroups.size": s.Size} {
		for i, b := range bounds {
			if !(b > 0) || i > 0 && b <= bounds[i-1] {
				return bad(key, "ascending bounds above 0", bounds)
			}
		}
	}
	return nil
}

// subgroupParams is what subgroups.json depends on, besides what stage 07 reads.
func (p *Plan) subgroupParams() any { return []any{p.Subgroups, p.Columns.Age} }

const subgroupsFile = "subgroups.json"

// variable gives every unit a level.
type variable struct {
	name   string
	rule   string
	levels []string
	of     map[string]int // by unit; a unit that is not there has no level
}

// writeSubgroups measures the primary model in every subgroup of every set, at the threshold of all.
func (r *Run) writeSubgroups(out string, e *evaluation, tables *scoreTables) error {
	if err := r.readTestSets("evaluate", "the primary model by subgroup"); err != nil {
		return err
	}
	var result report.Subgroups
	variables, left, err := r.subgroupVariables()
	if err != nil {
		return err
	}
	result.LeftOut = left
	groups, err := r.setGroups()
	if err != nil {
		return err
	}
	for _, g := range groups {
		if g.centre != "" || len(variables) == 0 {
			continue
		}
		set := report.SubgroupSet{Set: g.name, Title: g.title}
		s := tables.scores[g.set][e.Primary]
		var p []num.Float
		for _, v := range variables {
			by, err := v.measure(s, float64(e.Thresholds[e.Primary]))
			if err != nil {
				return err
			}
			set.Variables = append(set.Variables, report.SubgroupVariable{Subgroups: by, Rule: v.rule})
			p = append(p, by.AUCs.P)
		}
		for i, adjusted := range evaluate.Holm(p) {
			set.Variables[i].AUCHolm = adjusted
		}
		result.Sets = append(result.Sets, set)
	}
	return artifact.WriteJSON(filepath.Join(out, subgroupsFile), result)
}

func (v variable) measure(s scored, threshold float64) (evaluate.Subgroups, error) {
	group := make([]int, len(s.units))
	for i, unit := range s.units {
		level, ok := v.of[unit]
		if !ok {
			level = -1
		}
		group[i] = level
	}
	return evaluate.BySubgroup(v.name, s.scores, s.labels, group, v.levels, threshold)
}

// subgroupVariables makes the plan's variables, and says which the study does not have.
func (r *Run) subgroupVariables() (out []variable, left []string, err error) {
	c, err := r.analysed()
	if err != nil {
		return nil, nil, err
	}
	images, err := r.images()
	if err != nil {
		return nil, nil, err
	}
	for _, name := range r.Plan.Subgroups.By {
		var v variable
		why := ""
		switch name {
		case byDevice:
			v = deviceVariable(images)
			if len(v.of) == 0 {
				why = "no device column"
			}
		case byAge:
			v, why = r.ageVariable(c)
		case bySize:
			v, why = r.sizeVariable(c, images)
		case bySubtype:
			v, why = r.subtypeVariable(c)
		default:
			if v, err = columnVariable(c, name); err != nil {
				return nil, nil, err
			}
		}
		if why == "" && len(v.present()) < 2 {
			why = "all units are alike"
		}
		if why != "" {
			left = append(left, name+": "+why)
			continue
		}
		out = append(out, v)
	}
	return out, left, nil
}

// present lists the levels that a unit has.
func (v variable) present() []int {
	levels := slices.Sorted(maps.Values(v.of))
	return slices.Compact(levels)
}

// deviceVariable is the device of a unit's images; a unit seen by several has none.
func deviceVariable(images []imageRow) variable {
	seen := map[string]string{}
	for _, im := range images {
		if d, ok := seen[im.Unit]; ok && d != im.Device {
			seen[im.Unit] = ""
			continue
		}
		seen[im.Unit] = im.Device
	}
	return textVariable(byDevice, "the device of the images; units imaged by several devices have no level", seen)
}

// textVariable makes levels of texts; an empty text is no level.
func textVariable(name, rule string, texts map[string]string) variable {
	v := variable{name: name, rule: rule, of: map[string]int{}}
	v.levels = slices.Compact(slices.Sorted(maps.Values(texts)))
	v.levels = slices.DeleteFunc(v.levels, func(s string) bool { return s == "" })
	for unit, text := range texts {
		if level, ok := slices.BinarySearch(v.levels, text); ok {
			v.of[unit] = level
		}
	}
	return v
}

// mostLevels is the largest number of values that a clinical column may have to be a subgroup variable.
const mostLevels = 12

// haveColumns is an error when a subgroup variable of the plan is neither made by the program nor a usable column.
func (s SubgroupsPlan) haveColumns(c *cohort.Cohort) error {
	for _, name := range s.By {
		if slices.Contains([]string{byDevice, byAge, bySize, bySubtype}, name) {
			continue
		}
		if _, err := columnVariable(c, name); err != nil {
			return err
		}
	}
	return nil
}

func columnVariable(c *cohort.Cohort, name string) (variable, error) {
	if !slices.Contains(c.Columns, name) {
		return variable{}, &problem.Error{What: "a subgroup variable is no column of the study", Expected: "device, age, size, subtype or a clinical column", Found: name, Try: suggestion(name, c.Columns)}
	}
	texts := map[string]string{}
	for _, u := range c.Units {
		texts[u.ID] = strings.TrimSpace(u.Clinical[name])
	}
	v := textVariable(name, "the column "+name, texts)
	if len(v.levels) > mostLevels {
		return v, &problem.Error{What: "a subgroup variable has too many values", Expected: fmt.Sprintf("at most %d", mostLevels), Found: fmt.Sprintf("%s: %d", name, len(v.levels)), Try: "give the table a column with the groups"}
	}
	return v, nil
}

func suggestion(name string, columns []string) string {
	if near := suggest.Close(name, columns); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return ""
}

// banded puts numbers into bands: below the first bound, between two, from the last on.
func banded(name, rule, unit string, bounds []float64, values map[string]float64) variable {
	v := variable{name: name, rule: rule, of: map[string]int{}}
	for i, b := range bounds {
		if i == 0 {
			v.levels = append(v.levels, fmt.Sprintf("under %g%s", b, unit))
		}
		if i+1 < len(bounds) {
			v.levels = append(v.levels, fmt.Sprintf("%g to under %g%s", b, bounds[i+1], unit))
		} else {
			v.levels = append(v.levels, fmt.Sprintf("%g%s or more", b, unit))
		}
	}
	for id, x := range values {
		if math.IsNaN(x) {
			continue
		}
		level := 0
		for level < len(bounds) && x >= bounds[level] {
			level++
		}
		v.of[id] = level
	}
	return v
}

// columnNamed finds a column by its name, whatever its case.
func columnNamed(c *cohort.Cohort, name string) (string, bool) {
	i := slices.IndexFunc(c.Columns, func(s string) bool { return strings.EqualFold(s, name) })
	if name == "" || i < 0 {
		return "", false
	}
	return c.Columns[i], true
}

// numbers reads a clinical column of every unit; what is no number is NaN.
func numbers(c *cohort.Cohort, column string) map[string]float64 {
	out := map[string]float64{}
	for _, u := range c.Units {
		x, err := table.Number(u.Clinical[column])
		if err != nil {
			x = math.NaN()
		}
		out[u.ID] = x
	}
	return out
}

func (r *Run) ageVariable(c *cohort.Cohort) (variable, string) {
	column, ok := columnNamed(c, "age")
	if r.Plan.Columns.Age != "" {
		column, ok = columnNamed(c, r.Plan.Columns.Age)
	}
	if !ok || len(r.Plan.Subgroups.Age) == 0 {
		return variable{}, "no age column"
	}
	return banded(byAge, "age in years", "", r.Plan.Subgroups.Age, numbers(c, column)), ""
}

// sizeVariable bands the largest diameter in mm: the column's, else that of the outline where the pixel size is known.
// Where it is known of no image, units are parted at the median area of the training outlines on the standardised image.
func (r *Run) sizeVariable(c *cohort.Cohort, images []imageRow) (variable, string) {
	s := r.Plan.Subgroups
	if s.SizeColumn != "" {
		column, ok := columnNamed(c, s.SizeColumn)
		if !ok {
			return variable{}, fmt.Sprintf("no column %q", s.SizeColumn)
		}
		return banded(bySize, "the column "+column, " mm", s.Size, numbers(c, column)), ""
	}
	diameter, area, known := map[string]float64{}, map[string]float64{}, false
	for _, im := range images {
		if mm := float64(im.Diameter); !math.IsNaN(mm) {
			diameter[im.Unit], known = max(diameter[im.Unit], mm), true
		}
		area[im.Unit] = max(area[im.Unit], float64(im.Area))
	}
	if known {
		return banded(bySize, "largest diameter of the outline", " mm", s.Size, diameter), ""
	}
	var train []float64
	taken := map[string]bool{}
	for _, im := range images {
		if im.Set == cohort.SetTrain && !taken[im.Unit] {
			train, taken[im.Unit] = append(train, area[im.Unit]), true
		}
	}
	slices.Sort(train)
	v := banded(bySize, "area of the outline on the standardised image, parted at the training median, since the size of a pixel is not known", "", []float64{stats.Quantile(train, 0.5)}, area)
	v.levels = []string{"smaller", "larger"}
	return v, ""
}

func (r *Run) subtypeVariable(c *cohort.Cohort) (variable, string) {
	s := r.Plan.Subgroups
	var columns []string
	for _, name := range []string{s.ER, s.PR, s.HER2} {
		column, ok := columnNamed(c, name)
		if !ok {
			return variable{}, "no column " + name
		}
		columns = append(columns, column)
	}
	var cells []string
	for _, u := range c.Units {
		cells = append(cells, u.Clinical[columns[2]])
	}
	scored := her2Scored(cells)
	v := variable{name: bySubtype, rule: "from the columns " + strings.Join(columns, ", "), levels: subtypes, of: map[string]int{}}
	for _, u := range c.Units {
		if k := subtype(hormoneStatus(u.Clinical[columns[0]]), hormoneStatus(u.Clinical[columns[1]]), her2Status(u.Clinical[columns[2]], scored)); k >= 0 {
			v.of[u.ID] = k
		}
	}
	return v, ""
}
