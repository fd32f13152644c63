package study

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"sonotype/bundle"
	"sonotype/cohort"
	"sonotype/evaluate"
	"sonotype/imaging"
	"sonotype/internal/artifact"
	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/report"
)

// SiteCase is an image of a site's cohort and what a frozen model said of it.
type SiteCase struct {
	Patient, Unit, Image string
	Prediction           bundle.Prediction
	LeftOut              string // why it takes no part; "" = it does
}

// SiteUnit is a unit (lesion or patient) with the mean score of its predicted images.
type SiteUnit struct {
	cohort.Unit
	Score       float64
	Probability float64 // calibrated, of the mean score
}

// Site is a site's own cohort as a frozen model sees it. Nothing of it was used to fit anything.
type Site struct {
	Plan     Plan
	UnitName string // patient | lesion
	DataHash string // over the tables
	Cases    []SiteCase
	Units    []SiteUnit // analysed
	Flow     report.Flow
	Analysed cohort.Count
	Unseen   int      // images of devices that training did not see, or of unknown ones
	Warnings []string // what does not fit the model
}

// The stage and the reasons that a frozen model's refusals have in the patient flow. Its own reasons name figures of a
// case, so they stay with the case.
const (
	stagePredict    = "predict"
	outsideContract = "the frozen model abstained: outside what it takes"
	unlikeTraining  = "the frozen model abstained: unlike its training cases"
	siteSet         = "Validation"
	sideBySide      = 2 // one image is decoded while another is in the networks
)

// PredictSite predicts every case of a site's cohort with a frozen model. Of the plan it uses the cohorts, columns,
// outcome and readers alone.
func PredictSite(ctx context.Context, p Plan, dir string, b *bundle.Bundle, progress func(done, total int)) (*Site, error) {
	c, err := loadCohort(&p, dir)
	if err != nil {
		return nil, err
	}
	if err := c.Err(); err != nil {
		return nil, errors.Join(err, ErrBadCohort)
	}
	s := &Site{Plan: p, Cases: make([]SiteCase, len(c.Images))}
	hashes := make([]string, len(c.Sources))
	for i, source := range c.Sources {
		hashes[i] = source.Hash
	}
	if s.DataHash, err = artifact.HashJSON(hashes); err != nil {
		return nil, err
	}
	var done counter
	g, working := errgroup.WithContext(ctx)
	g.SetLimit(sideBySide)
	for i := range c.Images {
		g.Go(func() (err error) {
			if err := working.Err(); err != nil {
				return err
			}
			s.Cases[i], err = s.predict(working, b, c, i)
			if progress != nil {
				progress(done.next(), len(c.Images))
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if err := s.pool(b, c); err != nil {
		return nil, err
	}
	s.warn(b.Card())
	return s, nil
}

// predict says what the model says of an image; one that cannot be read is left out.
func (s *Site) predict(ctx context.Context, b *bundle.Bundle, c *cohort.Cohort, i int) (SiteCase, error) {
	im := c.Images[i]
	out := SiteCase{Patient: im.Patient, Unit: c.Units[im.Unit].ID, Image: im.Name}
	picture, info, err := imaging.Decode(im.Path)
	if err != nil {
		out.LeftOut = exclusionReason(err)
		return out, nil
	}
	mask, err := readMasks(im.Readings(s.Plan.Readers.Primary))
	if err == nil && (mask.W != picture.W || mask.H != picture.H) {
		err = &problem.Error{What: "the outline has another size than the image"}
	}
	if err != nil {
		out.LeftOut = exclusionReason(err)
		return out, nil
	}
	out.Prediction, err = b.Predict(ctx, bundle.Case{Image: picture, Info: info, Mask: mask, Spacing: spacing(im), Device: im.Device})
	if out.Prediction.Abstained {
		out.LeftOut = outsideContract
		if slices.ContainsFunc(out.Prediction.Reasons, bundle.Unlike) {
			out.LeftOut = unlikeTraining
		}
	}
	return out, err
}

// pool takes the mean score of each unit's predicted images, and counts who was left out and why.
func (s *Site) pool(b *bundle.Bundle, c *cohort.Cohort) error {
	s.UnitName = "patient"
	left := map[int]string{}
	var scores []float64
	var of []string
	for i, k := range s.Cases {
		if k.LeftOut != "" {
			left[i] = k.LeftOut
			continue
		}
		scores, of = append(scores, float64(k.Prediction.Score)), append(of, k.Unit)
		if len(k.Prediction.Warnings) > 0 {
			s.Unseen++
		}
	}
	s.flow(c.DropImages(stagePredict, left))
	if len(scores) == 0 {
		return &problem.Error{What: "the frozen model predicted no case of the cohort", Found: fmt.Sprintf("%d images left out", len(left)), Try: "sonotype predict on one of them says why"}
	}
	pooled, err := evaluate.Pool(scores, make([]int, len(scores)), of)
	if err != nil {
		return err
	}
	mean := map[string]float64{}
	for k, unit := range pooled.Unit {
		mean[unit] = pooled.Score[k]
	}
	for _, u := range c.Units {
		if u.Lesion != "" {
			s.UnitName = "lesion"
		}
		if score, ok := mean[u.ID]; ok {
			p, _, _ := b.Calibrated(score)
			s.Units = append(s.Units, SiteUnit{u, score, p})
		}
	}
	return nil
}

// flow counts the way from the rows read to the units analysed.
func (s *Site) flow(c *cohort.Cohort) {
	s.Flow = flowRead(c)
	n := c.Flow(nil).Analysed
	s.Analysed = n
	set := report.FlowSet{Name: siteSet, Patients: n.Patients, Images: n.Images, Positive: n.Positive, Centres: c.Centres()}
	s.Flow.Sets = []report.FlowSet{set}
}

// warn says where the study file asks for something else than the model predicts.
func (s *Site) warn(card bundle.Card) {
	cut := num.NaN()
	if s.Plan.Outcome.Cutoff != nil {
		cut = num.Float(*s.Plan.Outcome.Cutoff)
	}
	if cut != card.Cutoff && !(cut.IsNaN() && card.Cutoff.IsNaN()) {
		s.Warnings = append(s.Warnings, fmt.Sprintf("The model predicts another outcome (%s) than the study file asks for (%s).", above(card.High, card.Cutoff), outcomeInWords(&s.Plan)))
	}
	if s.Unseen > 0 {
		s.Warnings = append(s.Warnings, "Some predicted images come from devices that training did not see, or from unknown ones.")
	}
	if card.Synthetic != s.Plan.Synthetic {
		s.Warnings = append(s.Warnings, "One of model and cohort is synthetic and the other is not.")
	}
}

func above(name string, cutoff num.Float) string {
	if cutoff.IsNaN() {
		return name
	}
	return fmt.Sprintf("%s, above %g", name, float64(cutoff))
}
