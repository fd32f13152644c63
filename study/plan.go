package study

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"sonotype/checklist"
	"sonotype/cohort"
	"sonotype/evaluate"
	"sonotype/finetune"
	"sonotype/imaging"
	"sonotype/internal/problem"
	"sonotype/internal/suggest"
)

// Plan is a study.yaml with every default written out; plan.json in the run is this struct.
// It names data by the paths written in study.yaml, never by a path of the machine.
type Plan struct {
	Title       string         `yaml:"title" json:"title"`
	Synthetic   bool           `yaml:"synthetic" json:"synthetic"` // computer-made data: the report says so
	Preset      string         `yaml:"preset" json:"preset"`
	Seed        uint64         `yaml:"seed" json:"seed"`
	Cohorts     []string       `yaml:"cohorts" json:"cohorts"`
	Development string         `yaml:"development" json:"development"`
	Outcome     OutcomePlan    `yaml:"outcome" json:"outcome"`
	Columns     cohort.Columns `yaml:"columns" json:"columns"`
	Readers     ReadersPlan    `yaml:"readers" json:"readers"`
	Split       SplitPlan      `yaml:"split" json:"split"`
	Image       ImagePlan      `yaml:"image" json:"image"`
	Region      RegionPlan     `yaml:"region" json:"region"`
	Network     NetworkPlan    `yaml:"network" json:"network"`
	Harmonise   string         `yaml:"harmonise" json:"harmonise"`       // none | combat
	HarmoniseBy string         `yaml:"harmonise_by" json:"harmonise_by"` // centre | device
	Selection   SelectionPlan  `yaml:"selection" json:"selection"`
	Classify    ClassifyPlan   `yaml:"classify" json:"classify"`
	Evaluate    EvaluatePlan   `yaml:"evaluate" json:"evaluate"`
	Survival    SurvivalPlan   `yaml:"survival" json:"survival"`
	Subgroups   SubgroupsPlan  `yaml:"subgroups" json:"subgroups"`
	Clinical    ClinicalPlan   `yaml:"clinical" json:"clinical"`
	SampleSize  SampleSizePlan `yaml:"sample_size" json:"sample_size"`
	Report      ReportPlan     `yaml:"report" json:"report"`
	Robustness  RobustnessPlan `yaml:"robustness" json:"robustness"`
	Bundle      BundlePlan     `yaml:"bundle" json:"bundle"`

	Answers checklist.Answers `yaml:"answers" json:"answers,omitempty"` // the authors' own, to items of the reporting checklists
}

// OutcomePlan says which column is predicted, what counts as positive, and how the report calls the classes.
type OutcomePlan struct {
	cohort.Outcome `yaml:",inline"`
	High           string `yaml:"high" json:"high"` // a positive, e.g. "Ki-67 high"
	Low            string `yaml:"low" json:"low"`
}

// ReadersPlan says whose outline is used where an image has several.
type ReadersPlan struct {
	Primary string  `yaml:"primary" json:"primary"` // "" = the majority mask
	ICC     float64 `yaml:"icc" json:"icc"`         // features whose ICC(2,1) between readers is below are dropped; 0 = none is
}

// SplitPlan divides the development centre by patient.
type SplitPlan struct {
	Train float64 `yaml:"train" json:"train"` // fraction of development patients that train
	Folds int     `yaml:"folds" json:"folds"` // out-of-fold scoring

	LeaveOut string `yaml:"leave_out" json:"leave_out,omitempty"` // a centre: all others are development
}

// ImagePlan standardises images.
type ImagePlan struct {
	Width         int                      `yaml:"width" json:"width"`
	Height        int                      `yaml:"height" json:"height"`
	Fit           string                   `yaml:"fit" json:"fit"`                     // stretch | pad
	Interpolation string                   `yaml:"interpolation" json:"interpolation"` // linear | cubic | area
	MeanFilter    int                      `yaml:"mean_filter" json:"mean_filter"`     // odd; 1 = none
	Crop          map[string]imaging.Edges `yaml:"crop" json:"crop,omitempty"`         // device -> edges cut off; "*" = any other device
}

