package checklist

// claimList is CLAIM, 2024 update: 44 items.
func claimList() Checklist {
	const (
		title, intro, design, data = "Title and abstract", "Introduction", "Study design", "Data"
		reference, parts, model    = "Reference standard", "Data partitions and testing data", "Model"
		training, evaluation       = "Training", "Evaluation"
		results, talk, other       = "Results", "Discussion", "Other information"
	)
	return Checklist{
		Key: "claim", Name: "CLAIM 2024",
		Source:  "Tejani AS et al. Checklist for Artificial Intelligence in Medical Imaging (CLAIM): 2024 update. Radiol Artif Intell 2024;6:e240300. doi:10.1148/ryai.240300",
		Licence: "RSNA; items paraphrased",
		Items: []Item{
			{"1", title, "Title or abstract says that AI is used, and of which kind", authors("Write the title.")},
			{"2", title, "Structured abstract", authors("Write the abstract.")},
			{"3", intro, "Background, intended use and clinical role", authors("Write the background.")},
			{"4", intro, "Aims, objectives and hypotheses", authors("State them.")},
			{"5", design, "Prospective or retrospective", authors("State it.")},
			{"6", design, "Goal of the study", authors("State it.")},
			{"7", data, "Sources of the data", partly(centres, "Say what kind of source each table is.")},
			{"8", data, "Inclusion and exclusion criteria", partly(eligibility, "State the criteria applied before the tables were made; places and dates.")},
			{"9", data, "Pre-processing", preprocessing},
			{"10", data, "Selection of parts of the data", segmentation},
			{"11", data, "De-identification", authors("Describe it. The program reads and stores the ids of the table as they are.")},
			{"12", data, "Handling of missing data", missing},
			{"13", data, "Acquisition protocol", partly(acquisition, "Give probes, frequencies and presets.")},
			{"14", reference, "How the reference standard was obtained", partly(outcome, "Say how the outcome was determined.")},
			{"15", reference, "Why this reference standard", authors("State it.")},
			{"16", reference, "Who annotated, with which qualifications", partly(segmentation, "Give the readers' number, qualifications and preparation.")},
			{"17", reference, "How the test set was annotated", withEvidence(segmentation, "Say who outlined and labelled the test set, and whether otherwise than the training set.")},
			{"18", reference, "Variability between and within annotators", agreement},
			{"19", parts, "How data were assigned to partitions", partitioning},
			{"20", parts, "Level at which partitions are disjoint", disjoint},
			{"21", parts, "Intended sample size", partly(sampleSize, "Say how many patients were planned and why.")},
			{"22", model, "Full description of the model", modelDescription},
			{"23", model, "Software with versions", software},
			{"24", model, "How parameters were initialised", initialisation},
			{"25", training, "The training: augmentation, settings, number of models", trainingAndModels},
			{"26", training, "How the final model was chosen", primary},
			{"27", training, "Ensembling", ensembling},
			{"28", evaluation, "Metrics of performance", measures},
			{"29", evaluation, "Significance and uncertainty", uncertainty},
			{"30", evaluation, "Robustness or sensitivity analysis", robustness},
			{"31", evaluation, "Explainability", explainability},
			{"32", evaluation, "Evaluation on internal data", internalTest},
			{"33", evaluation, "Testing on external data", externalTest},
			{"34", evaluation, "Trial registration", authors("Give it, or say that there is none.")},
			{"35", results, "Numbers included and excluded", flow},
			{"36", results, "Characteristics of the cases in each partition", baseline},
			{"37", results, "Performance with its uncertainty", performanceInFull},
			{"38", results, "Diagnostic performance and its precision", performance},
			{"39", results, "Analysis of wrong results", partly(failures, "Discuss why the model fails on these.")},
			{"40", talk, "Limitations", withEvidence(warnings, "Discuss these and others.")},
			{"41", talk, "Implications for practice, intended use and clinical role", authors("Write them.")},
			{"42", other, "Where the full protocol or further technical details are", partly(protocol, "Give a reference that readers can reach.")},
			{"43", other, "Availability of software, model and data", partly(code, "Say where model and data can be had.")},
			{"44", other, "Funding and the funders' role", authors("State it.")},
		},
	}
}

// modelDescription adds input and output to the description of the model.
func modelDescription(f *Facts) Answer {
	a := model(f)
	if a.Status == Answered && f.Region != "" {
		a.Text = f.Region + " " + a.Text
	}
	return a
}

// trainingAndModels is the training of the network and of the models on its features.
func trainingAndModels(f *Facts) Answer {
	a, b := training(f), building(f)
	if a.Status == Answered && b.Status == Answered {
		a.Text += " " + b.Text
	}
	return a
}
