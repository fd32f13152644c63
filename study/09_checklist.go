package study

import (
	"cmp"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"sonotype/checklist"
	"sonotype/cohort"
	"sonotype/describe"
	"sonotype/report"
)

// checklistsOf answers the reporting checklists from what the run has written.
func (a *assembly) checklistsOf(s *report.Study) (report.Checklists, error) {
	files, err := runFiles(a.run.RunDir)
	if err != nil {
		return nil, err
	}
	p := &a.run.Plan
	f := &checklist.Facts{
		Files: files, Sections: sectionsOf(s), Outcome: s.Outcome, Positive: s.Positive, Unit: s.Unit, Version: s.Version, Command: s.Reproduce,
		Seed: p.Seed, TrainShare: p.Split.Train, Folds: a.splits.Folds, OwnSplit: a.splits.Source == "column", Committed: s.Commitment != nil,
		Primary: a.primaryInWords(s), PrimaryWhy: s.PrimaryWhy, ChosenOnTest: p.Classify.Primary == "best-on-internal", Threshold: s.Threshold,
		Compared: len(s.Comparisons) > 0, Simple: s.Primary.Model == "lr" || slices.Contains(s.Models, "lr"),
		Warnings: s.Warnings, Maps: len(s.Images.Maps) > 0, Marks: a.marksInWords(), LedgerReads: len(s.Ledger),
	}
	f.ClinicalCompared = clinicalCompared(s.Clinical)
	evidenceDone(f, s)
	for _, m := range s.Models {
		f.Models = append(f.Models, report.ModelName(m))
	}
	for _, v := range s.Software {
		f.Software = strings.TrimPrefix(f.Software+"; "+v.Name+" "+v.Value, "; ")
	}
	_, f.Recalibrated = a.evaluation.Recal[s.Primary]
	a.patientFacts(f, s)
	a.readerFacts(f, s)
	a.modelFacts(f)
	sizeFacts(f, s.SampleSize)
	return report.Checklists(checklist.Fill(f, p.Answers)), nil
}

// runFiles lists the files of the stages before the report. Its own folder and the bundle's are not among them, since they
// do not exist yet; nor is what was computed after the line, which may be out of date: evidenceDone knows.
func runFiles(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		switch {
		case d.IsDir() && (rel == "09-report" || rel == "10-bundle" || rel == checkpointDir || rel == robustnessDir):
			return filepath.SkipDir
		case !d.IsDir() && !strings.HasPrefix(d.Name(), "."):
			files = append(files, rel)
		}
		return nil
	})
	return files, err
}

// sectionsOf are the ids of the report's sections that this study has.
func sectionsOf(s *report.Study) []string {
	out := []string{"glance", "patients", "images", "features", "performance", "survival", "checklists", "methods"}
	for id, has := range map[string]bool{
		"learning": len(s.Learning) > 0, "sample-size": s.SampleSize != nil, "comparisons": len(s.Comparisons) > 0,
		"subgroups": len(subgroupNames(s)) > 0, "ledger": len(s.Ledger) > 0, "honesty": s.Nested != nil || s.Permuted != nil || s.Leaky != nil,
		"robustness": varied(s.Robustness), "clinical": clinicalCompared(s.Clinical), "readers": s.Readers != nil,
	} {
		if has {
			out = append(out, id)
		}
	}
	return out
}

// evidenceDone names the analyses beyond the line that belong to this run, with their files.
func evidenceDone(f *checklist.Facts, s *report.Study) {
	add := func(has bool, file, name string) {
		if has {
			f.Robustness = append(f.Robustness, name)
			f.Files = append(f.Files, robustnessDir+"/"+file+".json")
		}
	}
	if r := s.Robustness; r != nil {
		add(r.Widths != nil, "widths", "width of the peritumoural area")
		add(r.Outlines != nil, "outlines", "changed outlines")
		add(r.Cutoffs != nil, "cutoffs", "cut-off of the outcome")
		add(r.Centres != nil, "centres", "leave one centre out")
	}
	add(s.Nested != nil, nestedName, "repeated nested cross-validation")
	add(s.Permuted != nil, permutedName, "permuted labels")
	add(s.Leaky != nil, leakyName, "the classical leaks beside the honest figures")
}

// clinicalCompared says whether the deep score was set against clinical variables on a test set, with a test.
func clinicalCompared(c *report.Clinical) bool {
	return c != nil && slices.ContainsFunc(c.Sets, func(s report.ClinicalSet) bool { return len(s.Comparisons) > 0 })
}

// varied says whether any of the study's decisions was varied.
func varied(r *report.Robustness) bool {
	return r != nil && (r.Widths != nil || r.Outlines != nil || r.Cutoffs != nil || r.Centres != nil)
}

