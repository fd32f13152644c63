package report

import (
	"encoding/csv"
	"fmt"
	"image"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sonotype/explain"
	"sonotype/imaging"
	"sonotype/internal/num"
)

// The curves hold every epoch, mark the kept one in the drawing and the table, and say its figures.
func TestLearningCurves(t *testing.T) {
	s := sampleStudy(t)
	files := write(t, "learning", s)
	for _, l := range s.Learning {
		for _, m := range learningMetrics {
			id := "learning-" + m.id + "-" + l.Region
			rows, err := csv.NewReader(strings.NewReader(files["tables/"+id+".csv"])).ReadAll()
			if err != nil || len(rows) != len(l.History)+1 {
				t.Fatalf("%s: %d rows, %v", id, len(rows), err)
			}
			for i, e := range l.History {
				train, heldout := m.of(e)
				if want := []string{strconv.Itoa(e.Epoch), cell(train), cell(heldout), yesNo(e.Epoch == l.Kept)}; !slices.Equal(rows[i+1], want) {
					t.Errorf("%s: %v, want %v", id, rows[i+1], want)
				}
			}
			e, _ := l.kept()
			_, heldout := m.of(e)
			mark := fmt.Sprintf("epoch %d kept", l.Kept)
			if svg := files["figures/"+id+".svg"]; !strings.Contains(svg, mark) || strings.Count(svg, "<circle") != 2*len(l.History) {
				t.Errorf("%s: %q or a dot is missing", id, mark)
			}
			words := fmt.Sprintf("Kept: epoch %d, with %s held out", l.Kept, significant(float64(heldout)))
			if !strings.Contains(files["report.html"], words) {
				t.Errorf("%s: the page lacks %q", id, words)
			}
		}
	}
	if n := strings.Count(files["tables/learning.csv"], "\n"); n != 1+len(s.Learning[0].History)+len(s.Learning[1].History) {
		t.Errorf("learning.csv has %d lines", n)
	}
}

// Without training nothing speaks of it.
func TestNoTraining(t *testing.T) {
	s := sampleStudy(t)
	s.Learning, s.Images.Maps = nil, nil
	for i := range s.Images.Parts {
		for k := range s.Images.Parts[i].Cases {
			s.Images.Parts[i].Cases[k].TACam, s.Images.Parts[i].Cases[k].PTACam = nil, nil
		}
	}
	for key, r := range s.Sets[0].Results {
		r.Optimistic = nil
		s.Sets[0].Results[key] = r
	}
	files := write(t, "no-training", s)
	checkFiles(t, files)
	page := dataURI.ReplaceAllString(files["report.html"], "")
	for _, bad := range []string{`id="learning"`, "#learning", "Grad-CAM", "ptimistic", "<dt>Epoch", " mapped", `class="ramp"`} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	for name := range files {
		if strings.Contains(name, "learning") || strings.Contains(name, "grad-cam") {
			t.Error(name)
		}
	}
}

// TestTrainingMayLack takes parts of the training away, or gives it other shapes.
func TestTrainingMayLack(t *testing.T) {
	nan := num.NaN()
	for name, c := range map[string]struct {
		learning []Learning
		want     string
	}{
		"no epoch":  {[]Learning{{Region: "ta", Planned: 5, Notes: []string{"the loss was not finite"}}}, "TA: the loss was not finite"},
		"one epoch": {[]Learning{{Region: "ta", Kept: 1, Planned: 1, History: []Epoch{{1, 0.001, .7, .5, .5, .7, .5, .5}}}}, "Kept: epoch 1, with 0.700 held out"},
		"not finite": {[]Learning{{Region: "pta", Planned: 3, History: []Epoch{{1, 0.001, .7, .5, .5, .7, .5, nan}, {2, 0.001, nan, nan, nan, nan, nan, nan}}}},
			`title="no epoch was kept"`},
		"nothing computed": {[]Learning{{Region: "ta", Kept: 1, History: []Epoch{{1, 0.001, nan, nan, nan, nan, nan, nan}}}}, `title="not computed"`},
		"one network for both, cross-fitted": {[]Learning{sampleLearning("shared", 300, .3), {Region: "shared", Fold: 2, Kept: 1, History: []Epoch{{1, 0.001, .7, .5, .5, .7, .5, .5}}}},
			"TA and PTA, cross-fitting 2"},
	} {
		t.Run(name, func(t *testing.T) {
			s := sampleStudy(t)
			s.Images, s.Learning = Images{}, c.learning
			files := write(t, strings.ReplaceAll(name, " ", "-"), s)
			checkFiles(t, files)
			if !strings.Contains(files["report.html"], c.want) {
				t.Errorf("the page lacks %q", c.want)
			}
		})
	}
}

