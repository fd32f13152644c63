package study

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sonotype/cohort"
	"sonotype/internal/artifact"
	"sonotype/nn"
	"sonotype/report"
)

// decisions are settings that keep the variations few.
var decisions = []string{
	"robustness.widths_px=[5, 10]", "robustness.widths_mm=[2]", "robustness.outlines=[0.05, 0.2]", "robustness.cutoffs=[14, 20]",
	"classify.models=[lr, knn]", "classify.primary=fusion/lr",
}

func robust(t *testing.T, dir, out string, jobs int, o Observer, parts ...string) (*report.Robustness, error) {
	t.Helper()
	plan, err := LoadPlan(filepath.Join(dir, "study.yaml"), "", append(slices.Clone(small), decisions...))
	if err != nil {
		t.Fatal(err)
	}
	opts := Options{StudyDir: dir, RunDir: out, Jobs: jobs, ISA: nn.Detect(), Version: "test", Observer: o, Evidence: Evidence{Robustness: parts}}
	if _, err := Execute(t.Context(), plan, opts); err != nil {
		return nil, err
	}
	r := finished(t, dir, out, decisions...)
	r.digests = map[string]string{}
	for _, s := range line() {
		var rec record
		if err := artifact.ReadJSON(filepath.Join(r.dir(s.number, s.name), recordFile), &rec); err != nil {
			t.Fatal(err)
		}
		r.digests[s.name] = rec.Digest
	}
	res, err := r.robustnessResults()
	if err == nil && res == nil {
		err = errors.New("no robustness in the report")
	}
	return res, err
}

func TestRobustness(t *testing.T) {
	t.Parallel()
	dir, out := cohortFolder(t, 120), t.TempDir()
	res, err := robust(t, dir, out, 0, silent{}, RobustnessParts()...)
	if err != nil {
		t.Fatal(err)
	}
	scores, err := finished(t, dir, out, decisions...).scores("scores.csv")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("widths", func(t *testing.T) { checkWidths(t, res.Widths) })
	t.Run("outlines", func(t *testing.T) { checkOutlines(t, res.Outlines, scores) })
	t.Run("cutoffs", func(t *testing.T) { checkCutoffs(t, dir, out, res.Cutoffs) })
	t.Run("centres", func(t *testing.T) { checkCentres(t, res.Centres, scores) })
	t.Run("the report shows it", func(t *testing.T) {
		page := read(t, filepath.Join(out, "report.html"))
		for _, words := range []string{"<h2>Robustness</h2>", "Width of the peritumoural area", "Centres left out", "robustness-outlines-flips-external"} {
			if !strings.Contains(page, words) {
				t.Errorf("the report does not show %q", words)
			}
		}
	})
	t.Run("a second time nothing is computed", func(t *testing.T) {
		before, w := fingerprints(t, out), &watcher{}
		if _, err := robust(t, dir, out, 1, w, RobustnessParts()...); err != nil {
			t.Fatal(err)
		}
		if len(w.computed) > 0 {
			t.Errorf("computed again: %v", w.computed)
		}
		sameFiles(t, before, fingerprints(t, out))
	})
}

func checkWidths(t *testing.T, w *report.WidthSweep) {
	if len(w.Points) != 3*2*2 || len(w.Tumour) != 2 || w.Comparisons != 4 {
		t.Fatalf("%d points, %d of the tumour, %d comparisons: want three widths, two sets, two feature sets; notes %v", len(w.Points), len(w.Tumour), w.Comparisons, w.Notes)
	}
	for _, p := range w.Points {
		if p.Own != (p.Width == 10 && p.Unit == "px") || (p.Against == nil) != p.Own {
			t.Errorf("%+v", p)
		}
		if p.Own {
			continue
		}
		if p.Holm < p.Against.P || math.Abs(float64(p.Against.AUC1-p.AUC.AUC)) > 1e-12 {
			t.Errorf("%g %s: adjusted P %v under %v, or another AUC (%v, %v)", p.Width, p.Unit, p.Holm, p.Against.P, p.Against.AUC1, p.AUC.AUC)
		}
	}
}

func checkOutlines(t *testing.T, o *report.OutlineSweep, scores map[string]map[report.Key]scored) {
	if len(o.Curves) != 2*4 {
		t.Fatalf("%d curves, want four kinds in two sets", len(o.Curves))
	}
	moved := 0
	for _, c := range o.Curves {
		if len(c.Points) != 3 {
			t.Fatalf("%s: %d points", c.Kind, len(c.Points))
		}
		last := 1.0
		for i, p := range c.Points {
			n := len(scores[c.Set][o.Model].units)
			if p.N+p.Lost != n || i > 0 && float64(p.Dice) >= last {
				t.Errorf("%s in %s at %g: %d scored, %d lost of %d, Dice %v after %v", c.Kind, c.Set, p.Level, p.N, p.Lost, n, p.Dice, last)
			}
			last = float64(p.Dice)
			if i == 0 && (p.Dice != 1 || p.ToHigh+p.ToLow != 0 || p.Change != 0) {
				t.Errorf("outlines as drawn: %+v", p)
			}
			if i > 0 {
				moved += p.ToHigh + p.ToLow
			}
		}
	}
	if moved == 0 {
		t.Error("no change of any outline changes a class: are they scored at all?")
	}
}

