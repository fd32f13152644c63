package cli

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"sonotype/evaluate"
	"sonotype/internal/num"
	"sonotype/report"
)

type evaluateFlags struct {
	label, score, time, event, patient, positive string
	threshold                                    string
	against, strata                              string
	covariates                                   []string
	times, rates                                 []float64
	horizon                                      float64
	draws, jobs                                  int
	seed                                         uint64
	hosmer, reclassification                     bool
	report, title, high, low                     string
}

func (a *app) evaluate() *cobra.Command {
	f := &evaluateFlags{}
	cmd := &cobra.Command{
		Use:   "evaluate SCORES",
		Short: "Every statistic of a scores table: AUC, calibration, decision curve, survival",
		Long: `Every statistic of a table with a score and a 0/1 label: AUC (DeLong and bootstrap),
precision-recall, threshold metrics, likelihood ratios, calibration, decision curves,
also after recalibration, and with --time and --event survival of the groups
score > threshold, Cox models, C-indices, restricted means and time-dependent AUC.
Higher scores mean positive; nothing is flipped. --report writes it all to an HTML file.

Scores outside 0 to 1 are recalibrated to probabilities by cross-fitting in ten folds
first; probabilities are also shown after such a recalibration.

IDI and NRI (--reclassification) are off: both can rise when a useless or miscalibrated
score is added. Hosmer and Lemeshow's test (--hosmer-lemeshow) is off: a large P proves
nothing, and it changes with the number of groups.
` + exitHelp,
		Example: "  sonotype evaluate scores.csv --label y --score score --threshold 0.5 --report scores.html\n  sonotype evaluate scores.csv --label y --score score --patient id --time dfs_months --event dfs_event --threshold 0.4",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.evaluateTable(cmd.Context(), args[0], f)
		},
	}
	cmd.Flags().StringVar(&f.label, "label", "", "column with 0 and 1 (required)")
	cmd.Flags().StringVar(&f.score, "score", "", "column with the score (required)")
	cmd.Flags().StringVar(&f.positive, "positive", "", "value of the label column that counts as 1")
	cmd.Flags().StringVar(&f.patient, "patient", "", "column with patient ids: scores are averaged by patient")
	cmd.Flags().StringVar(&f.threshold, "threshold", "0.5", "positive, and high risk, is score > threshold")
	cmd.Flags().StringVar(&f.against, "against", "", "column with a second score, compared by DeLong's paired test")
	cmd.Flags().BoolVar(&f.reclassification, "reclassification", false, "add IDI and NRI against the second score")
	cmd.Flags().BoolVar(&f.hosmer, "hosmer-lemeshow", false, "add Hosmer and Lemeshow's test")
	cmd.Flags().Float64SliceVar(&f.rates, "rates", evaluate.DefaultLevels(), "specificities at which sensitivity is given, and the reverse")
	cmd.Flags().IntVar(&f.draws, "draws", evaluate.DefaultDraws, "bootstrap draws of patients")
	cmd.Flags().Uint64Var(&f.seed, "seed", 1, "seed of all random draws")
	cmd.Flags().IntVarP(&f.jobs, "jobs", "j", 0, "worker threads; 0 = all cores; never changes a result")
	cmd.Flags().StringVar(&f.time, "time", "", "column with follow-up times, in months")
	cmd.Flags().StringVar(&f.event, "event", "", "column with 1 = event, 0 = censored")
	cmd.Flags().StringSliceVar(&f.covariates, "covariates", nil, "columns of the clinical Cox model, beside the score")
	cmd.Flags().StringVar(&f.strata, "strata", "", "column that tests and Cox models are stratified by, e.g. the centre")
	cmd.Flags().Float64SliceVar(&f.times, "times", defaultTimes(), "months of the time-dependent AUC")
	cmd.Flags().Float64Var(&f.horizon, "horizon", 0, "months, of restricted means and Uno's C; 0 = as long as both groups are followed")
	cmd.Flags().StringVar(&f.report, "report", "", "write an HTML report to this file")
	cmd.Flags().StringVar(&f.title, "title", "", "of the report")
	cmd.Flags().StringVar(&f.high, "high", "positive", "how the report calls a positive")
	cmd.Flags().StringVar(&f.low, "low", "negative", "how the report calls a negative")
	require(cmd, "label", "score")
	return cmd
}

func (a *app) evaluateTable(ctx context.Context, path string, f *evaluateFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	s, err := readScores(path, f)
	if err != nil {
		return err
	}
	e, err := assess(ctx, s, f)
	if err != nil {
		return err
	}
	if f.report != "" {
		if err := report.WriteScores(f.report, e.study(), e.compared()); err != nil {
			return err
		}
		a.say("report: %s", f.report)
	}
	flat := e.flat()
	if a.json {
		return a.writeJSON(flat)
	}
	a.printFlat(flat)
	return nil
}

// defaultTimes are the months of the time-dependent AUC.
func defaultTimes() []float64 { return []float64{12, 36, 60} }

// printFlat writes a line a figure, its interval beside it.
func (a *app) printFlat(flat map[string]any) {
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	var notes []string
	for _, name := range slices.Sorted(maps.Keys(flat)) {
		base, isLimit := strings.CutSuffix(name, "_lo")
		if !isLimit {
			base, isLimit = strings.CutSuffix(name, "_hi")
		}
		if _, ok := flat[base]; isLimit && ok {
			continue
		}
		if text, ok := flat[name].(string); ok {
			notes = append(notes, name+": "+text)
			continue
		}
		interval := ""
		if lo, ok := flat[name+"_lo"]; ok {
			interval = fmt.Sprintf("(%v to %v)", shown(lo), shown(flat[name+"_hi"]))
		}
		fmt.Fprintf(w, "%s\t%v\t%s\n", name, shown(flat[name]), interval)
	}
	w.Flush()
	for _, n := range notes {
		fmt.Fprintln(a.out, n)
	}
}

// check refuses what the flags alone show to be wrong.
func (f *evaluateFlags) check() error {
	wrong := func(format string, args ...any) error { return errUsage{fmt.Errorf(format, args...)} }
	if v, err := strconv.ParseFloat(f.threshold, 64); err != nil || math.IsNaN(v) {
		return wrong("--threshold: %q is not a number", f.threshold)
	}
	for _, v := range f.rates {
		if !(v > 0 && v < 1) {
			return wrong("--rates: %v is not between 0 and 1", v)
		}
	}
	for _, v := range append(slices.Clone(f.times), f.horizon) {
		if !(v >= 0) || math.IsInf(v, 0) {
			return wrong("--times, --horizon: %v is not a number of months", v)
		}
	}
	switch {
	case (f.time == "") != (f.event == ""):
		return wrong("--time and --event go together")
	case f.reclassification && f.against == "":
		return wrong("--reclassification needs --against, the score to compare with")
	case f.time == "" && (len(f.covariates) > 0 || f.strata != ""):
		return wrong("--covariates and --strata belong to survival: give --time and --event")
	case f.draws < 1:
		return wrong("--draws: %d is not positive", f.draws)
	}
	return nil
}

// shown prints numbers with six digits and what cannot be computed as a dash.
func shown(v any) any {
	if x, ok := v.(num.Float); ok {
		if x.IsNaN() {
			return "-"
		}
		return fmt.Sprintf("%.6g", float64(x))
	}
	return v
}

// probabilities says whether scores are such.
func probabilities(scores []float64) bool { return slices.Min(scores) >= 0 && slices.Max(scores) <= 1 }
