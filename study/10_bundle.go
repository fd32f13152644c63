package study

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"

	"sonotype/bundle"
	"sonotype/cohort"
	"sonotype/evaluate"
	"sonotype/internal/artifact"
	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/nn"
	"sonotype/report"
	"sonotype/weights"
)

// Stage 10 freezes the primary model into one file that scores new images without the study: docs/bundle.md.
func bundleStage() *stage {
	return &stage{
		number: 10, name: "bundle", version: 3,
		needs: []string{"cohort", "roi", "finetune", "features", "selection", "classify", "evaluate", "survival"},
		params: func(p *Plan) any {
			return []any{
				p.Bundle, p.Title, p.Synthetic, p.Preset, p.Outcome, p.geometry(), p.Network, p.Harmonise, p.Classify, p.Evaluate,
				p.Survival, p.Seed,
			}
		},
		outside: func(_ context.Context, r *Run) (any, error) { return []string{r.Version, r.ISA.String()}, nil },
		run:     runBundle,
	}
}

// BundleFile is the name of the frozen model in 10-bundle.
const BundleFile = "model.sono"

// bundleSummary is bundle.json: what the stage made, or why it made nothing.
type bundleSummary struct {
	File string                `json:"file,omitempty"`
	Hash string                `json:"hash,omitempty"` // bundle.Bundle.Hash
	Loss *bundle.PrecisionLoss `json:"precision_loss,omitempty"`
	Note string                `json:"note,omitempty"`
}

func runBundle(ctx context.Context, r *Run, out string) error {
	summary, err := r.freeze(ctx, out)
	if err != nil {
		return err
	}
	return artifact.WriteJSON(filepath.Join(out, "bundle.json"), summary)
}

// freezing is the stage at work.
type freezing struct {
	run      *Run
	from     *assembly
	key      report.Key // of the primary model
	manifest bundle.Manifest
	brought  map[string]nn.Tensors // networks that were not trained here
	builder  bundle.Builder
	scorer   *bundle.Scorer
}

// freeze writes the bundle, unless the model cannot work by itself.
func (r *Run) freeze(ctx context.Context, out string) (bundleSummary, error) {
	f := &freezing{run: r, from: &assembly{run: r}}
	if err := f.from.load(); err != nil {
		return bundleSummary{}, err
	}
	if why := f.impossible(); why != "" {
		return bundleSummary{Note: "no frozen model: " + why}, nil
	}
	f.key = f.from.evaluation.Primary
	if err := f.addModel(); err != nil {
		return bundleSummary{}, err
	}
	var err error
	f.scorer, err = bundle.OpenScorer(f.builder.Files(), bundle.ManifestEntry, bundle.Options{ISA: r.ISA, Workers: r.Jobs, Batch: r.Plan.Network.Batch})
	if err != nil {
		return bundleSummary{}, err
	}
	defer f.scorer.Close()
	loss, err := f.compare(ctx)
	if err != nil {
		return bundleSummary{}, err
	}
	if err := f.addReference(loss); err != nil {
		return bundleSummary{}, err
	}
	if err := bundle.AddVectors(ctx, &f.builder, f.scorer, r.ISA); err != nil {
		return bundleSummary{}, err
	}
	hash, err := f.builder.WriteFile(filepath.Join(out, BundleFile))
	return bundleSummary{File: BundleFile, Hash: hash, Loss: loss}, err
}

// impossible says why the study gives no bundle, or nothing.
func (f *freezing) impossible() string {
	if p := &f.run.Plan; p.harmonises() {
		return "a harmonised model cannot score images by itself, since the shift depends on the " + p.HarmoniseBy + " that an image comes from"
	}
	n := len(where(f.from.images, func(im imageRow) bool { return im.Set == cohort.SetTrain }))
	if n < bundle.MinTraining {
		return fmt.Sprintf("%d training images are too few to tell familiar images from strange ones; at least %d are needed", n, bundle.MinTraining)
	}
	return ""
}

// frozenInWords says where the frozen model lies, or why there is none.
func (r *Run) frozenInWords() (string, error) {
	var s bundleSummary
	if err := artifact.ReadJSON(filepath.Join(r.dir(10, "bundle"), "bundle.json"), &s); err != nil || s.File == "" {
		return s.Note, err
	}
	words := "frozen model: " + filepath.Join(r.dir(10, "bundle"), s.File)
	if s.Loss != nil {
		words += "; " + precisionInWords(s.Loss)
	}
	return words, nil
}

