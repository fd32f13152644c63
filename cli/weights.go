package cli

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"sonotype/weights"
)

func (a *app) weights() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:     "weights",
		Short:   "Keep network weights: import, fetch, list, verify, export",
		Long:    "Keep network weights in a store, each with a card that says where it came from and its hashes.\n" + exitHelp,
		Example: "  sonotype weights fetch densenet169\n  sonotype weights import densenet169-b2777c0a.pth\n  sonotype run study.yaml --set network.weights=densenet169",
	}
	cmd.PersistentFlags().StringVar(&dir, "weight-store", weightStore(), "folder of the store")
	store := func() weights.Store { return weights.Store{Dir: dir} }
	cmd.AddCommand(a.weightsImport(store), a.weightsFetch(store), a.weightsList(store), a.weightsVerify(store), a.weightsExport(store))
	return cmd
}

type openStore func() weights.Store

func (a *app) weightsImport(store openStore) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:     "import FILE",
		Short:   "Import torchvision's .pth or a .safetensors file",
		Example: "  sonotype weights import densenet169-b2777c0a.pth\n  sonotype weights import run/03-finetune/ta.safetensors --name ki67-ta",
		Args:    exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if name == "" {
				base := filepath.Base(args[0])
				name, _, _ = strings.Cut(strings.TrimSuffix(base, filepath.Ext(base)), "-")
			}
			card, err := store().Import(args[0], name)
			if err != nil {
				return err
			}
			return a.showCard("imported", card)
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "name in the store; default: the file's name up to the first '-'")
	return cmd
}

func (a *app) weightsFetch(store openStore) *cobra.Command {
	var base string
	cmd := &cobra.Command{
		Use:     "fetch NAME",
		Short:   "Download torchvision's ImageNet weights of densenet169 or densenet121",
		Example: "  sonotype weights fetch densenet169",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			bars := newProgress(a.err)
			var card weights.Card
			err := bars.task("fetch "+args[0], func(report func(done, total int)) (err error) {
				card, err = store().Fetch(cmd.Context(), args[0], weights.FetchOptions{
					BaseURL:  base,
					Progress: func(done, total int64) { report(int(done), int(total)) },
				})
				return err
			})
			bars.wait()
			if err != nil {
				return err
			}
			return a.showCard("fetched", card)
		},
	}
	cmd.Flags().StringVar(&base, "base-url", "", "folder of the files on a mirror")
	return cmd
}

func (a *app) weightsList(store openStore) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the weights in the store",
		Example: "  sonotype weights list\n  sonotype weights list --weight-store run/03-finetune",
		Args:    exactly(0),
		RunE: func(*cobra.Command, []string) error {
			cards, err := store().List()
			if err != nil {
				return err
			}
			if a.json {
				return a.writeJSON(map[string]any{"weights": cards})
			}
			w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
			fmt.Fprintln(w, "NAME\tVALUES\tSHA-256\tSOURCE\tMETRICS\tLICENCE")
			for _, c := range cards {
				fmt.Fprintf(w, "%s\t%d\t%.12s\t%s\t%s\t%s\n", c.Name, c.Values, c.FileSHA256, c.Source, metricWords(c), c.Licence)
			}
			return w.Flush()
		},
	}
}

// metricWords are a trained network's metrics by name, "-" where there are none.
func metricWords(c weights.Card) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(c.Metrics)) {
		if v := c.Metrics[name]; !v.IsNaN() {
			words = append(words, fmt.Sprintf("%s %.3f", name, float64(v)))
		}
	}
	return cmp.Or(strings.Join(words, ", "), "-")
}

func (a *app) weightsVerify(store openStore) *cobra.Command {
	return &cobra.Command{
		Use:     "verify",
		Short:   "Read every file of the store again and compare its hashes",
		Example: "  sonotype weights verify",
		Args:    exactly(0),
		RunE: func(*cobra.Command, []string) error {
			if err := store().Verify(); err != nil {
				return errTampered{err}
			}
			a.say("all weights are as they were written")
			return nil
		},
	}
}

func (a *app) showCard(did string, c weights.Card) error {
	if a.json {
		return a.writeJSON(c)
	}
	a.say("%s %s: %d values, sha256 %s\nlicence: %s", did, c.Name, c.Values, c.FileSHA256, c.Licence)
	return nil
}
