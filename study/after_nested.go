package study

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"sonotype/cohort"
	"sonotype/evaluate"
	"sonotype/internal/artifact"
	"sonotype/internal/num"
	"sonotype/report"
	"sonotype/selection"
)

// Nested cross-validation asks what the whole procedure gives, the choice of features, model and threshold included, and
// how much of it is the luck of one split.

// nestedFit is a fit inside the nesting: who is learnt from, who is scored.
type nestedFit struct {
	fitted, scored []int
	stream         string
	components     *reduced // kept only where several labellings share them
}

// outerFold is a fold of patients that are scored once, and the fits among the others by which the choice is made.
type outerFold struct {
	final nestedFit
	inner []nestedFit
}

// nesting is nested cross-validation at work. Patients that the networks behind the features learnt from are never
// scored: they teach in every fold, where the plan lets models learn from them, else they are left out.
type nesting struct {
	pipeline
	scorable []int // images
	teach    []int
	ticked   func() // after every fit
}

// newNesting gathers the development patients of a run.
func (r *Run) newNesting() (*nesting, error) {
	images, err := r.images()
	if err != nil {
		return nil, err
	}
	d, err := r.division(finalFit)
	if err != nil {
		return nil, err
	}
	n := &nesting{pipeline: pipeline{plan: &r.Plan, keys: modelKeys(&r.Plan), images: images, deep: map[string]selection.Rows{}, jobs: r.Jobs}}
	n.tame = func(ctx context.Context, region string, rows selection.Rows, fitted, applied []int) (tamed, error) {
		return r.tame(ctx, region, finalFit, rows, images, fitted, applied)
	}
	for _, region := range regions {
		if n.deep[region], err = r.features(region, finalFit); err != nil {
			return nil, err
		}
	}
	n.assign(d.learntFrom())
	return n, nil
}

// assign says who is scored and who only teaches, given the patients whom the networks learnt from.
func (n *nesting) assign(known patientSet) {
	n.scorable = where(n.images, func(im imageRow) bool { return im.Set != cohort.SetExternal && !known[im.Patient] })
	n.teach = nil
	if n.plan.fitOn() == fitOnAll {
		n.teach = where(n.images, func(im imageRow) bool { return known[im.Patient] })
	}
}

// folds divides the scorable patients anew, by patient and stratified by outcome, and every outer fold's learners again.
func (n *nesting) folds(repeat int) ([]outerFold, error) {
	k, name := n.plan.Split.Folds, fmt.Sprintf("nested-%d", repeat)
	outer, err := patientFolds(n.images, n.scorable, k, n.plan.Seed, name)
	if err != nil {
		return nil, err
	}
	var out []outerFold
	for f := range k {
		rest, test := divide(n.scorable, outer, f)
		if len(test) == 0 { // fewer patients of a class than folds
			continue
		}
		stream := fmt.Sprintf("%s-fold-%d", name, f)
		o := outerFold{final: n.fit(rest, test, stream)}
		inner, err := patientFolds(n.images, rest, k, n.plan.Seed, stream)
		if err != nil {
			return nil, err
		}
		for g := range k {
			if learn, held := divide(rest, inner, g); len(held) > 0 {
				o.inner = append(o.inner, n.fit(learn, held, fmt.Sprintf("%s-inner-%d", stream, g)))
			}
		}
		out = append(out, o)
	}
	return out, nil
}

func (n *nesting) fit(learn, score []int, stream string) nestedFit {
	return nestedFit{fitted: append(append([]int{}, n.teach...), learn...), scored: score, stream: stream}
}

// divide splits idx into those outside and those in a fold.
func divide(idx, fold []int, f int) (rest, in []int) {
	for j, i := range idx {
		if fold[j] == f {
			in = append(in, i)
		} else {
			rest = append(rest, i)
		}
	}
	return rest, in
}

// run fits every model and returns their scores of the fit's held-out images.
func (n *nesting) run(ctx context.Context, p *pipeline, f nestedFit) ([][]float64, error) {
	r := f.components
	if r == nil {
		var err error
		if r, err = p.reduce(ctx, f.fitted, f.scored); err != nil {
			return nil, err
		}
	}
	c, err := p.selectOn(r, f.fitted, f.stream)
	if err != nil {
		return nil, err
	}
	s, err := p.scores(ctx, c, f.fitted, f.scored, f.stream)
	n.ticked()
	return s, err
}

// outer makes the choice by the inner folds, refits, and reads the outer fold once. It returns every model's AUC too.
func (n *nesting) outer(ctx context.Context, p *pipeline, o outerFold) (report.NestedFold, []float64, error) {
	choice, err := n.choose(ctx, p, o.inner)
	if err != nil {
		return report.NestedFold{}, nil, err
	}
	scores, err := n.run(ctx, p, o.final)
	if err != nil {
		return report.NestedFold{}, nil, err
	}
	aucs := make([]float64, len(p.keys))
	for k, key := range p.keys {
		pooled, err := p.pool(o.final.scored, scores[k])
		if err != nil {
			return report.NestedFold{}, nil, err
		}
		perf, err := evaluate.Measure(pooled.Score, pooled.Label, float64(choice.Threshold))
		if err != nil {
			return report.NestedFold{}, nil, err
		}
		if aucs[k] = float64(perf.AUC); key == choice.Chosen {
			choice.AUC, choice.N, choice.Positive = perf.AUC, perf.N, perf.Positive
			choice.TP, choice.FP, choice.TN, choice.FN = perf.TP, perf.FP, perf.TN, perf.FN
		}
	}
	return choice, aucs, nil
}

