package checklist

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The lists have the items of the published ones: number, ids, none twice.
func TestListsAreComplete(t *testing.T) {
	tripodIDs := strings.Fields("1 2 3a 3b 3c 4 5a 5b 6a 6b 6c 7 8a 8b 8c 9a 9b 9c 10 11 12a 12b 12c 12d 12e 12f 12g 13 14 15 16 17 18a 18b 18c 18d 18e 18f 19 20a 20b 20c 21 22 23a 23b 24 25 26 27a 27b 27c")
	numbers := func(n int) (ids []string) {
		for i := range n {
			ids = append(ids, strconv.Itoa(i+1))
		}
		return ids
	}
	want := map[string][]string{"tripod": tripodIDs, "claim": numbers(44), "clear": numbers(58), "metrics": numbers(30)}
	if len(tripodIDs) != 52 {
		t.Fatalf("TRIPOD+AI has %d ids", len(tripodIDs))
	}
	for _, c := range All() {
		var got []string
		for _, it := range c.Items {
			got = append(got, it.ID)
			if it.Text == "" || it.Section == "" || it.answer == nil {
				t.Errorf("%s %s is not whole", c.Name, it.ID)
			}
		}
		if !slices.Equal(got, want[c.Key]) {
			t.Errorf("%s has items %v", c.Name, got)
		}
	}
}

func TestMetricsWeightsAddUpToOne(t *testing.T) {
	sum := 0.0
	for _, it := range metricsList().Items {
		sum += metricsWeights[it.ID]
	}
	if len(metricsWeights) != 30 || math.Abs(sum-1) > 1e-12 {
		t.Errorf("%d weights add up to %g", len(metricsWeights), sum)
	}
}

// Nothing is guessed: of a run that says nothing, no item is answered.
func TestEmptyRunAnswersNothing(t *testing.T) {
	for _, c := range Fill(&Facts{}, nil) {
		for _, it := range c.Items {
			if it.Status == Answered || it.Status == Partly || len(it.Links) > 0 || it.Score == Yes {
				t.Errorf("%s %s: %+v", c.Name, it.ID, it.Answer)
			}
		}
	}
}

// full is a run that holds everything.
func full() *Facts {
	f := &Facts{
		Sections: strings.Fields("glance patients images learning features sample-size performance clinical subgroups survival robustness readers ledger checklists methods"),
		Files: strings.Fields(`plan.json ledger.jsonl 01-cohort/flow.json 01-cohort/findings.csv 01-cohort/splits.csv 01-cohort/commitments.json 02-roi/summary.json 02-roi/images.csv
			03-finetune/finetune.json 03-finetune/history.csv 03-finetune/ta.safetensors 04-features/features.json 04-features/ta.npy 05-selection/selection.json 05-selection/kept.csv
			06-classify/primary.json 06-classify/scores.csv 06-classify/stage.json 07-evaluate/evaluation.json 07-evaluate/performance.csv 07-evaluate/samplesize.json 08-survival/survival.json robustness/outlines.json`),
		Outcome: "ki67 > 20", Positive: "Ki-67 high", Unit: "patient", Version: "1", Command: "sonotype run", Tables: 2, RowsRead: 400, PatientsRead: 390, PatientsAnalysed: 380,
		Exclusions: []Count{{"empty outline", 10}}, Centres: []string{"A", "B"}, Devices: []string{"X"}, Seed: 1, TrainShare: 0.7, Folds: 5, Committed: true,
		Sets:          []Set{{Name: "train", Title: "Training", Patients: 200, Images: 210, Positive: 80, AUC: "0.8", Calibration: "slope 1"}, {Name: "internal", Title: "Internal test", Patients: 90, Images: 90, Positive: 36, AUC: "0.8", Calibration: "slope 1"}, {Name: "external", Title: "External test", Patients: 90, Images: 90, Positive: 36, AUC: "0.7", Calibration: "slope 0.8"}},
		Preprocessing: "Resized.", Size: "960 x 720", Region: "Ring.", Backbone: "DenseNet169", Weights: "random", Layer: "features", FeatureWidth: 10, Trained: true, Training: "40 epochs.",
		Selection: "LASSO.", RobustFilter: "ICC of 0.75.", Models: []string{"SVM"}, Primary: "the fusion SVM", PrimaryWhy: "best in cross-validation", Threshold: "0.4", Compared: true, Simple: true,
		MissingRule: "Complete cases.", SeveralReader: true, Outlines: "Reader 1.", SingleReader: true, SampleSize: "Enough.", SampleEnough: true, SampleAssessed: true, Warnings: []string{"Few."}, GalleryWrong: 4, Maps: true,
		Software: "Go", ClinicalCompared: true, Subgroups: []string{"age"}, Marks: "No marks.", Agreement: true, Harmonised: "ComBat.", Robustness: []string{"outlines"}, LedgerReads: 3,
	}
	return f
}

