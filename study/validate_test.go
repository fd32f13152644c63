package study

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"sonotype/bundle"
	"sonotype/cohort"
	"sonotype/evaluate"
	"sonotype/internal/artifact"
	"sonotype/internal/num"
	"sonotype/nn"
	"sonotype/report"
	"sonotype/samplesize"
	"sonotype/survival"
)

// What Predict gives is the study's score to the last bit, and with it the probability that the study's own out-of-fold
// scores give; and so is what a site gets that validates the model on the study's own cohort.
func TestPredictGivesTheStudysScores(t *testing.T) {
	t.Parallel()
	r, file := frozenStudy(t, "classify.primary=fusion/lr")
	b := openBundle(t, file, nn.Detect())
	f := &freezing{run: r, from: &assembly{run: r}}
	if err := f.from.load(); err != nil {
		t.Fatal(err)
	}
	f.key = f.from.evaluation.Primary
	_, want, err := f.comparable()
	if err != nil {
		t.Fatal(err)
	}
	venn, err := evaluate.FitVennAbers(f.training().scores, f.training().labels)
	if err != nil {
		t.Fatal(err)
	}
	c, err := r.cohort()
	if err != nil {
		t.Fatal(err)
	}
	given := 0
	for _, im := range f.from.images {
		if im.Set == cohort.SetTrain {
			continue
		}
		p, err := b.Predict(t.Context(), caseOf(t, c, im.Source))
		if err != nil {
			t.Fatal(err)
		}
		if p.Abstained {
			continue
		}
		given++
		score := want.of(im.Unit)
		probability, lo, hi := venn.Predict(score)
		if !sameBits(float64(p.Score), score) || !sameBits(float64(p.Probability), probability) || !sameBits(float64(p.Lo), lo) || !sameBits(float64(p.Hi), hi) {
			t.Errorf("%s: %+v, in the study %v", im.Patient, p, score)
		}
		if cut := f.from.evaluation.Thresholds[f.key]; p.Positive != (score > float64(cut)) || p.Threshold != cut {
			t.Errorf("%s: positive %v above %v, score %v", im.Patient, p.Positive, p.Threshold, score)
		}
		if (p.Group == "high") != (score > float64(b.Card().SurvivalCut)) || len(p.Nearest) == 0 || p.Nearest[0].ID != "" {
			t.Errorf("%s: group %q, nearest %+v", im.Patient, p.Group, p.Nearest)
		}
	}
	if given < 15 {
		t.Errorf("only %d test patients are predicted", given)
	}
	site, err := PredictSite(t.Context(), r.Plan, r.StudyDir, b, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkSite(t, site, want, c)
	checkExport(t, site, b)
}

func sameBits(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }

func checkSite(t *testing.T, site *Site, want scored, c *cohort.Cohort) {
	t.Helper()
	left := 0
	for _, k := range site.Cases {
		if k.LeftOut != "" {
			left++
		}
	}
	if len(site.Units)+left != len(c.Units) || site.Analysed.Units != len(site.Units) || len(site.Cases) != len(c.Images) {
		t.Errorf("%d analysed and %d left out of %d", len(site.Units), left, len(c.Units))
	}
	checked := 0
	for _, u := range site.Units {
		if w := want.of(u.ID); !math.IsNaN(w) {
			checked++
			if !sameBits(u.Score, w) {
				t.Errorf("%s: %v at the site, %v in the study", u.ID, u.Score, w)
			}
		}
	}
	if checked < 15 {
		t.Errorf("only %d of the study's test patients at the site", checked)
	}
}

// checkExport demands that the export of a site's figures holds nothing of a single case.
func checkExport(t *testing.T, site *Site, b *bundle.Bundle) {
	t.Helper()
	var scores, probabilities []float64
	var labels []int
	for _, u := range site.Units {
		scores, probabilities, labels = append(scores, u.Score), append(probabilities, u.Probability), append(labels, u.Label)
	}
	var r report.Result
	var err error
	if r.Performance, err = evaluate.Measure(scores, labels, float64(b.Card().Threshold)); err != nil {
		t.Fatal(err)
	}
	measures, err := evaluate.MeasureAll(context.Background(), labels, []evaluate.Candidate{{Scores: scores, Threshold: float64(b.Card().Threshold), Probability: probabilities}}, evaluate.BootstrapConfig{Draws: 200})
	if err != nil {
		t.Fatal(err)
	}
	r.Measures = measures[0]
	if r.Calibration, err = evaluate.Calibrate(probabilities, labels); err != nil {
		t.Fatal(err)
	}
	if r.Decision, err = evaluate.Decision(probabilities, labels, nil); err != nil {
		t.Fatal(err)
	}
	d, _ := site.FollowUp()
	a, err := survival.Analyse(d, survival.Options{Cut: float64(b.Card().SurvivalCut), Times: []float64{12}})
	if err != nil {
		t.Fatal(err)
	}
	e := site.Export(b, "test", &r, SurvivalSet("site", "Site", d.Time, a, &a.Contrast, ""), samplesize.Assessment{}, nil)
	if e.Measured == nil || len(e.Measured.Groups) == 0 || len(e.Measured.Decision) == 0 || len(e.Measured.Scores) == 0 {
		t.Fatalf("%+v", e)
	}
	file := filepath.Join(t.TempDir(), "validation.json")
	if err := artifact.WriteJSON(file, e); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for i, u := range site.Units {
		for _, v := range []float64{u.Score, u.Probability, u.DFSMonths, u.Outcome} {
			if v != math.Trunc(v) {
				known[strconv.FormatFloat(v, 'g', -1, 64)] = true
			}
		}
		for _, name := range []string{u.Patient, filepath.Base(site.Cases[i].Image)} {
			if strings.Contains(string(text), name) {
				t.Errorf("the export names %q", name)
			}
		}
	}
	checkNumbers(t, text, known)
}

// checkNumbers looks for what belongs to a single case among a JSON file's numbers. Short numbers, such as a share of one
// half, occur by chance.
func checkNumbers(t *testing.T, text []byte, known map[string]bool) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	for {
		token, err := d.Token()
		if err != nil {
			return
		}
		if n, ok := token.(json.Number); ok && known[n.String()] && len(n.String()) > 5 {
			t.Errorf("the export holds somebody's %s", n)
		}
	}
}

