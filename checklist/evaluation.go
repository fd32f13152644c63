package checklist

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Answers on testing and performance.

const (
	setInternal = "internal"
	setExternal = "external"
)

func measures(f *Facts) Answer {
	if f.Primary == "" {
		return notDone("The run holds nothing on this.")
	}
	text := "AUC with ROC curve, sensitivity, specificity, predictive values, F1 and confusion matrices at the frozen threshold, Brier score, calibration and decision curves"
	if f.Trained {
		text += ", and the loss of training by epoch"
	}
	return shown(text+".", f.section("performance", "Performance"), f.section("learning", "Learning"), f.file("07-evaluate/performance.csv"))
}

func uncertainty(f *Facts) Answer {
	if f.Primary == "" {
		return notDone("The run holds nothing on this.")
	}
	text := "AUCs have DeLong's 95 % interval, proportions Wilson's; calibration has intervals."
	if f.Compared {
		text += " Models were compared by DeLong's paired test with Holm's correction."
	}
	return shown(text, f.section("performance", "Performance"), f.file("07-evaluate/performance.csv"))
}

func comparison(f *Facts) Answer {
	if !f.Compared {
		return notDone("Models were not tested against each other.")
	}
	return shown("The primary model was compared with the others by DeLong's paired test, P values corrected by Holm's method.", f.section("performance", "Performance"), f.file("07-evaluate/evaluation.json"))
}

func calibration(f *Facts) Answer {
	var parts []string
	for _, s := range f.Sets {
		if s.Calibration != "" {
			parts = append(parts, s.Title+": "+s.Calibration)
		}
	}
	if len(parts) == 0 {
		return notDone("Calibration could not be computed.")
	}
	return shown(strings.Join(parts, ". ")+".", f.section("performance", "Performance"), f.file("07-evaluate/evaluation.json"))
}

// performance gives the primary model's figures on every set.
func performance(f *Facts) Answer {
	var parts []string
	for _, s := range f.Sets {
		if s.AUC != "" {
			parts = append(parts, strings.Trim(s.Title+": AUC "+s.AUC+"; "+s.Operating, "; "))
		}
	}
	if len(parts) == 0 {
		return notDone("The run holds nothing on this.")
	}
	return shown("Primary model ("+f.Primary+"). "+strings.Join(parts, ". ")+".", f.section("performance", "Performance"), f.file("07-evaluate/performance.csv"))
}

// performanceInFull adds calibration.
func performanceInFull(f *Facts) Answer {
	a, c := performance(f), calibration(f)
	if a.Status == Answered && c.Status == Answered {
		a.Text += " Calibration: " + c.Text
	}
	return a
}

// bySubgroup is performance with the subgroups that TRIPOD+AI asks for.
func bySubgroup(f *Facts) Answer {
	a := performance(f)
	if a.Status != Answered {
		return a
	}
	if len(f.Subgroups) == 0 {
		a.Status, a.Add = Partly, "Figures for subgroups were not computed: name some under `subgroups` in the study file, or say why there are none."
		return a
	}
	a.Text += " By subgroup: " + strings.Join(f.Subgroups, ", ") + "."
	a.Links = append(a.Links, f.section("subgroups", "Subgroups")...)
	return a
}

func fairness(f *Facts) Answer {
	if len(f.Subgroups) == 0 {
		return notDone("Performance was not looked at by subgroup.")
	}
	return shown("Performance is given by "+strings.Join(f.Subgroups, ", ")+".", f.section("subgroups", "Subgroups"))
}

func oneImage(f *Facts) Answer {
	if f.Backbone == "" {
		return notDone("The run holds nothing on this.")
	}
	return shown("Each image is read on its own, of one kind; tumour and surroundings are evaluated apart and together.", f.section("performance", "Performance"), f.file("07-evaluate/performance.csv"))
}

func nonRadiomic(f *Facts) Answer {
	if !f.ClinicalCompared {
		return notDone("The model was not compared with a clinical one: name columns under `clinical` in the study file.")
	}
	return shown("Clinical, deep and combined models were compared on the same patients.", f.section("clinical", "Clinical models"))
}

func classical(f *Facts) Answer {
	if !f.Compared || !f.Simple {
		return notDone("The primary model was not tested against a simple one.")
	}
	return shown("Logistic regression stands among the compared models; paired tests are corrected by Holm's method.", f.section("performance", "Performance"), f.file("07-evaluate/evaluation.json"))
}

func tested(f *Facts, name, absent string) Answer {
	s, ok := f.set(name)
	if !ok {
		return notDone(absent)
	}
	text := fmt.Sprintf("%s, %d %s, read only after models and threshold were fixed: AUC %s.", plural(s.Patients, "patient"), s.Positive, f.Positive, cmp.Or(s.AUC, "not computable"))
	if f.LedgerReads > 0 {
		text += fmt.Sprintf(" The ledger lists each of the %s of test sets.", plural(f.LedgerReads, "reading"))
	}
	return shown(text,
		f.section("performance", "Performance"), f.section("ledger", "Ledger"), f.file("06-classify/scores.csv"), f.file("ledger.jsonl"))
}

func internalTest(f *Facts) Answer {
	a := tested(f, setInternal, "There is no internal test set.")
	if a.Status == Answered && f.ChosenOnTest {
		a.Text = strings.Replace(a.Text, "read only after models and threshold were fixed", "also used to pick the primary model, which makes its figures optimistic", 1)
	}
	return a
}

