package cli

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"gonum.org/v1/gonum/mat"

	"sonotype/classify"
	"sonotype/cohort/table"
	"sonotype/internal/artifact"
	"sonotype/internal/problem"
)

type classifyFlags struct {
	label, model, out, positive string
	id                          []string
	seed                        uint64
	jobs                        int
}

func (a *app) classify() *cobra.Command {
	f := &classifyFlags{}
	cmd := &cobra.Command{
		Use:     "classify TRAIN TEST",
		Short:   "Fit one of the six models on any table and score another",
		Long:    "Fit one of the six models on a table of numbers and score another with the same columns. Nothing is scaled.\n" + exitHelp,
		Example: "  sonotype classify train.csv test.csv --label y --model svm --out scores.csv",
		Args:    exactly(2),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.classifyTables(args[0], args[1], f)
		},
	}
	cmd.Flags().StringVar(&f.label, "label", "", "column with 0 and 1 (required)")
	cmd.Flags().StringVar(&f.positive, "positive", "", "value of the label column that counts as 1; default: the column holds 0 and 1")
	cmd.Flags().StringVar(&f.model, "model", "lr", strings.Join(classify.Names, ", "))
	cmd.Flags().StringSliceVar(&f.id, "id", nil, "columns that are copied to the scores and not learnt from")
	cmd.Flags().StringVarP(&f.out, "out", "o", "scores.csv", "file to write")
	cmd.Flags().Uint64Var(&f.seed, "seed", 1, "random seed")
	cmd.Flags().IntVarP(&f.jobs, "jobs", "j", 0, "worker threads; 0 = all cores; never changes a result")
	require(cmd, "label")
	return cmd
}

func (a *app) classifyTables(trainPath, testPath string, f *classifyFlags) error {
	if !slices.Contains(classify.Names, f.model) {
		return errUsage{fmt.Errorf("unknown model %q; one of %s", f.model, strings.Join(classify.Names, ", "))}
	}
	train, err := table.Read(trainPath, table.Options{})
	if err != nil {
		return err
	}
	test, err := table.Read(testPath, table.Options{})
	if err != nil {
		return err
	}
	names := slices.DeleteFunc(slices.Clone(train.Header), func(c string) bool { return c == f.label || slices.Contains(f.id, c) })
	x, y, err := numbers(train, names, f)
	if err != nil {
		return err
	}
	m, err := classify.New(f.model, classify.Config{Seed: f.seed, Workers: f.jobs})
	if err != nil {
		return err
	}
	if err := m.Fit(x, y, nil); err != nil {
		return err
	}
	tx, ty, err := numbers(test, names, f)
	if err != nil {
		return err
	}
	if err := writeScores(f, test, m, tx, ty); err != nil {
		return err
	}
	if a.json {
		return a.writeJSON(map[string]any{"scores": f.out, "model": f.model, "train": len(y), "test": len(ty), "features": len(names)})
	}
	a.say("%s fitted on %d rows and %d features, %d rows scored", f.model, len(y), len(names), len(ty))
	fmt.Fprintln(a.out, f.out)
	return nil
}

// numbers reads the named columns as features and the label column as 0 and 1.
func numbers(t *table.Table, names []string, f *classifyFlags) (*mat.Dense, []int, error) {
	if len(t.Rows) == 0 || len(names) == 0 {
		return nil, nil, &problem.Error{What: "the table has no rows or no features", File: t.Path}
	}
	at := make([]int, len(names))
	for j, name := range names {
		var err error
		if at[j], err = t.Require(name); err != nil {
			return nil, nil, err
		}
	}
	y, err := labelColumn(t, f.label, f.positive)
	if err != nil {
		return nil, nil, err
	}
	x := mat.NewDense(len(t.Rows), len(names), nil)
	for i, row := range t.Rows {
		for j, c := range at {
			v, err := table.Number(row[c])
			if err != nil {
				return nil, nil, &problem.Error{What: "a feature is not a number", File: t.Path, Row: t.Line[i], Expected: "a number in column " + names[j], Found: strconv.Quote(row[c]), Try: "keep text columns out with --id"}
			}
			x.Set(i, j, v)
		}
	}
	return x, y, nil
}

// labelColumn reads a column of 0 and 1, or compares it with the positive value.
func labelColumn(t *table.Table, name, positive string) ([]int, error) {
	at, err := t.Require(name)
	if err != nil {
		return nil, err
	}
	y := make([]int, len(t.Rows))
	for i, row := range t.Rows {
		cell := row[at]
		switch {
		case table.Missing(cell):
			return nil, &problem.Error{What: "a label is missing", File: t.Path, Row: t.Line[i], Expected: "a value in column " + name}
		case positive != "":
			if cell == positive {
				y[i] = 1
			}
		default:
			v, err := table.Number(cell)
			if err != nil || (v != 0 && v != 1) {
				return nil, &problem.Error{What: "a label is neither 0 nor 1", File: t.Path, Row: t.Line[i], Found: strconv.Quote(cell), Try: "say with --positive which value counts as 1"}
			}
			y[i] = int(v)
		}
	}
	return y, nil
}

// writeScores writes the id columns, the label and the score of every test row; the SVM's decision value too.
func writeScores(f *classifyFlags, test *table.Table, m classify.Model, x *mat.Dense, y []int) error {
	score, err := m.Predict(x)
	if err != nil {
		return err
	}
	head := append(slices.Clone(f.id), f.label, "score")
	var decision []float64
	if f.model == "svm" {
		if decision, err = m.(classify.Decider).Decision(x); err != nil {
			return err
		}
		head = append(head, "decision")
	}
	return artifact.Write(f.out, func(out io.Writer) error {
		w := csv.NewWriter(out)
		w.Write(head)
		for i, row := range test.Rows {
			var cells []string
			for _, id := range f.id {
				c, err := test.Require(id)
				if err != nil {
					return err
				}
				cells = append(cells, row[c])
			}
			cells = append(cells, strconv.Itoa(y[i]), strconv.FormatFloat(score[i], 'g', -1, 64))
			if decision != nil {
				cells = append(cells, strconv.FormatFloat(decision[i], 'g', -1, 64))
			}
			w.Write(cells)
		}
		w.Flush()
		return w.Error()
	})
}
