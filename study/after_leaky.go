package study

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"sonotype/cohort"
	"sonotype/evaluate"
	"sonotype/internal/artifact"
	"sonotype/internal/num"
	"sonotype/internal/rng"
	"sonotype/report"
)

// The classical leaks, made on purpose and shown beside the honest figures. Nothing of this reaches another stage.

const (
	leakyName, leakyVersion = "leaky", 1
	leakySplits             = 5 // random divisions behind each mean, so that no lucky split decides
)

// Leaks.
const (
	leakSelection = "selection"    // components and LASSO are fitted on all patients, the tested ones included
	leakImages    = "image-split"  // images, not patients, are divided
	leakBest      = "best-on-test" // the best model is chosen by the set that it is then reported on
	leakAll       = "all"
)

// leaking is the computation at work.
type leaking struct {
	*nesting
	run    *Run
	honest report.Key // chosen by cross-validation inside the training set
	scores map[string]map[report.Key]scored
	rows   []report.Leak
	steps  int
	total  int
}

// leaky reruns the study with each leak and writes what it gives beside the honest figure.
func (r *Run) leaky(ctx context.Context) error {
	return r.afterLine(leakyName, leakyVersion, func() (bool, error) {
		path := filepath.Join(r.RunDir, robustnessDir, leakyName+".json")
		var done report.Leaky
		if err := artifact.ReadJSON(path, &done); err == nil && done.Key == r.key {
			return true, nil
		}
		l, err := r.newLeaking()
		if err != nil {
			return false, err
		}
		for _, job := range []func(context.Context) error{l.bestOnTest, l.selectionOnAll, l.divisions} {
			if err := job(ctx); err != nil {
				return false, err
			}
		}
		return false, artifact.WriteJSON(path, report.Leaky{Key: r.key, Conditional: r.Plan.trains(), Rows: l.rows})
	})
}

