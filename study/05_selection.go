package study

import (
	"context"
	"fmt"
	"path/filepath"

	"gonum.org/v1/gonum/mat"

	"sonotype/cohort"
	"sonotype/internal/artifact"
	"sonotype/internal/problem"
	"sonotype/selection"
)

// Stage 05 reduces the deep features: z-score, PCA, Spearman, LASSO. It is fitted once on the training images that it
// may learn from and once without each fold, so that out-of-fold scores come from a selection that never saw the fold's
// patients; with cross-fitting, from networks that never saw them either.
func selectionStage() *stage {
	return &stage{
		number: 5, name: "selection", version: 3,
		needs: []string{"cohort", "roi", "finetune", "features"},
		params: func(p *Plan) any {
			return []any{p.Selection, p.Seed, p.Split.Folds, p.fitOn(), p.Harmonise, p.HarmoniseBy, p.Readers.ICC}
		},
		run: runSelection,
	}
}

func runSelection(ctx context.Context, r *Run, out string) error {
	images, err := r.images()
	if err != nil {
		return err
	}
	fits := r.Plan.fits()
	summary := map[string]selectionSummary{}
	for k, which := range fits {
		f := &reduction{run: r, images: images, fit: which, dir: filepath.Join(out, which.name)}
		f.progress = func(part float64) { r.Observer.Progress(int(100*(float64(k)+part)), 100*len(fits)) }
		if err := f.learn(ctx); err != nil {
			return err
		}
		if f.fold == finalFit {
			summary = f.summary
			if err := writeKept(out, f); err != nil {
				return err
			}
		}
	}
	return artifact.WriteJSON(filepath.Join(out, "selection.json"), summary)
}

// reduction is one fit of the stage at work.
type reduction struct {
	fit
	run      *Run
	images   []imageRow
	dir      string
	progress func(part float64)

	fitted  []int // images that the fit learns from
	applied []int // images that it is applied to, in the rows' order of the files it writes
	weights []float64
	y       []float64
	lassoBy []int // LASSO fold of each fitted image
	deep    map[string]*selection.Deep
	summary map[string]selectionSummary
}

// selectionSummary is what the report shows of one feature set.
type selectionSummary struct {
	Images        int                    `json:"images"`
	Inputs        int                    `json:"inputs"`
	PCA           int                    `json:"pca"`
	AfterSpearman int                    `json:"after_spearman"`
	Kept          int                    `json:"kept"`
	Names         []string               `json:"names"` // of the LASSO's inputs
	Variance      []float64              `json:"explained_variance_ratio,omitempty"`
	Lasso         *selection.LassoResult `json:"lasso"`
	Note          string                 `json:"note,omitempty"`
	FittedOn      string                 `json:"fitted_on"`           // hash of the patient ids
	Disagreed     int                    `json:"below_icc,omitempty"` // raw features that the readers' agreement dropped
}

// keptRow is a row of kept.csv.
type keptRow struct {
	Features string  `csv:"features"` // the feature set that the model uses
	Name     string  `csv:"name"`     // ta_012: component 12 of the tumour area
	Weight   float64 `csv:"weight"`
}

func (f *reduction) learn(ctx context.Context) error {
	if err := f.prepare(); err != nil {
		return err
	}
	x := map[string]*mat.Dense{}
	names := map[string][]string{}
	for i, region := range regions {
		m, err := f.reduceRegion(ctx, region)
		if err != nil {
			return err
		}
		_, k := m.Dims()
		x[region], names[region] = m, componentNames(region, k)
		f.progress(float64(i+1) / 3)
	}
	x["fusion"] = beside(x["ta"], x["pta"])
	names["fusion"] = append(append([]string{}, names["ta"]...), names["pta"]...)
	for _, set := range FeatureSets {
		if err := f.selectFrom(set, x[set], names[set]); err != nil {
			return err
		}
	}
	f.progress(1)
	return writeFittedOn(f.dir, patientsOf(f.images, f.fitted))
}

