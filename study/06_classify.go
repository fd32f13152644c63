package study

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"sonotype/cohort"
	"strings"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/mat"

	"sonotype/classify"
	"sonotype/evaluate"
	"sonotype/internal/artifact"
	"sonotype/internal/num"
	"sonotype/report"
)

// Stage 06 fits six models on three feature sets. Every training patient is scored by models that were fitted without
// them, from features selected without them; the test sets are scored once, after the primary model is chosen.
func classifyStage() *stage {
	return &stage{
		number: 6, name: "classify", version: 1,
		needs:  []string{"cohort", "roi", "selection"},
		params: func(p *Plan) any { return []any{p.Classify, p.Seed, p.Split.Folds} },
		run:    runClassify,
	}
}

// scoreRow is a row of scores.csv: the mean score of a unit's images. Set train holds out-of-fold scores.
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
	images, err := r.images()
	if err != nil {
		return err
	}
	keys := modelKeys(&r.Plan)
	c := &classification{run: r, images: images, keys: keys, out: out}
	c.train = where(images, func(im imageRow) bool { return im.Set == cohort.SetTrain })
	c.total = len(keys) * (r.Plan.Split.Folds + 1)
	heldOut, err := c.outOfFold(ctx)
	if err != nil {
		return err
	}
	primary, err := c.choosePrimary(heldOut)
	if err != nil {
		return err
	}
	if err := artifact.WriteJSON(filepath.Join(out, "primary.json"), primary); err != nil {
		return err
	}
	return c.finalModels(ctx, heldOut)
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

type classification struct {
	run    *Run
	images []imageRow
	keys   []report.Key
	train  []int
	out    string
	total  int
	done   counter
}

