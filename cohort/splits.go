package cohort

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"sonotype/internal/problem"
	"sonotype/internal/rng"
	"sonotype/internal/suggest"
)

// Sets of patients.
const (
	SetTrain    = "train"
	SetInternal = "internal" // internal test: the rest of the development centre
	SetExternal = "external" // external test: the other centres
)

// Sets lists the sets in the order in which they are shown.
var Sets = []string{SetTrain, SetInternal, SetExternal}

// SplitConfig says how patients are divided. The zero value is the default.
type SplitConfig struct {
	Development   string  `json:"development"`    // centre that is split; default: the first table's largest
	LeaveOut      string  `json:"leave_out"`      // or: every centre but this one is split together, whatever the table says
	TrainFraction float64 `json:"train_fraction"` // of the development patients; default 0.7
	Folds         int     `json:"folds"`          // of the training patients; default 5
}

// Assignment is one patient's place.
type Assignment struct {
	Patient string `json:"patient_id"`
	Set     string `json:"set"`
	Fold    int    `json:"fold"` // 0 to folds-1 for training patients, -1 for others
}

// Splits is the frozen division of the patients.
type Splits struct {
	Source        string       `json:"source"`             // "random" or "column"
	Development   string       `json:"development"`        // the centre that was split; "" for a column
	LeftOut       string       `json:"left_out,omitempty"` // the centre that was not, all others being split
	TrainFraction float64      `json:"train_fraction"`     // asked for; 0 for a column
	Folds         int          `json:"folds"`
	Seed          uint64       `json:"seed"`
	Hash          string       `json:"sha256"` // of splits.csv
	Patients      []Assignment `json:"-"`      // sorted by patient
}

// Split divides the patients of the cohort: by the table's split column where it has one, else the
// development centre (or all centres but one) at random, stratified by outcome, and all other centres external. Training
// patients get folds, stratified too. All lesions and images of a patient go together; a patient
// with any positive unit counts as positive. The order of the rows has no influence.
func Split(c *Cohort, config SplitConfig, seed uint64) (*Splits, error) {
	if err := c.Err(); err != nil {
		return nil, err
	}
	config, err := config.withDefaults(c)
	if err != nil {
		return nil, err
	}
	people := c.people()
	s := &Splits{Folds: config.Folds, Seed: seed}
	if config.LeaveOut == "" && slices.ContainsFunc(people, func(p person) bool { return p.split != "" }) {
		err = s.fromColumn(people)
	} else {
		s.Development, s.LeftOut, s.TrainFraction = config.Development, config.LeaveOut, config.TrainFraction
		err = s.random(people, config, seed)
	}
	if err != nil {
		return nil, err
	}
	if err := s.addFolds(people, seed); err != nil {
		return nil, err
	}
	s.Hash = hashBytes(s.csv())
	return s, nil
}

func (c SplitConfig) withDefaults(cohort *Cohort) (SplitConfig, error) {
	if c.TrainFraction == 0 {
		c.TrainFraction = 0.7
	}
	if c.Folds == 0 {
		c.Folds = 5
	}
	switch {
	case c.LeaveOut != "":
		c.Development = ""
	case c.Development == "" && len(cohort.Sources) > 0:
		c.Development = cohort.Sources[0].Main
	}
	switch {
	case !(c.TrainFraction > 0 && c.TrainFraction <= 1):
		return c, &problem.Error{What: "the training fraction is impossible", Expected: "more than 0, at most 1", Found: strconv.FormatFloat(c.TrainFraction, 'g', -1, 64)}
	case c.Folds < 2:
		return c, &problem.Error{What: "the number of folds is impossible", Expected: "2 or more", Found: strconv.Itoa(c.Folds)}
	}
	return c, nil
}

// person is what the split needs to know about a patient.
type person struct {
	id, centre, split string
	label             int // 1 when any unit is positive
}

// people returns the patients with at least one unit, sorted by id.
func (c *Cohort) people() []person {
	byID := make(map[string]person)
	for _, u := range c.Units {
		p, ok := byID[u.Patient]
		if !ok {
			p = person{id: u.Patient, centre: u.Centre, split: c.firstRow(u).Split}
		}
		p.label = max(p.label, u.Label)
		byID[u.Patient] = p
	}
	return slices.SortedFunc(maps.Values(byID), func(a, b person) int { return cmp.Compare(a.id, b.id) })
}

// fromColumn takes the table's own sets.
func (s *Splits) fromColumn(people []person) error {
	s.Source = "column"
	for _, p := range people {
		if p.split == "" {
			return &problem.Error{What: "the patient has no set, though others have one", Patient: p.id,
				Try: "fill in the split column for every patient, or drop the column (ignore_split: true)"}
		}
		s.Patients = append(s.Patients, Assignment{p.id, p.split, -1})
	}
	return nil
}

// random splits the development centre.
func (s *Splits) random(people []person, config SplitConfig, seed uint64) error {
	s.Source = "random"
	var ids []string
	var labels []int
	for _, p := range people {
		if config.develops(p.centre) {
			ids, labels = append(ids, p.id), append(labels, p.label)
		}
	}
	if config.LeaveOut != "" && len(ids) == len(people) {
		return noSuchCentre(people, config.LeaveOut, "split.leave_out")
	}
	if len(ids) == 0 {
		return noSuchCentre(people, config.Development, "development")
	}
	train := make(map[string]bool)
	for _, i := range Sample(labels, config.TrainFraction, rng.Stream(seed, "splits")) {
		train[ids[i]] = true
	}
	for _, p := range people {
		set := SetExternal
		if config.develops(p.centre) {
			set = SetInternal
			if train[p.id] {
				set = SetTrain
			}
		}
		s.Patients = append(s.Patients, Assignment{p.id, set, -1})
	}
	return nil
}

