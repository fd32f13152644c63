package checklist

import "strings"

const metricsKey = "metrics"

// Vote is a METRICS answer; empty: nobody has answered yet.
type Vote string

const (
	Yes  Vote = "yes"
	No   Vote = "no"
	None Vote = "n/a"
)

// conditional are the items that a condition of METRICS can take out of a study of this program; n/a to another item
// would raise the score.
var conditional = []string{"9", "12", "17"}

// vote reads the vote that an answer begins with.
func vote(words string) (Vote, bool) {
	w := strings.ToLower(strings.TrimSpace(words))
	for _, v := range []Vote{Yes, None, No} {
		if rest, ok := strings.CutPrefix(w, string(v)); ok && (rest == "" || strings.ContainsAny(rest[:1], " ,.;:-(\n")) {
			return v, true
		}
	}
	return "", false
}

// Score is the METRICS score: the weights of the items answered yes over those of all items that apply, in percent.
// Items that the authors have yet to answer count as no in Lowest and as yes in Highest.
type Score struct {
	Lowest  float64 `json:"lowest"`
	Highest float64 `json:"highest"`
	Yes     int     `json:"yes"`
	No      int     `json:"no"`
	Open    int     `json:"open"`           // not yet answered
	Apart   int     `json:"not_applicable"` // taken out by a condition
}

// metricsWeights are those of Kocak et al 2024, Table 1. They add up to 1. How each was verified: docs/checklists.md.
var metricsWeights = map[string]float64{
	"1": 0.0368, "2": 0.0735, "3": 0.0919, "4": 0.0438, "5": 0.0292, "6": 0.0438, "7": 0.0292, "8": 0.0337, "9": 0.0225, "10": 0.0112,
	"11": 0.0622, "12": 0.0311, "13": 0.0415, "14": 0.0200, "15": 0.0200, "16": 0.0300, "17": 0.0200, "18": 0.0599, "19": 0.0300, "20": 0.0352,
	"21": 0.0234, "22": 0.0176, "23": 0.0117, "24": 0.0293, "25": 0.0176, "26": 0.0375, "27": 0.0749, "28": 0.0075, "29": 0.0075, "30": 0.0075,
}

func score(items []FilledItem) Score {
	var s Score
	var yes, open, all float64
	for _, it := range items {
		w := metricsWeights[it.ID]
		switch it.Score {
		case Yes:
			s.Yes++
			yes += w
		case No:
			s.No++
		case None:
			s.Apart++
			continue
		default:
			s.Open++
			open += w
		}
		all += w
	}
	if all > 0 {
		s.Lowest, s.Highest = 100*yes/all, 100*(yes+open)/all
	}
	return s
}

// ballot turns an answer into a vote: yes where the run answers, no where it was not done, and none where only the authors know.
func ballot(f func(*Facts) Answer) func(*Facts) Answer {
	return func(facts *Facts) Answer {
		a := f(facts)
		switch a.Status {
		case Answered:
			a.Score = Yes
		case NotDone:
			a.Score = No
		case NotApplicable:
			a.Score = None
		}
		return a
	}
}

func metricsList() Checklist {
	items := []Item{
		{"1", "Study design", "A reporting guideline or checklist was followed", guideline},
		{"2", "Study design", "Stated inclusion and exclusion criteria give a representative sample", withEvidence(eligibility, "Say why the sample is representative of the patients whom the model is for.")},
		{"3", "Study design", "The reference standard is clinically sound and clearly defined", withEvidence(outcome, "Say how the outcome was determined and that this is current practice.")},
		{"4", "Imaging data", "Images come from more than one institution", multiCentre},
		{"5", "Imaging data", "The imaging technique follows an established standard", authors("Say which acquisition standard the examinations follow.")},
		{"6", "Imaging data", "The acquisition protocol is given, with parameters", withEvidence(acquisition, "Give probes, frequencies, presets and who scanned.")},
		{"7", "Imaging data", "The interval between imaging and reference standard is appropriate", authors("Give the time between imaging and reference standard.")},
		{"8", "Segmentation", "The way of outlining is described", withEvidence(segmentation, "Give the readers' experience, the software, and the rules they drew by.")},
		{"9", "Segmentation", "Fully automatic outlining was formally evaluated (only if it was used)", authors("n/a if outlines were drawn or corrected by people, as this program assumes; else say how they were evaluated.")},
		{"10", "Segmentation", "Outlines of the test set come from one reader or one automatic tool", singleReader},
		{"11", "Image processing", "Pre-processing is appropriate and described", preprocessing},
		{"12", "Image processing", "Standardised software extracted hand-crafted features (only if there are any)", notApplicable("No hand-crafted features: all come from a network.")},
		{"13", "Image processing", "Settings of feature extraction are reported", extraction},
		{"14", "Feature processing", "Features that are not robust were removed", robustFilter},
		{"15", "Feature processing", "Redundant features were removed", selection},
		{"16", "Feature processing", "The number of features suits the number of patients", dimensionality},
		{"17", "Feature processing", "Robustness of the end-to-end network was assessed (only for such)", notApplicable("Not end-to-end: deep features enter separate models.")},
		{"18", "Preparation for modelling", "The data were split properly before anything was fitted", partitioning},
		{"19", "Preparation for modelling", "Confounding was looked for and met", withEvidence(confounders, "Judge whether these could confound, and what was done.")},
		{"20", "Metrics and comparison", "Suitable measures of performance are given", measures},
		{"21", "Metrics and comparison", "Uncertainty is given", uncertainty},
		{"22", "Metrics and comparison", "Calibration was assessed", calibration},
		{"23", "Metrics and comparison", "One kind of image was used, or several were shown to be needed", oneImage},
		{"24", "Metrics and comparison", "The model was compared with a method without radiomics, or has proven added value", nonRadiomic},
		{"25", "Metrics and comparison", "The model was compared with a simple or classical one", classical},
		{"26", "Testing", "The model was tested on independent data of the same source", internalTest},
		{"27", "Testing", "The model was tested on data of other institutions", externalTest},
		{"28", "Open science", "Data are available", authors("Say which data are shared and where.")},
		{"29", "Open science", "Code is available", withEvidence(code, "Say where the study file, and this program's version, can be had.")},
		{"30", "Open science", "The model is available", withEvidence(modelFiles, "Say where the model can be had and how it is used.")},
	}
	for i := range items {
		items[i].answer = ballot(items[i].answer)
	}
	return Checklist{
		Key: metricsKey, Name: "METRICS",
		Source:  "Kocak B et al. METhodological RadiomICs Score (METRICS). Insights Imaging 2024;15:8. doi:10.1186/s13244-023-01572-w",
		Licence: "CC BY 4.0; items paraphrased",
		Items:   items,
	}
}