// Groups are joined until five of either class are in each, and nobody is lost.
func TestSmallGroupsAreJoined(t *testing.T) {
	group := func(n, positive int) ExportGroup { return ExportGroup{N: n, Positive: positive, Mean: 0.5} }
	for _, c := range []struct{ in, want []ExportGroup }{
		{[]ExportGroup{group(10, 5), group(20, 9)}, []ExportGroup{group(10, 5), group(20, 9)}},
		{[]ExportGroup{group(10, 1), group(20, 4), group(20, 10)}, []ExportGroup{group(30, 5), group(20, 10)}},
		{[]ExportGroup{group(20, 10), group(4, 1), group(3, 3)}, []ExportGroup{group(27, 14)}},
		{[]ExportGroup{group(20, 2), group(4, 1)}, []ExportGroup{}},
		{nil, []ExportGroup{}},
	} {
		got := joined(c.in)
		if len(got) != len(c.want) {
			t.Errorf("%+v became %+v", c.in, got)
			continue
		}
		for i := range got {
			if got[i].N != c.want[i].N || got[i].Positive != c.want[i].Positive || math.Abs(float64(got[i].Mean)-0.5) > 1e-9 {
				t.Errorf("%+v became %+v", c.in, got)
			}
		}
	}
	if c := exportCount(4); c.N != 0 || !c.UnderFive {
		t.Errorf("4 became %+v", c)
	}
	if v := digits(num.Float(0.123456)); v != 0.1235 {
		t.Errorf("0.123456 became %v", v)
	}
}
