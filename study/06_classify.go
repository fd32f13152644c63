package study

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/mat"

	"sonotype/classify"
	"sonotype/cohort"
	"sonotype/evaluate"
	"sonotype/internal/artifact"
	"sonotype/internal/num"
	"sonotype/report"
)

// Stage 06 fits six models on three feature sets. A training patient is scored by models that were fitted without them,
// from features selected without them and seen by networks that did not learn from them; the test sets are scored once,
// after the primary model is chosen.
func classifyStage() *stage {
	return &stage{
		number: 6, name: "classify", version: 2,
		needs:  []string{"cohort", "roi", "finetune", "selection"},
		params: func(p *Plan) any { return []any{p.Classify, p.Seed, p.Split.Folds, p.fitOn()} },
		run:    runClassify,
	}
}

// scoreRow is a row of scores.csv: the mean score of a unit's images. Set train holds out-of-fold scores of patients
// that the networks did not learn from; optimistic.csv holds those of all training patients on features of networks
// that learnt from most of them.
type scoreRow struct {
	Patient  string  `csv:"patient_id"`
	Unit     string  `csv:"unit"`
	Set      string  `csv:"set"`
	Features string  `csv:"features"`
	Model    string  `csv:"model"`
	Fold     int     `csv:"fold"`
	Label    int     `csv:"label"`
	Score    float64 `csv:"score"`
}

// primaryChoice is primary.json.
type primaryChoice struct {
	Key report.Key           `json:"primary"`
	Why string               `json:"why"`
	CV  map[string]num.Float `json:"cv_auc"` // out-of-fold AUC by features/model
}

func runClassify(ctx context.Context, r *Run, out string) error {
	c, err := newClassification(r, out)
	if err != nil {
		return err
	}
	if err := c.outOfFold(ctx); err != nil {
		return err
	}
	primary, err := c.choosePrimary()
	if err != nil {
		return err
	}
	if err := artifact.WriteJSON(filepath.Join(out, "primary.json"), primary); err != nil {
		return err
	}
	if r.Plan.trains() {
		if err := c.writeScores("optimistic.csv", c.train, c.optimistic); err != nil {
			return err
		}
	}
	return c.finalModels(ctx)
}

// modelKeys lists every feature set with every model of the plan.
func modelKeys(p *Plan) []report.Key {
	var keys []report.Key
	for _, f := range FeatureSets {
		for _, m := range p.Classify.Models {
			keys = append(keys, report.Key{Features: f, Model: m})
		}
	}
	return keys
}

// classification is the stage at work. Scores are kept by key, then by image of the cohort.
type classification struct {
	run        *Run
	images     []imageRow
	keys       []report.Key
	train      []int // the training images, the rows of a fold's features
	honest     []int // of them, those whose out-of-fold score is honest
	scores     [][]float64
	optimistic [][]float64
	learners   map[string][]int   // by fit
	learntFrom map[int]patientSet // by pair of networks
	out        string
	total      int
	done       counter
}

func newClassification(r *Run, out string) (*classification, error) {
	c := &classification{run: r, keys: modelKeys(&r.Plan), out: out, learners: map[string][]int{}, learntFrom: map[int]patientSet{}}
	var err error
	if c.images, err = r.images(); err != nil {
		return nil, err
	}
	c.train = where(c.images, func(im imageRow) bool { return im.Set == cohort.SetTrain })
	if c.honest, err = r.honest(c.images); err != nil {
		return nil, err
	}
	for range c.keys {
		c.scores = append(c.scores, make([]float64, len(c.images)))
		c.optimistic = append(c.optimistic, make([]float64, len(c.images)))
	}
	for _, f := range r.Plan.fits() {
		d, err := r.division(f.pair)
		if err != nil {
			return nil, err
		}
		if c.learners[f.name], err = r.learners(c.images, f); err != nil {
			return nil, err
		}
		c.learntFrom[f.pair] = d.learntFrom()
		c.total += len(c.keys)
	}
	return c, nil
}

