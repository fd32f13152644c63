// Package clinical takes clinical variables, a score and 0/1 outcomes, one row a patient, and gives logistic models, tables of odds ratios and nomograms.
package clinical

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"sonotype/internal/problem"
)

// Scale says how a numeric variable enters a model.
type Scale string

// The scales.
const (
	Linear Scale = ""      // as it is
	Logit  Scale = "logit" // a probability: ln(p / (1-p)), p kept within [ScoreFloor, 1-ScoreFloor]
)

// ScoreFloor keeps the logit of a score finite: models that count votes give exact 0 and 1.
const ScoreFloor = 0.001

// Variable is one variable of a model. With Levels it is categorical: the first level is the reference, and the others
// are one 0/1 term each.
type Variable struct {
	Name   string   `json:"name"`
	Levels []string `json:"levels,omitempty"`
	Scale  Scale    `json:"scale,omitempty"`
}

// Terms is the number of coefficients that the variable takes.
func (v Variable) Terms() int { return max(1, len(v.Levels)-1) }

// fill is what the value adds to a row of the design: numbers for numeric variables, level indices for categorical ones.
func (v Variable) fill(value float64, row []float64) {
	if len(v.Levels) > 0 {
		for k := range row {
			row[k] = 0
		}
		if level := int(value); level > 0 {
			row[level-1] = 1
		}
		return
	}
	row[0] = v.Transform(value)
}

// Transform is the value as it enters the model.
func (v Variable) Transform(value float64) float64 {
	if v.Scale == Logit {
		p := min(max(value, ScoreFloor), 1-ScoreFloor)
		return math.Log(p) - math.Log1p(-p)
	}
	return value
}

// termNames lists the coefficients of the variables: the level for categorical variables, "" for numeric ones.
func termNames(vars []Variable) (variable []int, level []string) {
	for i, v := range vars {
		if len(v.Levels) == 0 {
			variable, level = append(variable, i), append(level, "")
			continue
		}
		for _, l := range v.Levels[1:] {
			variable, level = append(variable, i), append(level, l)
		}
	}
	return variable, level
}

// design is the n x (1 + terms) matrix with a leading 1; columns[i] holds the values of vars[i], complete.
func design(vars []Variable, columns [][]float64, n int) (*mat.Dense, error) {
	p := 1
	for _, v := range vars {
		p += v.Terms()
	}
	x := mat.NewDense(n, p, nil)
	for r := range n {
		row := x.RawRowView(r)
		row[0] = 1
		at := 1
		for i, v := range vars {
			value := columns[i][r]
			if err := v.check(value, r); err != nil {
				return nil, err
			}
			v.fill(value, row[at:at+v.Terms()])
			at += v.Terms()
		}
	}
	return x, nil
}

// sized demands a column for each variable, with a value for each outcome.
func sized(vars []Variable, columns [][]float64, n int) error {
	if len(columns) != len(vars) {
		return &problem.Error{What: "variables and columns differ in number", Expected: fmt.Sprint(len(vars)), Found: fmt.Sprint(len(columns))}
	}
	for i, c := range columns {
		if len(c) != n {
			return &problem.Error{What: "the values of " + vars[i].Name + " and the outcomes differ in number", Expected: fmt.Sprint(n), Found: fmt.Sprint(len(c))}
		}
	}
	return nil
}

// check refuses values that no model can take; the caller has left out, or imputed, missing ones.
func (v Variable) check(value float64, row int) error {
	fail := func(want string) error {
		return &problem.Error{What: "a value of " + v.Name + " cannot enter the model", Expected: want, Found: fmt.Sprintf("%v in row %d", value, row+1),
			Try: "leave the row out, or impute the value"}
	}
	switch {
	case math.IsNaN(value) || math.IsInf(value, 0):
		return fail("a finite number")
	case len(v.Levels) > 0 && (value != math.Trunc(value) || value < 0 || int(value) >= len(v.Levels)):
		return fail(fmt.Sprintf("the index of one of %d levels", len(v.Levels)))
	case v.Scale == Logit && (value < 0 || value > 1):
		return fail("a probability")
	}
	return nil
}
