package cohort

import (
	"cmp"
	"maps"
	"slices"
)

// Count says how much of the cohort is somewhere.
type Count struct {
	Rows     int `json:"rows"`
	Images   int `json:"images"`
	Units    int `json:"units"`
	Patients int `json:"patients"`
	Positive int `json:"positive"` // units with the positive outcome
}

// FlowSource is what one table brought in.
type FlowSource struct {
	Name string `json:"name"`
	Count
}

// FlowStep is one reason of exclusion: the rows it took, and the images and patients that had no
// row left afterwards.
type FlowStep struct {
	Stage    string `json:"stage"`
	Reason   string `json:"reason"`
	Rows     int    `json:"rows"`
	Images   int    `json:"images"`
	Patients int    `json:"patients"`
}

// FlowSet is one set of the analysis.
type FlowSet struct {
	Set string `json:"set"`
	Count
	Centres []FlowCentre `json:"centres"`
}

// FlowCentre is one centre's part of a set.
type FlowCentre struct {
	Centre string `json:"centre"`
	Count
}

// Flow is the patient flow: what was read, what was left out and why, what is analysed.
type Flow struct {
	Sources  []FlowSource `json:"sources"`
	Read     Count        `json:"read"` // units and positives are known only for what is analysed
	Excluded []FlowStep   `json:"excluded"`
	Analysed Count        `json:"analysed"`
	Sets     []FlowSet    `json:"sets"`
}

// Flow counts from the rows read to the units analysed. Without splits (nil) it has no sets.
func (c *Cohort) Flow(s *Splits) Flow {
	var f Flow
	all := make([]int, len(c.Rows))
	for i := range all {
		all[i] = i
	}
	f.Read = c.countRows(all)
	for _, source := range c.Sources {
		rows := slices.DeleteFunc(slices.Clone(all), func(i int) bool { return c.Rows[i].Table != source.Path })
		f.Sources = append(f.Sources, FlowSource{source.Name, c.countRows(rows)})
	}
	f.Excluded = c.exclusionSteps()
	f.Analysed = c.countUnits(func(Unit) bool { return true })
	if s == nil {
		return f
	}
	for _, set := range Sets {
		inSet := func(u Unit) bool { a, ok := s.Of(u.Patient); return ok && a.Set == set }
		fs := FlowSet{Set: set, Count: c.countUnits(inSet)}
		if fs.Units == 0 {
			continue
		}
		for _, centre := range c.Centres() {
			if n := c.countUnits(func(u Unit) bool { return inSet(u) && u.Centre == centre }); n.Units > 0 {
				fs.Centres = append(fs.Centres, FlowCentre{centre, n})
			}
		}
		f.Sets = append(f.Sets, fs)
	}
	return f
}

// Centres lists the centres of the units, sorted.
func (c *Cohort) Centres() []string {
	var out []string
	for _, u := range c.Units {
		if !slices.Contains(out, u.Centre) {
			out = append(out, u.Centre)
		}
	}
	slices.Sort(out)
	return out
}

// sample names the image of a row within its unit.
type sample struct{ patient, lesion, path string }

func (r Row) sample() sample { return sample{r.Patient, r.Lesion, r.ImagePath()} }

func (c *Cohort) countRows(rows []int) Count {
	n := Count{Rows: len(rows)}
	images, patients := make(map[sample]bool), make(map[string]bool)
	for _, i := range rows {
		r := c.Rows[i]
		if r.Image != "" {
			images[r.sample()] = true
		}
		if r.Patient != "" {
			patients[r.Patient] = true
		}
	}
	n.Images, n.Patients = len(images), len(patients)
	return n
}

func (c *Cohort) countUnits(in func(Unit) bool) Count {
	var n Count
	patients := make(map[string]bool)
	for _, u := range c.Units {
		if !in(u) {
			continue
		}
		n.Units++
		n.Positive += u.Label
		n.Images += len(u.Images)
		for _, i := range u.Images {
			n.Rows += len(c.Images[i].Masks)
		}
		patients[u.Patient] = true
	}
	n.Patients = len(patients)
	return n
}

// exclusionSteps groups the exclusions by stage, in the order of the line, and within a stage by
// reason, the most frequent first. An image or patient is counted where its last row went.
func (c *Cohort) exclusionSteps() []FlowStep {
	type key struct{ stage, reason string }
	rows := make(map[key][]int)
	imageRows, patientRows := make(map[sample]int), make(map[string]int)
	order := []string{StageCohort} // later stages in the order in which they dropped images
	for i, r := range c.Rows {
		imageRows[r.sample()]++
		patientRows[r.Patient]++
		if r.Reason != "" {
			rows[key{r.Stage, r.Reason}] = append(rows[key{r.Stage, r.Reason}], i)
		}
	}
	order = append(order, c.dropped...)
	keys := slices.SortedFunc(maps.Keys(rows), func(a, b key) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.stage), slices.Index(order, b.stage)),
			cmp.Compare(len(rows[b]), len(rows[a])), cmp.Compare(a.reason, b.reason))
	})
	var steps []FlowStep
	for _, k := range keys {
		step := FlowStep{Stage: k.stage, Reason: k.reason, Rows: len(rows[k])}
		for _, i := range rows[k] {
			r := c.Rows[i]
			if imageRows[r.sample()]--; imageRows[r.sample()] == 0 && r.Image != "" {
				step.Images++
			}
			if patientRows[r.Patient]--; patientRows[r.Patient] == 0 && r.Patient != "" {
				step.Patients++
			}
		}
		steps = append(steps, step)
	}
	return steps
}
