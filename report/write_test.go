package report

import (
	"encoding/csv"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sonotype/describe"
	"sonotype/evaluate"
	"sonotype/internal/num"
	"sonotype/survival"
)

var keep = flag.String("keep", "", "write the sample reports into this folder, to look at them")

// write makes a report and reads every file of it.
func write(t *testing.T, name string, s *Study) map[string]string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if *keep != "" {
		dir = filepath.Join(*keep, name)
	}
	last, total := 0, 0
	if err := Write(dir, s, func(done, of int) { last, total = done, of }); err != nil {
		t.Fatal(err)
	}
	if last != total || total == 0 {
		t.Errorf("progress ended at %d of %d", last, total)
	}
	out := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, path))
		out[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// dataURI matches what is embedded, so that base64 is not searched for words.
var dataURI = regexp.MustCompile(`data:[a-z/;=,+0-9A-Z-]*base64,[A-Za-z0-9+/=]*`)

// nonNumber matches the traces of a number that could not be printed.
var nonNumber = regexp.MustCompile(`\bNaN\b|[+-]?\bInf\b|%!|<nil>|−0(\.0+)?\b[^.]`)

// checkFiles demands of every file what all reports must hold.
func checkFiles(t *testing.T, files map[string]string) {
	t.Helper()
	for _, path := range slices.Sorted(maps.Keys(files)) {
		text := dataURI.ReplaceAllString(files[path], "")
		if m := nonNumber.FindStringIndex(text); m != nil {
			t.Errorf("%s: %q", path, text[max(0, m[0]-60):min(len(text), m[1]+40)])
		}
		switch filepath.Ext(path) {
		case ".svg":
			checkXML(t, path, text)
		case ".csv":
			rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
			if err != nil || len(rows) == 0 {
				t.Errorf("%s: %d rows, %v", path, len(rows), err)
			}
		case ".html":
			checkHTML(t, text)
		}
	}
}

func checkXML(t *testing.T, path, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Errorf("%s: %v", path, err)
			return
		}
	}
}

