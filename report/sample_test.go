package report

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"sonotype/describe"
	"sonotype/evaluate"
	"sonotype/explain"
	"sonotype/imaging"
	"sonotype/internal/num"
	"sonotype/internal/rng"
	"sonotype/survival"
)

var (
	sampleSets   = []string{"ta", "pta", "fusion"}
	sampleModels = []string{"lr", "svm", "knn", "rf", "lightgbm", "adaboost"}
)

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// sampleStudy is a plausible study of the paper's shape, made of drawn scores through the packages that compute.
func sampleStudy(t testing.TB) *Study {
	s := &Study{
		Title: "Ki-67 in breast cancer from ultrasound", Preset: "rigorous", Positive: "Ki-67 high", Negative: "Ki-67 low",
		Outcome: "ki67 > 20", Unit: "patient", Version: "0.1.0", DataHash: "5f3a9c02d1e47b8890aa61c2", Synthetic: true,
		Warnings:   []string{"The cohort is synthetic: its images and its signal are computer-made, and the figures say nothing about patients.", "External test: 38 units in the smaller class; external validation asks for at least 100."},
		Deviations: []string{"Images keep their aspect (fit: pad); the published method stretches them.", "The network is not fine-tuned in this version."},
		Methods:    []string{"Patients of the development centre were divided at random, stratified by outcome, into a training set (0.7) and an internal test set.", "AUC with DeLong's 95 % interval."},
		Reproduce:  "sonotype run study.yaml --preset rigorous --set seed=1 --isa avx2",
		Plan:       []Setting{{"preset", "rigorous"}, {"seed", "1"}, {"region.growth", "10"}, {"cohorts", "[a/cohort.csv]"}},
		Software:   []Setting{{"sonotype", "0.1.0"}, {"weights", "random, sha256 4b227777d4dd1fc61c6f884f48641d02b4d121d3fd328cb08b5531fcacdabf8a"}},
		Flow: Flow{
			Tables:     []FlowTable{{"cohort.csv", 962, 955, 929}},
			Exclusions: []FlowExclusion{{Reason: "the outcome is missing", Rows: 12, Images: 12, Patients: 10, Cases: []string{"P0007 (cohort.csv, row 9)", "P0019 (cohort.csv, row 22)"}}, {Reason: "the mask is empty", Rows: 3, Images: 3, Patients: 2, Cases: []string{"P0101 (cohort.csv, row 110)"}}},
			Sets:       []FlowSet{{"train", 557, 570, 409, []string{"Centre A"}, nil}, {"internal", 239, 244, 158, []string{"Centre A"}, []string{"230 patients in the survival analysis; 9 without follow-up"}}, {"external", 133, 133, 95, []string{"Centre B"}, nil}},
		},
		FeatureSets: sampleSets, Models: sampleModels, Primary: Key{"fusion", "svm"},
		PrimaryWhy: "highest mean AUC in cross-validation inside the training set",
		Threshold:  "Youden's index on out-of-fold training scores, fixed before the test sets were scored",
		Selection:  map[string]Selection{},
		Published:  []PublishedRow{{"internal", "fusion", "svm", .811, .752, .870, .778, .823, .691, .831}, {"external", "fusion", "svm", .817, .720, .915, .827, .884, .684, .880}},
	}
	s.Table1, s.Table2 = sampleTables(t)
	s.Clinical = sampleClinical(t)
	s.Images = sampleImages()
	s.Learning = []Learning{sampleLearning("ta", 100, 0.3), sampleLearning("pta", 100, 0.12)}
	for k, f := range sampleSets {
		s.Selection[f] = sampleSelection(f, uint64(k))
	}
	s.Sets = []Set{sampleSet(t, "train", "Training (out-of-fold)", 409, 148), sampleSet(t, "internal", "Internal test", 158, 81), sampleSet(t, "external", "External test", 95, 38)}
	s.Survival = []SurvivalSet{sampleSurvival(t, "internal", "Internal test", 239), sampleSurvival(t, "external", "External test", 133)}
	return s
}

