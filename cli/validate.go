package cli

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"sonotype/bundle"
	"sonotype/evaluate"
	"sonotype/internal/artifact"
	"sonotype/internal/problem"
	"sonotype/report"
	"sonotype/samplesize"
	"sonotype/study"
	"sonotype/survival"
)

type validateFlags struct {
	trustFlags
	out   string
	draws int
	seed  uint64
}

func (a *app) validate() *cobra.Command {
	f := &validateFlags{}
	cmd := &cobra.Command{
		Use:   "validate BUNDLE STUDY.yaml --out DIR",
		Short: "Validate a frozen model on your own cohort, and export figures without any patient",
		Long: `Validate a frozen model on a cohort of your own: every case is predicted as
` + "`sonotype predict`" + ` would, nothing is fitted, no threshold is chosen. Of the study file
only cohorts, columns, outcome and readers are used.

DIR/validation.json  figures over all cases, to send to whoever made the model:
                     no patient, no image, no score, no count under five
DIR/report.html      the same with figures; it holds single scores and stays with you
DIR/cases.csv        every case with its prediction or why it has none; stays with you

Figures after recalibration are by cross-fitting on your own cases, and say so.
` + exitHelp,
		Example: "  sonotype validate model.sono study.yaml --out validation --trust clinic.pub",
		Args:    exactly(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.validateBundle(cmd.Context(), args[0], args[1], f)
		},
	}
	f.bind(cmd)
	cmd.Flags().StringVarP(&f.out, "out", "o", "", "folder to write")
	cmd.Flags().IntVar(&f.draws, "draws", evaluate.DefaultDraws, "bootstrap draws of patients")
	cmd.Flags().Uint64Var(&f.seed, "seed", 1, "seed of all random draws")
	require(cmd, "out")
	return cmd
}

// The files of a validation.
const (
	validationFile = "validation.json"
	validationPage = "report.html"
	casesFile      = "cases.csv"
)

func (a *app) validateBundle(ctx context.Context, path, studyFile string, f *validateFlags) error {
	if f.draws < 1 {
		return errUsage{fmt.Errorf("--draws: %d is not positive", f.draws)}
	}
	plan, err := study.LoadPlan(studyFile, "", nil)
	if err != nil {
		return errUsage{err}
	}
	b, err := f.openBundle(path)
	if err != nil {
		return err
	}
	defer b.Close()
	bars := newProgress(a.err)
	var site *study.Site
	err = bars.task("predict   ", func(report func(done, total int)) (err error) {
		site, err = study.PredictSite(ctx, plan, filepath.Dir(studyFile), b, report)
		return err
	})
	bars.wait()
	if err != nil {
		return a.classified(err)
	}
	v := &validating{site: site, bundle: b, flags: f}
	if err := v.measure(ctx); err != nil {
		return err
	}
	export := site.Export(b, Version, &v.result, v.survival, v.size, v.warnings)
	if err := v.write(export); err != nil {
		return err
	}
	for _, c := range site.Cases {
		a.excluded = a.excluded || c.LeftOut != ""
	}
	a.excluded = a.excluded || len(site.Flow.Exclusions) > 0
	if a.json {
		return a.writeJSON(export)
	}
	a.showValidation(v)
	return nil
}

// validating is a validation at work.
type validating struct {
	assessment
	site   *study.Site
	bundle *bundle.Bundle
	flags  *validateFlags
	size   samplesize.Assessment
}

// measure computes every figure of the site's units, at the bundle's threshold and survival cut.
func (v *validating) measure(ctx context.Context) error {
	threshold := float64(v.bundle.Card().Threshold)
	v.assessment.flags = &evaluateFlags{
		threshold: strconv.FormatFloat(threshold, 'g', -1, 64), draws: v.flags.draws, seed: v.flags.seed, jobs: v.flags.jobs, rates: evaluate.DefaultLevels(),
	}
	v.table, v.hash, v.warnings = v.scores(), v.site.DataHash, v.site.Warnings
	if p, n := positives(v.table.label), len(v.table.label); p == 0 || p == n {
		return &problem.Error{What: "the predicted cases are all of one class, so nothing can be validated", Found: fmt.Sprintf("%d of %d positive", p, n), Try: "check the outcome in the study file"}
	}
	for _, step := range []func(context.Context) error{v.discriminate, v.calibrate, v.followSite} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	v.judgeSize(threshold)
	return nil
}