// RegionPlan makes TA and PTA from the outline.
type RegionPlan struct {
	Growth  float64 `yaml:"growth" json:"growth"`
	Unit    string  `yaml:"unit" json:"unit"`       // px | mm
	PTA     string  `yaml:"pta" json:"pta"`         // ring | whole
	Context string  `yaml:"context" json:"context"` // masked | box
	Frame   int     `yaml:"frame" json:"frame"`     // px around the region's square
}

// NetworkPlan names the feature extractor.
type NetworkPlan struct {
	Backbone string `yaml:"backbone" json:"backbone"` // densenet169 | densenet121
	Weights  string `yaml:"weights" json:"weights"`   // random | a name in the weight store | a file
	Layer    string `yaml:"layer" json:"layer"`       // features | avgpool
	Input    int    `yaml:"input" json:"input"`       // side of the square input, px
	Batch    int    `yaml:"batch" json:"batch"`

	Train TrainPlan `yaml:"train" json:"train"` // fine-tuning, before features are taken
}

// SelectionPlan reduces the features.
type SelectionPlan struct {
	Components int     `yaml:"components" json:"components"`
	Spearman   float64 `yaml:"spearman" json:"spearman"`
	Lasso      string  `yaml:"lasso" json:"lasso"`   // gaussian | binomial
	Lambda     string  `yaml:"lambda" json:"lambda"` // min | 1se
	Folds      int     `yaml:"folds" json:"folds"`
}

// ClassifyPlan names the models and how the primary one is chosen.
type ClassifyPlan struct {
	Models  []string `yaml:"models" json:"models"`
	Primary string   `yaml:"primary" json:"primary"` // cv | best-on-internal | "<features>/<model>"
}

// EvaluatePlan sets the decision threshold.
type EvaluatePlan struct {
	Threshold string   `yaml:"threshold" json:"threshold"` // youden (on out-of-fold training scores) | a number
	Clinical  []string `yaml:"clinical" json:"clinical"`   // columns of Tables 1 and 2; empty = all clinical columns

	Bootstrap        int       `yaml:"bootstrap" json:"bootstrap"` // draws of patients
	Rates            []float64 `yaml:"rates" json:"rates"`         // specificities at which sensitivity is given, and the reverse
	HosmerLemeshow   bool      `yaml:"hosmer_lemeshow" json:"hosmer_lemeshow"`
	Reclassification bool      `yaml:"reclassification" json:"reclassification"` // IDI and NRI
}

// SurvivalPlan sets the cut of the Kaplan-Meier groups, and what else stage 08 computes.
type SurvivalPlan struct {
	Cut        string    `yaml:"cut" json:"cut"`               // train (mean out-of-fold training score) | set (mean of each set's scores)
	Times      []float64 `yaml:"times" json:"times"`           // months of the time-dependent AUC
	Horizon    float64   `yaml:"horizon" json:"horizon"`       // months, of restricted means and Uno's C; 0 = as long as both groups are followed
	Covariates []string  `yaml:"covariates" json:"covariates"` // clinical columns of the Cox models; empty = clinical.variables, else age
	Strata     string    `yaml:"strata" json:"strata"`         // centre | none | a clinical column
}

// ReportPlan sets what the report shows.
type ReportPlan struct {
	Gallery   int  `yaml:"gallery" json:"gallery"`     // cases in each part of the gallery
	Published bool `yaml:"published" json:"published"` // print the published Ki-67 study's figures beside
}

// Presets are the two ready-made plans: rigorous differs from paper only where the paper would mislead.
var presets = []string{"rigorous", "paper"}

