package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"sonotype/study"
)

func (a *app) robustness() *cobra.Command {
	f := &runFlags{}
	parts := study.RobustnessParts()
	cmd := &cobra.Command{
		Use:   "robustness STUDY.yaml",
		Short: "Vary the study's decisions one by one and add what changes to its report",
		Long: `Vary the study's decisions one by one and add what changes to its report:

  widths    the study again with other widths of the peritumoural area
  outlines  the frozen model on outlines shifted, dilated, eroded and redrawn
  cutoffs   the study again with other cut-offs of a numeric outcome
  centres   the study again, developed without each centre and tested there

The study is run first if it is not finished. What is done already is kept, so
that a computation that was stopped goes on. The key robustness of study.yaml
sets the widths, changes and cut-offs (docs/robustness.md).
` + exitHelp,
		Example: "  sonotype robustness study.yaml --out run\n  sonotype robustness study.yaml --out run --only outlines,centres",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			plan, err := study.LoadPlan(args[0], f.preset, f.set)
			if err == nil {
				err = study.SamePlan(f.out, plan)
			}
			if err != nil {
				return errUsage{err}
			}
			return a.runStudy(cmd, args[0], f)
		},
	}
	cmd.Flags().StringVarP(&f.out, "out", "o", "run", "folder of the study's results")
	cmd.Flags().StringSliceVar(&f.evidence.Robustness, "only", parts, "some of "+strings.Join(parts, ", "))
	f.bind(cmd)
	return cmd
}