// checkHTML demands that the page needs no network and no script, and that every picture has words beside it.
func checkHTML(t *testing.T, text string) {
	t.Helper()
	for _, bad := range []string{"<script", "<link", "@import", "url(", "ZgotmplZ", "javascript:"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	if m := regexp.MustCompile(`(?:src|href)="(?:https?:|//)[^"]*"`).FindString(text); m != "" {
		t.Errorf("the page points outside: %s", m)
	}
	for _, tag := range regexp.MustCompile(`<(img|svg class)[^>]*>`).FindAllString(text, -1) {
		if !strings.Contains(tag, `alt="`) && !strings.Contains(tag, `aria-label="`) {
			t.Errorf("no words for %.80s", tag)
		}
	}
	for _, pair := range []string{"table", "figure", "section", "details", "tr", "td", "svg"} {
		open := strings.Count(text, "<"+pair+">") + strings.Count(text, "<"+pair+" ")
		if shut := strings.Count(text, "</"+pair+">"); open != shut {
			t.Errorf("%d <%s> but %d closed", open, pair, shut)
		}
	}
}

func TestEveryFigureOfTheMethod(t *testing.T) {
	files := write(t, "full", sampleStudy(t))
	checkFiles(t, files)
	for _, want := range []string{"flow", "scree", "devices", "sizes",
		"learning-loss-ta", "learning-loss-pta", "learning-accuracy-ta", "learning-accuracy-pta", "learning-auc-ta", "learning-auc-pta",
		"figure-1a-lasso-paths", "figure-1b-cv-error", "figure-1c-weights", "figure-1d-roc-train",
		"figure-2a-roc-internal", "figure-2b-confusion-internal", "figure-2c-distribution-internal", "figure-2d-decision-internal", "calibration-internal",
		"figure-3a-roc-external", "figure-3b-confusion-external", "figure-3c-distribution-external", "figure-3d-decision-external", "calibration-external",
		"figure-4a-km-score-internal", "figure-4a-km-outcome-internal", "figure-4b-km-score-external", "figure-4b-km-outcome-external"} {
		if files["figures/"+want+".svg"] == "" || files["tables/"+want+".csv"] == "" {
			t.Errorf("figure or table %s is missing", want)
		}
	}
	for _, want := range []string{"models", "table-1", "table-2", "exclusions", "plan", "software", "survival", "survival-ranking", "survival-cox", "published-another-cohort", "learning", "grad-cam-check"} {
		if files["tables/"+want+".csv"] == "" {
			t.Errorf("table %s is missing", want)
		}
	}
	page := files["report.html"]
	for _, want := range []string{"Figure 1A.", "Figure 2B.", "Figure 3D.", "Figure 4B.", "Table 1", "Table 2", "5f3a9c02d1e4", "another cohort", "Synthetic data.", "exploratory", "P0007 (cohort.csv, row 9)"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if len(page) > 6<<20 {
		t.Errorf("the page has %d bytes", len(page))
	}
}

func TestHeadline(t *testing.T) {
	s := sampleStudy(t)
	p := s.Sets[2].Results[s.Primary].Performance
	h := Headline(s)
	for _, want := range []string{"External test, 133 patients", "fusion SVM", share(p.AUC), interval(p.AUCLo, p.AUCHi), share(p.Sensitivity), share(p.Specificity), "hazard ratio", "log-rank P"} {
		if !strings.Contains(h, want) {
			t.Errorf("%q lacks %q", h, want)
		}
	}
	s.Sets, s.Survival = s.Sets[:2], nil
	if h := Headline(s); !strings.HasPrefix(h, "Internal test") || strings.Contains(h, "survival") {
		t.Error(h)
	}
	s.Sets = s.Sets[:1]
	if h := Headline(s); !strings.HasPrefix(h, "Training (out-of-fold)") {
		t.Error(h)
	}
	s.Sets = nil
	if h := Headline(s); h != "The study holds no evaluated model." {
		t.Error(h)
	}
}

func TestCalibrationInWords(t *testing.T) {
	around := func(lo, hi num.Float) evaluate.Estimate {
		return evaluate.Estimate{Value: (lo + hi) / 2, Lo: lo, Hi: hi}
	}
	for _, c := range []struct {
		oe, slope evaluate.Estimate
		want      string
	}{
		{around(.9, 1.1), around(.8, 1.2), "no clear miscalibration"},
		{around(.5, .9), around(.8, 1.2), "too high on average ("},
		{around(1.1, 1.4), around(.3, .7), "too low on average and too extreme ("},
		{around(.9, 1.1), around(1.2, 1.9), "too cautious ("},
		{around(.9, 1.1), around(-1, 1.02), "cannot be told from these data (observed:expected 1.00 [0.90–1.10], slope 0.01 [−1.00 to 1.02]"},
		{around(.9, 1.1), around(-.4, .42), "too extreme, not even shown to rise with the outcome ("},
		{around(.6, 1.4), around(.8, 1.2), "cannot be told"},
	} {
		if got := calibrationInWords(evaluate.Calibration{ObservedExpect: c.oe, Slope: c.slope, Intercept: around(-.2, .2)}); !strings.Contains(got, c.want) {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if got := calibrationInWords(evaluate.Calibration{ObservedExpect: around(.9, 1.1), Slope: around(.8, 1.2), Intercept: around(.1, .4)}); !strings.Contains(got, "too low on average (") {
		t.Error(got)
	}
	if got := calibrationInWords(evaluate.Calibration{ObservedExpect: around(.9, 1.1), Slope: around(.8, 1.2), Intercept: around(-.2, .2), Certain: 9, CertainWrong: 2}); !strings.Contains(got, "were wrong in 2 of the 9 cases that they were certain of (") {
		t.Error(got)
	}
	none := evaluate.Calibration{ObservedExpect: around(.9, 1.1), Slope: evaluate.Estimate{Value: num.NaN(), Lo: num.NaN(), Hi: num.NaN()}}
	if got := calibrationInWords(none); got != "" {
		t.Error(got)
	}
}

// TestSameBytes writes the same study twice.
func TestSameBytes(t *testing.T) {
	a, b := write(t, "first", sampleStudy(t)), write(t, "second", sampleStudy(t))
	if !maps.Equal(a, b) {
		t.Error("two reports of one study differ")
	}
}

// TestHostileText puts markup, control characters and very long words wherever text comes from the user.
func TestHostileText(t *testing.T) {
	evil := `<script>alert("x")</script>&"'` + "\x00\x1b" + strings.Repeat("long", 60)
	s := sampleStudy(t)
	s.Title, s.Positive, s.Negative, s.Outcome, s.Unit, s.Reproduce = evil, evil, evil, evil, "lesion", evil
	s.Warnings, s.Deviations, s.Methods = []string{evil}, []string{evil}, []string{evil}
	s.Plan, s.Software = []Setting{{evil, evil}}, []Setting{{evil, evil}}
	s.Flow.Tables[0].Name, s.Flow.Sets[0].Centres = evil, []string{evil, evil}
	s.Flow.Exclusions[0].Reason, s.Flow.Exclusions[0].Cases = evil, []string{evil}
	s.Images.Devices = []Count{{evil, 3}}
	s.Images.Maps[0].Randomised, s.Learning[0].Why, s.Learning[0].Notes = evil, evil, []string{evil}
	s.Images.Parts[0].Title, s.Images.Parts[0].Cases[0].Patient = evil, evil
	s.Table1.Groups[0], s.Table1.Variables[0].Name = evil, evil
	s.Sets[1].Title = evil
	s.Survival[0].Title, s.Survival[0].ByScore.Note = evil, evil
	files := write(t, "hostile", s)
	checkFiles(t, files)
	for path, text := range files {
		if filepath.Ext(path) != ".csv" && strings.Contains(text, "<script") {
			t.Errorf("%s holds unescaped markup", path)
		}
	}
}

// TestWhatAStudyMayLack takes parts away until nothing is left.
func TestWhatAStudyMayLack(t *testing.T) {
	cases := map[string]func(s *Study){
		"no external set": func(s *Study) { s.Sets, s.Survival = s.Sets[:2], s.Survival[:1] },
		"no internal set": func(s *Study) { s.Sets, s.Images = slices.Delete(s.Sets, 1, 2), Images{} },
		"training only":   func(s *Study) { s.Sets, s.Survival = s.Sets[:1], nil },
		"no extras": func(s *Study) {
			s.Survival, s.Table1, s.Table2, s.Published, s.Synthetic, s.Flow.Exclusions, s.Learning = nil, nil, nil, nil, false, nil, nil
			f := s.Selection["fusion"]
			f.Kept = f.Kept[:1]
			f.Note = "nothing was kept at lambda.min; the largest lambda that keeps one is used"
			s.Selection["fusion"] = f
		},
		"no selection": func(s *Study) { s.Selection = nil },
		"external centres": func(s *Study) {
			c := s.Sets[2]
			c.Name, c.Title, c.Centre = "B", "External test, B", "B"
			s.Sets = append(s.Sets, c)
		},
		"one model":  func(s *Study) { s.FeatureSets, s.Models, s.Primary = []string{"ta"}, []string{"lr"}, Key{"ta", "lr"} },
		"no results": func(s *Study) { s.Sets = nil },
		"many exclusions": func(s *Study) {
			for i := range 30 {
				e := FlowExclusion{Reason: fmt.Sprintf("reason %d with words that need more than a line of the box, and then some more words after it", i), Rows: 1000, Images: 1000, Patients: 1000}
				for k := range 1000 {
					e.Cases = append(e.Cases, fmt.Sprintf("P%d (cohort.csv, row %d)", k, k+2))
				}
				s.Flow.Exclusions = append(s.Flow.Exclusions, e)
			}
			for i := range 20 {
				s.Flow.Tables = append(s.Flow.Tables, FlowTable{Name: fmt.Sprintf("table %d.csv", i)})
				s.Images.Devices = append(s.Images.Devices, Count{fmt.Sprintf("device %d", i), i})
			}
		},
		"not computable": notComputable,
	}
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		t.Run(name, func(t *testing.T) {
			s := sampleStudy(t)
			s.Images.Parts = s.Images.Parts[:1]
			cases[name](s)
			checkFiles(t, write(t, strings.ReplaceAll(name, " ", "-"), s))
		})
	}
	t.Run("nothing", func(t *testing.T) { checkFiles(t, write(t, "nothing", &Study{})) })
}

// notComputable replaces every estimate of the internal set by NaN with a note, as one class or no events do.
func notComputable(s *Study) {
	r := s.Sets[1].Results[s.Primary]
	nan := num.NaN()
	r.Performance.AUC, r.Performance.AUCLo, r.Performance.AUCHi, r.Performance.Note = nan, nan, nan, "one class only"
	r.Performance.Specificity, r.Performance.NPV, r.Performance.Threshold = nan, nan, nan
	r.Calibration = evaluate.Calibration{Slope: evaluate.Estimate{Value: nan, Lo: nan, Hi: nan}, ObservedExpect: evaluate.Estimate{Value: nan, Lo: nan, Hi: nan}, ICI: nan, Brier: nan, Note: "one class only"}
	r.Distribution = evaluate.Distribution{Test: describe.Test{Name: "Wilcoxon rank-sum", P: nan, Note: "one class only"}}
	for i := range r.Distribution.Classes {
		c := &r.Distribution.Classes[i]
		c.Mean, c.Median, c.Min, c.Max, c.Q1, c.Q3 = nan, nan, nan, nan, nan, nan
	}
	r.Decision, r.ROC = evaluate.DecisionCurve{}, nil
	s.Sets[1].Results[s.Primary] = r
	c := &s.Survival[0].ByScore
	c.HR, c.HRLo, c.HRHi, c.LogRankP, c.CIndex, c.Note = nan, nan, nan, nan, nan, "no contrast: no events"
	s.Survival[0].ByOutcome = survival.Contrast{Note: "no contrast", LogRankP: nan, HR: nan, HRLo: nan, HRHi: nan, CIndex: nan, Cut: nan}
	c.Score, c.Clinical, c.Combined, c.Added, c.Hazards, c.Periods, c.TimeAUC, c.AUCCurve = nil, nil, nil, nil, nil, nil, nil, nil
	c.Means = survival.RMST{Horizon: nan, Difference: nan, SE: nan, Lo: nan, Hi: nan, P: nan, Note: "no contrast"}
	c.Uno = survival.Concordance{C: nan, SE: nan, Lo: nan, Hi: nan, Note: "no comparable pairs"}
	s.Table1.Variables[0].P, s.Table1.Variables[0].SMD, s.Table1.Variables[0].Note = nan, nan, "one group is empty"
	s.Images.Parts[0].Cases[0].Score, s.Images.Parts[0].Cases[0].Overlay = nan, nil
}

func TestFormats(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{share(.8114), "0.811"}, {share(num.NaN()), dash}, {significant(2.314), "2.31"}, {significant(0.99996), "1.00"}, {significant(148.2), "148"}, {significant(81536), "81536"}, {significant(.0123456), "0.0123"},
		{significant(-3.2), "−3.20"}, {significant(0), "0"}, {significant(1.5e9), "1.50e+09"}, {pValue(.00004), "<0.001"}, {pValue(.0051), "0.005"}, {pValue(.9999), ">0.999"}, {pEquals(1e-9), "P < 0.001"}, {pEquals(.058), "P = 0.058"},
		{interval(.752, .870), "0.752–0.870"}, {interval(.7, num.NaN()), dash}, {fixed(-.0001, 2), "0.00"}, {count(1, "patient"), "1 patient"}, {count(2, "row"), "2 rows"}, {percent(1, 0), dash}, {cell(num.NaN()), ""},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

// TestLargeGallery stays within its budget and says what it leaves out.
func TestLargeGallery(t *testing.T) {
	s := sampleStudy(t)
	for range 7 {
		s.Images.Parts[0].Cases = append(s.Images.Parts[0].Cases, s.Images.Parts[0].Cases...)
	}
	s.Images.Parts[0].Cases = s.Images.Parts[0].Cases[:400]
	files := write(t, "gallery", s)
	page := files["report.html"]
	if len(page) > 6<<20 || !strings.Contains(page, "more are not shown") {
		t.Errorf("%d bytes", len(page))
	}
}

// TestContoursSurviveShrinking draws a one-pixel ring of each colour and finds it closed in the small copy.
func TestContoursSurviveShrinking(t *testing.T) {
	big := image.NewRGBA(image.Rect(10, 20, 970, 740))
	for i := range big.Pix {
		big.Pix[i] = 90
	}
	colours := []color.RGBA{{230, 159, 0, 255}, {86, 180, 233, 255}}
	for a := 0.0; a < 2*math.Pi; a += 1e-3 {
		for k, c := range colours {
			r := 100 + 20*float64(k)
			big.SetRGBA(490+int(r*math.Cos(a)), 380+int(r*math.Sin(a)), c)
		}
	}
	small := image.NewRGBA(image.Rect(0, 0, 360, 270))
	keepContours(small, big)
	for k, c := range colours {
		r := (100 + 20*float64(k)) * 360 / 960
		for a := 0.0; a < 2*math.Pi; a += 0.05 {
			if got := small.RGBAAt(180+int(math.Floor(r*math.Cos(a)+.2)), 135+int(math.Floor(r*math.Sin(a)+.2))); got != c {
				t.Fatalf("ring %d at %.2f: %v", k, a, got)
			}
		}
	}
	if small.RGBAAt(180, 135) != (color.RGBA{}) {
		t.Error("the inside is painted")
	}
}
