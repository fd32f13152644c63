package study

import (
	"cmp"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"sonotype/cohort"
	"sonotype/internal/artifact"
	"sonotype/internal/num"
	"sonotype/report"
	"sonotype/samplesize"
)

// SampleSizePlan is what the sample-size criteria assume before the run, and the precision that a validation should reach.
type SampleSizePlan struct {
	AUC        float64            `yaml:"auc" json:"auc"`               // expected of the model; 0: that of 15 % of the possible R2
	Parameters int                `yaml:"parameters" json:"parameters"` // candidates; 0: the principal components offered to LASSO
	Shrinkage  float64            `yaml:"shrinkage" json:"shrinkage"`
	Widths     samplesize.Targets `yaml:"widths" json:"widths"` // of 95 % intervals
}

func defaultSampleSize() SampleSizePlan {
	return SampleSizePlan{Shrinkage: 0.9, Widths: samplesize.DefaultTargets()}
}

func (s SampleSizePlan) validate(bad complain) error {
	switch {
	case s.AUC != 0 && !(s.AUC > 0.5 && s.AUC < 1):
		return bad("sample_size.auc", "0 (not known) or between 0.5 and 1", s.AUC)
	case s.Parameters < 0:
		return bad("sample_size.parameters", "0 (the components offered to LASSO) or more", s.Parameters)
	case !(s.Shrinkage > 0 && s.Shrinkage < 1):
		return bad("sample_size.shrinkage", "between 0 and 1", s.Shrinkage)
	}
	for _, w := range []float64{s.Widths.OE, s.Widths.Slope, s.Widths.AUC, s.Widths.NetBenefit} {
		if !(w > 0) {
			return bad("sample_size.widths", "widths above 0", w)
		}
	}
	return nil
}

// sampleSizeParams is what samplesize.json depends on, besides what stage 07 reads.
func (p *Plan) sampleSizeParams() any {
	return []any{p.SampleSize, p.Selection.Components, p.fitOn(), p.Network.Train.Heldout}
}

// sampleSizeFile holds the criteria before the run and after it.
const sampleSizeFile = "samplesize.json"

// SampleSize assesses a cohort before anything is computed: from the tables and the plan alone.
func SampleSize(p Plan, c *cohort.Cohort) (samplesize.Assessment, error) {
	s, err := cohort.Split(c, p.splitConfig(), p.Seed)
	if err != nil {
		return samplesize.Assessment{}, err
	}
	return p.sampleSizeBefore(c.Flow(s)), nil
}

// sampleSizeBefore counts who will be learnt from and tested on, and asks the criteria what that is enough for.
func (p *Plan) sampleSizeBefore(flow cohort.Flow) samplesize.Assessment {
	var a samplesize.Assessment
	for _, set := range flow.Sets {
		units, positive, images := set.Units, set.Positive, set.Images
		if set.Set == cohort.SetTrain {
			if p.fitOn() == fitOnHeldout {
				part := func(n int) int { return int(math.Round(p.Network.Train.Heldout * float64(n))) }
				units, positive, images = part(units), part(positive), part(images)
			}
			var err error
			a.Development, err = samplesize.CheckDevelopment(units, positive, p.candidates(images), p.expectedAUC(positive, units), p.SampleSize.Shrinkage)
			a.Note("development", err)
			continue
		}
		threshold, _ := strconv.ParseFloat(p.Evaluate.Threshold, 64) // youden: not known yet, 0
		v, err := samplesize.Anticipate(float64(positive)/float64(units), p.expectedAUC(positive, units), threshold)
		if err != nil {
			a.Note(set.Set, err)
			continue
		}
		a.Validate(set.Set, units, positive, v, p.SampleSize.Widths)
	}
	return a
}

// candidates is the number of principal components that LASSO is offered: of both regions, unless the plan names a model of one.
func (p *Plan) candidates(images int) int {
	if p.SampleSize.Parameters > 0 {
		return p.SampleSize.Parameters
	}
	n := min(p.Selection.Components, max(1, images-1))
	if features, _, named := strings.Cut(p.Classify.Primary, "/"); named && features != "fusion" {
		return n
	}
	return 2 * n
}

// expectedAUC is the plan's, or what 15 % of the possible R2 amounts to.
func (p *Plan) expectedAUC(positive, units int) float64 {
	if p.SampleSize.AUC > 0 || positive == 0 || positive == units {
		return p.SampleSize.AUC
	}
	prevalence := float64(positive) / float64(units)
	return samplesize.AUCFromR2(samplesize.R2FromNagelkerke(samplesize.DefaultNagelkerke, prevalence), prevalence)
}

// writeSampleSize asks the criteria again, with what the run has shown of the primary model.
func (r *Run) writeSampleSize(out string, e *evaluation, tables *scoreTables) error {
	splits, err := r.splits()
	if err != nil {
		return err
	}
	c, err := r.analysed()
	if err != nil {
		return err
	}
	sizes := report.SampleSize{Before: r.Plan.sampleSizeBefore(c.Flow(splits))}
	for _, set := range e.Sets {
		switch {
		case set.Name == cohort.SetTrain:
			err = r.developmentAfter(&sizes.After, e, set.Results[e.Primary].Performance.AUC)
		case set.Centre == "":
			err = r.validationAfter(&sizes.After, e, set, tables.scores[set.Name][e.Primary])
		}
		if err != nil {
			return err
		}
	}
	return artifact.WriteJSON(filepath.Join(out, sampleSizeFile), sizes)
}

// developmentAfter counts the units that the models were fitted on and the features that LASSO chose from.
func (r *Run) developmentAfter(a *samplesize.Assessment, e *evaluation, auc num.Float) error {
	images, err := r.images()
	if err != nil {
		return err
	}
	idx, err := r.learners(images, r.Plan.fits()[0])
	if err != nil {
		return err
	}
	var selected map[string]selectionSummary
	if err := artifact.ReadJSON(filepath.Join(r.dir(5, "selection"), "selection.json"), &selected); err != nil {
		return err
	}
	label := map[string]int{}
	positive := 0
	for _, i := range idx {
		if _, known := label[images[i].Unit]; !known {
			label[images[i].Unit] = images[i].Label
			positive += images[i].Label
		}
	}
	candidates := cmp.Or(r.Plan.SampleSize.Parameters, selected[e.Primary.Features].AfterSpearman)
	check, err := samplesize.CheckDevelopment(len(label), positive, candidates, float64(auc), r.Plan.SampleSize.Shrinkage)
	a.Development = check
	a.Note("development", err)
	return nil
}

// validationAfter takes the precision that one test set allows from the primary model's figures on it.
func (r *Run) validationAfter(a *samplesize.Assessment, e *evaluation, set report.Set, s scored) error {
	res := set.Results[e.Primary]
	probability, threshold := s.scores, float64(e.Thresholds[e.Primary])
	if rc, ok := e.Recal[e.Primary]; ok {
		var err error
		if probability, err = recalibrate(rc, s.scores); err != nil {
			return err
		}
		if threshold, err = rc.Apply(threshold); err != nil {
			return err
		}
	}
	p := res.Performance
	a.Validate(set.Name, p.N, p.Positive, samplesize.Validation{
		AUC: float64(p.AUC), OE: float64(res.Calibration.ObservedExpect.Value), Information: samplesize.Observed(probability),
		Threshold: threshold, Sensitivity: float64(p.Sensitivity), Specificity: float64(p.Specificity),
	}, r.Plan.SampleSize.Widths)
	return nil
}
