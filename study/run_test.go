package study

import (
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"sonotype/cohort"
	"sonotype/internal/artifact"
	"sonotype/nn"
)

func TestWholeLine(t *testing.T) {
	t.Parallel()
	dir, out := cohortFolder(t, 80), t.TempDir()
	s := mustRun(t, dir, out, 0)
	if s.Headline == "" {
		t.Error("no headline")
	}
	var r results
	if err := artifact.ReadJSON(filepath.Join(out, "results.json"), &r); err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, set := range cohort.Sets {
		if r.patients(set) == 0 {
			t.Errorf("no %s patients", set)
		}
		total += r.patients(set)
		for _, f := range FeatureSets {
			for _, m := range r.modelNames() {
				p, ok := r.Models[f][m][set]
				if !ok || p.N != r.patients(set) || p.TP+p.FN != p.Positive || p.TN+p.FP != p.N-p.Positive {
					t.Errorf("%s/%s on %s: %+v does not fit %d patients", f, m, set, p, r.patients(set))
				}
			}
		}
	}
	if total != 80 {
		t.Errorf("%d patients in the sets, 80 in the cohort", total)
	}
	if len(r.modelNames()) != 6 {
		t.Errorf("models %v", r.modelNames())
	}
	for _, set := range []string{cohort.SetInternal, cohort.SetExternal} {
		if sv, ok := r.Survival[set]; !ok || sv.N == 0 || len(sv.TimeAUC) != 3 || sv.Uno.IsNaN() {
			t.Errorf("survival in the %s set: %+v", set, sv)
		}
	}
	scores, err := readCSV[scoreRow](filepath.Join(out, "06-classify", "scores.csv"))
	if err != nil || len(scores) != 80*18 {
		t.Errorf("%d scores, want one a patient and model (%v)", len(scores), err)
	}
	checkMeasures(t, out, r)
	t.Run("a second run reuses everything", func(t *testing.T) { checkReuse(t, dir, out) })
	t.Run("a changed artefact is an error", func(t *testing.T) { checkTampering(t, dir, out) })
}

// patients counts those of a set.
func (r results) patients(set string) int {
	n := map[string]*splitCount{cohort.SetTrain: r.Splits.Train, cohort.SetInternal: r.Splits.Internal, cohort.SetExternal: r.Splits.External}[set]
	if n == nil {
		return 0
	}
	return n.Patients
}

func (r results) modelNames() []string {
	var names []string
	for m := range r.Models["fusion"] {
		names = append(names, m)
	}
	return names
}

// checkReuse runs a finished study again.
func checkReuse(t *testing.T, dir, out string) {
	before := fingerprints(t, out)
	plan, err := LoadPlan(filepath.Join(dir, "study.yaml"), "", small)
	if err != nil {
		t.Fatal(err)
	}
	w := &watcher{}
	if _, err := Execute(t.Context(), plan, Options{StudyDir: dir, RunDir: out, Version: "test", ISA: nn.Detect(), Observer: w}); err != nil {
		t.Fatal(err)
	}
	if len(w.computed) > 0 {
		t.Errorf("computed again: %v", w.computed)
	}
	sameFiles(t, before, fingerprints(t, out))
}

// watcher notes which stages were computed.
type watcher struct {
	silent
	computed []string
}

func (w *watcher) StageDone(_ int, name string, reused bool, _ time.Duration) {
	if !reused {
		w.computed = append(w.computed, name)
	}
}

// Permuting the test sets' labels must change nothing that is trained or fitted.
func TestTestLabelsReachNoFit(t *testing.T) {
	t.Parallel()
	dir := cohortFolder(t, 80)
	splits := drawnSplits(t, dir)
	frozen, permuted := t.TempDir(), t.TempDir()
	freezeSplits(t, dir, splits, nil)
	mustRun(t, dir, frozen, 0, learning...)
	freezeSplits(t, dir, splits, func(set, ki67 string) string {
		if set == cohort.SetTrain {
			return ki67
		}
		if len(ki67) > 1 && ki67 > "20" { // any change of the test labels will do
			return "5"
		}
		return "60"
	})
	mustRun(t, dir, permuted, 0, learning...)
	a, b := fingerprints(t, frozen), fingerprints(t, permuted)
	for name, h := range a {
		fitted := strings.HasPrefix(name, "03-finetune/") || strings.HasPrefix(name, "04-features/") || strings.HasPrefix(name, "05-selection/") ||
			strings.HasPrefix(name, "06-classify/models/") || name == "06-classify/primary.json" || name == "06-classify/optimistic.csv" ||
			name == "07-clinical/models.json"
		if fitted && !strings.HasSuffix(name, recordFile) && b[name] != h {
			t.Errorf("%s depends on the test labels", name)
		}
	}
	if a["06-classify/scores.csv"] == b["06-classify/scores.csv"] {
		t.Error("the labels were not changed: the test proves nothing")
	}
}

