package study

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sonotype/cohort"
	"sonotype/features"
	"sonotype/internal/artifact"
	"sonotype/nn"
	"sonotype/weights"
)

// learning makes the small study train for two epochs; the last block alone, which keeps the checkpoints small.
var learning = []string{
	"network.train.epochs=2", "network.train.batch=8", "network.train.warm_up=0", "network.train.rate=0.01",
	"network.train.optimizer=sgd", "network.train.freeze=all-but-last-block",
	"network.train.patience=0", "classify.models=[lr, knn]", "selection.folds=3",
}

// listener notes what is said at each epoch's end, and ends the run when it hears a word.
type listener struct {
	watcher
	heard  []string
	until  string
	cancel context.CancelFunc
}

func (l *listener) Say(words string, lasting bool) {
	if !lasting {
		return
	}
	l.heard = append(l.heard, words)
	if l.until != "" && strings.Contains(words, l.until) {
		l.cancel()
	}
}

func listenTo(t *testing.T, l *listener, dir, out string, jobs int, set ...string) error {
	t.Helper()
	plan, err := LoadPlan(filepath.Join(dir, "study.yaml"), "", append(append([]string{}, small...), set...))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	l.cancel = cancel
	_, err = Execute(ctx, plan, Options{StudyDir: dir, RunDir: out, Jobs: jobs, ISA: nn.Detect(), Version: "test", Observer: l})
	return err
}

// A training that was interrupted goes on at its last whole epoch, and the run ends with the bytes of an uninterrupted
// one, whatever the number of workers and the folder that the cohort lies in; its checkpoints do not outlive the stage.
func TestTrainingGoesOn(t *testing.T) {
	t.Parallel()
	dir, elsewhere, whole, broken := cohortFolder(t, 80), cohortFolder(t, 80), t.TempDir(), t.TempDir()
	set := append(slices.Clone(learning), "classify.models=[lr, svm, knn, rf, lightgbm, adaboost]")
	if err := listenTo(t, &listener{until: "PTA network, epoch 1/2"}, elsewhere, broken, 1, set...); !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: %v", err)
	}
	left, err := filepath.Glob(filepath.Join(broken, checkpointDir, "*.safetensors"))
	if err != nil || len(left) != 2 {
		t.Errorf("checkpoints %v, want one a network", left)
	}
	l := &listener{}
	if err := listenTo(t, l, elsewhere, broken, 3, set...); err != nil {
		t.Fatal(err)
	}
	if len(l.heard) != 1 || !strings.HasPrefix(l.heard[0], "PTA network, epoch 2/2") {
		t.Errorf("trained again: %q", l.heard)
	}
	mustRun(t, dir, whole, 1, set...)
	sameFiles(t, fingerprints(t, whole), fingerprints(t, broken))
	if _, err := os.Stat(filepath.Join(whole, checkpointDir)); !os.IsNotExist(err) {
		t.Errorf("the checkpoints are still there: %v", err)
	}
	t.Run("outputs", func(t *testing.T) { checkTrainedOutputs(t, whole) })
	t.Run("fit_on", func(t *testing.T) { checkFitOn(t, dir, whole) })
}