func sampleSet(t testing.TB, name, title string, positive, negative int) Set {
	set := Set{Name: name, Title: title, Results: map[Key]Result{}}
	for i, f := range sampleSets {
		for j, m := range sampleModels {
			r := rng.Stream(7, name, f, m)
			shift := []float64{.9, .5, 1.2}[i] + []float64{0, .1, -.5, -.4, -.1, -.2}[j]
			set.Results[Key{f, m}] = sampleResult(t, r, shift, positive, negative, m == "adaboost", name == "train", f == "fusion" && m == "svm")
		}
	}
	return set
}

func sampleResult(t testing.TB, r *rand.Rand, shift float64, positive, negative int, narrow, train, primary bool) Result {
	var scores []float64
	var labels []int
	for i := range positive + negative {
		y := 0
		if i < positive {
			y = 1
		}
		p := 1 / (1 + math.Exp(-(0.9 + 1.1*(float64(y)-.7)*shift + 0.9*r.NormFloat64())))
		if narrow {
			p = .4 + .2*p
		}
		scores, labels = append(scores, p), append(labels, y)
	}
	res := Result{
		Performance:  must[evaluate.Performance](t)(evaluate.Measure(scores, labels, .68)),
		ROC:          must[[]evaluate.ROCPoint](t)(evaluate.ROC(scores, labels)),
		Decision:     must[evaluate.DecisionCurve](t)(evaluate.Decision(scores, labels, nil)),
		Calibration:  must[evaluate.Calibration](t)(evaluate.Calibrate(scores, labels)),
		Distribution: must[evaluate.Distribution](t)(evaluate.Distribute(scores, labels)),
		Recalibrated: narrow,
	}
	addMeasures(t, &res, scores, labels, primary, narrow || train)
	if train {
		a := must[evaluate.AUC](t)(evaluate.DeLong(scores, labels))
		a.AUC = min(1, a.AUC+.12)
		res.Apparent = &a
		o := a
		o.AUC = min(1, a.AUC+.05)
		res.Optimistic = &o
	}
	return res
}

// addMeasures fills what the evaluation computes for every model beyond the first figures.
func addMeasures(t testing.TB, res *Result, scores []float64, labels []int, primary, asTheyAre bool) {
	c := evaluate.BootstrapConfig{Draws: 20, Seed: 3}
	m := evaluate.Candidate{Scores: scores, Threshold: .68}
	if !asTheyAre {
		m.Recalibrated = make([]float64, len(scores))
		for i, p := range scores {
			m.Recalibrated[i] = .15 + .8*p
		}
		res.After = &evaluate.Recalibrated{How: "on out-of-fold training scores", Calibration: must[evaluate.Calibration](t)(evaluate.Calibrate(m.Recalibrated, labels)), Decision: must[evaluate.DecisionCurve](t)(evaluate.Decision(m.Recalibrated, labels, nil))}
	}
	res.Measures = must[[]evaluate.Measures](t)(evaluate.MeasureAll(t.Context(), labels, []evaluate.Candidate{m}, c))[0]
	res.Decision.SetBand(res.Measures.Bootstrap.Decision)
	if !primary {
		return
	}
	res.Calibration.Band = must[*evaluate.CurveBand](t)(evaluate.CalibrationBand(t.Context(), scores, labels, c))
	h := must[evaluate.HosmerLemeshow](t)(evaluate.HosmerLemeshowTest(scores, labels, 10))
	res.HosmerLemeshow = &h
	res.Reclassified = []Reclassified{{Key{"ta", "svm"}, must[evaluate.Reclassification](t)(evaluate.Reclassify(scores, scores, labels, .5, .68))}}
}

