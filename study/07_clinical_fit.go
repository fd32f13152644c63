package study

import (
	"context"
	"math"
	"slices"

	"sonotype/clinical"
	"sonotype/impute"
)

// clinicalFit is one fitted model, with what completes the values of a patient who lacks some.
type clinicalFit struct {
	kind  clinicalKind
	model *clinical.Model
	index [][]int         // by clinical variable: the model's level by the coder's, -1 for one that no fitted patient has; nil for numbers
	fill  *impute.Imputer // nil: complete cases, or a model without clinical variables
	knows patientSet      // units that it was fitted on
}

// fitAll fits the three models on a frame; stream names its random draws.
//
// With imputation the copies that the models are fitted on are drawn with the outcome and the score among the
// predictors, as the models' own estimates need (an imputation that ignores the outcome weakens every association). What
// completes a patient to be scored is fitted on the same patients without the outcome, which nobody knows then, and for
// the clinical model without the score.
func (w *clinicalWork) fitAll(ctx context.Context, train *clinicalFrame, stream string) ([]*clinicalFit, error) {
	copies := [][][]float64{train.columns}
	fills := map[bool]*impute.Imputer{} // by: the score is known
	if w.imputes() {
		var err error
		if copies, err = w.copies(ctx, train, stream); err != nil {
			return nil, err
		}
		for _, scored := range []bool{false, true} {
			if fills[scored], err = w.imputer(ctx, train, scored, false, stream); err != nil {
				return nil, err
			}
		}
	}
	known, index := w.present(train)
	for m, columns := range copies {
		copies[m] = remapped(columns, index)
	}
	var out []*clinicalFit
	for _, kind := range clinicalKinds {
		f := &clinicalFit{kind: kind, index: index, knows: patientSet{}}
		var vars []clinical.Variable
		data := copies
		if kind.variables {
			vars = append(vars, known...)
			f.fill = fills[kind.scored]
		} else {
			data = [][][]float64{nil}
		}
		if kind.scored {
			vars = append(vars, scoreVariable)
			with := make([][][]float64, len(data))
			for m, columns := range data {
				with[m] = append(append([][]float64{}, columns...), train.score)
			}
			data = with
		}
		var err error
		if f.model, err = clinical.FitImputed(vars, data, train.y, w.run.Plan.Clinical.Firth); err != nil {
			return nil, err
		}
		for _, u := range train.units {
			f.knows[u] = true
		}
		out = append(out, f)
	}
	return out, nil
}

// present are the variables with the levels that some patient of the frame has: a fold, or complete cases, may lack one.
func (w *clinicalWork) present(train *clinicalFrame) ([]clinical.Variable, [][]int) {
	var vars []clinical.Variable
	index := make([][]int, len(w.coders))
	for j, c := range w.coders {
		v := c.Variable
		if len(c.Levels) > 0 {
			v.Levels = nil
			for l, name := range c.Levels {
				index[j] = append(index[j], -1)
				if slices.Contains(train.columns[j], float64(l)) {
					index[j][l] = len(v.Levels)
					v.Levels = append(v.Levels, name)
				}
			}
		}
		vars = append(vars, v)
	}
	return vars, index
}

// remapped are columns with the levels of a model instead of the coders'.
func remapped(columns [][]float64, index [][]int) [][]float64 {
	out := make([][]float64, len(columns))
	for j, c := range columns {
		out[j] = c
		if index[j] == nil {
			continue
		}
		out[j] = make([]float64, len(c))
		for i, v := range c {
			out[j][i] = v
			if !math.IsNaN(v) {
				out[j][i] = float64(index[j][int(v)])
			}
		}
	}
	return out
}

// copies are the completed variables; one when nothing is missing.
func (w *clinicalWork) copies(ctx context.Context, train *clinicalFrame, stream string) ([][][]float64, error) {
	whole := true
	for i := range train.units {
		whole = whole && train.complete(i)
	}
	if whole {
		return [][][]float64{train.columns}, nil
	}
	im, err := w.imputer(ctx, train, true, true, stream)
	if err != nil {
		return nil, err
	}
	var out [][][]float64
	for m := range im.Imputations() {
		out = append(out, im.Completed(m)[:len(w.coders)])
	}
	return out, nil
}

// imputer fits chained equations on a frame's variables, with its scores and outcomes where asked.
func (w *clinicalWork) imputer(ctx context.Context, train *clinicalFrame, scored, outcome bool, stream string) (*impute.Imputer, error) {
	var columns []impute.Column
	for j, c := range w.coders {
		columns = append(columns, impute.Column{Name: c.Name, Levels: len(c.Levels), Values: train.columns[j]})
	}
	name := "clinical"
	if scored {
		columns = append(columns, impute.Column{Name: scoreVariable.Name, Values: logits(train.score)})
		name = "scored"
	}
	if outcome {
		y := make([]float64, len(train.y))
		for i, v := range train.y {
			y[i] = float64(v)
		}
		columns = append(columns, impute.Column{Name: "outcome", Levels: 2, Values: y})
		name = "fit"
	}
	c := impute.Defaults()
	c.Imputations, c.Iterations = w.run.Plan.Clinical.Imputations, w.run.Plan.Clinical.Iterations
	c.Seed, c.Stream, c.Workers = w.run.Plan.Seed, []string{"clinical", stream, name}, workers(w.run.Jobs)
	return impute.Fit(ctx, columns, c)
}

// scoreVariable is the deep score as it enters a model.
var scoreVariable = clinical.Variable{Name: "deep score", Scale: clinical.Logit}

func logits(p []float64) []float64 {
	out := make([]float64, len(p))
	for i, v := range p {
		out[i] = scoreVariable.Transform(v)
	}
	return out
}

// scores are the model's probabilities of a frame; NaN all of them where it could not be fitted, and some of them where a
// unit's category is new to it.
func (f *clinicalFit) scores(frame *clinicalFrame) ([]float64, error) {
	out := make([]float64, len(frame.units))
	for i := range out {
		var err error
		if out[i], err = f.score(frame, i); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// score is the probability of one unit, with imputation the mean over the copies of its values. A unit that the model was
// fitted on is an error.
func (f *clinicalFit) score(frame *clinicalFrame, i int) (float64, error) {
	if err := f.knows.mustNotHold(frame.units[i], "clinical model"); err != nil {
		return 0, err
	}
	if !f.model.Fitted() {
		return math.NaN(), nil
	}
	var row []float64
	if f.kind.variables {
		row = frame.row(i)
	}
	known := len(row)
	if f.fill == nil || frame.complete(i) {
		return f.predict(row, frame.score[i])
	}
	if f.kind.scored {
		row = append(row, logits(frame.score[i : i+1])[0])
	}
	sum := 0.0
	for m := range f.fill.Imputations() {
		done, err := f.fill.Apply(m, row, frame.units[i])
		if err != nil {
			return 0, err
		}
		p, err := f.predict(done[:known], frame.score[i])
		if err != nil {
			return 0, err
		}
		sum += p / float64(f.fill.Imputations())
	}
	return sum, nil
}

// predict is the model's probability for complete clinical values and a score; NaN for a category that no patient had
// whom the model was fitted on.
func (f *clinicalFit) predict(row []float64, score float64) (float64, error) {
	values := slices.Clone(row)
	for j, v := range values {
		if f.index[j] == nil {
			continue
		}
		if values[j] = float64(f.index[j][int(v)]); values[j] < 0 {
			return math.NaN(), nil
		}
	}
	if f.kind.scored {
		values = append(values, score)
	}
	return f.model.Predict(values)
}