func subgroupNames(s *report.Study) []string {
	var out []string
	for _, set := range s.Subgroups.Sets {
		for _, v := range set.Variables {
			if !slices.Contains(out, v.Variable) {
				out = append(out, v.Variable)
			}
		}
	}
	return out
}

func (a *assembly) primaryInWords(s *report.Study) string {
	return fmt.Sprintf("%s on %s features", report.ModelName(s.Primary.Model), strings.ToUpper(s.Primary.Features))
}

// patientFacts are the flow, the sets and what is missing.
func (a *assembly) patientFacts(f *checklist.Facts, s *report.Study) {
	flow := a.cohort.Flow(a.splits)
	f.Tables, f.RowsRead, f.PatientsRead, f.PatientsAnalysed = len(flow.Sources), flow.Read.Rows, flow.Read.Patients, flow.Analysed.Patients
	for _, e := range flow.Excluded {
		f.Exclusions = append(f.Exclusions, checklist.Count{Name: e.Reason, N: e.Patients})
	}
	for _, im := range a.images {
		if !slices.Contains(f.Centres, im.Centre) {
			f.Centres = append(f.Centres, im.Centre)
		}
		if im.Device != "" && !slices.Contains(f.Devices, im.Device) {
			f.Devices = append(f.Devices, im.Device)
		}
	}
	slices.Sort(f.Centres)
	slices.Sort(f.Devices)
	for _, set := range s.Sets {
		if set.Centre != "" {
			f.ByCentre++
			continue
		}
		fact := checklist.Set{Name: set.Name, Title: set.Title}
		for _, n := range s.Flow.Sets {
			if n.Name == set.Name {
				fact.Patients, fact.Images, fact.Positive = n.Patients, n.Images, n.Positive
			}
		}
		setFigures(&fact, set.Results[s.Primary])
		f.Sets = append(f.Sets, fact)
	}
	for _, part := range s.Images.Parts {
		if part.Title == wrongCases {
			f.GalleryWrong = len(part.Cases)
		}
	}
	f.Subgroups = subgroupNames(s)
	f.Missing = missingValues(s.Table1)
	f.MissingRule = "Patients without image, outline or outcome are left out with the reason; the deep model needs nothing else. Each row of the tables uses the patients with a value."
	if a.run.Plan.Clinical.Missing == missingImpute {
		f.MissingRule += " In clinical models missing values are imputed by chained equations, fitted on training patients."
	} else {
		f.MissingRule += " Clinical models and Cox regression use complete cases."
	}
}

// setFigures puts the primary model's figures on a set into words; what could not be computed is left out.
func setFigures(fact *checklist.Set, r report.Result) {
	p, c := r.Performance, r.Calibration
	if !p.AUC.IsNaN() {
		fact.AUC = fmt.Sprintf("%.3f (95 %% CI %.3f to %.3f)", p.AUC, p.AUCLo, p.AUCHi)
	}
	if !p.Sensitivity.IsNaN() && !p.Specificity.IsNaN() {
		fact.Operating = fmt.Sprintf("sensitivity %.3f (%.3f to %.3f), specificity %.3f (%.3f to %.3f) at the frozen threshold",
			p.Sensitivity, p.SensitivityLo, p.SensitivityHi, p.Specificity, p.SpecificityLo, p.SpecificityHi)
	}
	if slope := c.Slope.Value; !slope.IsNaN() && c.N > 0 {
		fact.Calibration = fmt.Sprintf("slope %.2f, observed:expected %.2f, integrated calibration index %.3f", slope, c.ObservedExpect.Value, c.ICI)
	}
}

// missingValues counts the units without a value in the variables of Table 1.
func missingValues(t *describe.Result) []checklist.Count {
	if t == nil {
		return nil
	}
	var out []checklist.Count
	for _, v := range t.Variables {
		n := 0
		for _, m := range v.Missing {
			n += m
		}
		if n > 0 {
			out = append(out, checklist.Count{Name: v.Name, N: n})
		}
	}
	return out
}

// readerFacts say whose outlines were used.
func (a *assembly) readerFacts(f *checklist.Facts, s *report.Study) {
	primary := a.run.Plan.Readers.Primary
	names, test := map[string]bool{}, map[string]bool{}
	for i, im := range a.cohort.Images {
		f.SeveralReader = f.SeveralReader || len(im.Masks) > 1
		for _, m := range im.Masks {
			names[m.Reader] = true
		}
		if set, ok := a.splits.Of(a.cohort.Images[i].Patient); ok && set.Set != cohort.SetTrain {
			used := im.Readings(primary)
			test[used[0].Reader] = true
			if len(used) > 1 {
				test[""] = true // a majority is nobody's outline
			}
		}
	}
	f.SingleReader = len(test) == 1 && !test[""]
	switch {
	case names[""]:
	case primary != "":
		f.Outlines = fmt.Sprintf("%d readers; the outlines of %s are used, and the majority where there is none.", len(names), primary)
	case f.SeveralReader:
		f.Outlines = fmt.Sprintf("%d readers; where an image has several outlines their majority is used.", len(names))
	default:
		f.Outlines = fmt.Sprintf("%d readers, one outline an image.", len(names))
	}
	if r := s.Readers; r != nil {
		f.Agreement = true
		if r.Bound > 0 {
			f.RobustFilter = fmt.Sprintf("Deep features with an intraclass correlation between readers below %g, on training patients, were dropped.", r.Bound)
		}
	}
}