func (r *Run) newLeaking() (*leaking, error) {
	n, err := r.newNesting()
	if err != nil {
		return nil, err
	}
	l := &leaking{nesting: n, run: r, total: 1 + 3*leakySplits}
	n.ticked = func() { l.steps++; r.Observer.Progress(l.steps, l.total) }
	var choice primaryChoice
	if err := artifact.ReadJSON(filepath.Join(r.dir(6, "classify"), "primary.json"), &choice); err != nil {
		return nil, err
	}
	l.honest = choice.Key
	if l.scores, err = r.scores("scores.csv"); err != nil {
		return nil, err
	}
	for _, set := range l.testSets() {
		if err := r.readTest(leakyName, set, "the classical leaks beside the honest figures", l.scores[set][l.honest].units); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// testSets are those that the study has.
func (l *leaking) testSets() []string {
	return slices.DeleteFunc([]string{cohort.SetInternal, cohort.SetExternal}, func(s string) bool { return l.scores[s] == nil })
}

// row begins a row with the honest AUC of a test set.
func (l *leaking) row(leak, set string) (report.Leak, error) {
	s := l.scores[set][l.honest]
	a, err := evaluate.DeLong(s.scores, s.labels)
	return report.Leak{
		Leak: leak, Set: set, HonestModel: l.honest, LeakyModel: l.honest, N: a.N, Shared: 0,
		Honest: a.AUC, HonestLo: a.Lo, HonestHi: a.Hi,
	}, err
}

// put notes the leaky AUC.
func (l *leaking) put(row report.Leak, key report.Key, a evaluate.AUC) {
	row.LeakyModel, row.Leaky, row.LeakyLo, row.LeakyHi = key, a.AUC, a.Lo, a.Hi
	l.rows = append(l.rows, row)
}

// bestOnTest names the model with the highest AUC in the set that it is reported on.
func (l *leaking) bestOnTest(context.Context) error {
	for _, set := range l.testSets() {
		row, err := l.row(leakBest, set)
		if err != nil {
			return err
		}
		var scores [][]float64
		for _, key := range l.keys {
			scores = append(scores, l.scores[set][key].scores)
		}
		key, a, err := best(l.keys, scores, l.scores[set][l.honest].labels)
		if err != nil {
			return err
		}
		l.put(row, key, a)
	}
	return nil
}

// best is the model with the highest AUC.
func best(keys []report.Key, scores [][]float64, labels []int) (key report.Key, top evaluate.AUC, err error) {
	top.AUC = -1
	for k := range keys {
		a, err := evaluate.DeLong(scores[k], labels)
		if err != nil {
			return key, top, err
		}
		if a.AUC > top.AUC {
			key, top = keys[k], a
		}
	}
	return key, top, nil
}

// selectionOnAll fits components and LASSO on every patient, the tested ones included; the models learn from the
// training patients alone, as in the study.
func (l *leaking) selectionOnAll(ctx context.Context) error {
	learners, err := l.run.learners(l.images, l.run.Plan.fits()[0])
	if err != nil {
		return err
	}
	test := where(l.images, func(im imageRow) bool { return im.Set != cohort.SetTrain })
	everybody := append(slices.Clone(learners), test...)
	slices.Sort(everybody)
	c, err := l.selected(ctx, everybody, nil, leakSelection)
	if err != nil {
		return err
	}
	p := l.only(l.honest)
	for _, set := range l.testSets() {
		row, err := l.row(leakSelection, set)
		if err != nil {
			return err
		}
		idx := slices.DeleteFunc(slices.Clone(test), func(i int) bool { return l.images[i].Set != set })
		s, err := p.scoresOfAnybody(ctx, c, learners, idx, fitName(finalFit))
		if err != nil {
			return err
		}
		pooled, err := p.pool(idx, s[0])
		if err != nil {
			return err
		}
		a, err := evaluate.DeLong(pooled.Score, pooled.Label)
		if err != nil {
			return err
		}
		l.put(row, l.honest, a)
	}
	l.ticked()
	return nil
}

// only is the pipeline for one model.
func (l *leaking) only(key report.Key) *pipeline {
	p := l.pipeline
	p.keys = []report.Key{key}
	return &p
}

func (l *leaking) selected(ctx context.Context, fitted, others []int, stream string) (*chosen, error) {
	r, err := l.reduce(ctx, fitted, others)
	if err != nil {
		return nil, err
	}
	return l.selectOn(r, fitted, stream)
}

// sampled is a random division of the development images.
type sampled struct {
	train, test []int
	stream      string
}

// divided draws the study's share of the scorable development images for training, stratified by outcome: whole patients
// or single images. What only teaches is added to the training images.
func (l *leaking) divided(byPatient bool, draw int) sampled {
	name := func(i int) string { return fmt.Sprint(i) }
	out := sampled{stream: fmt.Sprintf("leaky-images-%d", draw)}
	if byPatient {
		name = func(i int) string { return l.images[i].Patient }
		out.stream = fmt.Sprintf("leaky-patients-%d", draw)
	}
	var ids []string
	var y []int
	at := map[string]int{}
	for _, i := range l.scorable {
		k, seen := at[name(i)]
		if !seen {
			k = len(ids)
			at[name(i)] = k
			ids, y = append(ids, name(i)), append(y, 0)
		}
		y[k] = max(y[k], l.images[i].Label)
	}
	train := map[string]bool{}
	for _, k := range cohort.Sample(y, l.plan.Split.Train, rng.Stream(l.plan.Seed, out.stream)) {
		train[ids[k]] = true
	}
	out.train = slices.Clone(l.teach)
	for _, i := range l.scorable {
		if train[name(i)] {
			out.train = append(out.train, i)
		} else {
			out.test = append(out.test, i)
		}
	}
	return out
}

// shared is the share of the test images whose patient is in the training set.
func (l *leaking) shared(s sampled) float64 {
	known, n := patientsOf(l.images, s.train), 0
	for _, i := range s.test {
		if known[l.images[i].Patient] {
			n++
		}
	}
	return float64(n) / float64(len(s.test))
}

// auc fits on a division and measures by image, as those do who divide images. Components and LASSO learn from selectOn.
// Of several models the best on the test images is taken.
func (l *leaking) auc(ctx context.Context, p *pipeline, s sampled, selectOn []int) (report.Key, float64, error) {
	c, err := l.selected(ctx, selectOn, s.test, s.stream)
	if err != nil {
		return report.Key{}, 0, err
	}
	scores, err := p.scoresOfAnybody(ctx, c, s.train, s.test, s.stream)
	if err != nil {
		return report.Key{}, 0, err
	}
	key, a, err := best(p.keys, scores, labels(l.images, s.test))
	l.ticked()
	return key, float64(a.AUC), err
}

// divisions compares a division by patient with one by image, and with one by image whose selection saw all images and
// whose best model was named by its test images. Each figure is the mean over several draws.
func (l *leaking) divisions(ctx context.Context) error {
	p := l.only(l.honest)
	image, all := l.developmentRow(leakImages), l.developmentRow(leakAll)
	var honest, leaky, worst, shared []float64
	named := map[report.Key]int{}
	for d := range leakySplits {
		byPatient, byImage := l.divided(true, d), l.divided(false, d)
		_, h, err := l.auc(ctx, p, byPatient, byPatient.train)
		if err != nil {
			return err
		}
		_, i, err := l.auc(ctx, p, byImage, byImage.train)
		if err != nil {
			return err
		}
		key, w, err := l.auc(ctx, &l.pipeline, byImage, slices.Concat(byImage.train, byImage.test))
		if err != nil {
			return err
		}
		named[key]++
		honest, leaky, worst, shared = append(honest, h), append(leaky, i), append(worst, w), append(shared, l.shared(byImage))
		image.N, all.N = len(byImage.test), len(byImage.test)
	}
	image.Honest, image.Leaky, image.Shared = spreadOf(honest).Mean, spreadOf(leaky).Mean, spreadOf(shared).Mean
	all.Honest, all.Leaky, all.Shared, all.LeakyModel = image.Honest, spreadOf(worst).Mean, image.Shared, mostOften(l.keys, named)
	if image.Shared == 0 {
		image.Leaky, image.Note = num.NaN(), "No patient has two images, so that this leak cannot occur here."
	}
	l.rows = append(l.rows, image, all)
	return nil
}

// mostOften is the model that was named most often, the first of them in a tie.
func mostOften(keys []report.Key, named map[report.Key]int) report.Key {
	return slices.MaxFunc(keys, func(a, b report.Key) int { return named[a] - named[b] })
}

// developmentRow begins a row on divisions of the development images.
func (l *leaking) developmentRow(leak string) report.Leak {
	nan := num.NaN()
	return report.Leak{
		Leak: leak, Set: "development", HonestModel: l.honest, LeakyModel: l.honest, Splits: leakySplits,
		Honest: nan, HonestLo: nan, HonestHi: nan, Leaky: nan, LeakyLo: nan, LeakyHi: nan, Shared: nan,
	}
}

// leakyInWords is a line a leak for the command line.
func leakyInWords(l *report.Leaky) []string {
	var out []string
	for _, r := range l.Rows {
		line := fmt.Sprintf("leak %-13s %-12s honest AUC %.3f   ", r.Leak, r.Set, r.Honest)
		if r.Leaky.IsNaN() {
			out = append(out, line+r.Note)
			continue
		}
		out = append(out, line+fmt.Sprintf("leaky AUC %.3f   (%+.3f)", r.Leaky, r.Leaky-r.Honest))
	}
	return out
}