func positives(labels []int) int {
	n := 0
	for _, y := range labels {
		n += y
	}
	return n
}

// scores are the site's units as a table of scores with the bundle's probabilities.
func (v *validating) scores() *scoredTable {
	s := &scoredTable{calibrated: "by the bundle, on its training patients (Venn-Abers)"}
	for _, u := range v.site.Units {
		s.ids = append(s.ids, u.Patient)
		s.score, s.label, s.probability = append(s.score, u.Score), append(s.label, u.Label), append(s.probability, u.Probability)
	}
	return s
}

// followSite adds survival at the bundle's cut for the patients with follow-up.
func (v *validating) followSite(context.Context) error {
	cut := v.bundle.Card().SurvivalCut
	d, labels := v.site.FollowUp()
	switch {
	case len(d.Time) == 0:
		return nil
	case cut.IsNaN():
		v.warnings = append(v.warnings, "The cohort has follow-up, but the bundle holds no survival cut.")
		return nil
	}
	byScore, err := survival.Analyse(d, survival.Options{Cut: float64(cut), Interval: survival.Log, Times: defaultTimes()})
	if err != nil {
		return err
	}
	byOutcome, err := survival.ByCut(d.Time, d.Event, labels, 0.5, survival.Log)
	if err != nil {
		return err
	}
	if byScore.Events < 20 {
		v.warnings = append(v.warnings, "There are fewer than 20 events, so the survival contrast is uncertain.")
	}
	v.survival = study.SurvivalSet(siteSet, "External validation", d.Time, byScore, byOutcome, "")
	return nil
}

// judgeSize sets the number of units against Riley's criteria for an external validation.
func (v *validating) judgeSize(threshold float64) {
	p := v.result.Performance
	v.size.Validate(siteSet, p.N, p.Positive, samplesize.Validation{
		AUC: float64(p.AUC), OE: float64(v.result.Calibration.ObservedExpect.Value), Information: samplesize.Observed(v.table.probability),
		Threshold: v.probabilityAt(threshold), Sensitivity: float64(p.Sensitivity), Specificity: float64(p.Specificity),
	}, samplesize.DefaultTargets())
	for _, note := range v.size.Notes {
		v.warnings = append(v.warnings, "Riley's criteria for an external validation cannot be asked: "+strings.TrimPrefix(note, siteSet+": ")+".")
	}
	for _, c := range v.size.Validation {
		if c.Enough() {
			continue
		}
		var needs []string
		for _, k := range c.Criteria {
			if k.N > c.Patients {
				needs = append(needs, fmt.Sprintf("%s %d", strings.ReplaceAll(k.Name, "_", " "), k.N))
			}
		}
		v.warnings = append(v.warnings, fmt.Sprintf("%d %ss are fewer than the %d that Riley's criteria ask of an external validation (%s), so these figures are not precise.",
			c.Patients, v.site.UnitName, c.N, strings.Join(needs, ", ")))
	}
}

// probabilityAt is the calibrated probability of a unit at the threshold.
func (v *validating) probabilityAt(threshold float64) float64 {
	p, _, _ := v.bundle.Calibrated(threshold)
	return p
}

// siteSet is the name of the only set in the files of the report.
const siteSet = "site"

func (v *validating) write(export study.ValidationExport) error {
	if err := artifact.WriteJSON(filepath.Join(v.flags.out, validationFile), export); err != nil {
		return err
	}
	if err := artifact.Write(filepath.Join(v.flags.out, casesFile), v.writeCases); err != nil {
		return err
	}
	return report.WriteScores(filepath.Join(v.flags.out, validationPage), v.page(), nil)
}

// writeCases writes a CSV table, a row an image.
func (v *validating) writeCases(w io.Writer) error {
	c := csv.NewWriter(w)
	rows := [][]string{{"patient", "unit", "image", "score", "probability", "lo", "hi", "positive", "group", "left_out", "reasons", "warnings"}}
	for _, k := range v.site.Cases {
		p := k.Prediction
		row := []string{k.Patient, k.Unit, k.Image, "", "", "", "", "", "", k.LeftOut, strings.Join(p.Reasons, "; "), strings.Join(p.Warnings, "; ")}
		if k.LeftOut == "" {
			copy(row[3:], []string{full(p.Score), full(p.Probability), full(p.Lo), full(p.Hi), strconv.FormatBool(p.Positive), p.Group})
		}
		rows = append(rows, row)
	}
	return c.WriteAll(rows)
}

