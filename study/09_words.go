package study

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"sonotype/cohort"
	"sonotype/report"
)

// What the report says in sentences stands here; every number in them comes from the plan or the results.

func outcomeInWords(p *Plan) string {
	column := cmp.Or(p.Outcome.Column, p.Columns.Outcome, "outcome")
	switch {
	case p.Outcome.Cutoff != nil:
		return fmt.Sprintf("%s > %g", column, *p.Outcome.Cutoff)
	case len(p.Outcome.Positive) > 0:
		return column + " = " + strings.Join(p.Outcome.Positive, " or ")
	}
	return column + " = 1"
}

func thresholdInWords(p *Plan) string {
	if p.Evaluate.Threshold == "youden" {
		whose := ""
		if p.trains() {
			whose = " of patients whom no network behind them learnt from"
		}
		return "Youden's index on out-of-fold training scores" + whose + ", fixed before the test sets were scored"
	}
	return "fixed at " + p.Evaluate.Threshold
}

// settings lists the resolved plan, a line a key, without those that are off.
func settings(p *Plan) []report.Setting {
	return slices.DeleteFunc(allSettings(p), func(s report.Setting) bool { return s.Value == "" })
}

// allSettings lists every key of the plan; a zero value is "".
func allSettings(p *Plan) []report.Setting {
	var out []report.Setting
	var walk func(prefix string, v reflect.Value)
	walk = func(prefix string, v reflect.Value) {
		for i := range v.NumField() {
			f := v.Type().Field(i)
			key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			switch {
			case key == "" && f.Type.Kind() == reflect.Struct: // inlined
				walk(prefix, v.Field(i))
			case f.Type.Kind() == reflect.Struct:
				walk(prefix+key+".", v.Field(i))
			case v.Field(i).IsZero():
				out = append(out, report.Setting{Name: prefix + key})
			default:
				out = append(out, report.Setting{Name: prefix + key, Value: fmt.Sprint(reflect.Indirect(v.Field(i)))})
			}
		}
	}
	walk("", reflect.ValueOf(*p))
	return out
}

// deviations lists where the plan differs from its preset, and the preset from the published method.
func deviations(p *Plan) []string {
	preset, err := DefaultPlan(p.Preset)
	if err != nil {
		return nil
	}
	own := map[string]bool{"title": true, "cohorts": true, "development": true, "outcome": true, "columns": true, "synthetic": true, "answers": true, "bundle": true}
	standard := map[string]string{}
	for _, s := range allSettings(&preset) {
		standard[s.Name] = s.Value
	}
	var out []string
	for _, s := range allSettings(p) {
		head, _, _ := strings.Cut(s.Name, ".")
		idle := !p.trains() && strings.HasPrefix(s.Name, "network.train.") // said below
		if !own[head] && !idle && standard[s.Name] != s.Value {
			out = append(out, fmt.Sprintf("%s is %s (the preset: %s)", s.Name, cmp.Or(s.Value, "off"), cmp.Or(standard[s.Name], "not set")))
		}
	}
	out = append(out, trainingDeviations(p)...)
	if p.Preset == "rigorous" {
		out = append(out,
			"Images keep their aspect (fit: pad); the published method stretches them.",
			"The primary model is fixed by cross-validation inside the training set; the published study names the best of six on the test set.",
			"Threshold and Kaplan-Meier cut come from out-of-fold training scores; the published study gives no threshold rule and cuts at each set's own mean.")
	} else {
		out = append(out, "As published, the primary model is the best of six on the internal test set: its figures there are optimistic.")
	}
	return out
}

