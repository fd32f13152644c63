package study

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"sonotype/densenet"
	"sonotype/evaluate"
	"sonotype/finetune"
	"sonotype/imaging"
	"sonotype/internal/artifact"
	"sonotype/internal/num"
	"sonotype/weights"
)

// Stage 03 trains the networks on the tumour and on the peritumoural area of a part of the training patients. Without
// epochs to train (network.train.epochs: 0) it only says so.
func finetuneStage() *stage {
	return &stage{
		number: 3, name: "finetune", version: 1,
		needs: []string{"roi"},
		params: func(p *Plan) any {
			if !p.trains() {
				return "off"
			}
			t := p.Network.Train
			t.FitOn = "" // whom selection and models learn from changes no network
			return []any{p.Network.Backbone, p.Network.Input, t, p.Outcome.Low, p.Outcome.High, p.Seed}
		},
		outside: func(_ context.Context, r *Run) (any, error) {
			if !r.Plan.trains() {
				return nil, nil
			}
			return r.startingPoint()
		},
		run:    runFinetune,
		sealed: func(r *Run) error { return os.RemoveAll(r.checkpoints()) },
	}
}

// finetuned is finetune.json.
type finetuned struct {
	Trained  bool             `json:"trained"`
	Note     string           `json:"note,omitempty"`
	Networks []trainedNetwork `json:"networks"`
}

// trainedNetwork says how one network was trained.
type trainedNetwork struct {
	Name        string       `json:"network"` // its weights are NAME.safetensors
	Region      string       `json:"region"`  // ta | pta | shared
	Fold        int          `json:"fold"`    // of cross-fitting, left out; -1: none
	Planned     int          `json:"planned"` // epochs
	Kept        int          `json:"kept"`    // epoch, from 1
	Stopped     bool         `json:"stopped"` // early
	Train       partCount    `json:"train"`
	Heldout     partCount    `json:"heldout"`
	Valid       evaluate.AUC `json:"heldout_auc"` // optimistic: it helped to choose the epoch
	Notes       []string     `json:"notes"`
	TensorsHash string       `json:"tensors_hash"`
	History     []historyRow `json:"-"` // in history.csv
}

// at is the kept epoch.
func (n trainedNetwork) at() finetune.Epoch { return n.History[n.Kept-1].Epoch }

// of lists the networks of the pair that leaves a fold out.
func (f *finetuned) of(fold int) []trainedNetwork {
	var out []trainedNetwork
	for _, n := range f.Networks {
		if n.Fold == fold {
			out = append(out, n)
		}
	}
	return out
}

// historyRow is a row of history.csv.
type historyRow struct {
	Network string `csv:"network"`
	finetune.Epoch
}

// checkpoints is the folder of unfinished trainings. It outlives the stage's folder, which every start empties.
func (r *Run) checkpoints() string { return filepath.Join(r.RunDir, checkpointDir) }

func runFinetune(ctx context.Context, r *Run, out string) error {
	if !r.Plan.trains() {
		return artifact.WriteJSON(filepath.Join(out, "finetune.json"), finetuned{Note: "network.train.epochs is 0: no network was trained", Networks: []trainedNetwork{}})
	}
	t, err := newTraining(r, out)
	if err != nil {
		return err
	}
	defer t.close()
	result := finetuned{Trained: true}
	var history []historyRow
	for _, d := range t.divisions {
		for _, name := range r.Plan.networks() {
			n, err := t.network(ctx, d, name)
			if err != nil {
				return err
			}
			result.Networks = append(result.Networks, n)
			history = append(history, n.History...)
		}
	}
	if err := writeCSV(filepath.Join(out, "history.csv"), history); err != nil {
		return err
	}
	return artifact.WriteJSON(filepath.Join(out, "finetune.json"), result)
}

// training is the stage at work.
type training struct {
	run         *Run
	out         string
	images      []imageRow
	crops       map[string]*cropFile
	start       *openedWeights
	divisions   []*division
	done, total int // images trained on in the networks before, in all networks
}

// newTraining divides the patients, for every pair of networks, before anything is trained.
func newTraining(r *Run, out string) (*training, error) {
	t := &training{run: r, out: out, crops: map[string]*cropFile{}}
	var err error
	if t.images, err = r.images(); err != nil {
		return nil, err
	}
	if t.start, err = r.openWeights(); err != nil {
		return nil, err
	}
	for _, fold := range r.Plan.pairs() {
		d := r.divide(t.images, fold)
		if err := writeCSV(filepath.Join(out, networkDir(fold), "split.csv"), d.rows()); err != nil {
			return nil, err
		}
		t.divisions = append(t.divisions, d)
		t.total += len(regions) * d.count(t.images, partTrain).Images * r.Plan.Network.Train.Epochs
	}
	for _, region := range regions {
		if t.crops[region], err = r.openCrops(region); err != nil {
			t.close()
			return nil, err
		}
	}
	return t, os.MkdirAll(r.checkpoints(), 0o755)
}

func (t *training) close() {
	for _, c := range t.crops {
		if c != nil {
			c.close()
		}
	}
}

