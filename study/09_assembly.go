package study

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"sonotype/cohort"
	"sonotype/internal/artifact"
	"sonotype/report"
)

// assembly gathers the stages' results into what the report shows.
type assembly struct {
	run        *Run
	cohort     *cohort.Cohort
	splits     *cohort.Splits
	images     []imageRow
	summary    imagesSummary
	networks   finetuned
	features   featuresCard
	selection  map[string]selectionSummary
	evaluation evaluation
	survival   survivalResults
	clinical   report.Clinical
	scores     map[string]map[report.Key]scored
	honesty    honesty // what was computed after the line
}

func (a *assembly) load() (err error) {
	r := a.run
	if a.cohort, err = r.analysed(); err != nil {
		return err
	}
	if a.splits, err = r.splits(); err != nil {
		return err
	}
	if a.images, err = r.images(); err != nil {
		return err
	}
	if a.networks, err = r.finetuned(); err != nil {
		return err
	}
	if a.scores, err = r.scores("scores.csv"); err != nil {
		return err
	}
	for path, into := range map[string]any{
		filepath.Join(r.dir(2, "roi"), "summary.json"):         &a.summary,
		filepath.Join(r.dir(4, "features"), "features.json"):   &a.features,
		filepath.Join(r.dir(5, "selection"), "selection.json"): &a.selection,
		filepath.Join(r.dir(7, "evaluate"), "evaluation.json"): &a.evaluation,
		filepath.Join(r.dir(8, "survival"), "survival.json"):   &a.survival,
		filepath.Join(r.dir(7, "clinical"), "clinical.json"):   &a.clinical,
	} {
		if err := artifact.ReadJSON(path, into); err != nil {
			return err
		}
	}
	return nil
}

// study fills the report's model.
func (a *assembly) study(ctx context.Context) (*report.Study, error) {
	p := &a.run.Plan
	s := &report.Study{
		Title: p.Title, Preset: p.Preset, Positive: p.Outcome.High, Negative: p.Outcome.Low, Outcome: outcomeInWords(p),
		Unit: a.unitName(), Version: a.run.Version, DataHash: a.summary.DataHash, Synthetic: p.Synthetic,
		Deviations: deviations(p), Methods: a.methods(), Reproduce: a.reproduce(), Plan: settings(p), Software: a.software(),
		Flow: a.flow(), Table1: a.evaluation.Table1, Table2: a.evaluation.Table2,
		FeatureSets: FeatureSets, Models: p.Classify.Models, Primary: a.evaluation.Primary, PrimaryWhy: a.evaluation.Why,
		Threshold: thresholdInWords(p), Sets: a.evaluation.Sets, Survival: a.survival.Sets,
		Clinical: &a.clinical, Learning: a.learning(), Selection: map[string]report.Selection{},
	}
	for _, f := range FeatureSets {
		s.Selection[f] = a.selectionOf(f)
	}
	if p.Report.Published {
		s.Published = published()
	}
	var err error
	if s.Honesty, err = a.honestyOf(); err != nil {
		return nil, err
	}
	if s.Robustness, err = a.run.robustnessResults(); err != nil {
		return nil, err
	}
	if s.Agreement, err = a.agreementOf(); err != nil {
		return nil, err
	}
	if err := artifact.ReadJSON(filepath.Join(a.run.dir(7, "evaluate"), sampleSizeFile), &s.SampleSize); err != nil {
		return nil, err
	}
	s.Warnings = append(a.warnings(s), a.honestyWarnings()...)
	if s.Images, err = a.gallery(ctx); err != nil {
		return nil, err
	}
	s.Checklists, err = a.checklistsOf(s)
	return s, err
}

func (a *assembly) unitName() string {
	for _, u := range a.cohort.Units {
		if u.Lesion != "" {
			return "lesion"
		}
	}
	return "patient"
}

// flow translates the cohort's patient flow.
func (a *assembly) flow() report.Flow {
	f := flowRead(a.cohort)
	for _, s := range a.cohort.Flow(a.splits).Sets {
		set := report.FlowSet{Name: s.Set, Patients: s.Patients, Images: s.Images, Positive: s.Positive}
		for _, c := range s.Centres {
			set.Centres = append(set.Centres, c.Centre)
		}
		set.Parts = a.partsOf(s.Set)
		f.Sets = append(f.Sets, set)
	}
	return f
}

// flowRead is a cohort's patient flow without its sets: what was read, and what was left out and why.
func flowRead(c *cohort.Cohort) report.Flow {
	from := c.Flow(nil)
	var f report.Flow
	for _, s := range from.Sources {
		f.Tables = append(f.Tables, report.FlowTable{Name: s.Name, Rows: s.Rows, Images: s.Images, Patients: s.Patients})
	}
	cases := map[string][]string{}
	for _, e := range c.Excluded() {
		cases[e.Reason] = append(cases[e.Reason], fmt.Sprintf("%s (%s, row %d)", e.Patient, e.Table, e.Line))
	}
	for _, e := range from.Excluded {
		f.Exclusions = append(f.Exclusions, report.FlowExclusion{Reason: e.Reason, Rows: e.Rows, Images: e.Images, Patients: e.Patients, Cases: cases[e.Reason]})
	}
	return f
}

// selectionOf translates stage 05 for one feature set.
func (a *assembly) selectionOf(set string) report.Selection {
	from := a.selection[set]
	l := from.Lasso
	s := report.Selection{
		Images: from.Images, Inputs: from.Inputs, PCA: from.PCA, AfterSpearman: from.AfterSpearman, Scree: from.Variance,
		Lambdas: l.Lambdas, CVMean: l.CVMean, CVSE: l.CVSE, CVName: l.CVMeasure,
		LambdaMin: l.LambdaMin, Lambda1SE: l.Lambda1SE, Lambda: l.Lambda, Note: from.Note,
	}
	for _, j := range l.Kept {
		region, _, _ := strings.Cut(from.Names[j], "_")
		s.Kept = append(s.Kept, report.Weight{Features: region, Name: from.Names[j], Weight: l.Coef[j]})
	}
	for k, j := range l.Entered {
		s.Paths = append(s.Paths, l.Paths[k])
		s.PathNames = append(s.PathNames, from.Names[j])
	}
	return s
}

// learning translates stage 03.
func (a *assembly) learning() []report.Learning {
	var out []report.Learning
	for _, n := range a.networks.Networks {
		l := report.Learning{
			Region: n.Region, Fold: n.Fold + 1, Planned: n.Planned, Kept: n.Kept, Why: keptInWords(&a.run.Plan), Stopped: n.Stopped,
			Train: report.LearningCount(n.Train), Heldout: report.LearningCount(n.Heldout), Notes: n.Notes,
		}
		for _, row := range n.History {
			l.History = append(l.History, report.Epoch(row.Epoch))
		}
		out = append(out, l)
	}
	return out
}