func precisionInWords(l *bundle.PrecisionLoss) string {
	return fmt.Sprintf("fp16 weights: over %d units of the %s, scores differ by at most %.2g (on average %.2g), %d calls at the threshold change",
		l.Units, l.Set, float64(l.Largest), float64(l.Mean), l.Flipped)
}

// addModel adds what turns an image into a score: manifest, networks, reductions and the model.
func (f *freezing) addModel() (err error) {
	r := f.run
	f.manifest, f.brought, err = r.frozen([]report.Key{f.key}, &f.from.evaluation, f.from.selection)
	if err != nil {
		return err
	}
	m := &f.manifest
	for _, region := range regions {
		if !slices.ContainsFunc(m.Kept[f.key.Features], func(c bundle.Component) bool { return c.Region == region }) {
			delete(m.Networks, region)
			delete(m.Reductions, region)
			continue
		}
		if err := f.addNetwork(region); err != nil {
			return err
		}
		if err := f.addFolder("reductions/"+region, m.Reductions[region]); err != nil {
			return err
		}
		m.Reductions[region] = "reductions/" + region
	}
	model := &m.Models[0]
	f.builder.AddFile("model.json", filepath.Join(r.RunDir, filepath.FromSlash(model.File)))
	model.File = "model.json"
	f.builder.AddJSON(bundle.ManifestEntry, m)
	return nil
}

// addFolder adds the files of a folder of the run.
func (f *freezing) addFolder(name, from string) error {
	dir := filepath.Join(f.run.RunDir, filepath.FromSlash(from))
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		f.builder.AddFile(path.Join(name, file.Name()), filepath.Join(dir, file.Name()))
	}
	return nil
}

// addNetwork adds a region's network in the plan's precision; one that both regions share is added once.
func (f *freezing) addNetwork(region string) error {
	n := f.manifest.Networks[region]
	for _, other := range regions[:slices.Index(regions, region)] {
		if o := f.manifest.Networks[other]; o.TensorsHash != "" && f.source(other) == f.source(region) {
			f.manifest.Networks[region] = o
			return nil
		}
	}
	from := n.File
	n.File = "networks/" + region + ".safetensors"
	if f.run.Plan.Bundle.Precision == precisionFull && from != "" {
		f.manifest.Networks[region] = n
		f.builder.AddFile(n.File, filepath.Join(f.run.RunDir, filepath.FromSlash(from)))
		return nil
	}
	w, err := f.run.network(region, finalFit)
	if err != nil {
		return err
	}
	tensors, kind := w.tensors, weights.Single
	if f.run.Plan.Bundle.Precision == precisionHalf {
		kind = weights.Half
		if tensors, err = weights.Halved(tensors); err != nil {
			return err
		}
	}
	var file bytes.Buffer
	if err := weights.EncodeSafetensors(&file, tensors, nil, kind); err != nil {
		return err
	}
	n.TensorsHash = weights.Hash(tensors)
	f.manifest.Networks[region] = n
	f.builder.AddBytes(n.File, file.Bytes())
	return nil
}

// source says where a region's network comes from.
func (f *freezing) source(region string) string {
	if !f.run.Plan.trains() {
		return ""
	}
	return f.run.Plan.networkOf(region)
}

// addReference adds the card and what a prediction is calibrated with and compared with.
func (f *freezing) addReference(loss *bundle.PrecisionLoss) error {
	card, err := f.card(loss)
	if err != nil {
		return err
	}
	f.builder.AddJSON(bundle.CardEntry, card)
	calibration, err := evaluate.FitVennAbers(f.training().scores, f.training().labels)
	if err != nil {
		return err
	}
	f.builder.AddJSON(bundle.CalibrationEntry, calibration)
	if err := f.addFamiliar(); err != nil {
		return err
	}
	if f.run.Plan.Bundle.Neighbours == neighboursNone {
		return nil
	}
	n, err := f.neighbours()
	if err != nil {
		return err
	}
	f.builder.AddJSON(bundle.NeighboursEntry, n)
	return nil
}

