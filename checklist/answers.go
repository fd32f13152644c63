package checklist

import (
	"fmt"
	"slices"
	"strings"
)

// An answer is given only where an artefact bears it: shown drops links to what the run lacks, and without any link left
// nothing is claimed.

// shown is what the run answers.
func shown(text string, links ...[]Link) Answer {
	all := slices.Concat(links...)
	if len(all) == 0 {
		return Answer{Status: NotDone, Text: "The run holds nothing on this."}
	}
	return Answer{Status: Answered, Text: text, Links: all}
}

func notDone(text string) Answer { return Answer{Status: NotDone, Text: text} }

// authors is an item that no run can answer; add says what belongs there.
func authors(add string) func(*Facts) Answer {
	return func(*Facts) Answer { return Answer{Status: Authors, Add: add} }
}

func notApplicable(why string) func(*Facts) Answer {
	return func(*Facts) Answer { return Answer{Status: NotApplicable, Text: why} }
}

// partly is an item that the run answers in part: the authors must add the rest. What the run lacks is wholly the authors'.
func partly(f func(*Facts) Answer, add string) func(*Facts) Answer {
	return func(facts *Facts) Answer {
		a := f(facts)
		if a.Status != Answered {
			return Answer{Status: Authors, Add: add}
		}
		a.Status, a.Add = Partly, add
		return a
	}
}

// withEvidence is an item that the authors must judge, with what the run knows of it beside.
func withEvidence(f func(*Facts) Answer, add string) func(*Facts) Answer {
	return func(facts *Facts) Answer {
		a := f(facts)
		if a.Status != Answered {
			return Answer{Status: Authors, Add: add}
		}
		a.Status, a.Add = Authors, add
		return a
	}
}

func plural(n int, what string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, what)
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Study design and patients.

func guideline(f *Facts) Answer {
	return withEvidence(func(f *Facts) Answer {
		return shown("This report answers what a run can answer of TRIPOD+AI, CLAIM, CLEAR and METRICS.", f.section("checklists", "Checklists"))
	}, "Say which checklist the paper follows, complete the authors' items and submit it with the paper.")(f)
}

func eligibility(f *Facts) Answer {
	if f.PatientsRead == 0 {
		return notDone("The run holds nothing on this.")
	}
	reasons := make([]string, len(f.Exclusions))
	for i, e := range f.Exclusions {
		reasons[i] = fmt.Sprintf("%s (%d)", e.Name, e.N)
	}
	text := fmt.Sprintf("Of %s in the tables %d are analysed.", plural(f.PatientsRead, "patient"), f.PatientsAnalysed)
	if len(reasons) > 0 {
		text += " Left out by the program: " + strings.Join(reasons, "; ") + "."
	}
	return shown(text, f.section("patients", "Patients"), f.file("01-cohort/flow.json"), f.file("01-cohort/findings.csv"))
}

func flow(f *Facts) Answer {
	a := eligibility(f)
	if a.Status == Answered && len(f.Sets) > 0 {
		a.Text += " " + setsInWords(f)
	}
	return a
}

func setsInWords(f *Facts) string {
	var parts []string
	for _, s := range f.Sets {
		parts = append(parts, fmt.Sprintf("%s: %s, %s, %d %s", s.Title, plural(s.Patients, "patient"), plural(s.Images, "image"), s.Positive, f.Positive))
	}
	return strings.Join(parts, ". ") + "."
}

func perAnalysis(f *Facts) Answer {
	if len(f.Sets) == 0 {
		return notDone("The run holds nothing on this.")
	}
	return shown(setsInWords(f), f.section("patients", "Patients"), f.section("performance", "Performance"), f.file("01-cohort/splits.csv"))
}

func baseline(f *Facts) Answer {
	return shown("Table 1 (by outcome) and Table 2 (by set) give the characteristics, the number missing, tests and standardised differences.",
		f.file("07-evaluate/evaluation.json"), f.section("patients", "Tables 1 and 2"))
}

func betweenSets(f *Facts) Answer {
	if len(f.Sets) < 2 {
		return notDone("There is one set only.")
	}
	return shown("Table 2 compares the sets: characteristics, outcome, tests and standardised differences.", f.section("patients", "Table 2"), f.file("07-evaluate/evaluation.json"))
}

func centres(f *Facts) Answer {
	if len(f.Centres) == 0 {
		return notDone("The run holds nothing on this.")
	}
	return shown(fmt.Sprintf("%s: %s. %s of %s.", plural(len(f.Centres), "centre"), strings.Join(f.Centres, ", "), plural(f.Tables, "table"), plural(f.RowsRead, "row")),
		f.section("patients", "Patients"), f.file("01-cohort/flow.json"))
}

func multiCentre(f *Facts) Answer {
	if len(f.Centres) < 2 {
		return notDone("All images come from one centre.")
	}
	return centres(f)
}

