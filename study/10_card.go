package study

import (
	"cmp"
	"fmt"
	"slices"

	"sonotype/bundle"
	"sonotype/cohort"
	"sonotype/imaging"
	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/report"
)

// card describes the frozen model from what the study's stages found.
func (f *freezing) card(loss *bundle.PrecisionLoss) (bundle.Card, error) {
	p, e := &f.run.Plan, &f.from.evaluation
	c := bundle.Card{
		Title: p.Title, Version: f.run.Version, Synthetic: p.Synthetic, IntendedUse: p.Bundle.IntendedUse,
		High: p.Outcome.High, Low: p.Outcome.Low, Cutoff: num.NaN(), Preset: p.Preset,
		Features: f.key.Features, Model: f.key.Model, Backbone: p.Network.Backbone, Trained: p.trains(),
		Threshold: e.Thresholds[f.key], SurvivalCut: num.NaN(), Contract: f.contract(), DataHash: f.from.summary.DataHash,
		Regions:   slices.DeleteFunc(slices.Clone(regions), func(region string) bool { return f.manifest.Reductions[region] == "" }),
		HoldsRows: keepsRows(f.key.Model) || p.Bundle.Neighbours != neighboursNone,
		HoldsIDs:  p.Bundle.Neighbours == neighboursIDs,
		Precision: p.Bundle.Precision, Loss: loss,
	}
	if p.Outcome.Cutoff != nil {
		c.Cutoff = num.Float(*p.Outcome.Cutoff)
	}
	weights, err := f.run.openWeights()
	if err != nil {
		return c, err
	}
	c.Licence = cmp.Or(p.Bundle.Licence, "Not stated by the study. Of the weights that the networks began with ("+p.Network.Weights+"): "+weights.card.Licence)
	for i := range e.Sets {
		if s := &e.Sets[i]; s.Centre == "" {
			c.Sets = append(c.Sets, f.validation(s))
		}
	}
	for _, s := range f.from.survival.Sets { // with one cut they agree; with each set's own, that of the last is the one shown
		c.SurvivalCut = s.ByScore.Cut
	}
	if len(c.Sets) == 0 {
		return c, &problem.Error{What: "the evaluation holds no set", Try: "delete the folder 07-evaluate and run again"}
	}
	return c, nil
}

// keepsRows says whether a model keeps rows of its training table.
func keepsRows(model string) bool { return model == "svm" || model == "knn" }

// contract is what a case must be like, from the training images.
func (f *freezing) contract() bundle.Contract {
	p := &f.run.Plan
	c := bundle.Contract{Formats: imaging.Formats(), Devices: []string{}, Growth: p.Region.Growth, Unit: p.Region.Unit}
	images, marked := 0, 0
	for _, im := range f.from.images {
		if im.Set != cohort.SetTrain {
			continue
		}
		images++
		if im.Marked {
			marked++
		}
		shorter, longer := min(im.Width, im.Height), max(im.Width, im.Height)
		if images == 1 || shorter < c.MinSide {
			c.MinSide = shorter
		}
		c.MaxSide = max(c.MaxSide, longer)
		if im.Device != "" && !slices.Contains(c.Devices, im.Device) {
			c.Devices = append(c.Devices, im.Device)
		}
	}
	slices.Sort(c.Devices)
	c.MinSide, c.MaxSide = max(1, c.MinSide/2), 2*c.MaxSide
	c.Calipers = fmt.Sprintf("Burnt-in calipers and text are left as they are; %d of %d training images had some.", marked, images)
	return c
}

// validation is how the model did on a set.
func (f *freezing) validation(s *report.Set) bundle.ValidationSet {
	r := s.Results[f.key]
	v := bundle.ValidationSet{
		Name: s.Name, Title: s.Title, Performance: r.Performance, Slope: r.Calibration.Slope, Intercept: r.Calibration.Intercept,
		Scores:   bundle.Histogram{Edges: r.Distribution.Edges, Low: r.Distribution.Classes[0].Counts, High: r.Distribution.Classes[1].Counts},
		Decision: &r.Decision,
	}
	if r.After != nil { // of recalibrated probabilities, as a prediction's is
		v.Decision = &r.After.Decision
	}
	for _, sv := range f.from.survival.Sets {
		if sv.Set == s.Name {
			v.Survival = &sv.ByScore.Contrast
		}
	}
	return v
}