// prepare settles which images are learnt from and which are transformed.
func (f *reduction) prepare() error {
	var err error
	if f.fitted, err = f.run.learners(f.images, f.fit); err != nil {
		return err
	}
	f.applied = where(f.images, func(im imageRow) bool { return f.fold == finalFit || im.Set == cohort.SetTrain })
	f.weights = unitWeights(f.images, f.fitted)
	f.y = make([]float64, len(f.fitted))
	for j, i := range f.fitted {
		f.y[j] = float64(f.images[i].Label)
	}
	f.deep, f.summary = map[string]*selection.Deep{}, map[string]selectionSummary{}
	f.lassoBy, err = patientFolds(f.images, f.fitted, f.run.Plan.Selection.Folds, f.run.Plan.Seed, "lasso-folds", f.name)
	if p, ok := problem.As(err); ok && f.run.Plan.fitOn() == fitOnHeldout {
		p.Try += ", or set network.train.fit_on: all"
	}
	return err
}

// reduceRegion fits z-score and PCA on the fitted images of a region and transforms the applied ones.
func (f *reduction) reduceRegion(ctx context.Context, region string) (*mat.Dense, error) {
	rows, err := f.run.features(region, f.pair)
	if err != nil {
		return nil, err
	}
	t, err := f.run.tame(ctx, region, f.pair, rows, f.images, f.fitted, f.applied)
	if err != nil {
		return nil, err
	}
	c := f.run.Plan.Selection.deep(f.run.Jobs)
	c.Drop = t.drop
	d, err := selection.FitDeep(ctx, t.rows, f.fitted, f.weights, c)
	if err != nil {
		return nil, err
	}
	f.deep[region] = d
	if f.fold == finalFit {
		if err := d.Save(filepath.Join(f.dir, region+"-pca")); err != nil {
			return nil, err
		}
		if t.combat != nil {
			if err := t.combat.Save(combatDir(f.dir, region)); err != nil {
				return nil, err
			}
		}
	}
	return d.Transform(t.rows, f.applied, f.run.Jobs), nil
}

// selectFrom drops correlated features and lets the LASSO choose among the rest; it writes the kept columns.
func (f *reduction) selectFrom(set string, x *mat.Dense, names []string) error {
	fittedRows := make([]int, 0, len(f.fitted))
	at := map[int]int{}
	for row, i := range f.applied {
		at[i] = row
	}
	for _, i := range f.fitted {
		fittedRows = append(fittedRows, at[i])
	}
	train := pick(x, fittedRows)
	apart, kept, lasso, err := f.run.Plan.Selection.choose(train, f.y, f.weights, f.lassoBy, f.run.Jobs)
	if err != nil {
		return err
	}
	_, inputs := x.Dims()
	s := selectionSummary{
		Images: len(f.fitted), Inputs: inputs, PCA: inputs, AfterSpearman: len(apart), Kept: len(kept),
		Lasso: lasso, Note: lasso.Note, FittedOn: patientsHash(f.images, f.fitted),
	}
	for _, j := range apart {
		s.Names = append(s.Names, names[j])
	}
	if d := f.deep[set]; d != nil {
		_, s.Inputs = d.Dims()
		s.Variance, s.Disagreed = d.ExplainedVarianceRatio(), d.CallerDropped
	}
	f.summary[set] = s
	return writeMatrix(filepath.Join(f.dir, set+".npy"), pickColumns(x, kept))
}

func componentNames(region string, k int) []string {
	names := make([]string, k)
	for i := range names {
		names[i] = fmt.Sprintf("%s_%03d", region, i+1)
	}
	return names
}

// writeKept lists the features that the final fit keeps, with their LASSO weights.
func writeKept(out string, f *reduction) error {
	var rows []keptRow
	for _, set := range FeatureSets {
		s := f.summary[set]
		for _, j := range s.Lasso.Kept {
			rows = append(rows, keptRow{set, s.Names[j], s.Lasso.Coef[j]})
		}
	}
	return writeCSV(filepath.Join(out, "kept.csv"), rows)
}
