// Package cli is the command line: one file a command; it alone prints, reads the environment and sets exit codes.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"sonotype/bundle"
	"sonotype/study"
)

// Exit codes, the same for every command.
const (
	exitDone      = 0
	exitFailed    = 1
	exitUsage     = 2
	exitExcluded  = 3
	exitBadCohort = 10
	exitTampered  = 11
	exitBundle    = 12
	exitCancelled = 130
)

const exitHelp = `
Exit codes: 0 done, 1 failed, 2 usage, 3 done with cases excluded (listed),
10 the cohort is bad, 11 stale or tampered artefacts, 12 a bundle failed
verification, 130 cancelled.`

// app carries the streams and flags that every command shares.
type app struct {
	out, err io.Writer
	json     bool
	excluded bool // a command finished but left cases out
}

// errUsage marks a wrong call (exit code 2).
type errUsage struct{ error }

// errBadCohort marks a cohort that failed its checks (exit code 10).
type errBadCohort struct{ error }

// errTampered marks stale or changed artefacts (exit code 11).
type errTampered struct{ error }

// Main runs the command line and returns the exit code.
func Main(args []string, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := &app{out: out, err: errOut}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	if err != nil {
		a.report(err)
	}
	return a.exitCode(err)
}

func (a *app) exitCode(err error) int {
	var usage errUsage
	var cohort errBadCohort
	var changed errTampered
	var tampered *study.ErrTampered
	var unverified *bundle.ErrVerification
	switch {
	case err == nil && a.excluded:
		return exitExcluded
	case err == nil:
		return exitDone
	case errors.Is(err, context.Canceled):
		return exitCancelled
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &cohort):
		return exitBadCohort
	case errors.As(err, &tampered), errors.As(err, &changed):
		return exitTampered
	case errors.As(err, &unverified):
		return exitBundle
	}
	return exitFailed
}

// report prints an error for people on stderr and, with --json, as an object on stdout.
func (a *app) report(err error) {
	fmt.Fprintln(a.err, "sonotype: "+err.Error())
	if a.json {
		a.writeJSON(map[string]string{"error": err.Error()})
	}
}

// writeJSON prints one JSON object on stdout.
func (a *app) writeJSON(v any) error {
	e := json.NewEncoder(a.out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// say prints a line for people.
func (a *app) say(format string, args ...any) {
	fmt.Fprintf(a.err, format+"\n", args...)
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "sonotype",
		Short: "From breast-ultrasound images, outlines and a table to a validated marker model",
		Long: `Sonotype turns breast-ultrasound images, the radiologist's tumour outlines and a
clinical table into a validated model of a molecular marker (Ki-67 high or low).

  sonotype demo                          see the whole study on a synthetic cohort
  sonotype check study.yaml              check your own cohort before any computing
  sonotype run study.yaml --out run      run the study; open run/report.html
` + exitHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       Version,
		Args:          cobra.ArbitraryArgs, // an unknown command reaches RunE, which calls it a usage error
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			try := "sonotype -h"
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				try = "sonotype " + near[0]
			}
			return errUsage{fmt.Errorf("unknown command %q\n  Try: %s", args[0], try)}
		},
	}
	root.PersistentFlags().BoolVar(&a.json, "json", false, "print one JSON object on stdout")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return errUsage{err} })
	root.AddCommand(a.demo(), a.synth(), a.importData(), a.check(), a.run(), a.weights(),
		a.classify(), a.evaluate(), a.audit(), a.table1(), a.bench(), a.predict(), a.validate(), a.serve(), a.robustness(), a.bundle())
	return root
}

// exactly demands n arguments and calls anything else a usage error.
func exactly(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := cobra.ExactArgs(n)(cmd, args); err != nil {
			return errUsage{fmt.Errorf("%w\n  Try: sonotype %s -h", err, cmd.Name())}
		}
		return nil
	}
}

// require makes flags without a default part of the call: leaving one out is a usage error.
func require(cmd *cobra.Command, flags ...string) {
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		for _, name := range flags {
			if !cmd.Flags().Changed(name) {
				return errUsage{fmt.Errorf("--%s is missing\n  Try: sonotype %s -h", name, cmd.Name())}
			}
		}
		return nil
	}
}

// Version is the program's version, kept with CHANGELOG.md.
const Version = "0.3.0"
