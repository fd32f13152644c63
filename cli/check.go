package cli

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"sonotype/cohort"
	"sonotype/study"
)

func (a *app) check() *cobra.Command {
	f := &runFlags{}
	cmd := &cobra.Command{
		Use:   "check STUDY.yaml",
		Short: "Check table, images and outlines before any computing",
		Long: `Check the study's tables and every image and outline: missing files, sizes that
differ, empty or non-binary outlines, duplicates, impossible ages and times, one
patient in two centres, and more. Every problem is listed with its file and row.
The sample size is set against Riley's criteria (sample_size in the study file).
` + exitHelp,
		Example: "  sonotype check study.yaml",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			plan, err := study.LoadPlan(args[0], f.preset, f.set)
			if err != nil {
				return errUsage{err}
			}
			bars := newProgress(a.err)
			var c *cohort.Cohort
			var findings []cohort.Finding
			err = bars.task("check     ", func(report func(done, total int)) (err error) {
				c, findings, err = study.Check(cmd.Context(), plan, filepath.Dir(args[0]), f.jobs, report)
				return err
			})
			bars.wait()
			if err != nil {
				return a.classified(err)
			}
			return a.showFindings(plan, c, findings)
		},
	}
	cmd.Flags().StringArrayVar(&f.set, "set", nil, "override a key of study.yaml")
	cmd.Flags().IntVarP(&f.jobs, "jobs", "j", 0, "worker threads; 0 = all cores")
	return cmd
}

// showFindings lists what was found; an error among it makes the cohort bad.
func (a *app) showFindings(plan study.Plan, c *cohort.Cohort, findings []cohort.Finding) error {
	number := map[string]int{}
	for _, f := range findings {
		number[f.Severity]++
	}
	flow := c.Flow(nil)
	size, err := study.SampleSize(plan, c)
	size.Note("split", err)
	if a.json {
		if err := a.writeJSON(map[string]any{"findings": findings, "counts": number, "analysed": flow.Analysed, "excluded": flow.Excluded, "sample_size": size}); err != nil {
			return err
		}
	} else {
		for _, f := range findings {
			a.printFinding(f)
		}
		fmt.Fprintf(a.out, "%d patients, %d images; %d errors, %d warnings, %d notes\n", flow.Analysed.Patients, flow.Analysed.Images,
			number[cohort.SeverityError], number[cohort.SeverityWarning], number[cohort.SeverityNote])
		a.printSampleSize(size)
	}
	a.excluded = len(flow.Excluded) > 0
	if n := number[cohort.SeverityError]; n > 0 {
		return errBadCohort{fmt.Errorf("the cohort has %d errors", n)}
	}
	return nil
}

func (a *app) printFinding(f cohort.Finding) {
	where := f.File
	if f.Row > 0 {
		where += fmt.Sprintf(":%d", f.Row)
	}
	if f.Patient != "" {
		where += " patient " + f.Patient
	}
	fmt.Fprintf(a.out, "%-7s %s [%s] %s\n", f.Severity, where, f.Code, f.Message)
	if f.Path != "" {
		fmt.Fprintf(a.out, "        file: %s\n", f.Path)
	}
	if f.Try != "" {
		fmt.Fprintf(a.out, "        Try: %s\n", f.Try)
	}
}

// classified gives errors of packages their exit code.
func (a *app) classified(err error) error {
	if errors.Is(err, cohort.ErrTampered) {
		return errTampered{err}
	}
	if errors.Is(err, study.ErrBadCohort) {
		return errBadCohort{err}
	}
	return err
}
