// Package impute takes columns with missing values and gives completed copies of them by chained equations, the fitted equations for new patients, and Rubin's rules.
package impute

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strconv"

	"golang.org/x/sync/errgroup"

	"sonotype/internal/problem"
	"sonotype/internal/rng"
)

// Column is one variable: numbers, or with Levels > 1 the indices of a category. NaN is missing.
type Column struct {
	Name   string
	Levels int // 0: numeric
	Values []float64
}

// Config of a multiple imputation.
type Config struct {
	Imputations int      // completed copies
	Iterations  int      // rounds of the chain
	Donors      int      // of predictive mean matching
	Seed        uint64   //
	Stream      []string // names of the random stream, apart from the imputation's number
	Workers     int      // <= 0: GOMAXPROCS
}

// Defaults are those of mice with more imputations: 20 copies, 10 rounds, 5 donors.
func Defaults() Config { return Config{Imputations: 20, Iterations: 10, Donors: 5} }

// Imputer holds the equations of each imputation, drawn in its last round on the patients that it was fitted on.
type Imputer struct {
	columns []Column // names and levels of the fitted columns, without values
	config  Config
	chains  []chain
}

// chain is one imputation.
type chain struct {
	start     [][]float64 // observed values of each column, from which a new patient's chain starts
	equations []equation  // one a column
	completed [][]float64 // the fitted patients, by column
}

// equation draws a missing value of one column from a row of predictors.
type equation interface {
	draw(row []float64, r *rand.Rand) float64
}

// Fit imputes the columns and keeps the equations. Numeric columns are drawn by predictive mean matching after a
// Bayesian linear regression, categories by a Bayesian multinomial regression, each on all other columns.
func Fit(ctx context.Context, columns []Column, c Config) (*Imputer, error) {
	if err := check(columns, c); err != nil {
		return nil, err
	}
	im := &Imputer{config: c, chains: make([]chain, c.Imputations)}
	for _, col := range columns {
		im.columns = append(im.columns, Column{Name: col.Name, Levels: col.Levels})
	}
	g, ctx := errgroup.WithContext(ctx)
	if c.Workers <= 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	g.SetLimit(c.Workers)
	for m := range im.chains {
		g.Go(func() (err error) {
			im.chains[m], err = fitChain(ctx, columns, c, im.stream(m, "fit"))
			return err
		})
	}
	return im, g.Wait()
}

func check(columns []Column, c Config) error {
	if c.Imputations < 1 || c.Iterations < 1 || c.Donors < 1 {
		return &problem.Error{What: "multiple imputation needs at least one imputation, iteration and donor",
			Found: fmt.Sprintf("%d, %d, %d", c.Imputations, c.Iterations, c.Donors)}
	}
	for _, col := range columns {
		seen := 0
		for i, v := range col.Values {
			switch {
			case math.IsNaN(v):
				continue
			case math.IsInf(v, 0), col.Levels > 0 && (v != math.Trunc(v) || v < 0 || v >= float64(col.Levels)):
				return &problem.Error{What: "a value of " + col.Name + " cannot be used by imputation", Found: fmt.Sprintf("%v in row %d", v, i+1)}
			}
			seen++
		}
		if seen == 0 {
			return &problem.Error{What: "a column without any value cannot be imputed", Found: col.Name, Try: "leave the variable out"}
		}
		if len(col.Values) != len(columns[0].Values) {
			return &problem.Error{What: "columns of different length cannot be imputed", Found: col.Name}
		}
	}
	return nil
}

func (im *Imputer) stream(m int, more ...string) *rand.Rand {
	names := append(append([]string{"impute"}, im.config.Stream...), strconv.Itoa(m))
	return rng.Stream(im.config.Seed, append(names, more...)...)
}

// Imputations is the number of completed copies.
func (im *Imputer) Imputations() int { return len(im.chains) }

// Completed are the columns of one imputation, the fitted patients in their order.
func (im *Imputer) Completed(m int) [][]float64 { return im.chains[m].completed }

// Apply completes the row of a new patient by the equations of imputation m; its values are in the order of the fitted
// columns. The same id gives the same draws, whoever is imputed beside.
func (im *Imputer) Apply(m int, row []float64, id string) ([]float64, error) {
	if len(row) != len(im.columns) {
		return nil, &problem.Error{What: "a row to impute does not fit", Expected: fmt.Sprintf("%d values", len(im.columns)), Found: strconv.Itoa(len(row))}
	}
	ch := &im.chains[m]
	r := im.stream(m, "apply", id)
	out := append([]float64(nil), row...)
	var missing []int
	for j, v := range row {
		if math.IsNaN(v) {
			missing = append(missing, j)
			out[j] = ch.start[j][r.IntN(len(ch.start[j]))]
		}
	}
	for range im.config.Iterations {
		for _, j := range missing {
			out[j] = ch.equations[j].draw(predictors(im.columns, out, j), r)
		}
	}
	return out, nil
}

// fitChain runs one chain. Every column gets an equation, those without missing values too: a new patient may lack them.
func fitChain(ctx context.Context, columns []Column, c Config, r *rand.Rand) (chain, error) {
	ch := chain{equations: make([]equation, len(columns))}
	observed := make([][]int, len(columns))
	for j, col := range columns {
		var values []float64
		for i, v := range col.Values {
			if !math.IsNaN(v) {
				values, observed[j] = append(values, v), append(observed[j], i)
			}
		}
		ch.start = append(ch.start, values)
		done := append([]float64(nil), col.Values...)
		for i, v := range done {
			if math.IsNaN(v) {
				done[i] = values[r.IntN(len(values))]
			}
		}
		ch.completed = append(ch.completed, done)
	}
	for round := range c.Iterations {
		if err := ctx.Err(); err != nil {
			return ch, err
		}
		for j, col := range columns {
			if len(observed[j]) == len(col.Values) && round < c.Iterations-1 {
				continue
			}
			rows := ch.rows(columns, j)
			ch.equations[j] = fitEquation(col, rows, observed[j], c.Donors, r)
			for i, v := range col.Values {
				if math.IsNaN(v) {
					ch.completed[j][i] = ch.equations[j].draw(rows[i], r)
				}
			}
		}
	}
	return ch, nil
}

// rows are the predictors of column j for every patient.
func (ch *chain) rows(columns []Column, j int) [][]float64 {
	n := len(ch.completed[j])
	out := make([][]float64, n)
	row := make([]float64, len(columns))
	for i := range n {
		for k := range columns {
			row[k] = ch.completed[k][i]
		}
		out[i] = predictors(columns, row, j)
	}
	return out
}

// predictors are a constant and all columns but j, categories as 0/1 terms.
func predictors(columns []Column, row []float64, j int) []float64 {
	out := []float64{1}
	for k, col := range columns {
		switch {
		case k == j:
		case col.Levels > 0:
			for l := 1; l < col.Levels; l++ {
				v := 0.0
				if int(row[k]) == l {
					v = 1
				}
				out = append(out, v)
			}
		default:
			out = append(out, row[k])
		}
	}
	return out
}

func fitEquation(col Column, rows [][]float64, observed []int, donors int, r *rand.Rand) equation {
	x, y := make([][]float64, len(observed)), make([]float64, len(observed))
	for a, i := range observed {
		x[a], y[a] = rows[i], col.Values[i]
	}
	if col.Levels > 0 {
		return fitCategory(x, y, col.Levels, r)
	}
	return fitMatching(x, y, donors, r)
}
