package study

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"sonotype/cohort"
	"sonotype/internal/rng"
)

// Parts of the training patients, as one pair of networks sees them.
const (
	partTrain   = "train"   // the network learns from them
	partHeldout = "heldout" // they choose the epoch; no gradient sees them
)

// division says who is who for one pair of networks: the final one, whose features every image gets, or that of a fold
// of cross-fitting, which does not know the fold's patients. A nil division is that of networks that learnt from nobody.
type division struct {
	fold int // the fold left out, or finalFit
	part map[string]string
}

// partRow is a row of split.csv.
type partRow struct {
	Patient string `csv:"patient_id"`
	Part    string `csv:"part"`
}

// networkDir is the folder of a pair of networks below those of stages 03 and 04.
func networkDir(fold int) string {
	if fold == finalFit {
		return ""
	}
	return fmt.Sprintf("cross-%d", fold)
}

// pairs lists the pairs of networks that the study trains, by the fold that they leave out.
func (p *Plan) pairs() []int {
	if !p.trains() {
		return nil
	}
	out := []int{finalFit}
	if p.crossfits() {
		for fold := range p.Split.Folds {
			out = append(out, fold)
		}
	}
	return out
}

// shared is the name of the one network for both regions.
const shared = "shared"

// networks lists the networks of a pair.
func (p *Plan) networks() []string {
	if p.Network.Train.Shared {
		return []string{shared}
	}
	return regions
}

// networkOf names the network that a region's features come from.
func (p *Plan) networkOf(region string) string {
	if p.Network.Train.Shared {
		return shared
	}
	return region
}

// divide draws the division of a pair: a share of the training patients outside its fold is held out, stratified by
// outcome; a patient with any positive lesion counts as positive.
func (r *Run) divide(images []imageRow, fold int) *division {
	positive := map[string]int{}
	for _, im := range images {
		if im.Set == cohort.SetTrain && im.Fold != fold {
			positive[im.Patient] = max(positive[im.Patient], im.Label)
		}
	}
	patients := slices.Sorted(maps.Keys(positive))
	labels := make([]int, len(patients))
	d := &division{fold: fold, part: map[string]string{}}
	for i, id := range patients {
		labels[i] = positive[id]
		d.part[id] = partTrain
	}
	for _, i := range cohort.Sample(labels, r.Plan.Network.Train.Heldout, rng.Stream(r.Plan.Seed, "network-split", fitName(fold))) {
		d.part[patients[i]] = partHeldout
	}
	return d
}

// rows are split.csv.
func (d *division) rows() []partRow {
	var out []partRow
	for _, id := range slices.Sorted(maps.Keys(d.part)) {
		out = append(out, partRow{id, d.part[id]})
	}
	return out
}

// division reads the division that stage 03 wrote; nil without training.
func (r *Run) division(fold int) (*division, error) {
	if !r.Plan.trains() {
		return nil, nil
	}
	rows, err := readCSV[partRow](filepath.Join(r.dir(3, "finetune"), networkDir(fold), "split.csv"))
	if err != nil {
		return nil, err
	}
	d := &division{fold: fold, part: map[string]string{}}
	for _, row := range rows {
		d.part[row.Patient] = row.Part
	}
	return d, nil
}

// learntFrom are the patients whose outcome has changed the networks' weights.
func (d *division) learntFrom() patientSet {
	s := patientSet{}
	if d == nil {
		return s
	}
	for id, part := range d.part {
		if part == partTrain {
			s[id] = true
		}
	}
	return s
}

// partCount counts a part of the training patients.
type partCount struct {
	Patients int `json:"patients"`
	Images   int `json:"images"`
	Positive int `json:"positive"` // patients
}

func (d *division) count(images []imageRow, part string) partCount {
	var n partCount
	positive := map[string]bool{}
	for _, im := range images {
		if d.part[im.Patient] == part {
			n.Images++
			positive[im.Patient] = positive[im.Patient] || im.Label == 1
		}
	}
	n.Patients = len(positive)
	for _, yes := range positive {
		if yes {
			n.Positive++
		}
	}
	return n
}
