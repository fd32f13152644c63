package checklist

// clearList is CLEAR: 58 items.
func clearList() Checklist {
	const (
		front, intro, design, data = "Title to keywords", "Introduction", "Study design", "Data"
		outlines, images, features = "Segmentation", "Pre-processing", "Feature extraction"
		preparation, modelling     = "Data preparation", "Modelling"
		evaluation, results, talk  = "Evaluation", "Results", "Discussion"
		open                       = "Open science"
	)
	return Checklist{
		Key: "clear", Name: "CLEAR",
		Source:  "Kocak B et al. CheckList for EvaluAtion of Radiomics research (CLEAR). Insights Imaging 2023;14:75. doi:10.1186/s13244-023-01415-8",
		Licence: "CC BY 4.0; items paraphrased",
		Items: []Item{
			{"1", front, "The title names the radiomic method", authors("Write the title.")},
			{"2", front, "Structured summary", authors("Write the abstract.")},
			{"3", front, "Keywords", authors("Choose them.")},
			{"4", intro, "Scientific or clinical background", authors("Write it.")},
			{"5", intro, "Why a radiomic approach", authors("Write it.")},
			{"6", intro, "Objectives", authors("State them.")},
			{"7", design, "Guidelines or checklists followed", guideline},
			{"8", design, "Ethics: approval, consent, data protection", authors("State them.")},
			{"9", design, "Sample size", partly(sampleSize, "Say why so many patients were included.")},
			{"10", design, "Retrospective or prospective", authors("State it.")},
			{"11", design, "Eligibility criteria", partly(eligibility, "State the criteria applied before the tables were made.")},
			{"12", design, "Flow chart of the technical steps", authors("Draw it: the stages are numbered in the run folder as in the program's documentation.")},
			{"13", data, "Source of the data: private or public", partly(centres, "Say whether the tables are private or public.")},
			{"14", data, "Overlap with earlier studies", authors("State it.")},
			{"15", data, "How the data were split", partitioning},
			{"16", data, "Imaging protocol", partly(acquisition, "Give probes, frequencies and presets.")},
			{"17", data, "Predictors that are not radiomic", partly(baseline, "Define the clinical variables and say how they were measured.")},
			{"18", data, "The reference standard", partly(outcome, "Say how the outcome was determined.")},
			{"19", outlines, "How outlines were drawn", partly(segmentation, "Name the software and the rules the readers drew by.")},
			{"20", outlines, "Who drew them", partly(readers, "Give the readers' experience.")},
			{"21", images, "Pre-processing of the images", preprocessing},
			{"22", images, "Resampling", resampling},
			{"23", images, "Discretisation of grey levels", notApplicable("Deep features are computed from grey values as they are; nothing is binned.")},
			{"24", images, "Types of image: original, filtered", preprocessing},
			{"25", features, "Method of extraction, with software", extraction},
			{"26", features, "Classes of features", extraction},
			{"27", features, "Number of features", selection},
			{"28", features, "Settings that were left at their defaults", settings},
			{"29", preparation, "Missing data", missing},
			{"30", preparation, "Class imbalance", imbalance},
			{"31", preparation, "Reliability of the outlines", agreement},
			{"32", preparation, "Scaling of features", scaling},
			{"33", preparation, "Reduction of dimensions", selection},
			{"34", modelling, "Algorithms", model},
			{"35", modelling, "Training and tuning", trainingAndModels},
			{"36", modelling, "Confounders", withEvidence(confounders, "Judge whether these could confound, and say what was done.")},
			{"37", modelling, "How the model was chosen", primary},
			{"38", evaluation, "Testing: internal, external", testSets},
			{"39", evaluation, "Metrics of performance, and why these", measures},
			{"40", evaluation, "Uncertainty", uncertainty},
			{"41", evaluation, "Statistical comparison of models", comparison},
			{"42", evaluation, "Comparison with non-radiomic and combined methods", nonRadiomic},
			{"43", evaluation, "Interpretability", explainability},
			{"44", results, "Baseline characteristics", baseline},
			{"45", results, "Flow chart of eligibility", flow},
			{"46", results, "Statistics of the features", selection},
			{"47", results, "Performance of the models", performanceInFull},
			{"48", results, "Results of the comparison with non-radiomic and combined methods", nonRadiomic},
			{"49", talk, "Important findings", authors("Write them.")},
			{"50", talk, "Differences from earlier work", authors("Write them.")},
			{"51", talk, "Implications for practice", authors("Write them.")},
			{"52", talk, "Strengths and limitations", withEvidence(warnings, "Discuss these and others.")},
			{"53", open, "Sharing of images and outlines (recommended, not essential)", authors("State it.")},
			{"54", open, "Sharing of the features", withEvidence(featureFiles, "Say whether these files are shared.")},
			{"55", open, "Sharing of the pre-processing", withEvidence(protocol, "Say where the plan can be had.")},
			{"56", open, "Sharing of the modelling code", withEvidence(code, "Say where the study file can be had.")},
			{"57", open, "Sharing of the final model", withEvidence(modelFiles, "Say whether these files are shared.")},
			{"58", open, "Sharing of a system ready for use (recommended, not essential)", authors("State it.")},
		},
	}
}

// readers says whose outlines were used.
func readers(f *Facts) Answer {
	if f.Outlines == "" {
		return notDone("The table names no readers.")
	}
	return shown(f.Outlines, f.section("methods", "Methods"), f.file("plan.json"))
}

// featureFiles are the deep features of the run.
func featureFiles(f *Facts) Answer {
	return shown("The run folder holds all deep features, a row an image.", f.file("04-features/ta.npy"), f.file("04-features/pta.npy"), f.file("04-features/rows.csv"))
}
