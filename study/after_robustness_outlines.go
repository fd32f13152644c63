package study

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"sonotype/bundle"
	"sonotype/cohort"
	"sonotype/imaging"
	"sonotype/internal/artifact"
	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/internal/rng"
	"sonotype/report"
	"sonotype/roi"
)

// outlineVersion of an image: its outline as drawn, or changed in one way by a share of the lesion's diameter.
type outlineVersion struct {
	kind  string // "" = as drawn
	level float64
}

func (p *Plan) outlineVersions() []outlineVersion {
	out := []outlineVersion{{}}
	for _, kind := range roi.Perturbations {
		for _, level := range p.Robustness.Outlines {
			out = append(out, outlineVersion{kind, level})
		}
	}
	return out
}

// outlineChunk is a piece of the computation: some images with all versions of their outlines.
type outlineChunk struct {
	Key    string         `json:"key"`
	Images []outlineImage `json:"images"`
}

// ComputedFrom implements keyed.
func (c outlineChunk) ComputedFrom() string { return c.Key }

// outlineImage holds the score of each version of an image's outline, missing where nothing is left of it.
type outlineImage struct {
	Image  int         `json:"image"` // position in images.csv
	Scores []num.Float `json:"scores"`
	Dice   []num.Float `json:"dice"` // with the outline as drawn
}

// chunkImages is how many images a piece holds: with all their versions some hundred crops.
const chunkImages = 12

// sweepOutlines scores the test sets with changed outlines by the frozen model.
func (r *Run) sweepOutlines(ctx context.Context, f *frozenModel) error {
	images, err := r.images()
	if err != nil {
		return err
	}
	test := where(images, func(im imageRow) bool { return im.Set != cohort.SetTrain })
	out := report.OutlineSweep{Key: r.key, Model: f.key, Threshold: f.evaluation.Thresholds[f.key]}
	_, out.Recal = f.evaluation.Recal[f.key]
	if len(test) == 0 {
		out.Notes = append(out.Notes, "the study has no test set")
	}
	if r.Plan.harmonises() {
		out.Notes, test = append(out.Notes, "a harmonised model cannot score other outlines, since the shift depends on the images that it was learnt from"), nil
	}
	if len(test) == 0 {
		return artifact.WriteJSON(r.partPath("outlines"), out)
	}
	var scored []outlineImage
	s := &outlineSweep{run: r, model: f, images: images, versions: r.Plan.outlineVersions()}
	defer s.close()
	for i, lo := 0, 0; lo < len(test); i, lo = i+1, lo+chunkImages {
		chunk := test[lo:min(lo+chunkImages, len(test))]
		c, _, err := part(r, "outlines", i+1, func() (outlineChunk, error) { return s.compute(ctx, chunk) })
		if err != nil {
			return err
		}
		scored = append(scored, c.Images...)
		r.Observer.Progress(len(scored), len(test))
	}
	if err := s.checkDrawn(scored); err != nil {
		return err
	}
	if err := r.readTestSets("outlines", "AUC, calibration and flips of the frozen model with changed outlines"); err != nil {
		return err
	}
	if out.Curves, err = s.curves(scored); err != nil {
		return err
	}
	return artifact.WriteJSON(r.partPath("outlines"), out)
}

// outlineSweep is the computation at work; the model is loaded when the first piece needs it.
type outlineSweep struct {
	run      *Run
	model    *frozenModel
	images   []imageRow
	versions []outlineVersion
	scorer   *bundle.Scorer
}

func (s *outlineSweep) close() {
	if s.scorer != nil {
		s.scorer.Close()
	}
}