// methods are paragraphs for a methods section.
func (a *assembly) methods() []string {
	p, s := &a.run.Plan, a.selection["fusion"]
	region := fmt.Sprintf("The peritumoural area (PTA) is the outline grown by %g %s with a Euclidean disk", p.Region.Growth, p.Region.Unit)
	if p.Region.PTA == "ring" {
		region += ", minus the tumour area (TA)"
	}
	network := a.features.Backbone
	if p.trains() {
		network = "the fine-tuned " + network
	} else {
		network += fmt.Sprintf(" with weights %q (%s)", p.Network.Weights, a.features.Weights)
	}
	return slices.Concat([]string{
		fmt.Sprintf("Patients of %s were divided at random, stratified by outcome, into a training set (%g) and an internal test set; the other centres form the external test set. The unit of analysis is the %s; a unit's score is the mean over its images. The outcome is %s.", p.developmentInWords(), p.Split.Train, a.unitName(), outcomeInWords(p)),
		fmt.Sprintf("Images were brought to %d x %d pixels (%s, %s interpolation) and smoothed by a %d x %d mean filter. %s. Each region was cut as its bounding square with a %d-pixel frame, pixels outside the region set to 0 (context: %s), and resized to %d x %d.", p.Image.Width, p.Image.Height, p.Image.Fit, p.Image.Interpolation, p.Image.MeanFilter, p.Image.MeanFilter, region, p.Region.Frame, p.Region.Context, p.Network.Input, p.Network.Input),
	}, a.trainingInWords(), []string{
		fmt.Sprintf("Deep features (%d a region) are %s of %s.", a.features.Width, layerInWords(a.features.Layer), network),
		fmt.Sprintf("Features were z-scored on the %s, reduced by exact principal component analysis to at most %d components, filtered by Spearman's correlation (|rho| > %g) and selected by LASSO (%s, lambda.%s of %d-fold cross-validation grouped by patient). The fusion set joins the components of TA and PTA before the filter; %d features were kept.", learnersInWords(p), p.Selection.Components, p.Selection.Spearman, p.Selection.Lasso, p.Selection.Lambda, p.Selection.Folds, s.Kept),
		fmt.Sprintf("Models: %s, fitted on the %s. %s Threshold: %s.", modelsInWords(p.Classify.Models), learnersInWords(p), honestInWords(p), thresholdInWords(p)),
		"AUC with DeLong's 95 % interval and a bootstrap of patients within each class, which also gives the intervals of rates at a fixed other rate; a bootstrap of all patients for average precision, F1, Brier scores, net benefit and the smooth calibration curve, which depend on the prevalence; proportions with Wilson's interval, likelihood ratios and observed:expected on the log scale, calibration slope and intercept with Wald's; integrated calibration index; calibration and decision curves before and after recalibration on out-of-fold training scores; Kaplan-Meier curves with log-rank test, restricted mean survival, Harrell's and Uno's C, cumulative/dynamic AUC by inverse probability of censoring; Cox regression (Efron) with the test of proportional hazards, and clinical covariates with the score against those alone by likelihood ratio.",
	}, a.clinicalInWords(), a.agreementInWords())
}

func layerInWords(layer string) string {
	if layer == "avgpool" {
		return "the average-pooled last feature map"
	}
	return "the last feature map (after the last batch normalisation and ReLU)"
}

func modelsInWords(models []string) string {
	names := make([]string, len(models))
	for i, m := range models {
		names[i] = report.ModelName(m)
	}
	return strings.Join(names, ", ")
}

// marksInWords says how common burnt-in marks are and whether they go with the outcome, which would let a model read them.
func (a *assembly) marksInWords() string {
	m, p := a.evaluation.Marks, &a.run.Plan
	if m.Marked[0]+m.Marked[1] == 0 {
		return "No image carries burnt-in calipers or text that the program could find."
	}
	share := func(class int) float64 { return 100 * float64(m.Marked[class]) / float64(max(1, m.Units[class])) }
	return fmt.Sprintf("Burnt-in calipers or text were found in %d of %d images: in %.0f %% of the %ss with %s and %.0f %% of those with %s (chi-square P = %.3g).",
		a.summary.Marked, a.summary.Images, share(1), a.unitName(), p.Outcome.High, share(0), p.Outcome.Low, float64(m.P))
}

