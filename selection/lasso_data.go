package selection

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"sonotype/internal/dots"
	"sonotype/internal/problem"
)

// lassoTable is the checked input of FitLasso.
type lassoTable struct {
	x    *mat.Dense
	y, w []float64
	fold []int
}

// lassoData is a subset of a table's rows, prepared for the solvers.
type lassoData struct {
	y, w    []float64 // m; w sums to 1
	columns dots.Rows // p rows of m: the features, centred by their weighted means
	mean    []float64 // p weighted means
}

func newLassoTable(x *mat.Dense, y, w []float64, fold []int, c LassoConfig) (*lassoTable, error) {
	if x == nil || x.IsEmpty() {
		return nil, &problem.Error{What: "the LASSO got no features"}
	}
	n, p := x.Dims()
	if w == nil {
		w = ones(n)
	}
	if len(y) != n || len(w) != n || len(fold) != n {
		return nil, &problem.Error{What: "the LASSO's rows, outcomes, weights and folds differ in number",
			Found: fmt.Sprintf("%d rows, %d outcomes, %d weights, %d folds", n, len(y), len(w), len(fold))}
	}
	for i := range n {
		if math.IsNaN(y[i]) || math.IsInf(y[i], 0) || (c.Family == Binomial && y[i] != 0 && y[i] != 1) {
			return nil, &problem.Error{What: fmt.Sprintf("outcome of LASSO row %d cannot be used", i+1),
				Expected: "a finite number; 0 or 1 for the binomial family", Found: fmt.Sprint(y[i])}
		}
		if !(w[i] > 0) || math.IsInf(w[i], 1) {
			return nil, &problem.Error{What: fmt.Sprintf("weight of LASSO row %d is not a finite number > 0", i+1), Found: fmt.Sprint(w[i])}
		}
		for j := range p {
			if v := x.At(i, j); math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, &problem.Error{What: fmt.Sprintf("feature column %d is not a finite number in row %d", j+1, i+1), Found: fmt.Sprint(v)}
			}
		}
	}
	t := &lassoTable{x: x, y: y, w: w, fold: fold}
	if floats.Max(y) == floats.Min(y) {
		return nil, &problem.Error{What: "the outcome does not vary over the LASSO's rows", Found: fmt.Sprint(y[0])}
	}
	if floats.Max(t.foldNumbers()) == floats.Min(t.foldNumbers()) {
		return nil, &problem.Error{What: "the LASSO needs at least two folds"}
	}
	return t, nil
}

func (t *lassoTable) foldNumbers() []float64 {
	f := make([]float64, len(t.fold))
	for i, v := range t.fold {
		f[i] = float64(v)
	}
	return f
}

func (t *lassoTable) all() *lassoData {
	idx := make([]int, len(t.y))
	for i := range idx {
		idx[i] = i
	}
	return t.subset(idx)
}

// without returns the rows outside a fold; their outcome must vary.
func (t *lassoTable) without(fold int) (*lassoData, error) {
	var idx []int
	for i, f := range t.fold {
		if f != fold {
			idx = append(idx, i)
		}
	}
	d := t.subset(idx)
	if floats.Max(d.y) == floats.Min(d.y) {
		return nil, &problem.Error{What: fmt.Sprintf("the outcome does not vary outside LASSO fold %d", fold),
			Try: "use fewer folds, stratified by the outcome"}
	}
	return d, nil
}

// subset copies rows, columns first, and centres each feature by its weighted mean.
func (t *lassoTable) subset(idx []int) *lassoData {
	_, p := t.x.Dims()
	m := len(idx)
	d := &lassoData{
		y: make([]float64, m), w: make([]float64, m), mean: make([]float64, p),
		columns: dots.Rows{Data: make([]float64, p*m), N: p, Len: m, Stride: m},
	}
	for k, i := range idx {
		d.y[k], d.w[k] = t.y[i], t.w[i]
		for j, v := range t.x.RawRowView(i) {
			d.columns.Data[j*m+k] = v
		}
	}
	floats.Scale(1/floats.Sum(d.w), d.w)
	for j := range p {
		col := d.columns.Row(j)
		d.mean[j] = floats.Dot(d.w, col)
		floats.AddConst(-d.mean[j], col)
	}
	return d
}

// lossOn is the weighted mean loss of each lambda on a fold's rows, and the fold's weight.
func (t *lassoTable) lossOn(fold int, path *lassoPath, loss func(y, eta float64) float64) (mean []float64, weight float64) {
	mean = make([]float64, len(path.lambdas))
	for i, f := range t.fold {
		if f != fold {
			continue
		}
		weight += t.w[i]
		row := t.x.RawRowView(i)
		for l, b := range path.coef {
			mean[l] += t.w[i] * loss(t.y[i], path.intercepts[l]+floats.Dot(row, b))
		}
	}
	floats.Scale(1/weight, mean)
	return mean, weight
}

// logSpaced returns n values from largest to largest*ratio at equal ratios.
func logSpaced(largest, ratio float64, n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = largest * math.Pow(ratio, float64(i)/float64(n-1))
	}
	return v
}

// softThreshold moves v towards 0 by t, stopping there.
func softThreshold(v, t float64) float64 {
	return math.Copysign(max(math.Abs(v)-t, 0), v)
}