func checkCutoffs(t *testing.T, dir, out string, w *report.CutoffSweep) {
	if len(w.Points) != 2*2 {
		t.Fatalf("%d points, want two cut-offs in two sets; notes %v", len(w.Points), w.Notes)
	}
	positive := map[string]map[float64]int{}
	for _, p := range w.Points {
		if positive[p.Set] == nil {
			positive[p.Set] = map[float64]int{}
		}
		positive[p.Set][p.Cutoff] = p.Performance.Positive
		if p.Performance.N != w.Points[slices.IndexFunc(w.Points, func(q report.CutoffPoint) bool { return q.Set == p.Set })].Performance.N {
			t.Errorf("the patients of the %s set differ", p.Set)
		}
	}
	for set, n := range positive {
		if n[14] < n[20] {
			t.Errorf("%s: %d above 14, %d above 20", set, n[14], n[20])
		}
	}
	own := read(t, filepath.Join(out, "01-cohort", "splits.csv"))
	if other := read(t, filepath.Join(out, robustnessDir, "cutoff-14", "01-cohort", "splits.csv")); own != other {
		t.Error("another cut-off has another division")
	}
}

func checkCentres(t *testing.T, w *report.CentreSweep, scores map[string]map[report.Key]scored) {
	if len(w.Points) != 2 || len(w.Notes) > 0 {
		t.Fatalf("%d centres; notes %v", len(w.Points), w.Notes)
	}
	external := len(scores[cohort.SetExternal][w.Model].units)
	for _, p := range w.Points {
		if p.Study != (p.Centre == "B") || p.Study && p.Performance.N != external || !p.Study && p.Performance.N != 120-external {
			t.Errorf("%s: study %v, %d patients; the study's external set has %d", p.Centre, p.Study, p.Performance.N, external)
		}
	}
}

// A variation is the study as it would be run with that decision, though it takes over what it shares with the study.
func TestVariationIsTheStudyWithThatDecision(t *testing.T) {
	t.Parallel()
	dir := cohortFolder(t, 120)
	for name, c := range map[string]struct{ set, decision []string }{
		"untrained": {nil, []string{"region.growth=5"}},
		"trained":   {append(slices.Clone(learning), "network.train.epochs=1", "robustness.cutoffs=[]"), []string{"region.growth=5"}},
		"centre":    {nil, []string{"split.leave_out=A"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := slices.Concat(small, decisions, c.set, []string{"robustness.widths_px=[5]", "robustness.widths_mm=[]", "classify.models=[lr]"})
			plan, err := LoadPlan(filepath.Join(dir, "study.yaml"), "", all)
			if err != nil {
				t.Fatal(err)
			}
			out, part, folder := t.TempDir(), "widths", "width-5px"
			if name == "centre" {
				part, folder = "centres", "centre-1"
			}
			opts := Options{StudyDir: dir, RunDir: out, ISA: nn.Detect(), Version: "test", Observer: silent{}, Evidence: Evidence{Robustness: []string{part}}}
			if _, err := Execute(t.Context(), plan, opts); err != nil {
				t.Fatal(err)
			}
			if plan, err = LoadPlan(filepath.Join(dir, "study.yaml"), "", append(all, c.decision...)); err != nil {
				t.Fatal(err)
			}
			opts.RunDir, opts.Evidence = t.TempDir(), Evidence{}
			byHand := &Run{Plan: plan, Options: opts, digests: map[string]string{}, seconds: map[string]float64{}}
			defer byHand.cache.close()
			for _, s := range subLine() {
				if err := byHand.step(t.Context(), s, lockBook{}); err != nil {
					t.Fatal(err)
				}
			}
			for _, file := range []string{"02-roi/pta.u8", "04-features/ta.npy", "04-features/pta.npy", "06-classify/scores.csv"} {
				own := read(t, filepath.Join(opts.RunDir, file))
				if read(t, filepath.Join(out, robustnessDir, folder, file)) != own {
					t.Errorf("%s differs from a run with %v", file, c.decision)
				}
				mayStay := file != "06-classify/scores.csv" && (part == "centres" || file == "04-features/ta.npy")
				if changed := read(t, filepath.Join(out, file)) != own; changed == mayStay {
					t.Errorf("%s: changed by the decision: %v", file, changed)
				}
			}
		})
	}
}

