package study

import (
	"context"
	"fmt"
	"path/filepath"

	"sonotype/cohort"
	"sonotype/internal/artifact"
	"sonotype/report"
	"sonotype/survival"

	"gonum.org/v1/gonum/stat"
)

// Stage 08 asks whether the score, and the measured outcome, separate disease-free survival.
func survivalStage() *stage {
	return &stage{
		number: 8, name: "survival", version: 4,
		needs: []string{"cohort", "roi", "classify", "evaluate"},
		params: func(p *Plan) any {
			return []any{p.Survival, p.Outcome, p.Columns.Age, p.Columns.Centre, p.Clinical.Variables, p.Clinical.Reference}
		},
		run: runSurvival,
	}
}

// survivalResults is survival.json; without follow-up it is empty.
type survivalResults struct {
	Sets []report.SurvivalSet `json:"sets"`
	Note string               `json:"note,omitempty"`
}

// kmRow is a row of curves.csv.
type kmRow struct {
	Set   string `csv:"set"`
	By    string `csv:"by"` // score | outcome
	Group string `csv:"group"`
	survival.KMPoint
}

func runSurvival(_ context.Context, r *Run, out string) error {
	c, err := r.analysed()
	if err != nil {
		return err
	}
	var e evaluation
	if err := artifact.ReadJSON(filepath.Join(r.dir(7, "evaluate"), "evaluation.json"), &e); err != nil {
		return err
	}
	scores, err := r.scores("scores.csv")
	if err != nil {
		return err
	}
	res := survivalResults{Sets: []report.SurvivalSet{}}
	for _, set := range []string{cohort.SetInternal, cohort.SetExternal} {
		f := followScored(c, scores[set][e.Primary])
		if len(f.patients) == 0 {
			continue
		}
		if err := r.readTest("survival", set, "survival by the primary model's score", f.ids()); err != nil {
			return err
		}
		cut := stat.Mean(scores[cohort.SetTrain][e.Primary].scores, nil)
		if r.Plan.Survival.Cut == "set" {
			cut = stat.Mean(scores[set][e.Primary].scores, nil)
		}
		s, err := r.survivalOf(c, set, f, cut)
		if err != nil {
			return fmt.Errorf("survival in the %s set: %w", set, err)
		}
		res.Sets = append(res.Sets, s)
	}
	if len(res.Sets) == 0 {
		res.Note = "The tables hold no follow-up (dfs_months and dfs_event) for the test sets."
	}
	if err := writeCurves(filepath.Join(out, "curves.csv"), res.Sets); err != nil {
		return err
	}
	return artifact.WriteJSON(filepath.Join(out, "survival.json"), res)
}

// survivalOf analyses one set by score, and compares the measured outcomes.
func (r *Run) survivalOf(c *cohort.Cohort, set string, f followed, cut float64) (report.SurvivalSet, error) {
	d := survival.Data{Score: f.score}
	d.Time, d.Event = f.followUp()
	var err error
	if d.Clinical, err = r.survivalCovariates(c, f.patients); err != nil {
		return report.SurvivalSet{}, err
	}
	if d.Strata, err = r.survivalStrata(c, f.patients); err != nil {
		return report.SurvivalSet{}, err
	}
	p := r.Plan.Survival
	byScore, err := survival.Analyse(d, survival.Options{Cut: cut, Interval: survival.Log, Horizon: p.Horizon, Times: p.Times})
	if err != nil {
		return report.SurvivalSet{}, err
	}
	byOutcome, err := survival.ByCut(d.Time, d.Event, f.labels(), 0.5, survival.Log)
	if err != nil {
		return report.SurvivalSet{}, err
	}
	title := map[string]string{cohort.SetInternal: "Internal test", cohort.SetExternal: "External test"}[set]
	return *SurvivalSet(set, title, d.Time, byScore, byOutcome, p.Strata), nil
}

// SurvivalSet is an analysis of one set as the report shows it, with the numbers at risk.
func SurvivalSet(name, title string, times []float64, byScore *survival.Analysis, byOutcome *survival.Contrast, strata string) *report.SurvivalSet {
	s := &report.SurvivalSet{Set: name, Title: title, ByScore: *byScore, ByOutcome: *byOutcome, Unit: "months", RiskTimes: riskTimes(times), Strata: strata}
	s.AtRiskScore = atRisk(byScore.Curves, s.RiskTimes)
	s.AtRiskOutcome = atRisk(byOutcome.Curves, s.RiskTimes)
	return s
}

// riskTimes are about six round times from 0 to the last follow-up.
func riskTimes(times []float64) []float64 {
	last := 0.0
	for _, t := range times {
		last = max(last, t)
	}
	step := 1.0
	for _, s := range []float64{1, 2, 3, 6, 12, 24, 36, 60, 120} {
		if step = s; last/s <= 7 {
			break
		}
	}
	var at []float64
	for t := 0.0; t <= last; t += step {
		at = append(at, t)
	}
	return at
}

func atRisk(curves []survival.KM, times []float64) [][]int {
	out := make([][]int, len(curves))
	for i := range curves {
		out[i] = curves[i].AtRisk(times)
	}
	return out
}

func writeCurves(path string, sets []report.SurvivalSet) error {
	var rows []kmRow
	for _, s := range sets {
		for i, c := range []survival.Contrast{s.ByScore.Contrast, s.ByOutcome} {
			by := []string{"score", "outcome"}[i]
			for _, k := range c.Curves {
				for _, p := range k.Points {
					rows = append(rows, kmRow{s.Set, by, k.Name, p})
				}
			}
		}
	}
	return writeCSV(path, rows)
}
