package cli

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"sonotype/cohort/table"
	"sonotype/describe"
)

func (a *app) table1() *cobra.Command {
	var by string
	var columns []string
	var o describe.Options
	cmd := &cobra.Command{
		Use:     "table1 TABLE",
		Short:   "Table 1 of any table: summaries, tests, standardised differences",
		Long:    "Table 1 of any CSV or XLSX table: every column summarised by group, with the test named, its P and the standardised mean difference.\n" + exitHelp,
		Example: "  sonotype table1 cohort.csv --by er --columns age,t_stage,n_stage",
		Args:    exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			t, err := table.Read(args[0], table.Options{})
			if err != nil {
				return err
			}
			r, err := tableOne(t, by, columns, o)
			if err != nil {
				return err
			}
			if a.json {
				return a.writeJSON(r.Variables)
			}
			return a.printTable1(r)
		},
	}
	cmd.Flags().StringVar(&by, "by", "", "column that makes the groups (required)")
	cmd.Flags().StringSliceVar(&columns, "columns", nil, "columns to describe; default all")
	cmd.Flags().BoolVar(&o.PooledT, "pooled-t", false, "Student's t test instead of Welch's")
	cmd.Flags().BoolVar(&o.Yates, "yates", false, "continuity correction for 2 x 2 tables")
	cmd.Flags().Uint64Var(&o.Seed, "seed", 1, "seed of Fisher's test where it must be simulated")
	require(cmd, "by")
	return cmd
}

// tableOne describes the table's columns by one of them.
func tableOne(t *table.Table, by string, columns []string, o describe.Options) (*describe.Result, error) {
	group, err := t.Require(by)
	if err != nil {
		return nil, err
	}
	if len(columns) == 0 {
		columns = t.Header
	}
	var cols []describe.Column
	for _, name := range columns {
		i, err := t.Require(name)
		if err != nil {
			return nil, err
		}
		if i != group {
			cols = append(cols, describe.Column{Name: t.Header[i], Values: columnOf(t, i)})
		}
	}
	return describe.Table(cols, describe.Column{Name: t.Header[group], Values: columnOf(t, group)}, o)
}

// columnOf copies a column, with every way of writing "no value" as "".
func columnOf(t *table.Table, i int) []string {
	values := make([]string, len(t.Rows))
	for r, row := range t.Rows {
		if !table.Missing(row[i]) {
			values[r] = row[i]
		}
	}
	return values
}

func (a *app) printTable1(r *describe.Result) error {
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	head := []string{r.By}
	for i, g := range r.Groups {
		head = append(head, fmt.Sprintf("%s (N = %d)", g, r.N[i]))
	}
	fmt.Fprintln(w, strings.Join(append(head, "P", "SMD", "Test"), "\t"))
	for _, v := range r.Variables {
		row := []string{v.Name}
		for g := range r.Groups {
			if len(v.Groups) > 0 {
				row = append(row, fmt.Sprintf("%.3g (%.3g)", float64(v.Groups[g].Mean), float64(v.Groups[g].SD)))
			} else {
				row = append(row, "")
			}
		}
		fmt.Fprintln(w, strings.Join(append(row, pValue(float64(v.P)), fmt.Sprintf("%.3f", float64(v.SMD)), v.Test), "\t"))
		for _, l := range v.Levels {
			row := []string{"  " + l.Name}
			for g := range r.Groups {
				row = append(row, fmt.Sprintf("%d (%.1f%%)", l.Counts[g], float64(l.Percent[g])))
			}
			fmt.Fprintln(w, strings.Join(slices.Concat(row, []string{"", "", ""}), "\t"))
		}
	}
	for _, l := range r.LeftOut {
		a.say("left out: %s (%s)", l.Name, l.Reason)
	}
	return w.Flush()
}

// pValue prints a P value as papers do.
func pValue(p float64) string {
	if p < 0.001 {
		return "<0.001"
	}
	return fmt.Sprintf("%.3f", p)
}
