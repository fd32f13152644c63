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

// demoPatients is enough for every stage to have something to show.
const demoPatients = 300

func (a *app) demo() *cobra.Command {
	f := &runFlags{}
	var patients int
	var seed uint64
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Write a small synthetic cohort and run the whole study on it",
		Long: `Write a small synthetic two-centre cohort and run the whole study on it, with a
network small enough to be trained in a minute, to see what a run makes. The figures
say nothing about patients.
` + exitHelp,
		Example: "  sonotype demo --out sonotype-demo",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			size, err := demoSize(f.isa)
			if err != nil {
				return err
			}
			if !cmd.Flags().Changed("patients") {
				patients = size.patients
			}
			a.say("the demo trains densenet121 on %d x %d pixels for %d epochs; a study's default is densenet169 on 224 x 224 for at most 40", size.input, size.input, size.epochs)
			s, err := a.writeSynth(cmd, filepath.Join(f.out, "cohort"), synth.Config{Patients: patients, Seed: seed, Workers: f.jobs})
			if err != nil {
				return err
			}
			f.set = size.settings()
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

// demo is how much the demo does.
type demo struct{ patients, input, epochs int }

// demoSize is what two cores do in two minutes; much less where the processor has no fast kernels.
func demoSize(isa string) (demo, error) {
	level, err := nn.ParseISA(isa)
	if err != nil {
		return demo{}, errUsage{err}
	}
	if level == nn.Portable {
		return demo{patients: 160, input: 32, epochs: 3}, nil
	}
	return demo{patients: demoPatients, input: 128, epochs: 4}, nil
}

// settings are the demo's overrides. The rate is that of a network that starts from random weights.
func (d demo) settings() []string {
	return []string{
		"network.backbone=densenet121", fmt.Sprintf("network.input=%d", d.input), fmt.Sprintf("network.train.epochs=%d", d.epochs),
		"network.train.warm_up=1", "network.train.rate=0.001", "network.train.layer_decay=1",
	}
}
