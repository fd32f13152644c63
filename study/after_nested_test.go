package study

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"sonotype/cohort"
	"sonotype/internal/artifact"
	"sonotype/internal/rng"
	"sonotype/report"
	"sonotype/selection"
)

// memoryRows is a feature table in memory.
type memoryRows [][]float32

func (m memoryRows) Dims() (n, p int)    { return len(m), len(m[0]) }
func (m memoryRows) Row(i int) []float32 { return m[i] }

// noisyStudy is a nesting over patients with `each` images, whose features are a patient's own noise and little else: the
// images of a patient resemble each other, and strength of the label is added to some features.
func noisyStudy(t testing.TB, patients, each int, strength float64, seed uint64) *nesting {
	t.Helper()
	plan, err := DefaultPlan("rigorous")
	if err != nil {
		t.Fatal(err)
	}
	plan.Network.Train.Epochs, plan.Split.Folds, plan.Seed = 0, 3, seed
	plan.Selection.Components, plan.Selection.Folds = 12, 4
	plan.Classify.Models = []string{"lr", "knn"}
	n := &nesting{pipeline: pipeline{plan: &plan, keys: modelKeys(&plan), deep: map[string]selection.Rows{}, jobs: 1}, ticked: func() {}}
	r := rng.Stream(seed, "noisy-study")
	table := map[string]memoryRows{}
	for p := range patients {
		label := p % 2
		own := map[string][]float64{}
		for _, region := range regions {
			for range 40 {
				own[region] = append(own[region], r.NormFloat64())
			}
		}
		for e := range each {
			set := cohort.SetTrain
			if p >= patients*7/10 {
				set = cohort.SetInternal
			}
			id := fmt.Sprintf("P%03d", p)
			n.scorable = append(n.scorable, len(n.images))
			n.images = append(n.images, imageRow{Patient: id, Unit: id, Image: fmt.Sprintf("%s-%d", id, e), Set: set, Label: label})
			for _, region := range regions {
				row := make([]float32, 40)
				for j := range row {
					row[j] = float32(own[region][j] + 0.2*r.NormFloat64())
					if j < 4 {
						row[j] += float32(strength * float64(label))
					}
				}
				table[region] = append(table[region], row)
			}
		}
	}
	for _, region := range regions {
		n.deep[region] = table[region]
	}
	return n
}

// permuteOn runs the nested cross-validation on so many deals of the labels.
func permuteOn(t testing.TB, n *nesting, deals int) *report.Permuted {
	t.Helper()
	folds, err := n.sharedFolds(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	out := &report.Permuted{}
	for i := range deals + 1 {
		rep, err := n.repeat(context.Background(), n.dealt(folds, i), folds)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			out.Observed = rep.AUC
		} else {
			out.AUC = append(out.AUC, rep.AUC)
		}
	}
	sumUp(out)
	return out
}

// Without a leak, 50 permutations of the labels give a mean AUC within two standard errors of one half, though patients
// have several images that resemble each other; a true signal stands out from them.
func TestPermutedLabelsGiveOneHalf(t *testing.T) {
	t.Parallel()
	p := permuteOn(t, noisyStudy(t, 60, 2, 1.2, 1), 50)
	if !p.Within || len(p.AUC) != 50 {
		t.Errorf("mean AUC %.3f, SE %.3f, of %d permutations", p.Mean, p.SE, len(p.AUC))
	}
	if p.Observed < 0.75 || p.P > 0.03 {
		t.Errorf("with the true labels AUC %.3f, P = %.3f", p.Observed, p.P)
	}
}