// checkTrainedOutputs looks at what a trained run leaves for others.
func checkTrainedOutputs(t *testing.T, out string) {
	images, parts := readImages(t, out), readParts(t, out, "")
	checkHonest(t, out, func(patient string) bool { return parts[patient] == partHeldout })
	var r results
	if err := artifact.ReadJSON(filepath.Join(out, "results.json"), &r); err != nil {
		t.Fatal(err)
	}
	n := r.Splits.Network
	if n == nil || n.Train.Patients+n.Heldout.Patients != r.patients(cohort.SetTrain) || n.Heldout.Positive == 0 || n.Train.Patients < 2*n.Heldout.Patients-2 {
		t.Errorf("network split %+v of %d training patients", n, r.patients(cohort.SetTrain))
	}
	m := r.Models["fusion"]["lr"][cohort.SetTrain]
	if m.N != n.Heldout.Patients || m.Optimistic == nil || r.Models["fusion"]["lr"][cohort.SetInternal].Optimistic != nil {
		t.Errorf("training set: %+v", m)
	}
	for _, region := range regions {
		if k := r.Network[region]; k.Epochs != 2 || k.Kept < 1 || k.Kept > 2 || !(k.ValidAUC >= 0) || !(k.TrainLoss > 0) {
			t.Errorf("%s: %+v", region, k)
		}
		_, card, err := weights.Store{}.Open(filepath.Join(out, "03-finetune", region+".safetensors"), nil, 0)
		if err != nil || card.Training == nil || len(card.Classes) != 2 || card.Metrics["heldout_auc"] != r.Network[region].ValidAUC || card.Preprocessing.Size != 32 {
			t.Errorf("card of %s: %+v, %v", region, card, err)
		}
		cams, err := features.Open(filepath.Join(out, "04-features", region+"-cam.npy"))
		if err != nil {
			t.Fatal(err)
		}
		if rows, cells := cams.Dims(); rows != len(images) || cells != 1 { // 32 px leave one cell
			t.Errorf("%d maps of %d cells for %d images", rows, cells, len(images))
		}
		cams.Close()
	}
	page := read(t, filepath.Join(out, "report.html"))
	for _, words := range []string{"was fine-tuned to the outcome", "of patients whom no network behind them learnt from", "held-out part of the training set", "begins with random weights"} {
		if !strings.Contains(page, words) {
			t.Errorf("the report does not say %q", words)
		}
	}
}

// checkHonest demands that set train of scores.csv holds exactly the training patients that keep accepts, and
// optimistic.csv all of them.
func checkHonest(t *testing.T, out string, keep func(patient string) bool) {
	t.Helper()
	var honest, all []string
	for _, im := range readImages(t, out) {
		if im.Set != cohort.SetTrain {
			continue
		}
		all = append(all, im.Patient)
		if keep(im.Patient) {
			honest = append(honest, im.Patient)
		}
	}
	for name, want := range map[string][]string{"scores.csv": honest, "optimistic.csv": all} {
		rows, err := readCSV[scoreRow](filepath.Join(out, "06-classify", name))
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{}
		for _, row := range rows {
			if row.Set == cohort.SetTrain {
				got[row.Patient] = true
			}
		}
		if w := slices.Compact(slices.Sorted(slices.Values(want))); !slices.Equal(slices.Sorted(maps.Keys(got)), w) {
			t.Errorf("%s: scores of training patients %v, want %v", name, slices.Sorted(maps.Keys(got)), w)
		}
	}
}

func readImages(t *testing.T, out string) []imageRow {
	t.Helper()
	images, err := readCSV[imageRow](filepath.Join(out, "02-roi", "images.csv"))
	if err != nil {
		t.Fatal(err)
	}
	return images
}

// readParts reads the split of a pair of networks.
func readParts(t *testing.T, out, pair string) map[string]string {
	t.Helper()
	rows, err := readCSV[partRow](filepath.Join(out, "03-finetune", pair, "split.csv"))
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]string{}
	for _, row := range rows {
		parts[row.Patient] = row.Part
	}
	return parts
}

