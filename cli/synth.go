package cli

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"sonotype/nn"
	"sonotype/synth"
)

func (a *app) synth() *cobra.Command {
	var c synth.Config
	var out string
	cmd := &cobra.Command{
		Use:     "synth",
		Short:   "Write a synthetic two-centre cohort: images, outlines, table, study.yaml",
		Long:    "Write a synthetic cohort of the published study's shape. Its Ki-67 signal is planted and described in its README.md.\n" + exitHelp,
		Example: "  sonotype synth --patients 929 --seed 1 --out cohort\n  sonotype run cohort/study.yaml --out run",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.writeSynth(cmd, out, c)
			if err != nil {
				return err
			}
			if a.json {
				return a.writeJSON(s)
			}
			fmt.Fprintln(a.out, s.StudyFile)
			return nil
		},
	}
	cmd.Flags().IntVar(&c.Patients, "patients", 929, "number of patients, one image each")
	cmd.Flags().Uint64Var(&c.Seed, "seed", 1, "random seed")
	cmd.Flags().IntVarP(&c.Workers, "jobs", "j", 0, "worker threads; 0 = all cores")
	cmd.Flags().StringVarP(&out, "out", "o", "cohort", "folder to write")
	return cmd
}

// writeSynth writes a cohort under a progress bar.
func (a *app) writeSynth(cmd *cobra.Command, out string, c synth.Config) (synth.Summary, error) {
	bars := newProgress(a.err)
	defer bars.wait()
	var s synth.Summary
	err := bars.task("00 synth     ", func(report func(done, total int)) (err error) {
		s, err = synth.Write(cmd.Context(), out, c, report)
		return err
	})
	return s, err
}

// demoPatients is enough for every stage to have something to show, and few enough for two minutes on two cores.
const demoPatients = 300

func (a *app) demo() *cobra.Command {
	f := &runFlags{}
	var patients int
	var seed uint64
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Write a small synthetic cohort and run the whole study on it",
		Long: `Write a small synthetic two-centre cohort and run the whole study on it, with an
untrained network, to see what a run makes. The figures say nothing about patients.
` + exitHelp,
		Example: "  sonotype demo --out sonotype-demo",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cohortDir := filepath.Join(f.out, "cohort")
			s, err := a.writeSynth(cmd, cohortDir, synth.Config{Patients: patients, Seed: seed, Workers: f.jobs})
			if err != nil {
				return err
			}
			if f.set, err = a.demoSettings(f.isa); err != nil {
				return err
			}
			f.out = filepath.Join(f.out, "run")
			return a.runStudy(cmd, s.StudyFile, f)
		},
	}
	cmd.Flags().StringVarP(&f.out, "out", "o", "sonotype-demo", "folder for the cohort and the run")
	cmd.Flags().IntVar(&patients, "patients", demoPatients, "number of patients")
	cmd.Flags().Uint64Var(&seed, "seed", 1, "random seed")
	f.bindMachine(cmd)
	return cmd
}

// demoSettings makes the demo smaller where the processor has no fast kernels, and says so.
func (a *app) demoSettings(isa string) ([]string, error) {
	level, err := nn.ParseISA(isa)
	if err != nil {
		return nil, errUsage{err}
	}
	if level != nn.Portable {
		return nil, nil
	}
	a.say("without AVX2 the demo uses densenet121 on 96 x 96 pixels instead of densenet169 on 224 x 224")
	return []string{"network.backbone=densenet121", "network.input=96"}, nil
}