// The same test finds a leak: when selection sees the tested patients, the mean lies far above one half.
func TestPermutedLabelsFindALeak(t *testing.T) {
	t.Parallel()
	n := noisyStudy(t, 60, 1, 0, 2)
	n.keys = []report.Key{{Features: "fusion", Model: "lr"}}
	folds, err := n.folds(1)
	if err != nil {
		t.Fatal(err)
	}
	ctx, p := context.Background(), &report.Permuted{}
	for i := 1; i <= 20; i++ {
		deal := n.dealt(folds, i)
		var aucs []float64
		for _, o := range folds {
			r, err := deal.reduce(ctx, n.scorable, nil)
			if err != nil {
				t.Fatal(err)
			}
			c, err := deal.selectOn(r, n.scorable, "leak")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := deal.scores(ctx, c, o.final.fitted, o.final.scored, "leak"); err == nil || !strings.Contains(err.Error(), "selection") {
				t.Fatalf("the lock let a patient through whom the selection knows: %v", err)
			}
			s, err := deal.scoresOfAnybody(ctx, c, o.final.fitted, o.final.scored, "leak")
			if err != nil {
				t.Fatal(err)
			}
			_, a, err := best(deal.keys, s, labels(deal.images, o.final.scored))
			if err != nil {
				t.Fatal(err)
			}
			aucs = append(aucs, float64(a.AUC))
		}
		p.AUC = append(p.AUC, spreadOf(aucs).Mean)
	}
	if sumUp(p); p.Within || p.Mean < 0.55 {
		t.Errorf("mean AUC %.3f, SE %.3f: the leak did not show", p.Mean, p.SE)
	}
}

// A deal keeps the folds stratified and a patient's units together, and leaves deal 0 alone.
func TestDealtLabels(t *testing.T) {
	n := noisyStudy(t, 60, 2, 0, 3)
	n.images[0].Unit, n.images[1].Unit = "P000#1", "P000#2" // a patient with two lesions, one of them positive
	n.images[1].Label = 1
	folds, err := n.folds(1)
	if err != nil {
		t.Fatal(err)
	}
	count := func(p *pipeline, idx []int) (positive int) {
		for _, i := range idx {
			positive += p.images[i].Label
		}
		return positive
	}
	moved := false
	for deal := range 5 {
		p := n.dealt(folds, deal)
		unit := map[string]int{}
		for i, im := range p.images {
			if l, seen := unit[im.Unit]; seen && l != im.Label {
				t.Errorf("deal %d: unit %s has two labels", deal, im.Unit)
			}
			unit[im.Unit] = im.Label
			moved = moved || deal > 0 && im.Label != n.images[i].Label
			if deal == 0 && im.Label != n.images[i].Label {
				t.Error("deal 0 changed a label")
			}
		}
		for _, o := range folds {
			if got, want := count(p, o.final.scored), count(&n.pipeline, o.final.scored); got != want {
				t.Errorf("deal %d: %d positive images in a fold, %d before", deal, got, want)
			}
		}
	}
	if !moved {
		t.Error("no label moved")
	}
}

// Every patient is scored once a repeat, by fits that know nobody of the fold; inner folds likewise.
func TestNestedFolds(t *testing.T) {
	n := noisyStudy(t, 50, 2, 0, 4)
	n.teach = []int{0, 1} // a patient that only teaches
	n.scorable = n.scorable[2:]
	for repeat := 1; repeat <= 2; repeat++ {
		folds, err := n.folds(repeat)
		if err != nil {
			t.Fatal(err)
		}
		scored := map[int]int{}
		for _, o := range folds {
			apart(t, n, o.final)
			inner := map[int]int{}
			for _, f := range o.inner {
				apart(t, n, f)
				for _, i := range f.scored {
					inner[i]++
				}
				for _, i := range o.final.scored {
					if patientsOf(n.images, f.fitted)[n.images[i].Patient] || patientsOf(n.images, f.scored)[n.images[i].Patient] {
						t.Fatal("an inner fold knows the outer one")
					}
				}
			}
			if len(inner)+len(o.final.scored) != len(n.scorable) {
				t.Errorf("%d images scored inside, %d outside, of %d", len(inner), len(o.final.scored), len(n.scorable))
			}
			for _, i := range o.final.scored {
				scored[i]++
			}
		}
		for _, i := range n.scorable {
			if scored[i] != 1 {
				t.Errorf("image %d is scored %d times", i, scored[i])
			}
		}
	}
}