// develops says whether a centre's patients are split into training and internal test.
func (c SplitConfig) develops(centre string) bool {
	if c.LeaveOut != "" {
		return centre != c.LeaveOut
	}
	return centre == c.Development
}

func noSuchCentre(people []person, want, key string) error {
	var centres []string
	for _, p := range people {
		if !slices.Contains(centres, p.centre) {
			centres = append(centres, p.centre)
		}
	}
	near := suggest.Nearest(want, centres, 5)
	for i := range near {
		near[i] = quote(near[i])
	}
	return &problem.Error{What: "no patient of the centre " + quote(want), Found: "centres " + strings.Join(near, ", "),
		Try: "set `" + key + ":` in study.yaml to one of these"}
}

// Sample draws round(fraction * n) of n = len(labels) positions, stratified: every class gets its
// proportional share, rounded down or up; what rounding leaves over goes to the largest remainders.
func Sample(labels []int, fraction float64, r *rand.Rand) []int {
	strata := byLabel(labels)
	n := roundHalfUp(fraction * float64(len(labels)))
	take := make([]int, len(strata))
	order := make([]int, len(strata))
	remainder := make([]float64, len(strata))
	left := n
	for k, members := range strata {
		share := float64(n) * float64(len(members)) / float64(len(labels))
		take[k] = int(share)
		remainder[k], order[k] = share-math.Floor(share), k
		left -= take[k]
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(remainder[b], remainder[a]) })
	for _, k := range order[:left] {
		take[k]++
	}
	var chosen []int
	for k, members := range strata {
		r.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		chosen = append(chosen, members[:take[k]]...)
	}
	return chosen
}

// roundHalfUp rounds; the small term undoes the error of products such as 0.7 * 45 = 31.499999999999996.
func roundHalfUp(x float64) int { return int(math.Floor(x + 0.5 + 1e-9)) }

// byLabel returns the positions of each class, classes in ascending order.
func byLabel(labels []int) [][]int {
	members := make(map[int][]int)
	for i, l := range labels {
		members[l] = append(members[l], i)
	}
	var strata [][]int
	for _, l := range slices.Sorted(maps.Keys(members)) {
		strata = append(strata, members[l])
	}
	return strata
}

func (s *Splits) addFolds(people []person, seed uint64) error {
	var at, labels []int
	for i, a := range s.Patients {
		if a.Set == SetTrain {
			at, labels = append(at, i), append(labels, people[i].label)
		}
	}
	folds, err := Folds(labels, s.Folds, seed, "splits", "folds")
	if err != nil {
		return err
	}
	for k, i := range at {
		s.Patients[i].Fold = folds[k]
	}
	return nil
}

// Folds assigns each of the patients, given by their labels in a fixed order (sorted ids), to one
// of k folds at random: folds differ by at most one in size, and in the number of every class.
// The stream names the random draws.
func Folds(labels []int, k int, seed uint64, stream ...string) ([]int, error) {
	strata := byLabel(labels)
	if len(strata) < 2 {
		return nil, &problem.Error{What: "the training patients are all of one class", Expected: "two classes", Found: fmt.Sprintf("%d patients", len(labels)),
			Try: "use another seed, a larger training fraction or a larger cohort"}
	}
	for _, members := range strata {
		if len(members) < k {
			return nil, &problem.Error{What: "too few training patients for the folds", Expected: fmt.Sprintf("at least %d of each class, one a fold", k),
				Found: fmt.Sprintf("%d of one class", len(members)), Try: "use fewer folds or a larger cohort"}
		}
	}
	r := rng.Stream(seed, stream...)
	folds := make([]int, len(labels))
	next := 0 // the next class starts where the last one stopped, which keeps the sizes even
	for _, members := range strata {
		r.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		for _, i := range members {
			folds[i] = next
			next = (next + 1) % k
		}
	}
	return folds, nil
}

// Of returns the patient's set and fold; ok is false for a patient that the splits do not know.
func (s *Splits) Of(patient string) (a Assignment, ok bool) {
	i, ok := slices.BinarySearchFunc(s.Patients, patient, func(a Assignment, id string) int { return cmp.Compare(a.Patient, id) })
	if !ok {
		return Assignment{Patient: patient, Fold: -1}, false
	}
	return s.Patients[i], true
}

// In returns the ids of the set's patients, sorted.
func (s *Splits) In(set string) []string {
	var ids []string
	for _, a := range s.Patients {
		if a.Set == set {
			ids = append(ids, a.Patient)
		}
	}
	return ids
}

// Covers checks that the splits place every patient of the cohort and know no other. Patients whose
// images were all dropped by a later stage may be left over when the cohort has exclusions.
func (s *Splits) Covers(c *Cohort) error {
	read := make(map[string]bool)
	for _, r := range c.Rows {
		read[r.Patient] = true
	}
	for _, u := range c.Units {
		if _, ok := s.Of(u.Patient); !ok {
			return &problem.Error{What: "the frozen splits do not know the patient", Patient: u.Patient, Try: "start a new run: the cohort has changed", Err: ErrTampered}
		}
	}
	for _, a := range s.Patients {
		if !read[a.Patient] {
			return &problem.Error{What: "the frozen splits name a patient that the cohort lacks", Patient: a.Patient, Try: "start a new run: the cohort has changed", Err: ErrTampered}
		}
	}
	return nil
}