// A full run leaves only the authors' items and those that cannot arise, and every answer has an artefact that exists.
func TestFullRun(t *testing.T) {
	f := full()
	for _, c := range Fill(f, nil) {
		for _, it := range c.Items {
			if it.Status == NotDone {
				t.Errorf("%s %s is not done: %s", c.Name, it.ID, it.Answer.Text)
			}
			if (it.Status == Answered || it.Status == Partly) && len(it.Links) == 0 {
				t.Errorf("%s %s is answered without an artefact", c.Name, it.ID)
			}
			if (it.Status == Authors || it.Status == Partly) && it.Add == "" {
				t.Errorf("%s %s does not say what the authors must add", c.Name, it.ID)
			}
			for _, l := range it.Links {
				id, in := strings.CutPrefix(l.Href, "#")
				if in && !slices.Contains(f.Sections, id) || !in && !slices.Contains(f.Files, l.Href) {
					t.Errorf("%s %s links to %s, which is not there", c.Name, it.ID, l.Href)
				}
			}
		}
	}
}

func TestMetricsScore(t *testing.T) {
	// Worked by hand. All yes but the two that a condition takes out: 100. All authors' items no: what is left of the weights.
	own := map[string]string{}
	for _, it := range metricsList().Items {
		own[it.ID] = "yes, because"
	}
	own["12"], own["17"] = "n/a", "n/a"
	if s := metricsOf(t, &Facts{}, own); s.Lowest != 100 || s.Highest != 100 || s.Yes != 28 || s.Apart != 2 {
		t.Errorf("%+v", s)
	}
	own["3"], own["27"] = "No.", "no - one centre"
	want := 100 * (1 - 0.0311 - 0.0200 - 0.0919 - 0.0749) / (1 - 0.0311 - 0.0200)
	if s := metricsOf(t, &Facts{}, own); math.Abs(s.Lowest-want) > 1e-9 || s.No != 2 {
		t.Errorf("%+v, want %g", s, want)
	}
	// Of the full run, the items that are left to the authors are open: 1, 2, 3, 5, 6, 7, 8, 9, 19, 28, 29, 30.
	open := 0.0368 + 0.0735 + 0.0919 + 0.0292 + 0.0438 + 0.0292 + 0.0337 + 0.0225 + 0.0300 + 3*0.0075
	all := 1 - 0.0311 - 0.0200
	s := metricsOf(t, full(), nil)
	if s.Open != 12 || math.Abs(s.Lowest-100*(all-open)/all) > 1e-9 || math.Abs(s.Highest-100) > 1e-9 {
		t.Errorf("%+v, want lowest %g", s, 100*(all-open)/all)
	}
	if s := score(nil); s.Lowest != 0 || s.Highest != 0 {
		t.Errorf("%+v", s)
	}
}

func metricsOf(t *testing.T, f *Facts, own map[string]string) Score {
	t.Helper()
	for _, c := range Fill(f, Answers{metricsKey: own}) {
		if c.Score != nil {
			return *c.Score
		}
	}
	t.Fatal("no METRICS score")
	return Score{}
}

func TestVote(t *testing.T) {
	for words, want := range map[string]Vote{"yes": Yes, "Yes, histology": Yes, " no.": No, "n/a": None, "N/A: manual": None, "nothing": "", "yesterday": "", "": "", "not": "", "maybe": ""} {
		if got, _ := vote(words); got != want {
			t.Errorf("%q: got %q, want %q", words, got, want)
		}
	}
}

func TestAuthorsAnswers(t *testing.T) {
	own := Answers{"tripod": {"5b": "2015 to 2020"}, "metrics": {"9": "n/a, drawn by hand"}}
	if err := own.Check(); err != nil {
		t.Fatal(err)
	}
	it := Fill(&Facts{}, own)[0].Items
	i := slices.IndexFunc(it, func(x FilledItem) bool { return x.ID == "5b" })
	if a := it[i].Answer; a.Status != Answered || !a.Own || a.Text != "2015 to 2020" {
		t.Errorf("%+v", a)
	}
	for _, bad := range []Answers{{"strobe": {"1": "x"}}, {"claim": {"45": "x"}}, {"metrics": {"1": "perhaps"}}, {"metrics": {"27": "n/a"}}} {
		if bad.Check() == nil {
			t.Errorf("%v: no error", bad)
		}
	}
}

// With the best of six picked on the internal test set, the answer says that its figures are optimistic.
func TestChosenOnTheTestSet(t *testing.T) {
	f := full()
	f.ChosenOnTest = true
	if a := internalTest(f); !strings.Contains(a.Text, "optimistic") {
		t.Error(a.Text)
	}
	if a := primary(f); !strings.Contains(a.Text, "optimistic") {
		t.Error(a.Text)
	}
}

// What could not be computed is said in words, not left as a gap in a sentence.
func TestGapsAreSaid(t *testing.T) {
	f := full()
	f.Sets[2].AUC = ""
	if a := externalTest(f); !strings.Contains(a.Text, "AUC not computable.") {
		t.Errorf("%q", a.Text)
	}
	f.Sets = nil
	if a := flow(f); strings.HasSuffix(a.Text, " .") {
		t.Errorf("%q", a.Text)
	}
}