func sampleSurvival(t testing.TB, name, title string, n int) SurvivalSet {
	r := rng.Stream(9, name)
	time, event, score, label := make([]float64, n), make([]int, n), make([]float64, n), make([]float64, n)
	age := make([]float64, n)
	for i := range n {
		score[i], age[i] = r.Float64(), 30+50*r.Float64()
		if r.Float64() < score[i] {
			label[i] = 1
		}
		fail, censor := r.ExpFloat64()*260*math.Exp(-1.2*score[i]), 12+55*r.Float64()
		time[i] = math.Round(10*min(fail, censor)) / 10
		if fail <= censor {
			event[i] = 1
		}
	}
	s := SurvivalSet{Set: name, Title: title, Unit: "months", RiskTimes: []float64{0, 12, 24, 36, 48, 60}}
	centre := make([]string, n)
	for i := range centre {
		centre[i] = []string{"B", "C"}[i%2]
	}
	s.Strata = "centre"
	d := survival.Data{Time: time, Event: event, Score: score, Clinical: []survival.Covariate{{Name: "age (per unit)", Term: "age", Values: age}}}
	if name == "external" {
		d.Strata = centre
	}
	s.ByScore = *must[*survival.Analysis](t)(survival.Analyse(d, survival.Options{Cut: .55, Times: []float64{12, 36, 60}}))
	s.ByOutcome = *must[*survival.Contrast](t)(survival.ByCut(time, event, label, .5, "log"))
	for i := range s.ByScore.Curves {
		s.AtRiskScore = append(s.AtRiskScore, s.ByScore.Curves[i].AtRisk(s.RiskTimes))
	}
	for i := range s.ByOutcome.Curves {
		s.AtRiskOutcome = append(s.AtRiskOutcome, s.ByOutcome.Curves[i].AtRisk(s.RiskTimes))
	}
	return s
}

// sampleLearning falls in training and turns on the held-out part, as a network does that learns by heart.
func sampleLearning(region string, epochs int, gain float64) Learning {
	r := rng.Stream(5, "learning", region)
	l := Learning{Region: region, Planned: epochs, Stopped: true, Why: "least loss on the held-out patients",
		Train: LearningCount{371, 380, 266}, Heldout: LearningCount{186, 190, 133}}
	best := math.Inf(1)
	for e := 1; e <= epochs*3/10; e++ {
		x := float64(e)
		v := Epoch{Epoch: e, Rate: 0.001, TrainLoss: num.Float(.69*math.Exp(-x/12) + .01*r.Float64()), ValidLoss: num.Float(.69 - gain*(1-math.Exp(-x/4)) + .006*x + .02*r.NormFloat64())}
		v.TrainAccuracy, v.TrainAUC = num.Float(.7+.28*(1-math.Exp(-x/9))), num.Float(.5+.49*(1-math.Exp(-x/5)))
		v.ValidAccuracy, v.ValidAUC = num.Float(.66+.3*gain*(1-math.Exp(-x/4))+.01*r.NormFloat64()), num.Float(.5+.9*gain*(1-math.Exp(-x/3))+.01*r.NormFloat64())
		if float64(v.ValidLoss) < best {
			best, l.Kept = float64(v.ValidLoss), e
		}
		l.History = append(l.History, v)
	}
	return l
}

// sampleSelection shrinks drawn coefficients softly, which is what a LASSO path of orthogonal inputs is.
func sampleSelection(set string, seed uint64) Selection {
	r := rng.Stream(seed, "selection", set)
	s := Selection{Images: 570, Inputs: 81536, PCA: 256, AfterSpearman: 256, CVName: "mean squared error"}
	for k := range 256 {
		s.Scree = append(s.Scree, .12*math.Pow(float64(k+1), -1.1))
	}
	if set == "fusion" {
		s.Scree, s.PCA, s.AfterSpearman = nil, 512, 511
	}
	for l := range 100 {
		s.Lambdas = append(s.Lambdas, .12*math.Pow(1e-3, float64(l)/99))
		x := math.Log(s.Lambdas[l] / .03)
		s.CVMean = append(s.CVMean, .17+.008*x*x/(1+.2*math.Abs(x)))
		s.CVSE = append(s.CVSE, .007)
	}
	s.LambdaMin, s.Lambda1SE = s.Lambdas[20], s.Lambdas[10]
	s.Lambda = s.LambdaMin
	for j := range 60 {
		region := []string{"ta", "pta"}[j%2]
		b := .05 * r.NormFloat64()
		name := fmt.Sprintf("%s_%03d", map[string]string{"ta": "TA", "pta": "PTA"}[region], r.IntN(256))
		path := make([]float64, len(s.Lambdas))
		for l, v := range s.Lambdas {
			path[l] = math.Copysign(max(0, math.Abs(b)-v), b)
		}
		s.Paths, s.PathNames = append(s.Paths, path), append(s.PathNames, name)
		if path[20] != 0 {
			s.Kept = append(s.Kept, Weight{region, name, path[20]})
		}
	}
	return s
}