// outOfFold scores each training image by models fitted without its patient: one slice a key, in the order of c.train.
func (c *classification) outOfFold(ctx context.Context) ([][]float64, error) {
	scores := make([][]float64, len(c.keys))
	for k := range scores {
		scores[k] = make([]float64, len(c.train))
	}
	for fold := range c.run.Plan.Split.Folds {
		var fitted, scored []int // positions in c.train
		for pos, i := range c.train {
			if c.images[i].Fold == fold {
				scored = append(scored, pos)
			} else {
				fitted = append(fitted, pos)
			}
		}
		err := c.each(ctx, func(k int, key report.Key) error {
			x, err := c.reduced(fold, key.Features)
			if err != nil {
				return err
			}
			m, err := c.fit(key, x, fitted, fold)
			if err != nil {
				return err
			}
			p, err := m.score(x, c.train, scored)
			if err != nil {
				return err
			}
			for j, pos := range scored {
				scores[k][pos] = p[j]
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return scores, nil
}

// finalModels fits every model on all training images, saves it, and scores the test sets once.
func (c *classification) finalModels(ctx context.Context, heldOut [][]float64) error {
	everyone := where(c.images, func(imageRow) bool { return true })
	test := where(c.images, func(im imageRow) bool { return im.Set != cohort.SetTrain })
	scores := make([][]float64, len(c.keys)) // by image; training images keep their out-of-fold scores
	apparent := make([][]float64, len(c.keys))
	err := c.each(ctx, func(k int, key report.Key) error {
		x, err := c.reduced(finalFit, key.Features)
		if err != nil {
			return err
		}
		m, err := c.fit(key, x, c.train, finalFit)
		if err != nil {
			return err
		}
		if err := m.save(filepath.Join(c.out, "models", key.Features+"-"+key.Model+".json")); err != nil {
			return err
		}
		if apparent[k], err = m.model.Predict(pick(x, c.train)); err != nil {
			return err
		}
		scores[k] = make([]float64, len(c.images))
		for j, i := range c.train {
			scores[k][i] = heldOut[k][j]
		}
		if len(test) == 0 {
			return nil
		}
		p, err := m.score(x, everyone, test)
		if err != nil {
			return err
		}
		for j, i := range test {
			scores[k][i] = p[j]
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := c.writeScores("scores.csv", everyone, scores); err != nil {
		return err
	}
	return c.writeScores("apparent.csv", c.train, apparent)
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

// reduced reads the kept features of a fit: for a fold its rows are c.train, for the final fit all images.
func (c *classification) reduced(fold int, set string) (*mat.Dense, error) {
	return readMatrix(filepath.Join(c.run.dir(5, "selection"), fitName(fold), set+".npy"))
}

// fittedModel is a model with the patients that it saw.
type fittedModel struct {
	model  classify.Model
	images []imageRow
	seen   patientSet
	hash   string
}

// plattFolds is the number of folds of the SVM's Platt scaling (libsvm's).
const plattFolds = 5

// fit learns a model from the given rows of x; rows are positions in c.train for a fold, images for the final fit.
func (c *classification) fit(key report.Key, x *mat.Dense, rows []int, fold int) (*fittedModel, error) {
	idx := rows
	if fold != finalFit {
		idx = make([]int, len(rows))
		for j, pos := range rows {
			idx[j] = c.train[pos]
		}
	}
	y := labels(c.images, idx)
	inner, err := patientFolds(c.images, idx, plattFolds, c.run.Plan.Seed, "platt-folds", fitName(fold))
	if err != nil {
		return nil, err
	}
	m, err := classify.New(key.Model, classify.Config{Seed: c.run.Plan.Seed, Workers: 1, Folds: inner})
	if err != nil {
		return nil, err
	}
	if err := m.Fit(pick(x, rows), y, unitWeights(c.images, idx)); err != nil {
		return nil, err
	}
	return &fittedModel{model: m, images: c.images, seen: patientsOf(c.images, idx), hash: patientsHash(c.images, idx)}, nil
}

// score predicts rows of x whose images are at[row]; a patient that the model was fitted on is an error.
func (m *fittedModel) score(x *mat.Dense, at, rows []int) ([]float64, error) {
	for _, row := range rows {
		if err := m.seen.mustNotHold(m.images[at[row]].Patient); err != nil {
			return nil, err
		}
	}
	return m.model.Predict(pick(x, rows))
}

// save writes the model with the hash of the patients that it was fitted on.
func (m *fittedModel) save(path string) error {
	return artifact.WriteJSON(path, struct {
		FittedOn string         `json:"fitted_on"`
		Model    json.Marshaler `json:"model"`
	}{m.hash, m.model})
}

// writeScores writes the mean score of each unit: idx are the images of the rows of scores[k].
func (c *classification) writeScores(name string, idx []int, scores [][]float64) error {
	units := make([]string, len(idx))
	for j, i := range idx {
		units[j] = c.images[i].Unit
	}
	first := map[string]imageRow{}
	for j := len(idx) - 1; j >= 0; j-- {
		first[units[j]] = c.images[idx[j]]
	}
	var rows []scoreRow
	for k, key := range c.keys {
		pooled, err := evaluate.Pool(scores[k], labels(c.images, idx), units)
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

// choosePrimary names the primary model from out-of-fold training scores alone, or as the plan demands.
func (c *classification) choosePrimary(heldOut [][]float64) (primaryChoice, error) {
	choice := primaryChoice{CV: map[string]num.Float{}}
	best := -1.0
	units := make([]string, len(c.train))
	for j, i := range c.train {
		units[j] = c.images[i].Unit
	}
	for k, key := range c.keys {
		pooled, err := evaluate.Pool(heldOut[k], labels(c.images, c.train), units)
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
		choice.Why = "highest out-of-fold AUC in the training set, fixed before any test score was computed"
	case "best-on-internal":
		choice.Why = "named in stage 07 by the internal test set, as published: optimistic and exploratory"
	default:
		choice.Key.Features, choice.Key.Model, _ = strings.Cut(p, "/")
		choice.Why = "named in study.yaml"
	}
	return choice, nil
}