// DefaultPlan returns the defaults of a preset.
func DefaultPlan(preset string) (Plan, error) {
	p := Plan{
		Preset:    preset,
		Seed:      1,
		Cohorts:   []string{"cohort.csv"},
		Outcome:   OutcomePlan{High: "positive", Low: "negative"},
		Split:     SplitPlan{Train: 0.7, Folds: 5},
		Image:     ImagePlan{Width: 960, Height: 720, Fit: "pad", Interpolation: "linear", MeanFilter: 3},
		Region:    RegionPlan{Growth: 10, Unit: "px", PTA: "ring", Context: "masked", Frame: 2},
		Network:   NetworkPlan{Backbone: "densenet169", Weights: "random", Layer: "features", Input: 224, Batch: 16},
		Selection: SelectionPlan{Components: 256, Spearman: 0.9, Lasso: "gaussian", Lambda: "min", Folds: 10},
		Classify:  ClassifyPlan{Models: []string{"lr", "svm", "knn", "rf", "lightgbm", "adaboost"}, Primary: "cv"},
		Evaluate:  EvaluatePlan{Threshold: "youden", Bootstrap: evaluate.DefaultDraws, Rates: evaluate.DefaultLevels()},
		Survival:  SurvivalPlan{Cut: "train", Times: []float64{12, 36, 60}, Strata: "centre"},
		Clinical:  defaultClinical(),
		Report:    ReportPlan{Gallery: 6, Published: true},

		Robustness: defaultRobustness(),
	}
	p.SampleSize = defaultSampleSize()
	p.Bundle = defaultBundle()
	p.Subgroups = defaultSubgroups()
	p.Harmonise, p.HarmoniseBy = harmoniseNone, batchCentre
	switch preset {
	case "rigorous":
		p.Network.Train = TrainPlan{Config: finetune.Rigorous(), Heldout: 1.0 / 3, FitOn: fitOnHeldout}
	case "paper":
		p.Network.Train = TrainPlan{Config: finetune.Paper(), Heldout: 1.0 / 3, FitOn: fitOnAll}
		p.Image.Fit = "stretch"
		p.Classify.Primary = "best-on-internal"
		p.Evaluate.Threshold = "0.5"
		p.Survival.Cut = "set"
	default:
		return Plan{}, &problem.Error{What: "unknown preset", Expected: strings.Join(presets, " or "), Found: preset, Try: "set `preset: rigorous`"}
	}
	return p, nil
}

// LoadPlan reads study.yaml, lays it over its preset's defaults and then applies the overrides ("key.sub=value").
// preset, when not empty, wins over the file's.
func LoadPlan(path, preset string, overrides []string) (Plan, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Plan{}, &problem.Error{What: "cannot read the study file", File: path, Err: err, Try: "give the path of a study.yaml; `sonotype synth` and `sonotype import` write one"}
	}
	if preset == "" {
		var head struct {
			Preset string `yaml:"preset"`
		}
		// A broken file is reported by the strict read below, which shows the line.
		_ = yaml.Unmarshal(b, &head)
		if preset = head.Preset; preset == "" {
			preset = presets[0]
		}
	}
	p, err := DefaultPlan(preset)
	if err != nil {
		return Plan{}, withFile(err, path)
	}
	if err := yaml.UnmarshalWithOptions(b, &p, yaml.Strict()); err != nil {
		return Plan{}, yamlProblem(path, err)
	}
	p.Preset = preset
	for _, o := range overrides {
		if err := override(&p, o); err != nil {
			return Plan{}, err
		}
	}
	p.followCrossfit()
	return p, p.validate(path)
}

// override applies one "a.b=value", read as YAML, to the plan.
func override(p *Plan, o string) error {
	key, value, ok := strings.Cut(o, "=")
	if !ok || key == "" {
		return &problem.Error{What: "cannot read --set", Expected: "key=value, e.g. network.weights=random", Found: o}
	}
	doc := value + "\n"
	parts := strings.Split(key, ".")
	for i := len(parts) - 1; i >= 0; i-- {
		doc = parts[i] + ": " + doc
		if i > 0 {
			doc = "{" + strings.TrimSpace(doc) + "}\n"
		}
	}
	if err := yaml.UnmarshalWithOptions([]byte(doc), p, yaml.Strict()); err != nil {
		return yamlProblem("--set "+o, err)
	}
	return nil
}

var unknownKey = regexp.MustCompile(`unknown field "([^"]+)"`)

// yamlProblem keeps goccy's message, which shows the line, and adds the nearest valid key to an unknown one.
func yamlProblem(file string, err error) error {
	e := &problem.Error{What: "the study file is not valid", File: file, Found: strings.TrimSpace(yaml.FormatError(err, false, true)), Try: "compare with docs/study-yaml.md"}
	if m := unknownKey.FindStringSubmatch(err.Error()); m != nil {
		if near := suggest.Close(m[1], planKeys()); near != "" {
			e.Try = fmt.Sprintf("did you mean %q? docs/study-yaml.md lists all keys", near)
		}
	}
	return e
}