// drawnSplits are the splits that the study would draw for a cohort.
func drawnSplits(t *testing.T, dir string) *cohort.Splits {
	t.Helper()
	plan, err := LoadPlan(filepath.Join(dir, "study.yaml"), "", small)
	if err != nil {
		t.Fatal(err)
	}
	c, err := loadCohort(&plan, dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := cohort.Split(c, plan.splitConfig(), plan.Seed)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// freezeSplits writes the splits into the table and changes ki67 of each row by set.
func freezeSplits(t *testing.T, dir string, s *cohort.Splits, change func(set, ki67 string) string) {
	t.Helper()
	path := filepath.Join(dir, "cohort.csv")
	backup := path + ".orig"
	if _, err := os.Stat(backup); err != nil {
		if err := artifact.Copy(backup, path); err != nil {
			t.Fatal(err)
		}
	}
	lines := strings.Split(strings.TrimSpace(read(t, backup)), "\n")
	head := strings.Split(lines[0], ",")
	at := map[string]int{}
	for i, name := range head {
		at[name] = i
	}
	lines[0] += ",split"
	for i, line := range lines[1:] {
		cells := strings.Split(line, ",")
		a, ok := s.Of(cells[at["patient_id"]])
		if !ok {
			t.Fatalf("no split for %s", cells[0])
		}
		if change != nil {
			cells[at["ki67"]] = change(a.Set, cells[at["ki67"]])
		}
		lines[i+1] = strings.Join(append(cells, a.Set), ",")
	}
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// checkTampering changes a result file of a finished study and runs it again.
func checkTampering(t *testing.T, dir, out string) {
	scores := filepath.Join(out, "06-classify", "scores.csv")
	if err := os.WriteFile(scores, []byte(read(t, scores)+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := runIn(t, dir, out, 0)
	var tampered *ErrTampered
	if !errors.As(err, &tampered) || !strings.Contains(err.Error(), "scores.csv") {
		t.Errorf("got %v, want an error that names scores.csv", err)
	}
}

func TestScoringASeenPatientIsAnError(t *testing.T) {
	images := []imageRow{{Patient: "a"}, {Patient: "b"}}
	seen := patientsOf(images, []int{0})
	if seen.mustNotHold("a", "model") == nil {
		t.Error("scoring a fitted patient must fail")
	}
	if err := seen.mustNotHold("b", "model"); err != nil {
		t.Error(err)
	}
	m := &fittedModel{images: images, learntFrom: seen}
	if err := m.score([]int{0}, make([]float64, 2)); err == nil || !strings.Contains(err.Error(), "network") {
		t.Errorf("an honest score of a patient that the network learnt from: %v", err)
	}
	m = &fittedModel{images: images, seen: seen}
	for _, score := range []func([]int, []float64) error{m.score, m.scoreOptimistically} {
		if err := score([]int{0}, make([]float64, 2)); err == nil || !strings.Contains(err.Error(), "model") {
			t.Errorf("a score of a patient that the model was fitted on: %v", err)
		}
	}
}

// A run killed at random moments, in training or elsewhere, and started again ends as an uninterrupted one.
func TestKilledRunEndsTheSame(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SIGKILL is not a Windows notion")
	}
	if testing.Short() {
		t.Skip("runs the line five times")
	}
	set := append(slices.Clone(learning), "network.train.shared=true", "classify.models=[lr]")
	if out := os.Getenv("SONOTYPE_TEST_RUN"); out != "" {
		mustRun(t, os.Getenv("SONOTYPE_TEST_COHORT"), out, 0, set...)
		return
	}
	dir, whole, killed := cohortFolder(t, 60), t.TempDir(), t.TempDir()
	start := time.Now()
	mustRun(t, dir, whole, 0, set...)
	took := time.Since(start)
	moments := rand.New(rand.NewPCG(1, uint64(start.UnixNano())))
	for range 3 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledRunEndsTheSame$")
		cmd.Env = append(os.Environ(), "SONOTYPE_TEST_RUN="+killed, "SONOTYPE_TEST_COHORT="+dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(moments.Float64() * float64(took) / 2))
		cmd.Process.Kill()
		cmd.Wait()
	}
	mustRun(t, dir, killed, 0, set...)
	sameFiles(t, fingerprints(t, whole), fingerprints(t, killed))
}

// A table with nothing but the required columns and one centre: no external set, no clinical columns, no follow-up.
func TestBareCohort(t *testing.T) {
	t.Parallel()
	dir := cohortFolder(t, 60)
	lines := strings.Split(strings.TrimSpace(read(t, filepath.Join(dir, "cohort.csv"))), "\n")
	head := strings.Split(lines[0], ",")
	at := map[string]int{}
	for i, name := range head {
		at[name] = i
	}
	bare := "patient_id,image,mask,centre,ki67\n"
	for _, line := range lines[1:] {
		c := strings.Split(line, ",")
		bare += strings.Join([]string{c[at["patient_id"]], c[at["image"]], c[at["mask"]], "A", c[at["ki67"]]}, ",") + "\n"
	}
	if err := os.WriteFile(filepath.Join(dir, "cohort.csv"), []byte(bare), 0o644); err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	s := mustRun(t, dir, out, 0, "classify.models=[lr, knn]", "clinical.variables=[]")
	var r results
	if err := artifact.ReadJSON(filepath.Join(out, "results.json"), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Survival) > 0 || r.Models["ta"]["lr"][cohort.SetExternal].N > 0 || r.patients(cohort.SetExternal) > 0 {
		t.Errorf("%+v", r)
	}
	if !strings.Contains(s.Headline, "nternal") {
		t.Errorf("headline %q", s.Headline)
	}
}

func TestPaperPreset(t *testing.T) {
	t.Parallel()
	dir, out := cohortFolder(t, 80), t.TempDir()
	file := filepath.Join(dir, "study.yaml")
	if err := os.WriteFile(file, []byte(read(t, file)+"preset: paper\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	mustRun(t, dir, out, 0)
	var r results
	if err := artifact.ReadJSON(filepath.Join(out, "results.json"), &r); err != nil {
		t.Fatal(err)
	}
	best := r.Models["fusion"][r.Primary.Model][cohort.SetInternal].AUC
	for m, sets := range r.Models["fusion"] {
		if p := sets[cohort.SetInternal]; p.AUC > best {
			t.Errorf("%s has a higher internal AUC than the primary %s", m, r.Primary.Model)
		} else if p.Threshold != 0.5 {
			t.Errorf("threshold %v", p.Threshold)
		}
	}
}

// A file that cannot be used leaves its case out, with the reason in the flow, and the run goes on.
func TestBrokenImageIsExcluded(t *testing.T) {
	t.Parallel()
	dir, out := cohortFolder(t, 60), t.TempDir()
	images, err := filepath.Glob(filepath.Join(dir, "images", "*.png"))
	if err != nil || len(images) == 0 {
		t.Fatal(err)
	}
	if err := os.Truncate(images[0], 100); err != nil {
		t.Fatal(err)
	}
	s := mustRun(t, dir, out, 0, "classify.models=[lr, knn]")
	if len(s.Excluded) != 1 || !strings.Contains(s.Excluded[0], "row 2") {
		t.Errorf("excluded %q", s.Excluded)
	}
}

// Across instruction sets the scores agree within 1e-4; the SVM's within 2e-3, since its solver stops, as libsvm's, at
// a violation of 1e-3, and where it stops depends on the last bits of the features.
func TestInstructionSetsAgree(t *testing.T) {
	t.Parallel()
	if nn.Detect() == nn.Portable {
		t.Skip("this processor has one instruction set only")
	}
	dir, fast, plain := cohortFolder(t, 60), t.TempDir(), t.TempDir()
	mustRun(t, dir, fast, 0)
	if _, err := runAt(t, nn.Portable, dir, plain, 0); err != nil {
		t.Fatal(err)
	}
	a, errA := readCSV[scoreRow](filepath.Join(fast, "06-classify", "scores.csv"))
	b, errB := readCSV[scoreRow](filepath.Join(plain, "06-classify", "scores.csv"))
	if errA != nil || errB != nil || len(a) != len(b) {
		t.Fatal(errA, errB, len(a), len(b))
	}
	for i := range a {
		limit := 1e-4
		if a[i].Model == "svm" {
			limit = 2e-3
		}
		if d := math.Abs(a[i].Score - b[i].Score); d > limit {
			t.Errorf("%s %s/%s: scores differ by %g", a[i].Unit, a[i].Features, a[i].Model, d)
		}
	}
}