// training are the honest scores of the primary model in the training set.
func (f *freezing) training() scored { return f.from.scores[cohort.SetTrain][f.key] }

// neighbours are the training images as the bundle keeps them: ordered by their inputs, unless their ids are kept.
func (f *freezing) neighbours() (bundle.Neighbours, error) {
	n, _, err := f.trainingCases()
	if f.run.Plan.Bundle.Neighbours != neighboursIDs { // the table's order would tell who they are
		slices.SortStableFunc(n.Cases, func(a, b bundle.TrainingCase) int { return slices.Compare(a.Inputs, b.Inputs) })
	}
	return n, err
}

// trainingCases are the training images by the inputs of the final model, in the order of the study, with their patients.
func (f *freezing) trainingCases() (n bundle.Neighbours, patients []string, err error) {
	x, err := readMatrix(filepath.Join(f.run.dir(5, "selection"), fitName(finalFit), f.key.Features+".npy"))
	if err != nil {
		return n, nil, err
	}
	score := map[string]float64{}
	for i, unit := range f.training().units {
		score[unit] = f.training().scores[i]
	}
	n.Cases = []bundle.TrainingCase{}
	for i, im := range f.from.images {
		if im.Set != cohort.SetTrain {
			continue
		}
		c := bundle.TrainingCase{Label: im.Label, Score: num.NaN(), Inputs: slices.Clone(x.RawRowView(i))}
		if s, ok := score[im.Unit]; ok {
			c.Score = num.Float(s)
		}
		if f.run.Plan.Bundle.Neighbours == neighboursIDs {
			c.ID = im.Unit
		}
		n.Cases, patients = append(n.Cases, c), append(patients, im.Patient)
	}
	return n, patients, nil
}

// comparedUnits is how many units a bundle of full precision is compared with the study on.
const comparedUnits = 8

// compare scores units of the study with the bundle's parts. In full precision every score must be the study's to the last
// bit; in half precision it says how far they are off.
func (f *freezing) compare(ctx context.Context) (*bundle.PrecisionLoss, error) {
	set, want, err := f.comparable()
	if err != nil {
		return nil, err
	}
	half := f.run.Plan.Bundle.Precision == precisionHalf
	if !half {
		want = want.spread(comparedUnits)
	}
	got, err := f.rescore(ctx, want.units)
	if err != nil {
		return nil, err
	}
	loss := &bundle.PrecisionLoss{Set: set, Units: len(got), Largest: 0, Mean: 0}
	cut := float64(f.from.evaluation.Thresholds[f.key])
	for i, w := range want.scores {
		if !half && math.Float64bits(got[i]) != math.Float64bits(w) {
			return nil, &problem.Error{
				What: "the frozen model does not give the study's score", Patient: want.units[i], Expected: fmt.Sprint(w), Found: fmt.Sprint(got[i]),
				Try: "report this with the output of `sonotype bench`; a fresh --out starts without the old result",
			}
		}
		d := num.Float(math.Abs(got[i] - w))
		loss.Largest, loss.Mean = max(loss.Largest, d), loss.Mean+d/num.Float(len(got))
		if (got[i] > cut) != (w > cut) {
			loss.Flipped++
		}
	}
	if !half {
		return nil, nil
	}
	return loss, nil
}

// comparable are the study's scores by its final model: those of the test sets, or without any those of the patients that
// it was fitted on.
func (f *freezing) comparable() (set string, s scored, err error) {
	for _, name := range []string{cohort.SetInternal, cohort.SetExternal} {
		part := f.from.scores[name][f.key]
		s.units, s.scores = append(s.units, part.units...), append(s.scores, part.scores...)
	}
	if len(s.units) > 0 {
		return "test sets", s, nil
	}
	apparent, err := f.run.scores("apparent.csv")
	return "training set", apparent[cohort.SetTrain][f.key], err
}

// spread keeps at most n units, evenly spaced.
func (s scored) spread(n int) scored {
	var out scored
	for k := range min(n, len(s.units)) {
		i := k * len(s.units) / min(n, len(s.units))
		out.units, out.scores = append(out.units, s.units[i]), append(out.scores, s.scores[i])
	}
	return out
}