// validate checks what the types cannot.
func (p *Plan) validate(file string) error {
	bad := func(key, want string, got any) error {
		return &problem.Error{What: "the study's " + key + " is not valid", File: file, Expected: want, Found: fmt.Sprint(got)}
	}
	oneOf := func(key, got string, want ...string) error {
		if slices.Contains(want, got) {
			return nil
		}
		return bad(key, strings.Join(want, ", "), got)
	}
	in := func(key string, got, lo, hi float64) error {
		if got >= lo && got <= hi {
			return nil
		}
		return bad(key, fmt.Sprintf("between %g and %g", lo, hi), got)
	}
	checks := []error{
		oneOf("image.fit", p.Image.Fit, "stretch", "pad"),
		oneOf("image.interpolation", p.Image.Interpolation, "linear", "cubic", "area"),
		in("image.width", float64(p.Image.Width), 64, 8192),
		in("image.height", float64(p.Image.Height), 64, 8192),
		in("image.mean_filter", float64(p.Image.MeanFilter), 1, 31),
		oneOf("region.unit", p.Region.Unit, "px", "mm"),
		oneOf("region.pta", p.Region.PTA, "ring", "whole"),
		oneOf("region.context", p.Region.Context, "masked", "box"),
		in("region.growth", p.Region.Growth, 0.1, 200),
		in("region.frame", float64(p.Region.Frame), 0, 64),
		oneOf("network.backbone", p.Network.Backbone, backbones()...),
		oneOf("network.layer", p.Network.Layer, "features", "avgpool"),
		in("network.input", float64(p.Network.Input), 32, 512),
		in("network.batch", float64(p.Network.Batch), 1, 256),
		in("split.train", p.Split.Train, 0.2, 0.95),
		in("split.folds", float64(p.Split.Folds), 2, 20),
		in("selection.components", float64(p.Selection.Components), 1, 4096),
		in("selection.spearman", p.Selection.Spearman, 0.1, 1),
		in("selection.folds", float64(p.Selection.Folds), 2, 20),
		oneOf("selection.lasso", p.Selection.Lasso, "gaussian", "binomial"),
		oneOf("selection.lambda", p.Selection.Lambda, "min", "1se"),
		oneOf("survival.cut", p.Survival.Cut, "train", "set"),
		oneOf("harmonise", p.Harmonise, harmoniseNone, harmoniseCombat),
		oneOf("harmonise_by", p.HarmoniseBy, batchCentre, batchDevice),
		in("readers.icc", p.Readers.ICC, 0, 1),
		p.Survival.validate(bad),
		withFile(p.Network.Train.validate(bad), file),
		withFile(p.Clinical.validate(bad), file),
		p.validateModels(bad),
		withFile(p.Outcome.Validate(), file),
		p.validateThreshold(bad),
		in("evaluate.bootstrap", float64(p.Evaluate.Bootstrap), 200, 100_000),
		p.validateRates(bad),
		p.Robustness.validate(bad),
		p.SampleSize.validate(bad),
		withFile(p.Answers.Check(), file),
		p.Subgroups.validate(bad),
		p.Bundle.validate(bad),
	}
	if p.Image.MeanFilter%2 == 0 {
		checks = append(checks, bad("image.mean_filter", "an odd number", p.Image.MeanFilter))
	}
	if p.Network.Input%32 != 0 {
		checks = append(checks, bad("network.input", "a multiple of 32", p.Network.Input))
	}
	if len(p.Cohorts) == 0 {
		checks = append(checks, bad("cohorts", "at least one table", "none"))
	}
	for _, err := range checks {
		if err != nil {
			return err
		}
	}
	return nil
}

func withFile(err error, file string) error {
	if err == nil {
		return nil
	}
	if e, ok := problem.As(err); ok && e.File == "" {
		e.File = file
	}
	return err
}

// tablePath resolves a table of the plan against the folder of study.yaml.
func tablePath(dir, table string) string {
	if filepath.IsAbs(table) {
		return table
	}
	return filepath.Join(dir, table)
}
