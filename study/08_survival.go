package study

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"path/filepath"

	"sonotype/cohort"
	"sonotype/cohort/table"
	"sonotype/internal/artifact"
	"sonotype/report"
	"sonotype/survival"

	"gonum.org/v1/gonum/stat"
)

// Stage 08 asks whether the score, and the measured outcome, separate disease-free survival.
func survivalStage() *stage {
	return &stage{
		number: 8, name: "survival", version: 1,
		needs:  []string{"cohort", "roi", "classify", "evaluate"},
		params: func(p *Plan) any { return []any{p.Survival, p.Outcome, p.Columns.Age} },
		run:    runSurvival,
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

// followed is a set's units with follow-up: times in months, events, scores and measured labels.
type followed struct {
	time  []float64
	event []int
	score []float64
	label []float64
	age   []float64 // shorter than time when some patient has none
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
	train := scores[cohort.SetTrain][e.Primary]
	res := survivalResults{Sets: []report.SurvivalSet{}}
	for _, set := range []string{cohort.SetInternal, cohort.SetExternal} {
		f := follow(c, scores[set][e.Primary], cmp.Or(r.Plan.Columns.Age, "age"))
		if len(f.time) == 0 {
			continue
		}
		cut := stat.Mean(train.scores, nil)
		if r.Plan.Survival.Cut == "set" {
			cut = stat.Mean(scores[set][e.Primary].scores, nil)
		}
		s, err := contrast(set, f, cut)
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

// follow joins scores with the follow-up of their units; units without one are left out.
func follow(c *cohort.Cohort, s scored, ageColumn string) followed {
	units := map[string]cohort.Unit{}
	for _, u := range c.Units {
		units[u.ID] = u
	}
	var f followed
	for i, id := range s.units {
		u := units[id]
		if math.IsNaN(u.DFSMonths) || u.DFSEvent < 0 {
			continue
		}
		f.time = append(f.time, u.DFSMonths)
		f.event = append(f.event, u.DFSEvent)
		f.score = append(f.score, s.scores[i])
		f.label = append(f.label, float64(s.labels[i]))
		if age, err := table.Number(u.Clinical[ageColumn]); err == nil {
			f.age = append(f.age, age)
		}
	}
	return f
}

// contrast compares high with low scores, and positive with negative outcomes.
func contrast(set string, f followed, cut float64) (report.SurvivalSet, error) {
	byScore, err := survival.ByCut(f.time, f.event, f.score, cut, survival.Log)
	if err != nil {
		return report.SurvivalSet{}, err
	}
	byOutcome, err := survival.ByCut(f.time, f.event, f.label, 0.5, survival.Log)
	if err != nil {
		return report.SurvivalSet{}, err
	}
	cox, note := f.cox()
	s := report.SurvivalSet{Cox: cox, Note: note, Set: set, ByScore: *byScore, ByOutcome: *byOutcome, Unit: "months", RiskTimes: riskTimes(f.time)}
	s.Title = map[string]string{cohort.SetInternal: "Internal test", cohort.SetExternal: "External test"}[set]
	s.AtRiskScore = atRisk(byScore.Curves, s.RiskTimes)
	s.AtRiskOutcome = atRisk(byOutcome.Curves, s.RiskTimes)
	return s, nil
}

// cox fits the score, and the age where every patient has one; a fit that does not exist is a note.
func (f followed) cox() (*survival.Cox, string) {
	covariates := []survival.Covariate{{Name: "score (per SD)", Values: standardised(f.score)}}
	if len(f.age) == len(f.time) {
		covariates = append(covariates, survival.Covariate{Name: "age (per year)", Values: f.age})
	}
	c, err := survival.FitCox(f.time, f.event, covariates)
	if err != nil {
		return nil, "Cox regression: " + exclusionReason(err)
	}
	return c, ""
}

func standardised(x []float64) []float64 {
	m, sd := stat.MeanStdDev(x, nil)
	z := make([]float64, len(x))
	for i, v := range x {
		z[i] = (v - m) / sd
	}
	return z
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
		for i, c := range []survival.Contrast{s.ByScore, s.ByOutcome} {
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