func apart(t *testing.T, n *nesting, f nestedFit) {
	t.Helper()
	seen := patientsOf(n.images, f.fitted)
	if !seen[n.images[0].Patient] {
		t.Error("who only teaches is missing")
	}
	for _, i := range f.scored {
		if seen[n.images[i].Patient] {
			t.Fatalf("patient %s is fitted and scored", n.images[i].Patient)
		}
	}
}

// The pipeline in memory gives the line's own scores of the test sets, to the last bit.
func TestPipelineIsTheLine(t *testing.T) {
	t.Parallel()
	dir, out := cohortFolder(t, 80), t.TempDir()
	mustRun(t, dir, out, 0)
	r := reopened(t, dir, out)
	n, err := r.newNesting()
	if err != nil {
		t.Fatal(err)
	}
	final := r.Plan.fits()[0]
	learners, err := r.learners(n.images, final)
	if err != nil {
		t.Fatal(err)
	}
	test := where(n.images, func(im imageRow) bool { return im.Set != cohort.SetTrain })
	ctx := context.Background()
	red, err := n.reduce(ctx, learners, test)
	if err != nil {
		t.Fatal(err)
	}
	c, err := n.selectOn(red, learners, final.name)
	if err != nil {
		t.Fatal(err)
	}
	scores, err := n.scores(ctx, c, learners, test, final.name)
	if err != nil {
		t.Fatal(err)
	}
	want, err := r.scores("scores.csv")
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for k, key := range n.keys {
		pooled, err := n.pool(test, scores[k])
		if err != nil {
			t.Fatal(err)
		}
		at := map[string]float64{}
		for u, unit := range pooled.Unit {
			at[unit] = pooled.Score[u]
		}
		for _, set := range []string{cohort.SetInternal, cohort.SetExternal} {
			s := want[set][key]
			for u, unit := range s.units {
				if compared++; at[unit] != s.scores[u] {
					t.Fatalf("%s, unit %s: %v in memory, %v in the line", key, unit, at[unit], s.scores[u])
				}
			}
		}
	}
	if compared == 0 {
		t.Error("nothing was compared")
	}
}

// reopened is a finished run of the small study, to compute on.
func reopened(t testing.TB, dir, out string, set ...string) *Run {
	t.Helper()
	plan, err := LoadPlan(filepath.Join(dir, "study.yaml"), "", append(append([]string{}, small...), set...))
	if err != nil {
		t.Fatal(err)
	}
	r := &Run{Plan: plan, Options: Options{StudyDir: dir, RunDir: out, Observer: silent{}}, digests: map[string]string{}, seconds: map[string]float64{}}
	t.Cleanup(r.cache.close)
	return r
}

func TestSpread(t *testing.T) {
	s := spreadOf([]float64{4, 1, 2, 3}) // R: quantile(1:4, c(.025, .5, .975)) = 1.075, 2.5, 3.925; sd = 1.290994
	for what, d := range map[string][2]float64{
		"2.5 %": {float64(s.Lo), 1.075}, "median": {float64(s.Median), 2.5}, "97.5 %": {float64(s.Hi), 3.925}, "sd": {float64(s.SD), 1.2909944487358056},
		"mean": {float64(s.Mean), 2.5}, "min": {float64(s.Min), 1}, "max": {float64(s.Max), 4},
	} {
		if math.Abs(d[0]-d[1]) > 1e-12 {
			t.Errorf("%s %v, want %v", what, d[0], d[1])
		}
	}
	if e := spreadOf(nil); e.N != 0 || !e.Mean.IsNaN() {
		t.Errorf("%+v", e)
	}
}