// network trains one network of a pair and writes its weights with their card.
func (t *training) network(ctx context.Context, d *division, region string) (trainedNetwork, error) {
	p := &t.run.Plan
	name := path.Join(networkDir(d.fold), region)
	job := finetune.Job{
		Variant: densenet.Variant(p.Network.Backbone), Input: p.Network.Input, Start: t.start.tensors,
		Train: t.examples(d, region, partTrain), Valid: t.examples(d, region, partHeldout),
		Config: p.Network.Train.Config, Seed: p.Seed, Name: name, ISA: t.run.ISA, Workers: t.run.Jobs,
		Checkpoint: filepath.Join(t.run.checkpoints(), strings.ReplaceAll(name, "/", "-")+".safetensors"), Key: t.run.key,
	}
	work := len(job.Train)
	if n, ok, err := t.inherit(d, region); ok || err != nil {
		t.done += p.Network.Train.Epochs * work
		return n, err
	}
	job.Progress = func(s finetune.Progress) {
		t.run.Observer.Progress(t.done+(s.Epoch-1)*work+s.Done, t.total)
		t.run.Observer.Say(progressInWords(networkTitle(region, d.fold), s), s.Done == s.Images)
	}
	res, err := finetune.Train(ctx, job)
	if err != nil {
		return trainedNetwork{}, err
	}
	t.done += p.Network.Train.Epochs * work
	n := trainedNetwork{
		Name: name, Region: region, Fold: d.fold, Planned: p.Network.Train.Epochs, Kept: res.Kept, Stopped: res.Stopped,
		Train: d.count(t.images, partTrain), Heldout: d.count(t.images, partHeldout),
		Valid: res.Valid, Notes: append([]string{}, res.Notes...),
	}
	for _, e := range res.History {
		n.History = append(n.History, historyRow{name, e})
	}
	card, err := t.card(d, n)
	if err != nil {
		return n, err
	}
	card, err = weights.SaveTrained(filepath.Join(t.out, networkDir(d.fold)), region, res.Tensors, card)
	n.TensorsHash = card.TensorsHash
	return n, err
}

// regionsOf are the regions whose crops a network sees.
func regionsOf(network string) []string {
	if network == shared {
		return regions
	}
	return []string{network}
}

// examples are a part's crops: those of the region, or of both for the shared network.
func (t *training) examples(d *division, network, part string) []finetune.Example {
	var out []finetune.Example
	for _, region := range regionsOf(network) {
		for _, i := range where(t.images, func(im imageRow) bool { return d.part[im.Patient] == part }) {
			im := t.images[i]
			out = append(out, finetune.Example{Label: im.Label, Unit: im.Unit, Crop: func(dst *imaging.Gray) error { return t.crops[region].read(im, dst) }})
		}
	}
	return out
}

// card describes a network for whoever finds its weights.
func (t *training) card(d *division, n trainedNetwork) (weights.Card, error) {
	p := &t.run.Plan
	learnt := where(t.images, func(im imageRow) bool { return d.part[im.Patient] == partTrain })
	data, err := t.hash(n.Region, learnt)
	pre := weights.ImageNet
	pre.Size = p.Network.Input
	return weights.Card{
		Backbone: p.Network.Backbone, Classes: []string{p.Outcome.Low, p.Outcome.High}, Preprocessing: pre,
		Licence: "as of the weights that it began with: " + t.start.card.Licence, DataHash: data, PatientsHash: patientsHash(t.images, learnt),
		Training: &weights.Training{
			Start: fmt.Sprintf("%s, tensors %s", cmp.Or(t.start.card.Name, t.start.card.Source), t.start.card.TensorsHash), Recipe: recipeInWords(p.Network.Train.Config),
			Optimizer: p.Network.Train.Optimizer, Epochs: len(n.History), Kept: n.Kept, Seed: p.Seed, Stopped: n.Stopped,
		},
		Metrics: map[string]num.Float{
			"heldout_auc": n.Valid.AUC, "heldout_auc_lo": n.Valid.Lo, "heldout_auc_hi": n.Valid.Hi,
			"heldout_loss": n.at().ValidLoss, "heldout_accuracy": n.at().ValidAccuracy,
			"train_auc": n.at().TrainAUC, "train_loss": n.at().TrainLoss,
		},
	}, err
}

// hash is over the crops and labels that a network learnt from.
func (t *training) hash(network string, idx []int) (string, error) {
	type seen struct {
		Patient, Unit, Image, Region string
		Label                        int
		Pixels                       []byte
	}
	var all []string
	for _, region := range regionsOf(network) {
		for _, i := range idx {
			im, crop := t.images[i], imaging.NewGray(t.run.Plan.Network.Input, t.run.Plan.Network.Input)
			if err := t.crops[region].read(im, crop); err != nil {
				return "", err
			}
			h, err := artifact.HashJSON(seen{im.Patient, im.Unit, im.Image, region, im.Label, crop.Pix})
			if err != nil {
				return "", err
			}
			all = append(all, h)
		}
	}
	slices.Sort(all)
	return artifact.HashJSON(all)
}

// finetuned reads finetune.json with the histories.
func (r *Run) finetuned() (finetuned, error) {
	var f finetuned
	dir := r.dir(3, "finetune")
	if err := artifact.ReadJSON(filepath.Join(dir, "finetune.json"), &f); err != nil || !f.Trained {
		return f, err
	}
	rows, err := readCSV[historyRow](filepath.Join(dir, "history.csv"))
	for i := range f.Networks {
		n := &f.Networks[i]
		for _, row := range rows {
			if row.Network == n.Name {
				n.History = append(n.History, row)
			}
		}
	}
	return f, err
}