// Both training AUCs stand in the table, in its CSV, and in the caption of the training ROC.
func TestBothTrainingAUCs(t *testing.T) {
	s := sampleStudy(t)
	files := write(t, "aucs", s)
	r := s.Sets[0].Results[s.Primary]
	for _, want := range []string{">" + share(r.Performance.AUC) + "<", ">" + share(r.Optimistic.AUC) + "<", "would reach an AUC of " + share(r.Optimistic.AUC), "<small>optimistic</small>", "three figures"} {
		if !strings.Contains(files["report.html"], want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	rows, err := csv.NewReader(strings.NewReader(files["tables/models.csv"])).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.Index(rows[0], "optimistic_auc")
	found := slices.IndexFunc(rows, func(row []string) bool { return row[0] == "train" && row[3] == "yes" })
	if at < 0 || found < 0 || rows[found][at] != cell(r.Optimistic.AUC) {
		t.Errorf("models.csv lacks the optimistic AUC: %v", rows[0])
	}
}

func TestMapChecksInWords(t *testing.T) {
	for _, c := range []struct {
		check  MapCheck
		want   string
		failed bool
	}{
		{MapCheck{"ta", "all layers", 20, 0, .1, .95, .5}, "Check of the TA maps of 20 images against those of the same network with random weights (all layers): median rank correlation 0.10; 95.0 % of the maps changed (correlation below 0.5). So they depend on what was learnt.", false},
		{MapCheck{"pta", "", 20, 3, .8, .1, .5}, "10.0 % of the maps changed (correlation below 0.5); 3 without contrast are left out. These maps show the picture rather than what was learnt: do not read them.", true},
		{MapCheck{"pta", "", 1, 1, num.NaN(), num.NaN(), .5}, "Do not read these maps.", true},
	} {
		got := c.check.inWords()
		if !strings.HasSuffix(got.Words, c.want) || got.Failed != c.failed {
			t.Errorf("%+v, want %q, %v", got, c.want, c.failed)
		}
	}
	if got := (Images{Maps: []MapCheck{{Region: "ta"}}}).mapChecks(); got != nil {
		t.Error(got)
	}
}

// Maps for the negative class say so; colours of a map are no contours.
func TestMapsInTheGallery(t *testing.T) {
	s := sampleStudy(t)
	s.Images.Parts[0].Cases[0].CamNegative = true
	page := write(t, "maps", s)["report.html"]
	if !strings.Contains(page, "maps for Ki-67 low") || !strings.Contains(page, "TA crop with its Grad-CAM map for Ki-67 low") || !strings.Contains(page, "PTA crop with its Grad-CAM map for Ki-67 high") {
		t.Error("the page does not say which class the maps speak for")
	}
	cam := sampleMap(3, 1)
	plain, err := thumbnail(cam, cropWidth, false)
	if err != nil {
		t.Fatal(err)
	}
	if kept, _ := thumbnail(cam, cropWidth, true); kept == plain {
		t.Error("the sample map has no colour that would be taken for a contour")
	}
}

// The ramp in the legend is the one that the maps are drawn in.
func TestLegendIsTheMapsRamp(t *testing.T) {
	css, err := files.ReadFile("templates/style.css")
	if err != nil {
		t.Fatal(err)
	}
	stops := regexp.MustCompile(`#[0-9a-f]{6}`).FindAllString(regexp.MustCompile(`linear-gradient\([^)]*\)`).FindString(string(css)), -1)
	n := len(stops)
	if n < 5 {
		t.Fatalf("%d colours", n)
	}
	const width = 100 // pixels of a place of the map
	cam := make([]float32, n)
	for i := range cam {
		cam[i] = float32(i) / float32(n-1)
	}
	drawn := explain.Overlay(imaging.NewGray(width*n, 1), cam, 1, n).(*image.RGBA) // over black: the ramp, dimmed by its opacity
	top := drawn.RGBAAt(width*n-1, 0)
	for i, stop := range stops {
		if 2*i == n-1 {
			continue // the line at half
		}
		v, _ := strconv.ParseUint(stop[1:], 16, 32)
		last, _ := strconv.ParseUint(stops[n-1][1:], 16, 32)
		dim := float64(cam[i]) * float64(top.R) / float64(last>>16)
		got := drawn.RGBAAt(width*i+width/2, 0)
		for k, channel := range []uint8{got.R, got.G, got.B} {
			if want := dim * float64(v>>(16-8*k)&255); math.Abs(float64(channel)-want) > 2 {
				t.Errorf("colour %d is %v, the legend's %s dimmed to %.2f", i, got, stop, dim)
				break
			}
		}
	}
}

func TestEpochTicks(t *testing.T) {
	for last := 1; last < 2000; last++ {
		ticks := epochTicks(1, last)
		if ticks[0] != 1 || len(ticks) > 9 || !slices.IsSorted(ticks) || ticks[len(ticks)-1] > float64(last) || last > 1 && len(ticks) < 2 {
			t.Fatalf("%d epochs: %v", last, ticks)
		}
	}
	if got := epochTicks(1, 100); !slices.Equal(got, []float64{1, 20, 40, 60, 80, 100}) {
		t.Error(got)
	}
}