func outcome(f *Facts) Answer {
	if f.Outcome == "" {
		return notDone("The run holds nothing on this.")
	}
	return shown(fmt.Sprintf("%s means %s, read from the table.", f.Positive, f.Outcome), f.section("methods", "Methods"), f.file("plan.json"))
}

func missing(f *Facts) Answer {
	if f.MissingRule == "" {
		return notDone("The run holds nothing on this.")
	}
	parts := make([]string, len(f.Missing))
	for i, m := range f.Missing {
		parts[i] = fmt.Sprintf("%s %d", m.Name, m.N)
	}
	text := "No value of the clinical columns is missing. "
	if len(parts) > 0 {
		text = "Missing values: " + strings.Join(parts, ", ") + ". "
	}
	return shown(text+f.MissingRule, f.section("patients", "Tables 1 and 2"), f.file("01-cohort/findings.csv"))
}

// Images and outlines.

func acquisition(f *Facts) Answer {
	if len(f.Devices) == 0 {
		return notDone("The table names no devices.")
	}
	return shown(fmt.Sprintf("%s: %s. Image sizes stand in the report.", plural(len(f.Devices), "device"), strings.Join(f.Devices, ", ")), f.section("images", "Images"), f.file("02-roi/images.csv"))
}

func preprocessing(f *Facts) Answer {
	if f.Preprocessing == "" {
		return notDone("The run holds nothing on this.")
	}
	return shown(f.Preprocessing+" The same for every set.", f.section("methods", "Methods"), f.file("02-roi/summary.json"), f.file("plan.json"))
}

func resampling(f *Facts) Answer {
	if f.Size == "" {
		return notDone("The run holds nothing on this.")
	}
	return shown("Images are brought to "+f.Size+".", f.section("methods", "Methods"), f.file("plan.json"))
}

func segmentation(f *Facts) Answer {
	if f.Region == "" {
		return notDone("The run holds nothing on this.")
	}
	text := f.Region
	if f.Outlines != "" {
		text += " " + f.Outlines
	}
	return shown(text, f.section("methods", "Methods"), f.section("images", "Images"), f.file("plan.json"))
}

func singleReader(f *Facts) Answer {
	switch {
	case f.SingleReader:
		return shown("One named reader drew all outlines of the test sets.", f.section("methods", "Methods"), f.file("02-roi/images.csv"))
	case f.Outlines != "":
		return notDone(f.Outlines)
	}
	return Answer{Status: Authors, Add: "The table names no readers: say who drew the outlines of the test sets."}
}

func agreement(f *Facts) Answer {
	switch {
	case f.Agreement:
		return shown("Agreement of the readers' outlines and the features' intraclass correlations were computed.", f.section("readers", "Agreement between readers"), f.file("07-evaluate/readers.json"))
	case !f.SeveralReader:
		return notDone("No image has outlines of several readers.")
	}
	return notDone("Several readers outlined images, but their agreement was not computed.")
}

// Features and models.

func extraction(f *Facts) Answer {
	if f.Backbone == "" {
		return notDone("The run holds nothing on this.")
	}
	return shown(fmt.Sprintf("%s, %s, beginning from %s: %d deep features a region. All settings are in plan.json.", f.Backbone, f.Layer, f.Weights, f.FeatureWidth),
		f.file("04-features/features.json"), f.file("plan.json"), f.section("methods", "Methods"))
}

func predictors(f *Facts) Answer {
	if f.Backbone == "" {
		return notDone("The run holds nothing on this.")
	}
	return shown(fmt.Sprintf("All deep features of the tumour and of its surroundings (%d each) are candidates; none was chosen by hand. The networks do not see the outcome of the patients that they score.", f.FeatureWidth),
		f.file("04-features/features.json"), f.section("features", "Features"))
}

func scaling(f *Facts) Answer {
	return selectionAs(f, "Features are z-scored with means and deviations of the training patients alone. ")
}

func selection(f *Facts) Answer { return selectionAs(f, "") }

func selectionAs(f *Facts, before string) Answer {
	if f.Selection == "" {
		return notDone("The run holds nothing on this.")
	}
	return shown(before+f.Selection, f.section("features", "Features"), f.file("05-selection/selection.json"), f.file("05-selection/kept.csv"))
}

func robustFilter(f *Facts) Answer {
	if f.RobustFilter == "" {
		return notDone("Features were not filtered by their stability.")
	}
	return shown(f.RobustFilter, f.file("05-selection/selection.json"), f.section("methods", "Methods"))
}

func dimensionality(f *Facts) Answer {
	switch {
	case !f.SampleAssessed:
		return notDone("The run could not set the number of candidate features against the number of patients.")
	case !f.SampleEnough:
		return notDone("There are fewer patients than the candidate features ask for. " + f.SampleSize)
	}
	return shown(f.SampleSize, f.section("sample-size", "Sample size"), f.file("07-evaluate/samplesize.json"))
}

