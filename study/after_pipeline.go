package study

import (
	"context"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/mat"

	"sonotype/classify"
	"sonotype/report"
	"sonotype/selection"
)

// deep is the plan's reduction of deep features.
func (s SelectionPlan) deep(jobs int) selection.DeepConfig {
	c := selection.DeepDefaults()
	c.Components, c.Workers = s.Components, jobs
	return c
}

// choose drops correlated columns of the training rows and lets the LASSO choose among the rest. apart are the columns
// that it chose among, kept those that it chose.
func (s SelectionPlan) choose(train *mat.Dense, y, w []float64, folds []int, jobs int) (apart, kept []int, l *selection.LassoResult, err error) {
	apart = selection.Spearman(train, s.Spearman, jobs)
	c := selection.LassoConfig{Family: s.Lasso, Rule: s.Lambda, Workers: jobs}
	if l, err = selection.FitLasso(pickColumns(train, apart), y, w, folds, c); err != nil {
		return nil, nil, nil, err
	}
	for _, k := range l.Kept {
		kept = append(kept, apart[k])
	}
	return apart, kept, l, nil
}

// plattFolds is the number of folds of the SVM's Platt scaling (libsvm's).
const plattFolds = 5

// fitModel learns a model from the images idx, whose features are the rows of x. The stream names the fit.
func fitModel(images []imageRow, idx []int, name string, x *mat.Dense, seed uint64, stream string) (classify.Model, error) {
	folds, err := patientFolds(images, idx, plattFolds, seed, "platt-folds", stream)
	if err != nil {
		return nil, err
	}
	m, err := classify.New(name, classify.Config{Seed: seed, Workers: 1, Folds: folds})
	if err != nil {
		return nil, err
	}
	return m, m.Fit(x, labels(images, idx), unitWeights(images, idx))
}

// pipeline is stages 05 and 06 in memory, for the many fits that are looked at once and not kept: nested validation,
// permuted labels, leaks. Its steps and random streams are the stages' own.
type pipeline struct {
	plan   *Plan
	keys   []report.Key
	images []imageRow                // their labels are what is learnt
	deep   map[string]selection.Rows // features by region, a row an image
	jobs   int
	tame   func(ctx context.Context, region string, rows selection.Rows, fitted, applied []int) (tamed, error) // nil: the features as they are
}

// reduced are the principal components of some images, fitted on some of them.
type reduced struct {
	seen patientSet // the patients that the components know
	row  map[int]int
	x    map[string]*mat.Dense // by region
}

// reduce fits scaling and components on the images fitted and applies them to those and to others. No label is read.
func (p *pipeline) reduce(ctx context.Context, fitted, others []int) (*reduced, error) {
	applied := slices.Concat(fitted, others)
	slices.Sort(applied)
	applied = slices.Compact(applied)
	r := &reduced{seen: patientsOf(p.images, fitted), row: map[int]int{}, x: map[string]*mat.Dense{}}
	for j, i := range applied {
		r.row[i] = j
	}
	w := unitWeights(p.images, fitted)
	for _, region := range regions {
		t := tamed{rows: p.deep[region]}
		if p.tame != nil {
			var err error
			if t, err = p.tame(ctx, region, t.rows, fitted, applied); err != nil {
				return nil, err
			}
		}
		c := p.plan.Selection.deep(p.jobs)
		c.Drop = t.drop
		d, err := selection.FitDeep(ctx, t.rows, fitted, w, c)
		if err != nil {
			return nil, err
		}
		r.x[region] = d.Transform(t.rows, applied, p.jobs)
	}
	return r, nil
}

// of is a feature set's components of the images idx.
func (r *reduced) of(set string, idx []int) *mat.Dense {
	rows := make([]int, len(idx))
	for j, i := range idx {
		rows[j] = r.row[i]
	}
	if set == "fusion" {
		return beside(pick(r.x["ta"], rows), pick(r.x["pta"], rows))
	}
	return pick(r.x[set], rows)
}

// chosen are the columns of every feature set that a selection kept, and whom it learnt them from.
type chosen struct {
	*reduced
	seen patientSet // by components or selection
	kept map[string][]int
}

// selectOn lets Spearman and LASSO choose among the components, looking at the labels of the images fitted.
func (p *pipeline) selectOn(r *reduced, fitted []int, stream string) (*chosen, error) {
	c := &chosen{reduced: r, seen: maps.Clone(r.seen), kept: map[string][]int{}}
	maps.Copy(c.seen, patientsOf(p.images, fitted))
	folds, err := patientFolds(p.images, fitted, p.plan.Selection.Folds, p.plan.Seed, "lasso-folds", stream)
	if err != nil {
		return nil, err
	}
	y := make([]float64, len(fitted))
	for j, i := range fitted {
		y[j] = float64(p.images[i].Label)
	}
	w := unitWeights(p.images, fitted)
	for _, set := range p.sets() {
		if _, c.kept[set], _, err = p.plan.Selection.choose(r.of(set, fitted), y, w, folds, p.jobs); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// sets are the feature sets that the keys need.
func (p *pipeline) sets() []string {
	return slices.DeleteFunc(slices.Clone(FeatureSets), func(s string) bool {
		return !slices.ContainsFunc(p.keys, func(k report.Key) bool { return k.Features == s })
	})
}

// features are the kept columns of the images idx.
func (c *chosen) features(set string, idx []int) *mat.Dense {
	return pickColumns(c.of(set, idx), c.kept[set])
}

// scores fits every key on the images fitted and scores the images scored, whose patients nobody may know: neither the
// components, nor the selection, nor the model.
func (p *pipeline) scores(ctx context.Context, c *chosen, fitted, scored []int, stream string) ([][]float64, error) {
	models := patientsOf(p.images, fitted)
	for _, i := range scored {
		patient := p.images[i].Patient
		if err := c.seen.mustNotHold(patient, "selection"); err != nil {
			return nil, err
		}
		if err := models.mustNotHold(patient, "model"); err != nil {
			return nil, err
		}
	}
	return p.scoresOfAnybody(ctx, c, fitted, scored, stream)
}

// scoresOfAnybody is scores without the lock: for showing what leaks do.
func (p *pipeline) scoresOfAnybody(ctx context.Context, c *chosen, fitted, scored []int, stream string) ([][]float64, error) {
	learn, apply := map[string]*mat.Dense{}, map[string]*mat.Dense{}
	for _, set := range p.sets() {
		learn[set], apply[set] = c.features(set, fitted), c.features(set, scored)
	}
	out := make([][]float64, len(p.keys))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers(p.jobs))
	for k, key := range p.keys {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			m, err := fitModel(p.images, fitted, key.Model, learn[key.Features], p.plan.Seed, stream)
			if err != nil {
				return err
			}
			out[k], err = m.Predict(apply[key.Features])
			return err
		})
	}
	return out, g.Wait()
}
