package study

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"sonotype/cohort"
	"sonotype/internal/artifact"
	"sonotype/internal/num"
	"sonotype/internal/rng"
	"sonotype/report"
	"sonotype/roi"
)

// assembly gathers the stages' results into what the report shows.
type assembly struct {
	run        *Run
	cohort     *cohort.Cohort
	splits     *cohort.Splits
	images     []imageRow
	summary    imagesSummary
	features   featuresCard
	selection  map[string]selectionSummary
	evaluation evaluation
	survival   survivalResults
	scores     map[string]map[report.Key]scored
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
	if a.scores, err = r.scores("scores.csv"); err != nil {
		return err
	}
	for path, into := range map[string]any{
		filepath.Join(r.dir(2, "roi"), "summary.json"):         &a.summary,
		filepath.Join(r.dir(4, "features"), "features.json"):   &a.features,
		filepath.Join(r.dir(5, "selection"), "selection.json"): &a.selection,
		filepath.Join(r.dir(7, "evaluate"), "evaluation.json"): &a.evaluation,
		filepath.Join(r.dir(8, "survival"), "survival.json"):   &a.survival,
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
		Selection: map[string]report.Selection{},
	}
	for _, f := range FeatureSets {
		s.Selection[f] = a.selectionOf(f)
	}
	if p.Report.Published {
		s.Published = published()
	}
	s.Warnings = a.warnings(s)
	var err error
	s.Images, err = a.gallery(ctx)
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
	from := a.cohort.Flow(a.splits)
	var f report.Flow
	for _, s := range from.Sources {
		f.Tables = append(f.Tables, report.FlowTable{Name: s.Name, Rows: s.Rows, Images: s.Images, Patients: s.Patients})
	}
	cases := map[string][]string{}
	for _, e := range a.cohort.Excluded() {
		cases[e.Reason] = append(cases[e.Reason], fmt.Sprintf("%s (%s, row %d)", e.Patient, e.Table, e.Line))
	}
	for _, e := range from.Excluded {
		f.Exclusions = append(f.Exclusions, report.FlowExclusion{Reason: e.Reason, Rows: e.Rows, Images: e.Images, Patients: e.Patients, Cases: cases[e.Reason]})
	}
	for _, s := range from.Sets {
		set := report.FlowSet{Name: s.Set, Patients: s.Patients, Images: s.Images, Positive: s.Positive}
		for _, c := range s.Centres {
			set.Centres = append(set.Centres, c.Centre)
		}
		f.Sets = append(f.Sets, set)
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

// gallery picks random, lowest, highest and wrong cases of the test sets (of the training set where there is none).
func (a *assembly) gallery(ctx context.Context) (report.Images, error) {
	g := report.Images{Total: len(a.images), Calipers: a.summary.Marked, Markers: a.marksInWords()}
	devices, sizes := map[string]int{}, map[string]int{}
	for _, im := range a.images {
		devices[im.Device]++
		sizes[fmt.Sprintf("%d–%d px wide", im.Width/100*100, im.Width/100*100+99)]++
	}
	g.Devices, g.Sizes = counts(devices), counts(sizes)
	score, sets := map[string]float64{}, a.shownSets()
	for _, set := range sets {
		s := a.scores[set][a.evaluation.Primary]
		for i, u := range s.units {
			score[u] = s.scores[i]
		}
	}
	shown := map[string]bool{}
	pool := where(a.images, func(im imageRow) bool { // the first image of each unit
		_, ok := score[im.Unit]
		first := ok && !shown[im.Unit]
		shown[im.Unit] = true
		return first
	})
	for _, part := range a.galleryParts(pool, score) {
		cases := report.GalleryPart{Title: part.title}
		for _, i := range part.images {
			if err := ctx.Err(); err != nil {
				return g, err
			}
			c, err := a.galleryCase(a.images[i], score[a.images[i].Unit])
			if err != nil {
				return g, err
			}
			cases.Cases = append(cases.Cases, c)
		}
		g.Parts = append(g.Parts, cases)
	}
	return g, nil
}

// shownSets are the test sets, or the training set when there is no other.
func (a *assembly) shownSets() []string {
	var sets []string
	for _, s := range []string{cohort.SetInternal, cohort.SetExternal} {
		if len(a.scores[s]) > 0 {
			sets = append(sets, s)
		}
	}
	if len(sets) == 0 {
		sets = []string{cohort.SetTrain}
	}
	return sets
}

type galleryChoice struct {
	title  string
	images []int
}

func (a *assembly) galleryParts(pool []int, score map[string]float64) []galleryChoice {
	n := min(a.run.Plan.Report.Gallery, len(pool))
	threshold := float64(a.evaluation.Thresholds[a.evaluation.Primary])
	of := func(i int) float64 { return score[a.images[i].Unit] }
	byScore := slices.Clone(pool)
	slices.SortStableFunc(byScore, func(i, j int) int { return cmp.Compare(of(i), of(j)) })
	random := make([]int, n)
	for k, at := range rng.Stream(a.run.Plan.Seed, "report-gallery").Perm(len(pool))[:n] {
		random[k] = pool[at]
	}
	highest := slices.Clone(byScore[len(byScore)-n:])
	slices.Reverse(highest)
	wrong := slices.DeleteFunc(slices.Clone(pool), func(i int) bool { return (of(i) > threshold) == (a.images[i].Label == 1) })
	slices.SortStableFunc(wrong, func(i, j int) int { return cmp.Compare(math.Abs(of(j)-threshold), math.Abs(of(i)-threshold)) })
	return []galleryChoice{
		{"Random cases", random},
		{"Lowest scores", byScore[:n]},
		{"Highest scores", highest},
		{"Wrong at the threshold, furthest first", wrong[:min(n, len(wrong))]},
	}
}

func (a *assembly) galleryCase(im imageRow, score float64) (report.GalleryCase, error) {
	c, err := a.run.cohort()
	if err != nil {
		return report.GalleryCase{}, err
	}
	_, regions, err := a.run.prepare(c, im.Source)
	if err != nil {
		return report.GalleryCase{}, err
	}
	return report.GalleryCase{
		Patient: im.Patient, Set: im.Set, Label: im.Label, Score: num.Float(score),
		Overlay: roi.Overlay(regions), TA: regions.TACrop.Image(), PTA: regions.PTACrop.Image(),
	}, nil
}

func counts(m map[string]int) []report.Count {
	var out []report.Count
	for _, name := range slices.Sorted(maps.Keys(m)) {
		out = append(out, report.Count{Name: name, N: m[name]})
	}
	return out
}