// outOfFold scores each training image by models fitted without its patient.
func (c *classification) outOfFold(ctx context.Context) error {
	p := &c.run.Plan
	for _, f := range p.fits() {
		if f.fold == finalFit {
			continue
		}
		elsewhere := func(i int) bool { return c.images[i].Fold != f.fold }
		all, honest := slices.DeleteFunc(slices.Clone(c.train), elsewhere), slices.DeleteFunc(slices.Clone(c.honest), elsewhere)
		err := c.each(ctx, func(k int, key report.Key) error {
			m, err := c.fit(key, f)
			if err != nil {
				return err
			}
			if p.trains() && f.pair == finalFit {
				if err := m.scoreOptimistically(all, c.optimistic[k]); err != nil {
					return err
				}
			}
			if p.crossfits() && f.pair == finalFit { // the fold's own networks give the honest score
				return nil
			}
			return m.score(honest, c.scores[k])
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// finalModels fits every model on all images that it may learn from, saves it, and scores the test sets once.
func (c *classification) finalModels(ctx context.Context) error {
	test := where(c.images, func(im imageRow) bool { return im.Set != cohort.SetTrain })
	apparent := make([][]float64, len(c.keys))
	final := c.run.Plan.fits()[0]
	learners := c.learners[final.name]
	err := c.each(ctx, func(k int, key report.Key) error {
		m, err := c.fit(key, final)
		if err != nil {
			return err
		}
		if err := m.save(filepath.Join(c.out, "models", key.Features+"-"+key.Model+".json")); err != nil {
			return err
		}
		apparent[k] = make([]float64, len(c.images))
		if err := m.predict(learners, apparent[k]); err != nil {
			return err
		}
		return m.score(test, c.scores[k])
	})
	if err != nil {
		return err
	}
	scored := append(slices.Clone(c.honest), test...)
	slices.Sort(scored)
	if err := c.writeScores("scores.csv", scored, c.scores); err != nil {
		return err
	}
	return c.writeScores("apparent.csv", learners, apparent)
}

// each runs job for every key on the run's workers and counts progress.
func (c *classification) each(ctx context.Context, job func(k int, key report.Key) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers(c.run.Jobs))
	for k, key := range c.keys {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := job(k, key); err != nil {
				return fmt.Errorf("model %s on %s: %w", key.Model, key.Features, err)
			}
			c.run.Observer.Progress(c.done.next(), c.total)
			return nil
		})
	}
	return g.Wait()
}

// fittedModel is a model with its features and with the patients that it and its networks know.
type fittedModel struct {
	model      classify.Model
	images     []imageRow
	x          *mat.Dense  // the kept features of the fit
	row        map[int]int // of x, by image
	seen       patientSet  // by the model, or by the selection of its features
	learntFrom patientSet  // of the networks
	hash       string
}

// fit learns a model from the images that a fit may learn from.
func (c *classification) fit(key report.Key, f fit) (*fittedModel, error) {
	x, err := readMatrix(filepath.Join(c.run.dir(5, "selection"), f.name, key.Features+".npy"))
	if err != nil {
		return nil, err
	}
	idx := c.learners[f.name]
	m := &fittedModel{
		images: c.images, x: x, row: map[int]int{}, learntFrom: c.learntFrom[f.pair],
		seen: patientsOf(c.images, idx), hash: patientsHash(c.images, idx),
	}
	for row, i := range c.train {
		m.row[i] = row
	}
	if f.fold == finalFit { // features of all images
		for i := range c.images {
			m.row[i] = i
		}
	}
	selectedOn, err := readFittedOn(filepath.Join(c.run.dir(5, "selection"), f.name))
	if err != nil {
		return nil, err
	}
	maps.Copy(m.seen, selectedOn)
	m.model, err = fitModel(c.images, idx, key.Model, m.pick(idx), c.run.Plan.Seed, f.name)
	return m, err
}

// pick copies the features of the given images.
func (m *fittedModel) pick(idx []int) *mat.Dense {
	rows := make([]int, len(idx))
	for j, i := range idx {
		rows[j] = m.row[i]
	}
	return pick(m.x, rows)
}

// score writes an honest score for each of the given images: a patient that the model was fitted on, or that the
// networks behind its features learnt from, is an error.
func (m *fittedModel) score(idx []int, scores []float64) error {
	for _, i := range idx {
		if err := m.learntFrom.mustNotHold(m.images[i].Patient, "network"); err != nil {
			return err
		}
	}
	return m.scoreOptimistically(idx, scores)
}

// scoreOptimistically writes an optimistic score for each of the given images: the model has not seen the patient, the networks may have.
func (m *fittedModel) scoreOptimistically(idx []int, scores []float64) error {
	for _, i := range idx {
		if err := m.seen.mustNotHold(m.images[i].Patient, "model"); err != nil {
			return err
		}
	}
	return m.predict(idx, scores)
}

// predict writes the model's score of each of the given images, whoever they are.
func (m *fittedModel) predict(idx []int, scores []float64) error {
	if len(idx) == 0 {
		return nil
	}
	p, err := m.model.Predict(m.pick(idx))
	if err != nil {
		return err
	}
	for j, i := range idx {
		scores[i] = p[j]
	}
	return nil
}

// save writes the model with the hash of the patients that it was fitted on.
func (m *fittedModel) save(path string) error {
	return artifact.WriteJSON(path, struct {
		FittedOn string         `json:"fitted_on"`
		Model    json.Marshaler `json:"model"`
	}{m.hash, m.model})
}

// pooled is the mean score of each unit among the given images.
func (c *classification) pooled(idx []int, scores []float64) (*evaluate.Pooled, error) {
	of, units := make([]float64, len(idx)), make([]string, len(idx))
	for j, i := range idx {
		of[j], units[j] = scores[i], c.images[i].Unit
	}
	return evaluate.Pool(of, labels(c.images, idx), units)
}

// writeScores writes the mean score of each unit among the given images, for every key.
func (c *classification) writeScores(name string, idx []int, scores [][]float64) error {
	first := map[string]imageRow{}
	for _, i := range slices.Backward(idx) {
		first[c.images[i].Unit] = c.images[i]
	}
	var rows []scoreRow
	for k, key := range c.keys {
		pooled, err := c.pooled(idx, scores[k])
		if err != nil {
			return err
		}
		for u, unit := range pooled.Unit {
			im := first[unit]
			rows = append(rows, scoreRow{im.Patient, unit, im.Set, key.Features, key.Model, im.Fold, pooled.Label[u], pooled.Score[u]})
		}
	}
	return writeCSV(filepath.Join(c.out, name), rows)
}

// choosePrimary names the primary model from honest out-of-fold training scores alone, or as the plan demands.
func (c *classification) choosePrimary() (primaryChoice, error) {
	choice := primaryChoice{CV: map[string]num.Float{}}
	best := -1.0
	for k, key := range c.keys {
		pooled, err := c.pooled(c.honest, c.scores[k])
		if err != nil {
			return choice, err
		}
		auc, err := evaluate.DeLong(pooled.Score, pooled.Label)
		if err != nil {
			return choice, err
		}
		choice.CV[key.String()] = auc.AUC
		if float64(auc.AUC) > best {
			best, choice.Key = float64(auc.AUC), key
		}
	}
	switch p := c.run.Plan.Classify.Primary; p {
	case "cv":
		choice.Why = "highest out-of-fold AUC in the " + honestSetInWords(&c.run.Plan) + ", fixed before any test score was computed"
	case "best-on-internal":
		choice.Why = "named in stage 07 by the internal test set, as published: optimistic and exploratory"
	default:
		choice.Key.Features, choice.Key.Model, _ = strings.Cut(p, "/")
		choice.Why = "named in study.yaml"
	}
	return choice, nil
}