// checkFitOn runs a finished study with the other fit_on: nothing is trained again, and selection and models learn from
// everybody, while the honest scores are still those of the held-out patients.
func checkFitOn(t *testing.T, dir, out string) {
	learners := func() int {
		var s map[string]selectionSummary
		if err := artifact.ReadJSON(filepath.Join(out, "05-selection", "selection.json"), &s); err != nil {
			t.Fatal(err)
		}
		return s["fusion"].Images
	}
	parts := readParts(t, out, "")
	training, held := 0, 0
	for _, im := range readImages(t, out) {
		if im.Set == cohort.SetTrain {
			training++
		}
		if parts[im.Patient] == partHeldout {
			held++
		}
	}
	if n := learners(); n != held {
		t.Errorf("fit_on heldout: %d images learnt from, want %d", n, held)
	}
	l := &listener{}
	if err := listenTo(t, l, dir, out, 0, append(slices.Clone(learning), "network.train.fit_on=all")...); err != nil {
		t.Fatal(err)
	}
	if n := learners(); n != training {
		t.Errorf("fit_on all: %d images learnt from, want %d", n, training)
	}
	if len(l.heard) > 0 || slices.Contains(l.computed, "finetune") || slices.Contains(l.computed, "features") || !slices.Contains(l.computed, "selection") {
		t.Errorf("computed again: %v", l.computed)
	}
	checkHonest(t, out, func(patient string) bool { return parts[patient] == partHeldout })
}

// With cross-fitting every training patient has an honest score, from networks that have not seen the patient at all.
func TestCrossfitScoresEverybody(t *testing.T) {
	t.Parallel()
	dir, out := cohortFolder(t, 60), t.TempDir()
	mustRun(t, dir, out, 0, append(slices.Clone(learning), "network.train.crossfit=2", "network.train.shared=true", "network.train.epochs=1", "network.train.fit_on=all")...)
	checkHonest(t, out, func(string) bool { return true })
	for fold, pair := range []string{"cross-0", "cross-1"} {
		parts := readParts(t, out, pair)
		rows, err := readCSV[featureRow](filepath.Join(out, "04-features", pair, "rows.csv"))
		if err != nil {
			t.Fatal(err)
		}
		training := 0
		for _, im := range readImages(t, out) {
			if im.Set == cohort.SetTrain {
				training++
			}
			if _, known := parts[im.Patient]; known != (im.Set == cohort.SetTrain && im.Fold != fold) {
				t.Errorf("%s: patient %s of set %s, fold %d, is known: %v", pair, im.Patient, im.Set, im.Fold, known)
			}
		}
		if len(rows) != training {
			t.Errorf("%s: features of %d images, want those of the %d training images", pair, len(rows), training)
		}
	}
	var r results
	if err := artifact.ReadJSON(filepath.Join(out, "results.json"), &r); err != nil {
		t.Fatal(err)
	}
	m := r.Models["ta"]["lr"][cohort.SetTrain]
	if m.N != r.patients(cohort.SetTrain) || m.Optimistic == nil || len(r.Crossfit) != 2 || r.Crossfit[1][shared].Kept != 1 || r.Network[shared].Kept != 1 {
		t.Errorf("%+v, networks %+v, %+v", m, r.Network, r.Crossfit)
	}
}

// The division is by patient, stratified by outcome, and knows nobody outside the training set or of the fold left out.
func TestDivideIsStratifiedByPatient(t *testing.T) {
	var images []imageRow
	for i := range 120 {
		im := imageRow{Patient: string(rune('A'+i%40)) + "x", Set: cohort.SetTrain, Fold: i % 4, Label: i % 40 / 30}
		if i%40 >= 36 {
			im.Set = cohort.SetInternal
		}
		images = append(images, im)
	}
	r := &Run{Plan: Plan{Seed: 1, Network: NetworkPlan{Train: TrainPlan{Heldout: 1.0 / 3}}}}
	d := r.divide(images, finalFit)
	if tr, h := d.count(images, partTrain), d.count(images, partHeldout); tr != (partCount{24, 72, 4}) || h != (partCount{12, 36, 2}) {
		t.Errorf("train %+v, held out %+v", tr, h)
	}
	d = r.divide(images, 2)
	for i, im := range images {
		if _, known := d.part[im.Patient]; known != (im.Set == cohort.SetTrain && im.Fold != 2) {
			t.Errorf("image %d: known %v", i, known)
		}
	}
	if d.learntFrom().mustNotHold(images[2].Patient, "network") != nil {
		t.Error("the fold's patients are honest")
	}
	var none *division
	if len(none.learntFrom()) != 0 {
		t.Error("without training nobody is known")
	}
}