// choose picks features, model and threshold by the out-of-fold scores of the inner folds, as stages 06 and 07 do.
func (n *nesting) choose(ctx context.Context, p *pipeline, inner []nestedFit) (report.NestedFold, error) {
	var idx []int
	scores := make([][]float64, len(p.keys))
	for _, f := range inner {
		s, err := n.run(ctx, p, f)
		if err != nil {
			return report.NestedFold{}, err
		}
		idx = append(idx, f.scored...)
		for k := range p.keys {
			scores[k] = append(scores[k], s[k]...)
		}
	}
	best := report.NestedFold{InnerAUC: -1}
	for k, key := range p.keys {
		pooled, err := p.pool(idx, scores[k])
		if err != nil {
			return best, err
		}
		auc, err := evaluate.DeLong(pooled.Score, pooled.Label)
		if err != nil {
			return best, err
		}
		if !p.plan.mayBePrimary(key) || !(auc.AUC > best.InnerAUC) {
			continue
		}
		best.Chosen, best.InnerAUC = key, auc.AUC
		if best.Threshold, err = p.plan.threshold(pooled.Score, pooled.Label); err != nil {
			return best, err
		}
	}
	return best, nil
}

// mayBePrimary says whether the inner cross-validation may choose a model: any, unless the plan names one.
func (p *Plan) mayBePrimary(key report.Key) bool {
	switch p.Classify.Primary {
	case "cv", "best-on-internal":
		return true
	}
	return p.Classify.Primary == key.String()
}

// threshold is Youden's of the given scores, or the plan's number.
func (p *Plan) threshold(scores []float64, labels []int) (num.Float, error) {
	if p.Evaluate.Threshold != "youden" {
		v, err := strconv.ParseFloat(p.Evaluate.Threshold, 64)
		return num.Float(v), err
	}
	cut, err := evaluate.Youden(scores, labels)
	return cut.Threshold, err
}

// pool is the mean score of each unit.
func (p *pipeline) pool(idx []int, scores []float64) (*evaluate.Pooled, error) {
	units := make([]string, len(idx))
	for j, i := range idx {
		units[j] = p.images[i].Unit
	}
	return evaluate.Pool(scores, labels(p.images, idx), units)
}

// repeat runs all outer folds of a division.
func (n *nesting) repeat(ctx context.Context, p *pipeline, folds []outerFold) (report.NestedRepeat, error) {
	out := report.NestedRepeat{Models: map[report.Key]num.Float{}}
	perModel := make([][]float64, len(p.keys))
	var chosen []float64
	var tp, fp, tn, fn int
	for _, o := range folds {
		f, aucs, err := n.outer(ctx, p, o)
		if err != nil {
			return out, err
		}
		out.Folds = append(out.Folds, f)
		chosen = append(chosen, float64(f.AUC))
		for k, v := range aucs {
			perModel[k] = append(perModel[k], v)
		}
		tp, fp, tn, fn = tp+f.TP, fp+f.FP, tn+f.TN, fn+f.FN
	}
	for k, key := range p.keys {
		out.Models[key] = spreadOf(perModel[k]).Mean
	}
	out.AUC = spreadOf(chosen).Mean
	out.Sensitivity, out.Specificity = share(tp, tp+fn), share(tn, tn+fp)
	return out, nil
}

func share(k, n int) num.Float {
	if n == 0 {
		return num.NaN()
	}
	return num.Float(float64(k) / float64(n))
}

// nestedKey identifies everything that the computations after the line depend on.
func (r *Run) nestedKey(name string, version int) (string, error) {
	p := &r.Plan
	return artifact.HashJSON(map[string]any{
		"name": name, "version": version, "params": []any{p.Selection, p.Classify, p.Evaluate.Threshold, p.Split.Folds, p.Split.Train, p.fitOn(), p.Seed},
		"inputs": []string{r.digests["roi"], r.digests["finetune"], r.digests["features"], r.digests["selection"], r.digests["classify"]},
	})
}

const nestedName, nestedVersion = "nested", 1