func externalTest(f *Facts) Answer { return tested(f, setExternal, "There is no external test set.") }

func testSets(f *Facts) Answer {
	in, ex := internalTest(f), externalTest(f)
	switch {
	case in.Status != Answered && ex.Status != Answered:
		return notDone("There is no test set.")
	case ex.Status != Answered:
		return shown("Internal test: "+in.Text+" "+ex.Text, in.Links)
	case in.Status != Answered:
		return shown("External test: "+ex.Text+" "+in.Text, ex.Links)
	}
	return shown("Internal test: "+in.Text+" External test: "+ex.Text, ex.Links)
}

func robustness(f *Facts) Answer {
	if len(f.Robustness) == 0 {
		return notDone("No robustness analysis was run (`sonotype robustness`).")
	}
	return shown("Analysed: "+strings.Join(f.Robustness, ", ")+".", f.section("robustness", "Robustness"), f.section("honesty", "Luck and leaks"), robustnessFiles(f, ""))
}

// robustnessFiles are those of the robustness folder whose name begins so.
func robustnessFiles(f *Facts, prefix string) []Link {
	var out []Link
	for _, path := range f.Files {
		if name, ok := strings.CutPrefix(path, "robustness/"); ok && strings.HasPrefix(name, prefix) && strings.HasSuffix(name, ".json") && !strings.Contains(name, "/") {
			out = append(out, Link{path, path})
		}
	}
	return out
}

func explainability(f *Facts) Answer {
	if !f.Maps {
		return notDone("No Grad-CAM maps: they need a trained network.")
	}
	return shown("Grad-CAM maps stand in the gallery, checked against maps of the same network with random weights. The weights of the kept features are given.", f.section("images", "Images"), f.section("features", "Features"))
}

func failures(f *Facts) Answer {
	if f.GalleryWrong == 0 {
		return notDone("No misclassified case is shown.")
	}
	return shown(fmt.Sprintf("The gallery shows %s with image, outline and score; confusion matrices count all.", plural(f.GalleryWrong, "misclassified case")), f.section("images", "Images"), f.section("performance", "Performance"))
}

func heterogeneity(f *Facts) Answer {
	switch {
	case f.ByCentre > 1:
		return shown(fmt.Sprintf("The %d external centres are reported one by one beside the pooled figure.", f.ByCentre), f.section("performance", "Performance"), f.file("07-evaluate/performance.csv"))
	case slices.Contains(f.Robustness, "leave one centre out"):
		return shown("Each centre was left out in turn.", f.section("robustness", "Robustness"), robustnessFiles(f, "centres"))
	case len(f.Sets) > 0 && len(f.Centres) > 1:
		return shown("Internal and external test sets are reported side by side.", f.section("performance", "Performance"))
	}
	return notDone("There is one centre only.")
}

func updating(f *Facts) Answer {
	if f.Primary == "" {
		return notDone("The run holds nothing on this.")
	}
	text := "No model was updated after it met a test set."
	if f.Recalibrated {
		text = "The primary model's scores are recalibrated on out-of-fold training scores before calibration and decision curves. " + text
	}
	return shown(text, f.section("methods", "Methods"), f.file("07-evaluate/evaluation.json"))
}

func output(f *Facts) Answer {
	if f.Threshold == "" {
		return notDone("The run holds nothing on this.")
	}
	return shown(fmt.Sprintf("A score between 0 and 1, the estimated probability of %s; two groups by a threshold: %s.", f.Positive, f.Threshold), f.section("methods", "Methods"), f.file("07-evaluate/evaluation.json"))
}

func predictions(f *Facts) Answer {
	if f.Primary == "" {
		return notDone("The run holds nothing on this.")
	}
	return shown("The frozen network, reduction and model were applied to each test image by the same code as in training; a "+f.Unit+"'s score is the mean over its images.", f.file("06-classify/scores.csv"), f.section("methods", "Methods"))
}

func modelFiles(f *Facts) Answer {
	if f.Primary == "" {
		return notDone("The run holds nothing on this.")
	}
	return shown("The run folder holds the frozen network, reduction and models.", f.file("03-finetune/ta.safetensors"), f.file("03-finetune/pta.safetensors"), f.file("03-finetune/shared.safetensors"), f.file("05-selection/kept.csv"), f.file("06-classify/stage.json"))
}

func code(f *Facts) Answer {
	if f.Version == "" {
		return notDone("The run holds nothing on this.")
	}
	return shown(fmt.Sprintf("Sonotype %s, Apache-2.0; the run is made again by `%s`.", f.Version, f.Command), f.section("methods", "Methods"), f.file("plan.json"))
}

func software(f *Facts) Answer {
	if f.Software == "" {
		return notDone("The run holds nothing on this.")
	}
	return shown(f.Software, f.section("methods", "Methods"))
}

func protocol(f *Facts) Answer {
	return shown("The resolved plan lists every setting; what differs from the preset and from the published method is listed in the report.", f.file("plan.json"), f.section("methods", "Methods"))
}

func settings(f *Facts) Answer {
	return shown("Every setting, defaults included, stands in plan.json.", f.file("plan.json"))
}

func warnings(f *Facts) Answer {
	if len(f.Warnings) == 0 {
		return notDone("The run found nothing that undermines its headline.")
	}
	return shown("The run warns: "+strings.Join(f.Warnings, " "), f.section("glance", "At a glance"))
}