// reproduce is the command that makes the run again.
func (a *assembly) reproduce() string {
	return fmt.Sprintf("sonotype run study.yaml --preset %s --set seed=%d --isa %s", a.run.Plan.Preset, a.run.Plan.Seed, a.features.ISA)
}

func (a *assembly) software() []report.Setting {
	return append([]report.Setting{
		{Name: "sonotype", Value: a.run.Version},
		{Name: "Go", Value: runtime.Version()},
		{Name: "instruction set", Value: a.features.ISA},
		{Name: "seed", Value: strconv.FormatUint(a.run.Plan.Seed, 10)},
		{Name: "weights", Value: a.features.Weights + ", sha256 " + a.features.WeightsHash},
		{Name: "data", Value: "sha256 " + a.summary.DataHash},
	}, a.networkSoftware()...)
}

// minEvents is the number of events below which a survival contrast cannot be trusted (ten a group, as a rule of thumb).
const minEvents = 20

// warnings says what undermines the headline, most serious first.
func (a *assembly) warnings(s *report.Study) []string {
	var out []string
	if s.Synthetic {
		out = append(out, "The cohort is synthetic: its images and its signal are computer-made, and the figures say nothing about patients.")
	}
	if a.run.Plan.Network.Weights == "random" && !a.run.Plan.trains() {
		out = append(out, "The network is untrained (random weights): the figures show what a run makes, not what a trained network reaches.")
	}
	out = append(out, a.trainingWarnings()...)
	out = append(out, sampleSizeWarning(s.SampleSize, s.Unit)...)
	for _, set := range s.Sets {
		perf := set.Results[s.Primary].Performance
		if few := min(perf.Positive, perf.N-perf.Positive); set.Centre == "" && set.Name != cohort.SetTrain && few < 100 {
			out = append(out, fmt.Sprintf("%s: %d %ss in the smaller class; external validation asks for at least 100.", set.Title, few, a.unitName()))
		}
	}
	for _, sv := range s.Survival {
		if sv.ByScore.N > 0 && sv.ByScore.Events < minEvents {
			out = append(out, fmt.Sprintf("%s: only %d events, so the survival contrast is uncertain.", sv.Title, sv.ByScore.Events))
		}
	}
	for _, f := range a.cohort.Findings {
		if f.Severity == cohort.SeverityWarning && f.Code == cohort.Metastatic {
			out = append(out, f.Message)
			break
		}
	}
	if m := a.evaluation.Marks; float64(m.P) < 0.05 {
		out = append(out, "Burnt-in marks go with the outcome: a model may read them instead of the tumour. "+a.marksInWords())
	}
	if drift := a.centreDrift(s); drift != "" {
		out = append(out, drift)
	}
	out = append(out, agreementWarnings(s)...)
	return out
}

// centreDrift compares the primary model's mean score in the external set with the internal one.
func (a *assembly) centreDrift(s *report.Study) string {
	mean := map[string]float64{}
	spread := 0.0
	for _, set := range s.Sets {
		d := set.Results[s.Primary].Distribution
		n0, n1 := float64(d.Classes[0].N), float64(d.Classes[1].N)
		mean[set.Name] = (n0*float64(d.Classes[0].Mean) + n1*float64(d.Classes[1].Mean)) / (n0 + n1)
		if set.Name == cohort.SetInternal {
			spread = math.Max(float64(d.Classes[0].SD), float64(d.Classes[1].SD))
		}
	}
	in, okIn := mean[cohort.SetInternal]
	ex, okEx := mean[cohort.SetExternal]
	if !okIn || !okEx || spread == 0 || math.Abs(in-ex) < spread/2 {
		return ""
	}
	return fmt.Sprintf("Scores drift between centres: mean %.2f in the internal and %.2f in the external test set.", in, ex)
}