// nested runs the wanted number of repeats, or takes those that an earlier run finished, and writes the distribution.
func (r *Run) nested(ctx context.Context, repeats int) error {
	return r.afterLine(nestedName, nestedVersion, func() (bool, error) {
		n, err := r.newNesting()
		if err != nil {
			return false, err
		}
		if err := r.readTest(nestedName, cohort.SetInternal, "repeated nested cross-validation over the development patients", n.testUnits()); err != nil {
			return false, err
		}
		k, done := r.Plan.Split.Folds, 0
		n.ticked = func() { done++; r.Observer.Progress(done, repeats*k*(k+1)) }
		out := report.Nested{Key: r.key, Conditional: r.Plan.trains(), Folds: k, TeachOnly: len(patientsOf(n.images, n.teach))}
		reused := true
		for i := range repeats {
			rep, fresh, err := part(r, nestedName, i+1, func() (report.NestedRepeat, error) {
				folds, err := n.folds(i + 1)
				if err != nil {
					return report.NestedRepeat{}, err
				}
				rep, err := n.repeat(ctx, &n.pipeline, folds)
				rep.Key, rep.Repeat = r.key, i+1
				return rep, err
			})
			if err != nil {
				return false, err
			}
			if done = (i + 1) * k * (k + 1); fresh {
				reused = false
				r.Observer.Say(fmt.Sprintf("repeat %d of %d: AUC %.3f", i+1, repeats, rep.AUC), true)
			}
			out.Repeats = append(out.Repeats, rep)
		}
		n.describe(&out)
		if out.Study, err = r.internalAUC(); err != nil {
			return false, err
		}
		return reused, artifact.WriteJSON(filepath.Join(r.RunDir, robustnessDir, nestedName+".json"), out)
	})
}

// testUnits are the scorable units of the internal test set.
func (n *nesting) testUnits() []string {
	var out []string
	for _, i := range n.scorable {
		if n.images[i].Set == cohort.SetInternal {
			out = append(out, n.images[i].Unit)
		}
	}
	return out
}

// describe counts the patients and sums up the repeats.
func (n *nesting) describe(out *report.Nested) {
	positive := map[string]int{}
	for _, i := range n.scorable {
		positive[n.images[i].Patient] = max(positive[n.images[i].Patient], n.images[i].Label)
	}
	for _, y := range positive {
		out.Positive += y
	}
	out.Patients, out.Images = len(positive), len(n.scorable)
	out.Models, out.Picked = map[report.Key]report.Spread{}, map[report.Key]int{}
	var chosen, single, sensitivity, specificity []float64
	for _, rep := range out.Repeats {
		chosen = append(chosen, float64(rep.AUC))
		sensitivity, specificity = append(sensitivity, float64(rep.Sensitivity)), append(specificity, float64(rep.Specificity))
		for _, f := range rep.Folds {
			single = append(single, float64(f.AUC))
			out.Picked[f.Chosen]++
		}
	}
	out.Chosen, out.Single = spreadOf(chosen), spreadOf(single)
	out.Sensitivity, out.Specificity = spreadOf(sensitivity), spreadOf(specificity)
	for _, key := range n.keys {
		var aucs []float64
		for _, rep := range out.Repeats {
			aucs = append(aucs, float64(rep.Models[key]))
		}
		out.Models[key] = spreadOf(aucs)
	}
}

// internalAUC is the primary model's AUC in the internal test set as stage 07 measured it; missing without such a set.
func (r *Run) internalAUC() (num.Float, error) {
	var e evaluation
	if err := artifact.ReadJSON(filepath.Join(r.dir(7, "evaluate"), "evaluation.json"), &e); err != nil {
		return num.NaN(), err
	}
	for _, s := range e.Sets {
		if s.Name == cohort.SetInternal {
			return s.Results[e.Primary].Performance.AUC, nil
		}
	}
	return num.NaN(), nil
}

// afterLine runs a computation that follows the line under a progress line of its own; job says whether all of it was
// done already.
func (r *Run) afterLine(name string, version int, job func() (reused bool, err error)) error {
	key, err := r.nestedKey(name, version)
	if err != nil {
		return err
	}
	return r.keyedJob(name, key, job)
}

// keyedJob is afterLine for a computation with a key of its own.
func (r *Run) keyedJob(name, key string, job func() (reused bool, err error)) error {
	start := time.Now()
	r.Observer.StageStarted(AfterTheLine, name)
	r.key = key
	reused, err := job()
	if err != nil {
		return err
	}
	if took := time.Since(start); !reused {
		r.seconds[name] = took.Seconds()
		if err := r.writeTiming(); err != nil {
			return err
		}
	}
	r.Observer.StageDone(AfterTheLine, name, reused, time.Since(start))
	return nil
}

// AfterTheLine stands for the number of a stage where there is none.
const AfterTheLine = 0

// keyed is a piece of a computation after the line; it says what it was computed from.
type keyed interface{ ComputedFrom() string }

// part takes the i-th piece of a computation from the run folder, or computes and keeps it, so that a computation that
// was stopped goes on where it was.
func part[T keyed](r *Run, name string, i int, compute func() (T, error)) (v T, fresh bool, err error) {
	path := filepath.Join(r.RunDir, robustnessDir, name, fmt.Sprintf("%04d.json", i))
	if err := artifact.ReadJSON(path, &v); err == nil && v.ComputedFrom() == r.key {
		return v, false, nil
	} else if err != nil && !os.IsNotExist(err) {
		return v, false, err
	}
	if v, err = compute(); err != nil {
		return v, false, err
	}
	return v, true, artifact.WriteJSON(path, v)
}