// load opens the frozen model from the run's files.
func (s *outlineSweep) load() error {
	if s.scorer != nil {
		return nil
	}
	r := s.run
	var selected map[string]selectionSummary
	if err := artifact.ReadJSON(filepath.Join(r.dir(5, "selection"), "selection.json"), &selected); err != nil {
		return err
	}
	m, networks, err := r.frozen([]report.Key{s.model.key}, s.model.evaluation, selected)
	if err != nil {
		return err
	}
	manifest := robustnessDir + "/outlines/manifest.json"
	if err := artifact.WriteJSON(filepath.Join(r.RunDir, filepath.FromSlash(manifest)), m); err != nil {
		return err
	}
	s.scorer, err = bundle.OpenScorer(os.DirFS(r.RunDir), manifest, bundle.Options{ISA: r.ISA, Workers: r.Jobs, Batch: r.Plan.Network.Batch, Networks: networks})
	return err
}

// compute scores all versions of some images.
func (s *outlineSweep) compute(ctx context.Context, images []int) (outlineChunk, error) {
	if err := s.load(); err != nil {
		return outlineChunk{}, err
	}
	out := outlineChunk{Key: s.run.key, Images: make([]outlineImage, len(images))}
	lesions := make([]*roi.Regions, len(images)*len(s.versions))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(workers(s.run.Jobs))
	for j, i := range images {
		g.Go(func() (err error) {
			if err := gctx.Err(); err != nil {
				return err
			}
			out.Images[j], err = s.prepare(i, lesions[j*len(s.versions):(j+1)*len(s.versions)])
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return out, err
	}
	var kept []*roi.Regions
	var into []*num.Float
	for k, l := range lesions {
		score := &out.Images[k/len(s.versions)].Scores[k%len(s.versions)]
		if *score = num.NaN(); l != nil {
			kept, into = append(kept, l), append(into, score)
		}
	}
	scores, err := s.scorer.ScoreAll(ctx, kept)
	for k := range scores {
		*into[k] = num.Float(scores[k][0])
	}
	return out, err
}

// prepare cuts the regions of every version of an image's outline; nil where nothing of it is left.
func (s *outlineSweep) prepare(i int, into []*roi.Regions) (outlineImage, error) {
	out := outlineImage{Image: i, Scores: make([]num.Float, len(s.versions)), Dice: make([]num.Float, len(s.versions))}
	r, row := s.run, s.images[i]
	c, err := r.cohort()
	if err != nil {
		return out, err
	}
	im := c.Images[row.Source]
	picture, _, err := imaging.Decode(im.Path)
	if err != nil {
		return out, err
	}
	drawn, err := readMasks(im.Readings(r.Plan.Readers.Primary))
	if err != nil {
		return out, err
	}
	for k, v := range s.versions {
		mask := drawn
		if v.kind != "" {
			random := rng.Stream(r.Plan.Seed, "outlines", v.kind, row.Patient, row.Image)
			if mask, err = roi.Perturb(drawn, v.kind, v.level*drawn.Diameter(), random); err != nil {
				return out, err
			}
		}
		out.Dice[k] = num.Float(roi.Dice(drawn, mask))
		regions, err := roi.Prepare(picture, mask, spacing(im), im.Device, r.Plan.geometry())
		if err != nil && k == 0 {
			return out, err
		}
		if err == nil {
			into[k] = &roi.Regions{TACrop: regions.TACrop, PTACrop: regions.PTACrop} // the rest is large
		}
	}
	return out, nil
}

// checkDrawn demands that the frozen model gives the outlines as drawn the study's own scores, to the last bit.
func (s *outlineSweep) checkDrawn(scored []outlineImage) error {
	for _, set := range []string{cohort.SetInternal, cohort.SetExternal} {
		mine, err := s.pool(scored, set, 0)
		if err != nil {
			return err
		}
		study := s.model.scores[set][s.model.key]
		at := map[string]float64{}
		for i, u := range study.units {
			at[u] = study.scores[i]
		}
		for i, u := range mine.units {
			if want, ok := at[u]; !ok || math.Float64bits(want) != math.Float64bits(mine.scores[i]) {
				return &problem.Error{What: "the frozen model does not give the study's score", Patient: u,
					Expected: fmt.Sprint(want), Found: fmt.Sprint(mine.scores[i]), Try: "run the study again at the instruction set of this machine (--isa)"}
			}
		}
	}
	return nil
}