// page is the report's model.
func (v *validating) page() *report.Study {
	card, plan := v.bundle.Card(), &v.site.Plan
	key := report.Key{Features: card.Features, Model: card.Model}
	s := &report.Study{
		Title: cmp.Or(plan.Title, "External validation"), Positive: card.High, Negative: card.Low, Outcome: plan.Outcome.Column, Unit: v.site.UnitName, Version: Version,
		DataHash: v.hash, Synthetic: plan.Synthetic, FeatureSets: []string{key.Features}, Models: []string{key.Model}, Primary: key,
		Warnings: v.warnings, Flow: v.site.Flow,
		Sets:    []report.Set{{Name: siteSet, Title: "External validation", Results: map[report.Key]report.Result{key: v.result}}},
		Methods: v.methods(),
		Plan: []report.Setting{
			{Name: "bundle", Value: v.bundle.Hash()}, {Name: "model", Value: card.Title}, {Name: "intended use", Value: card.IntendedUse},
			{Name: "threshold", Value: v.assessment.flags.threshold}, {Name: "draws", Value: strconv.Itoa(v.flags.draws)}, {Name: "seed", Value: strconv.FormatUint(v.flags.seed, 10)},
		},
	}
	if v.survival != nil {
		s.Survival = []report.SurvivalSet{*v.survival}
	}
	return s
}

func (v *validating) methods() []string {
	out := []string{"A frozen model was applied to every case; nothing was fitted on these patients and no threshold was chosen. Probabilities are the bundle's, by its Venn-Abers calibration on its own training patients. " +
		"Cases that cannot be read, that do not meet the model's contract, or that are unlike its training cases are left out of every figure and counted above. Several images of one " + v.site.UnitName + " count by their mean score."}
	out = append(out, fmt.Sprintf("AUC with DeLong's and a bootstrap interval (%d draws of patients, seed %d, within each class; of all patients for what depends on the prevalence); proportions with Wilson's, likelihood ratios on the log scale; calibration slope and intercept by logistic regression on the logit with Wald's interval; ICI from a lowess curve. Sample size by Riley's criteria for external validation.", v.flags.draws, v.flags.seed))
	if v.result.After != nil {
		out = append(out, fmt.Sprintf("Figures after recalibration are of this site's own patients: logistic, each by the fit on the other nine of %d folds. They say what the model could do here once recalibrated, not what it does.", recalibrationFolds))
	}
	if v.survival != nil {
		out = append(out, "Survival by the bundle's frozen cut of the score: Kaplan-Meier with log intervals; log-rank; Cox regression with Efron's ties; Harrell's and Uno's C.")
	}
	return out
}

// showValidation prints what matters.
func (a *app) showValidation(v *validating) {
	for _, e := range v.site.Flow.Exclusions {
		fmt.Fprintf(a.out, "left out: %d images (%d patients): %s\n", e.Images, e.Patients, e.Reason)
	}
	n := v.site.Analysed
	fmt.Fprintf(a.out, "validated on %d patients, %d images, %d positive\n\n", n.Patients, n.Images, n.Positive)
	flat := map[string]any{}
	for _, m := range v.result.List() {
		flat[m.Name] = m.Value
		if m.Method != "" {
			flat[m.Name+"_lo"], flat[m.Name+"_hi"] = m.Lo, m.Hi
		}
	}
	a.printFlat(flat)
	fmt.Fprintln(a.out)
	for _, w := range v.warnings {
		fmt.Fprintln(a.out, "warning: "+w)
	}
	if v.survival != nil {
		s := v.survival.ByScore
		fmt.Fprintf(a.out, "survival at the cut %.4g: hazard ratio %s (%s to %s), log-rank P %s, %d events\n", float64(s.Cut), three(s.HR), three(s.HRLo), three(s.HRHi), three(s.LogRankP), s.Events)
	}
	fmt.Fprintf(a.out, "to send: %s\nto keep here: %s, %s\n", filepath.Join(v.flags.out, validationFile), filepath.Join(v.flags.out, validationPage), filepath.Join(v.flags.out, casesFile))
}
