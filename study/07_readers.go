package study

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"

	"gonum.org/v1/gonum/mat"

	"sonotype/agreement"
	"sonotype/bundle"
	"sonotype/classify"
	"sonotype/harmonise"
	"sonotype/internal/artifact"
	"sonotype/internal/problem"
	"sonotype/report"
	"sonotype/selection"
)

const readersResult = "readers.json"

// writeReaderAgreement measures, where images have several readers, how far outlines, features, and the primary model's
// inputs and scores agree. No outcome is read.
func (r *Run) writeReaderAgreement(ctx context.Context, out string, e *evaluation) error {
	path := filepath.Join(r.dir(2, "roi"), "readers.csv")
	if !exists(path) {
		return nil
	}
	pairs, err := readCSV[outlinePair](path)
	if err != nil {
		return err
	}
	all := make([]agreement.Outlines, len(pairs))
	for i, p := range pairs {
		all[i] = agreement.Outlines{A: p.A, B: p.B, Dice: p.Dice, Hausdorff95: p.HD95, MM: p.MM}
	}
	result := report.Readers{Pairs: agreement.Pairs(all), Bound: r.Plan.Readers.ICC}
	outlines, err := r.outlines()
	if err != nil {
		return err
	}
	cases := readCases(outlines, func(int) bool { return true })
	result.Cases = len(cases)
	if len(cases) < 2 {
		result.Note = "fewer than two cases have usable outlines of the same readers: no intraclass correlation"
		return artifact.WriteJSON(filepath.Join(out, readersResult), result)
	}
	for _, k := range cases[0] {
		result.Names = append(result.Names, outlines[k].Reader)
	}
	a := &readerAgreement{run: r, outlines: outlines, cases: cases, primary: e.Primary, components: map[string]*mat.Dense{}}
	if err := a.measure(ctx, &result, float64(e.Thresholds[e.Primary])); err != nil {
		return err
	}
	return artifact.WriteJSON(filepath.Join(out, readersResult), result)
}

// readerAgreement is the measurement at work.
type readerAgreement struct {
	run        *Run
	images     []imageRow
	outlines   []outlineRow
	cases      [][]int // rows of the readers' files: cases[i][j] is reader j's outline of case i
	rows       [][]int // the same, of the tables below
	primary    report.Key
	selected   map[string]selectionSummary
	components map[string]*mat.Dense // principal components by region, a row an outline
}

func (a *readerAgreement) measure(ctx context.Context, into *report.Readers, threshold float64) (err error) {
	if a.images, err = a.run.images(); err != nil {
		return err
	}
	if err := artifact.ReadJSON(filepath.Join(a.run.dir(5, "selection"), "selection.json"), &a.selected); err != nil {
		return err
	}
	for _, region := range regions {
		spread, err := a.region(ctx, region)
		if err != nil {
			return err
		}
		into.Regions = append(into.Regions, report.ReaderRegion{Region: region, Spread: spread, Dropped: a.selected[region].Disagreed})
	}
	inputs, err := a.inputs()
	if err != nil {
		return err
	}
	selected := a.selected[a.primary.Features]
	for j, k := range selected.Lasso.Kept {
		icc, err := agreement.Readings(a.readings(mat.Col(nil, j, inputs)))
		if err != nil {
			return err
		}
		into.Components = append(into.Components, report.ReaderComponent{Name: selected.Names[k], ICC: icc})
	}
	into.Score, err = a.score(inputs, threshold)
	return err
}

// region gives the ICCs of a region's features and keeps the features' principal components.
func (a *readerAgreement) region(ctx context.Context, region string) (agreement.Spread, error) {
	dir := filepath.Join(a.run.dir(5, "selection"), fitName(finalFit))
	var combat *harmonise.Combat
	var err error
	if a.run.Plan.harmonises() {
		if combat, err = harmonise.Load(combatDir(dir, region)); err != nil {
			return agreement.Spread{}, err
		}
	}
	var t outlineFeatures
	if t, a.rows, err = a.run.readerFeatures(region, finalFit, combat, a.images, a.outlines, a.cases); err != nil {
		return agreement.Spread{}, err
	}
	iccs, err := agreement.Features(ctx, t, a.rows, a.run.Jobs)
	if err != nil {
		return agreement.Spread{}, err
	}
	deep, err := selection.LoadDeep(filepath.Join(dir, region+"-pca"))
	if err != nil {
		return agreement.Spread{}, err
	}
	if err := deep.Check(t); err != nil {
		return agreement.Spread{}, err
	}
	idx := make([]int, len(t))
	for i := range idx {
		idx[i] = i
	}
	a.components[region] = deep.Transform(t, idx, a.run.Jobs)
	return agreement.Summarise(iccs), nil
}

// inputs are the primary model's inputs, a row an outline.
func (a *readerAgreement) inputs() (*mat.Dense, error) {
	s := a.selected[a.primary.Features]
	n, _ := a.components[regions[0]].Dims()
	out := mat.NewDense(n, len(s.Lasso.Kept), nil)
	for j, k := range s.Lasso.Kept {
		c, err := bundle.ParseComponent(s.Names[k])
		if err != nil {
			return nil, err
		}
		out.SetCol(j, mat.Col(nil, c.Number-1, a.components[c.Region]))
	}
	return out, nil
}

// readings arranges a value an outline by case and reader.
func (a *readerAgreement) readings(values []float64) [][]float64 {
	out := make([][]float64, len(a.rows))
	for i, row := range a.rows {
		for _, k := range row {
			out[i] = append(out[i], values[k])
		}
	}
	return out
}

// score gives the agreement of the primary model's scores, and how many verdicts depend on the reader.
func (a *readerAgreement) score(inputs *mat.Dense, threshold float64) (*report.ReaderScore, error) {
	path := filepath.Join(a.run.dir(6, "classify"), "models", a.primary.Features+"-"+a.primary.Model+".json")
	model, err := loadModel(path, a.primary.Model)
	if err != nil {
		return nil, err
	}
	scores, err := model.Predict(inputs)
	if err != nil {
		return nil, err
	}
	by := a.readings(scores)
	out := &report.ReaderScore{}
	if out.ICC, err = agreement.Readings(by); err != nil {
		return nil, err
	}
	for _, row := range by {
		above := 0
		for _, s := range row {
			if s > threshold {
				above++
			}
		}
		if above > 0 && above < len(row) {
			out.Changed++
		}
	}
	return out, nil
}

// loadModel reads a model that stage 06 fitted.
func loadModel(path, name string) (classify.Model, error) {
	model, err := classify.New(name, classify.Config{Workers: 1})
	if err != nil {
		return nil, err
	}
	saved := struct {
		Model json.Unmarshaler `json:"model"`
	}{model}
	if err := artifact.ReadJSON(path, &saved); err != nil {
		return nil, &problem.Error{What: fmt.Sprintf("the model %s cannot be read", name), File: path, Err: err, Try: "delete the folder 06-classify and run again"}
	}
	return model, nil
}