func sampleSize(f *Facts) Answer {
	if !f.SampleAssessed {
		return notDone("The run could not set the sample size against the criteria.")
	}
	return shown(f.SampleSize, f.section("sample-size", "Sample size"), f.file("07-evaluate/samplesize.json"))
}

func model(f *Facts) Answer {
	if f.Backbone == "" || len(f.Models) == 0 {
		return notDone("The run holds nothing on this.")
	}
	return shown(fmt.Sprintf("%s gives deep features of tumour and surroundings; %s are fitted on the selected ones. %s", f.Backbone, strings.Join(f.Models, ", "), f.Selection),
		f.section("methods", "Methods"), f.file("plan.json"), f.file("04-features/features.json"))
}

func building(f *Facts) Answer {
	a := model(f)
	if a.Status == Answered {
		a.Text += " The settings of the models are fixed; LASSO's penalty is chosen by cross-validation inside the training set. " + primaryWords(f)
		a.Links = append(a.Links, f.file("06-classify/primary.json")...)
	}
	return a
}

func initialisation(f *Facts) Answer {
	if f.Weights == "" {
		return notDone("The run holds nothing on this.")
	}
	return shown("The network begins from "+f.Weights+".", f.section("methods", "Methods"), f.file("04-features/features.json"))
}

func training(f *Facts) Answer {
	switch {
	case f.Backbone == "":
		return notDone("The run holds nothing on this.")
	case !f.Trained:
		return shown("The network is not trained: its weights are used as they are. The models are fitted on the training set alone.", f.section("methods", "Methods"), f.file("plan.json"))
	}
	return shown(f.Training, f.section("learning", "Learning"), f.file("03-finetune/finetune.json"), f.file("03-finetune/history.csv"))
}

func primary(f *Facts) Answer {
	if f.Primary == "" {
		return notDone("The run holds nothing on this.")
	}
	text := primaryWords(f)
	if f.ChosenOnTest {
		text += " Its figures on the internal test set are therefore optimistic."
	}
	return shown(text, f.section("performance", "Performance"), f.file("06-classify/primary.json"))
}

func primaryWords(f *Facts) string {
	return fmt.Sprintf("The primary model is %s (%s).", f.Primary, f.PrimaryWhy)
}

func ensembling(f *Facts) Answer {
	if f.Primary == "" {
		return notDone("The run holds nothing on this.")
	}
	return shown("Models are not combined with each other. A "+f.Unit+"'s score is the mean over its images.", f.section("methods", "Methods"))
}

func imbalance(f *Facts) Answer {
	if len(f.Sets) == 0 {
		return notDone("The run holds nothing on this.")
	}
	how := f.Balanced
	if how == "" {
		how = "No patient was sampled more or less often, and classes have no weights."
	}
	return shown(fmt.Sprintf("%d of %d training patients are %s. %s", f.Sets[0].Positive, f.Sets[0].Patients, f.Positive, how), f.section("methods", "Methods"), f.file("plan.json"))
}

// Partitions.

func partitioning(f *Facts) Answer {
	switch {
	case len(f.Sets) == 0:
		return notDone("The run holds nothing on this.")
	case f.OwnSplit:
		return Answer{Status: Authors, Text: "The table gave the split; patients are in one set each.", Add: "Say how the sets were formed.", Links: f.file("01-cohort/splits.csv")}
	}
	text := fmt.Sprintf("Patients of the development centre were divided at random by patient, stratified by outcome (seed %d, %.0f %% training, %s), before an image was read; other centres are the external test set. Everything fitted saw training patients only.",
		f.Seed, 100*f.TrainShare, plural(f.Folds, "fold"))
	if f.Committed {
		text += " The split's hash was written before outcomes were joined to scores."
	}
	if f.ChosenOnTest {
		text += " Only the choice of the primary model looked at the internal test set."
	}
	return shown(text, f.section("methods", "Methods"), f.file("01-cohort/splits.csv"), f.file("01-cohort/commitments.json"))
}

func disjoint(f *Facts) Answer {
	if len(f.Sets) == 0 {
		return notDone("The run holds nothing on this.")
	}
	return shown("Patients: all images and lesions of a patient are in one set and one fold. The program refuses to score a patient that it has learnt from.", f.file("01-cohort/splits.csv"), f.section("methods", "Methods"))
}

func confounders(f *Facts) Answer {
	if len(f.Sets) == 0 {
		return notDone("The run holds nothing on this.")
	}
	text := "Table 2 compares the sets."
	if f.Marks != "" {
		text += " " + f.Marks
	}
	if len(f.Subgroups) > 0 {
		text += " Subgroups: " + strings.Join(f.Subgroups, ", ") + "."
	}
	if f.Harmonised != "" {
		text += " " + f.Harmonised
	}
	return shown(text, f.section("patients", "Table 2"), f.section("images", "Images"), f.section("subgroups", "Subgroups"))
}