// modelFacts describe images, features and models in sentences.
func (a *assembly) modelFacts(f *checklist.Facts) {
	p := &a.run.Plan
	f.Size = fmt.Sprintf("%d x %d pixels (fit: %s) by %s interpolation, regions to %d x %d", p.Image.Width, p.Image.Height, p.Image.Fit, p.Image.Interpolation, p.Network.Input, p.Network.Input)
	f.Preprocessing = "Images are brought to " + f.Size
	if p.Image.MeanFilter > 1 {
		f.Preprocessing += fmt.Sprintf(", after a %d x %d mean filter", p.Image.MeanFilter, p.Image.MeanFilter)
	}
	f.Preprocessing += "."
	around := "the area that it gains"
	if p.Region.PTA != "ring" {
		around = "the grown outline whole"
	}
	f.Region = fmt.Sprintf("Outlines drawn beforehand in two dimensions give the tumour area (TA); grown by %g %s, the peritumoural area (PTA): %s (context: %s).", p.Region.Growth, p.Region.Unit, around, p.Region.Context)
	f.Backbone, f.Layer, f.FeatureWidth = a.features.Backbone, layerInWords(a.features.Layer), a.features.Width
	f.Weights = fmt.Sprintf("weights %q", cmp.Or(p.Network.Weights, a.features.Weights))
	f.Trained, f.Training = p.trains(), strings.Join(a.trainingInWords(), " ")
	if p.trains() && p.Network.Train.ClassWeights == "balanced" {
		f.Balanced = "In the network's loss both classes weigh the same."
	}
	if p.harmonises() {
		f.Harmonised = fmt.Sprintf("Features were harmonised by %s with ComBat, fitted on training patients without their outcome.", p.HarmoniseBy)
	}
	sel := a.selection[a.evaluation.Primary.Features]
	f.Selection = fmt.Sprintf("%d values an image, %d principal components, %d after Spearman's filter (|rho| > %g), %d kept by LASSO (%s, lambda.%s); learnt from the %s.",
		sel.Inputs, sel.PCA, sel.AfterSpearman, p.Selection.Spearman, sel.Kept, p.Selection.Lasso, p.Selection.Lambda, learnersInWords(p))
}

// sizeFacts put the sample size into a sentence.
func sizeFacts(f *checklist.Facts, s *report.SampleSize) {
	if s == nil || s.After.Development == nil {
		return
	}
	d := s.After.Development
	f.SampleAssessed, f.SampleEnough = true, d.Enough()
	f.SampleSize = fmt.Sprintf("Riley's criteria, with what the run has shown: %d %ss learnt from (%d positive) for %d candidate features; %d would be needed, and those at hand allow %d.",
		d.Patients, f.Unit, d.Positive, d.Parameters, d.N, d.Affordable)
	for _, v := range s.After.Validation {
		f.SampleSize += fmt.Sprintf(" %s test: %d, needed %d.", strings.ToUpper(v.Set[:1])+v.Set[1:], v.Patients, v.N)
	}
}

// sampleSizeWarning says when too few patients are learnt from.
func sampleSizeWarning(s *report.SampleSize, unit string) []string {
	if s == nil || s.After.Development == nil || s.After.Development.Enough() {
		return nil
	}
	d := s.After.Development
	return []string{fmt.Sprintf("By Riley's criteria %d %ss to learn from are too few for %d candidate features at an AUC of %.2f: %d would be needed (section Sample size). Only the figures of %ss that nothing was fitted on can be trusted.",
		d.Patients, unit, d.Parameters, d.AUC, d.N, unit)}
}

// checklistOf is one checklist in results.json: how many items have which status, and the score where there is one.
type checklistOf struct {
	Counts map[checklist.Status]int `json:"counts"`
	Score  *checklist.Score         `json:"score,omitempty"`
}

func checklistCounts(list report.Checklists) map[string]checklistOf {
	out := map[string]checklistOf{}
	for _, c := range list {
		out[c.Key] = checklistOf{c.Counts, c.Score}
	}
	return out
}