// evidenceRun runs the small study with evidence after the line and returns nested.json.
func evidenceRun(t *testing.T, dir, out string, jobs int, e Evidence) (report.Nested, Summary) {
	t.Helper()
	plan, err := LoadPlan(filepath.Join(dir, "study.yaml"), "", append(append([]string{}, small...), "classify.models=[lr, knn]", "split.folds=2"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Execute(context.Background(), plan, Options{StudyDir: dir, RunDir: out, Jobs: jobs, Version: "test", Observer: silent{}, Evidence: e})
	if err != nil {
		t.Fatal(err)
	}
	var n report.Nested
	if err := artifact.ReadJSON(filepath.Join(out, robustnessDir, nestedName+".json"), &n); err != nil {
		t.Fatal(err)
	}
	return n, s
}

// Repeats that are done are kept, whatever the number of workers; what a run shows it says.
func TestEvidenceGoesOn(t *testing.T) {
	t.Parallel()
	dir, a, b := cohortFolder(t, 80), t.TempDir(), t.TempDir()
	whole := Evidence{Repeats: 2, Permutations: 2, Leaky: true}
	evidenceRun(t, dir, a, 1, Evidence{Repeats: 1})
	evidenceRun(t, dir, a, 1, whole)
	_, s := evidenceRun(t, dir, b, 2, whole)
	sameFiles(t, fingerprints(t, a), fingerprints(t, b))
	text := strings.Join(s.Evidence, "\n")
	for _, want := range []string{"nested cross-validation, 2 repeats", "permuted 2 times", "leak selection", "leak image-split", "leak best-on-test", "leak all"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in %q", want, text)
		}
	}
	n, again := evidenceRun(t, dir, b, 2, Evidence{})
	if len(n.Repeats) != 2 || n.Chosen.N != 2 || n.Patients == 0 || len(again.Evidence) > 0 {
		t.Errorf("%+v, %q", n.Chosen, again.Evidence)
	}
	reads, _, _, err := readLedger(filepath.Join(b, ledgerFile))
	if err != nil {
		t.Fatal(err)
	}
	noted := map[string]bool{}
	for _, e := range reads {
		noted[e.Stage+" "+e.Set] = true
	}
	for _, want := range []string{"nested internal", "permuted internal", "leaky internal", "leaky external"} {
		if !noted[want] {
			t.Errorf("the ledger lacks %q", want)
		}
	}
}

// After training, patients whom the networks learnt from are never scored, and the figures say what they are
// conditional on.
func TestEvidenceAfterTraining(t *testing.T) {
	t.Parallel()
	dir, out := cohortFolder(t, 80), t.TempDir()
	set := append(append([]string{}, small...), learning...)
	set = append(set, "classify.models=[lr]", "network.train.shared=true", "network.train.fit_on=all", "split.folds=2")
	plan, err := LoadPlan(filepath.Join(dir, "study.yaml"), "", set)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{StudyDir: dir, RunDir: out, Version: "test", Observer: silent{}, Evidence: Evidence{Repeats: 1, Leaky: true}}
	if _, err := Execute(context.Background(), plan, o); err != nil {
		t.Fatal(err)
	}
	var n report.Nested
	if err := artifact.ReadJSON(filepath.Join(out, robustnessDir, nestedName+".json"), &n); err != nil {
		t.Fatal(err)
	}
	r := reopened(t, dir, out, set...)
	d, err := r.division(finalFit)
	if err != nil {
		t.Fatal(err)
	}
	images, err := r.images()
	if err != nil {
		t.Fatal(err)
	}
	development := patientsOf(images, where(images, func(im imageRow) bool { return im.Set != cohort.SetExternal }))
	if known := len(d.learntFrom()); !n.Conditional || n.TeachOnly != known || n.Patients+known != len(development) {
		t.Errorf("%d scored, %d teach, %d known to the networks, of %d patients", n.Patients, n.TeachOnly, known, len(development))
	}
	if page := read(t, filepath.Join(out, "report.html")); !strings.Contains(page, "Conditional on the network") {
		t.Error("the report does not say what the figures are conditional on")
	}
}
