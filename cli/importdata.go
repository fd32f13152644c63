package cli

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"sonotype/datasets"
)

func (a *app) importData() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "import",
		Short:   "Turn a public data set into cohort.csv and study.yaml",
		Long:    "Turn a public data set that you downloaded into cohort.csv and study.yaml; its files stay where they are.\n" + exitHelp,
		Example: "  sonotype import bus-bra BUSBRA --out busbra\n  sonotype import breast-lesions-usg BrEaST --out breast",
	}
	cmd.AddCommand(
		a.importOne("bus-bra", "BUS-BRA (doi 10.5281/zenodo.8231412)", datasets.ImportBUSBRA),
		a.importOne("breast-lesions-usg", "Breast-Lesions-USG (doi 10.7937/9WKK-Q141)", datasets.ImportBreastLesionsUSG))
	return cmd
}

func (a *app) importOne(name, title string, run func(src, out string) (datasets.Summary, error)) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:     name + " SRC",
		Short:   title,
		Example: "  sonotype import " + name + " SRC --out " + name,
		Args:    exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := run(args[0], out)
			if err != nil {
				return err
			}
			if a.json {
				return a.writeJSON(s)
			}
			a.say("%d rows, %d patients, %d positive", s.Rows, s.Patients, s.Positive)
			for _, skipped := range s.Skipped {
				a.say("skipped: %v", skipped)
			}
			fmt.Fprintln(a.out, filepath.Join(out, "study.yaml"))
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", name, "folder to write")
	return cmd
}