// A robustness analysis that is stopped goes on where it was and ends as one that was not.
func TestRobustnessGoesOn(t *testing.T) {
	t.Parallel()
	dir, whole, stopped := cohortFolder(t, 80), t.TempDir(), t.TempDir()
	parts := []string{"widths", "outlines"}
	if _, err := robust(t, dir, whole, 2, silent{}, parts...); err != nil {
		t.Fatal(err)
	}
	plan, err := LoadPlan(filepath.Join(dir, "study.yaml"), "", append(slices.Clone(small), decisions...))
	if err != nil {
		t.Fatal(err)
	}
	for _, after := range []int{9, 14, 20} { // stages and messages
		ctx, cancel := context.WithCancel(t.Context())
		opts := Options{StudyDir: dir, RunDir: stopped, Jobs: 1, ISA: nn.Detect(), Version: "test", Observer: &canceller{cancel: cancel, left: after}, Evidence: Evidence{Robustness: parts}}
		if _, err := Execute(ctx, plan, opts); !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped after %d: %v", after, err)
		}
	}
	if _, err := robust(t, dir, stopped, 1, silent{}, parts...); err != nil {
		t.Fatal(err)
	}
	a, b := fingerprints(t, whole), fingerprints(t, stopped)
	for name := range a {
		if strings.HasSuffix(name, timingFile) || strings.HasSuffix(name, lockFile) || strings.HasSuffix(name, ".lock") {
			delete(a, name)
			delete(b, name)
		}
	}
	sameFiles(t, a, b)
}

// canceller stops the work when so many stages and messages were seen.
type canceller struct {
	silent
	cancel context.CancelFunc
	left   int
}

func (c *canceller) StageStarted(int, string) { c.step() }
func (c *canceller) Say(string, bool)         { c.step() }
func (c *canceller) step() {
	if c.left--; c.left == 0 {
		c.cancel()
	}
}

// Without retraining, every width has the study's own networks, and features of its own.
func TestWidthsWithTheStudysNetworks(t *testing.T) {
	t.Parallel()
	dir, out := cohortFolder(t, 60), t.TempDir()
	set := slices.Concat(small, decisions, learning, []string{"network.train.epochs=1", "robustness.retrain=false", "robustness.widths_px=[5]", "robustness.widths_mm=[]", "classify.models=[lr]"})
	plan, err := LoadPlan(filepath.Join(dir, "study.yaml"), "", set)
	if err != nil {
		t.Fatal(err)
	}
	opts := Options{StudyDir: dir, RunDir: out, ISA: nn.Detect(), Version: "test", Observer: silent{}, Evidence: Evidence{Robustness: []string{"widths"}}}
	if _, err := Execute(t.Context(), plan, opts); err != nil {
		t.Fatal(err)
	}
	width := filepath.Join(out, robustnessDir, "width-5px")
	for file, same := range map[string]bool{"03-finetune/pta.safetensors": true, "03-finetune/finetune.json": true, "04-features/ta.npy": true, "04-features/pta.npy": false} {
		if got := read(t, filepath.Join(out, file)) == read(t, filepath.Join(width, file)); got != same {
			t.Errorf("%s: the same as the study's: %v", file, got)
		}
	}
	if page := read(t, filepath.Join(out, "report.html")); !strings.Contains(page, "trained at its own width") {
		t.Error("the report does not say that the networks were kept")
	}
}

func TestRobustnessRefusesWhatItDoesNotKnow(t *testing.T) {
	if err := (Evidence{Robustness: []string{"colours"}}).Validate(); err == nil {
		t.Error("an unknown part is accepted")
	}
	for _, o := range []string{"robustness.widths_px=[0]", "robustness.outlines=[2]", "robustness.cutoffs=[14, 14]"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "study.yaml"), []byte("cohorts: [c.csv]\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadPlan(filepath.Join(dir, "study.yaml"), "", []string{o}); err == nil {
			t.Errorf("%s is accepted", o)
		}
	}
}

func TestSamePlan(t *testing.T) {
	plan, err := DefaultPlan("rigorous")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := SamePlan(dir, plan); err != nil {
		t.Errorf("a fresh folder: %v", err)
	}
	if err := artifact.WriteJSON(filepath.Join(dir, "plan.json"), plan); err != nil {
		t.Fatal(err)
	}
	other := plan
	other.Robustness.Cutoffs = []float64{1, 2}
	if err := SamePlan(dir, other); err != nil {
		t.Errorf("other cut-offs to try: %v", err)
	}
	other.Network.Input = 64
	if err := SamePlan(dir, other); err == nil || !strings.Contains(err.Error(), "network.input=224 there, 64 here") {
		t.Errorf("another network input: %v", err)
	}
}
