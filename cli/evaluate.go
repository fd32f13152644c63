package cli

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"sonotype/cohort/table"
	"sonotype/evaluate"
	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/survival"
)

type evaluateFlags struct {
	label, score, time, event, patient, positive string
	threshold                                    string
}

func (a *app) evaluate() *cobra.Command {
	f := &evaluateFlags{}
	cmd := &cobra.Command{
		Use:   "evaluate SCORES",
		Short: "Every statistic of a scores table: AUC, calibration, decision curve, survival",
		Long: `Every statistic of a table with a score and a 0/1 label: AUC with DeLong's interval,
threshold metrics, calibration, and with --time and --event survival of the groups
score > threshold. Higher scores mean positive; nothing is flipped.
` + exitHelp,
		Example: "  sonotype evaluate scores.csv --label y --score score --threshold 0.5\n  sonotype evaluate scores.csv --label y --score score --patient id --time dfs_months --event dfs_event --threshold 0.4",
		Args:    exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.evaluateTable(args[0], f)
		},
	}
	cmd.Flags().StringVar(&f.label, "label", "", "column with 0 and 1 (required)")
	cmd.Flags().StringVar(&f.score, "score", "", "column with the score (required)")
	cmd.Flags().StringVar(&f.positive, "positive", "", "value of the label column that counts as 1")
	cmd.Flags().StringVar(&f.patient, "patient", "", "column with patient ids: scores are averaged by patient")
	cmd.Flags().StringVar(&f.time, "time", "", "column with follow-up times")
	cmd.Flags().StringVar(&f.event, "event", "", "column with 1 = event, 0 = censored")
	cmd.Flags().StringVar(&f.threshold, "threshold", "0.5", "positive, and high risk, is score > threshold")
	require(cmd, "label", "score")
	return cmd
}

// scoredTable is a table's scores, one entry a patient.
type scoredTable struct {
	ids   []string
	score []float64
	label []int
	time  []float64
	event []int
	path  string
}

func (a *app) evaluateTable(path string, f *evaluateFlags) error {
	threshold, err := strconv.ParseFloat(f.threshold, 64)
	if err != nil {
		return errUsage{fmt.Errorf("--threshold: %q is not a number", f.threshold)}
	}
	if (f.time == "") != (f.event == "") {
		return errUsage{fmt.Errorf("--time and --event go together")}
	}
	s, err := readScores(path, f)
	if err != nil {
		return err
	}
	flat, err := statistics(s, threshold)
	if err != nil {
		return err
	}
	if a.json {
		return a.writeJSON(flat)
	}
	for _, name := range slices.Sorted(maps.Keys(flat)) {
		fmt.Fprintf(a.out, "%-22s %v\n", name, shown(flat[name]))
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

// statistics are the figures of stages 07 and 08 under the names of results.json.
func statistics(s *scoredTable, threshold float64) (map[string]any, error) {
	p, err := evaluate.Measure(s.score, s.label, threshold)
	if err != nil {
		return nil, err
	}
	flat := map[string]any{
		"n": p.N, "positive": p.Positive, "auc": p.AUC, "auc_lo": p.AUCLo, "auc_hi": p.AUCHi, "threshold": p.Threshold,
		"accuracy": p.Accuracy, "sensitivity": p.Sensitivity, "specificity": p.Specificity, "ppv": p.PPV, "npv": p.NPV, "f1": p.F1,
		"tp": p.TP, "fp": p.FP, "tn": p.TN, "fn": p.FN, "brier": p.Brier,
	}
	if p.Note != "" {
		flat["note"] = p.Note
	}
	if slices.Min(s.score) >= 0 && slices.Max(s.score) <= 1 {
		c, err := evaluate.Calibrate(s.score, s.label)
		if err != nil {
			return nil, err
		}
		flat["calibration_slope"], flat["calibration_intercept"] = c.Slope.Value, c.Intercept.Value
		flat["oe"], flat["ici"], flat["brier_scaled"] = c.ObservedExpect.Value, c.ICI, c.BrierScaled
	}
	if s.time == nil {
		return flat, nil
	}
	c, err := survival.ByCut(s.time, s.event, s.score, threshold, survival.Log)
	if err != nil {
		return nil, err
	}
	flat["cut"], flat["n_high"], flat["events"], flat["logrank_p"] = c.Cut, c.NHigh, c.Events, c.LogRankP
	flat["hazard_ratio"], flat["hr_lo"], flat["hr_hi"], flat["c_index"] = c.HR, c.HRLo, c.HRHi, c.CIndex
	if c.Note != "" {
		flat["survival_note"] = c.Note
	}
	return flat, nil
}

// readScores reads the columns and averages the scores of each patient.
func readScores(path string, f *evaluateFlags) (*scoredTable, error) {
	t, err := table.Read(path, table.Options{})
	if err != nil {
		return nil, err
	}
	if len(t.Rows) == 0 {
		return nil, &problem.Error{What: "the table has no rows", File: path}
	}
	s := &scoredTable{path: path}
	if s.label, err = labelColumn(t, f.label, f.positive); err != nil {
		return nil, err
	}
	if s.score, err = numberColumn(t, f.score); err != nil {
		return nil, err
	}
	if f.time != "" {
		if s.time, err = numberColumn(t, f.time); err != nil {
			return nil, err
		}
		if s.event, err = labelColumn(t, f.event, ""); err != nil {
			return nil, err
		}
	}
	if f.patient == "" {
		return s, nil
	}
	at, err := t.Require(f.patient)
	if err != nil {
		return nil, err
	}
	s.ids = columnOf(t, at)
	return s.byPatient()
}

// byPatient makes one entry a patient: the mean score, and the label and follow-up that all rows must share.
func (s *scoredTable) byPatient() (*scoredTable, error) {
	pooled, err := evaluate.Pool(s.score, s.label, s.ids)
	if err != nil {
		return nil, err
	}
	out := &scoredTable{ids: pooled.Unit, score: pooled.Score, label: pooled.Label, path: s.path}
	if s.time == nil {
		return out, nil
	}
	first := map[string]int{}
	for i, id := range s.ids {
		j, ok := first[id]
		if !ok {
			first[id] = i
		} else if s.time[i] != s.time[j] || s.event[i] != s.event[j] {
			return nil, &problem.Error{What: "a patient has two follow-ups", File: s.path, Patient: id, Try: "give every row of a patient the same time and event"}
		}
	}
	for _, id := range pooled.Unit {
		out.time = append(out.time, s.time[first[id]])
		out.event = append(out.event, s.event[first[id]])
	}
	return out, nil
}

func numberColumn(t *table.Table, name string) ([]float64, error) {
	at, err := t.Require(name)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(t.Rows))
	for i, row := range t.Rows {
		if out[i], err = table.Number(row[at]); err != nil {
			return nil, &problem.Error{What: "a value is not a number", File: t.Path, Row: t.Line[i], Expected: "a number in column " + name, Found: strconv.Quote(row[at])}
		}
	}
	return out, nil
}
