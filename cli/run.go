package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"sonotype/nn"
	"sonotype/study"
)

// runFlags are the flags of every command that computes a study.
type runFlags struct {
	out, preset, isa, weights string
	set                       []string
	jobs                      int
	evidence                  study.Evidence
}

func (f *runFlags) bind(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.preset, "preset", "", "rigorous or paper; wins over study.yaml")
	cmd.Flags().StringArrayVar(&f.set, "set", nil, "override a key of study.yaml, e.g. --set network.weights=densenet169 (repeatable)")
	f.bindMachine(cmd)
}

// bindMachine adds the flags that change the speed but not the results.
func (f *runFlags) bindMachine(cmd *cobra.Command) {
	cmd.Flags().IntVarP(&f.jobs, "jobs", "j", 0, "worker threads; 0 = all cores; never changes a result")
	cmd.Flags().StringVar(&f.isa, "isa", "auto", "instruction set: auto, avx512, avx2, portable")
	cmd.Flags().StringVar(&f.weights, "weight-store", weightStore(), "folder of imported network weights")
}

// weightStore is $SONOTYPE_WEIGHTS, else a folder in the user's cache.
func weightStore() string {
	if dir := os.Getenv("SONOTYPE_WEIGHTS"); dir != "" {
		return dir
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "weights"
	}
	return filepath.Join(cache, "sonotype", "weights")
}

func (a *app) run() *cobra.Command {
	f := &runFlags{}
	cmd := &cobra.Command{
		Use:   "run STUDY.yaml",
		Short: "Run the study; a run that was stopped goes on where it was",
		Long: `Run every stage of the study and write the report. Stages whose inputs and
parameters have not changed are kept, so a run that was stopped at any moment
can be started again.
` + exitHelp,
		Example: "  sonotype run study.yaml --out run\n  sonotype run study.yaml --out run-paper --preset paper --set seed=7\n  sonotype run study.yaml --out run --repeats 20 --permutations 50 --leaky",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.runStudy(cmd, args[0], f)
		},
	}
	cmd.Flags().StringVarP(&f.out, "out", "o", "run", "folder for the results")
	f.bind(cmd)
	f.bindEvidence(cmd)
	return cmd
}

// bindEvidence adds the flags for what is computed after the line.
func (f *runFlags) bindEvidence(cmd *cobra.Command) {
	cmd.Flags().IntVar(&f.evidence.Repeats, "repeats", 0, "then repeat nested cross-validation over the development patients so often: the distribution over splits")
	cmd.Flags().IntVar(&f.evidence.Permutations, "permutations", 0, "then permute the labels so often: without a leak the mean AUC is 0.5")
	cmd.Flags().BoolVar(&f.evidence.Leaky, "leaky", false, "then make the classical leaks on purpose, beside the honest figures")
}

// runStudy loads the plan, runs it under progress bars and says where the report is.
func (a *app) runStudy(cmd *cobra.Command, file string, f *runFlags) error {
	plan, err := study.LoadPlan(file, f.preset, f.set)
	if err != nil {
		return errUsage{err}
	}
	isa, err := nn.ParseISA(f.isa)
	if err != nil {
		return errUsage{err}
	}
	if err := f.evidence.Validate(); err != nil {
		return errUsage{err}
	}
	bars := newProgress(a.err)
	summary, err := study.Execute(cmd.Context(), plan, study.Options{
		StudyDir: filepath.Dir(file), RunDir: f.out, Weights: f.weights, Version: Version,
		Jobs: f.jobs, ISA: isa, Observer: bars, Evidence: f.evidence,
	})
	bars.wait()
	if err != nil {
		return a.classified(err)
	}
	return a.conclude(f.out, summary)
}

// conclude prints the headline, what was left out, and where to look.
func (a *app) conclude(out string, s study.Summary) error {
	for _, e := range s.Excluded {
		a.say("left out: %s", e)
	}
	a.excluded = len(s.Excluded) > 0
	page := filepath.Join(out, "report.html")
	if a.json {
		return a.writeJSON(map[string]any{"report": page, "results": filepath.Join(out, "results.json"), "headline": s.Headline, "excluded": s.Excluded, "evidence": s.Evidence, "frozen": s.Frozen})
	}
	a.say("\n%s", s.Headline)
	for _, w := range s.Warnings {
		a.say("note: %s", w)
	}
	for _, e := range s.Evidence {
		a.say("%s", e)
	}
	a.say("%s", s.Frozen)
	fmt.Fprintln(a.out, page)
	return nil
}