func sampleTables(t testing.TB) (byOutcome, bySet *describe.Result) {
	r := rng.Stream(3, "tables")
	outcome := describe.Column{Name: "Ki-67", Levels: []string{"Ki-67 low", "Ki-67 high"}}
	set := describe.Column{Name: "set", Levels: []string{"train", "internal", "external"}}
	age, t1, her2, size := describe.Column{Name: "age"}, describe.Column{Name: "T stage"}, describe.Column{Name: "HER2"}, describe.Column{Name: "size_mm"}
	for range 929 {
		outcome.Values = append(outcome.Values, outcome.Levels[min(1, r.IntN(10)/3)])
		set.Values = append(set.Values, set.Levels[[]int{0, 0, 0, 0, 0, 0, 1, 1, 1, 2}[r.IntN(10)]])
		age.Values = append(age.Values, strconv.Itoa(30+r.IntN(50)))
		t1.Values = append(t1.Values, fmt.Sprintf("T%d", 1+r.IntN(4)))
		her2.Values = append(her2.Values, []string{"negative", "positive", ""}[min(2, r.IntN(9)/4)])
		size.Values = append(size.Values, fmt.Sprintf("%.1f", math.Exp(3+.5*r.NormFloat64())))
	}
	cols := []describe.Column{age, t1, her2, size}
	o := describe.Options{Seed: 1}
	return must[*describe.Result](t)(describe.Table(cols, outcome, o)), must[*describe.Result](t)(describe.Table(cols, set, o))
}

func sampleImages() Images {
	im := Images{
		Devices: []Count{{"Philips EPIQ 7", 520}, {"Toshiba Aplio 500 Platinum with an unusually long description of its probe", 310}, {"unknown", 117}},
		Sizes:   []Count{{"700-799 px wide", 310}, {"1000-1099 px wide", 637}}, Calipers: 214, Total: 947,
		Markers: "214 of 947 images carry burnt-in marks; they are as frequent in Ki-67 high as in low (P = 0.41).",
		Maps:    []MapCheck{{"ta", "all layers", 947, 12, .04, .991, explain.Alike}, {"pta", "all layers", 947, 0, .11, .962, explain.Alike}},
	}
	var ta, pta [3]image.Image
	for i := range ta {
		ta[i], pta[i] = sampleMap(1+float64(i), 1), sampleMap(5-float64(i), float64(1-i%2))
	}
	for k, title := range []string{"Random cases", "Lowest scores", "Highest scores", "Wrong at the threshold, furthest first"} {
		part := GalleryPart{Title: title}
		for i := range 3 {
			part.Cases = append(part.Cases, GalleryCase{Patient: fmt.Sprintf("P%04d", 100*k+i), Set: []string{"internal", "external"}[i%2], Label: i % 2,
				Score: num.Float(float64(i) / 3), Overlay: samplePicture(400, 300), TA: samplePicture(112, 112), PTA: samplePicture(112, 112),
				TACam: ta[i], PTACam: pta[i]})
		}
		im.Parts = append(im.Parts, part)
	}
	return im
}

// sampleMap draws a bump at (x, 3) of a 7 x 7 map over the sample picture.
func sampleMap(x, height float64) image.Image {
	cam := make([]float32, 49)
	for i := range cam {
		cam[i] = float32(height * math.Exp(-math.Pow(float64(i%7)-x, 2)/3-math.Pow(float64(i/7)-3, 2)/3))
	}
	crop := samplePicture(224, 224).(*image.Gray)
	return explain.Overlay(&imaging.Gray{W: 224, H: 224, Pix: crop.Pix}, cam, 7, 7)
}

func samplePicture(w, h int) image.Image {
	r := rng.Stream(1, "picture")
	img := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			d := math.Hypot(float64(x-w/2)/float64(w), float64(y-h/2)/float64(h))
			v := 90.0 + 60*r.NormFloat64()*.4
			if d < .2 {
				v *= .35
			}
			img.SetGray(x, y, color.Gray{Y: uint8(min(max(v, 0), 255))})
		}
	}
	return img
}
