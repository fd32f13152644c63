package study

import (
	"context"
	"fmt"

	"sonotype/cohort"
	"sonotype/evaluate"
	"sonotype/internal/artifact"
	"sonotype/report"
)

// sweepCentres develops the primary model at all centres but one, and tests it at that one.
func (r *Run) sweepCentres(ctx context.Context, f *frozenModel) error {
	out := report.CentreSweep{Key: r.key, Model: f.key}
	images, err := r.images()
	if err != nil {
		return err
	}
	centres := centresOf(images)
	if len(centres) < 2 {
		out.Notes = append(out.Notes, "the study has one centre")
		return artifact.WriteJSON(r.partPath("centres"), out)
	}
	for i, centre := range centres {
		if err := r.addCentre(ctx, &out, centre, centres, f, i); err != nil {
			why, stop := whyNot(err)
			if stop != nil {
				return stop
			}
			out.Notes = append(out.Notes, centre+": "+why)
		}
	}
	return artifact.WriteJSON(r.partPath("centres"), out)
}

// centresOf lists the centres of the images in the order of their first.
func centresOf(images []imageRow) []string {
	var out []string
	seen := map[string]bool{}
	for _, im := range images {
		if !seen[im.Centre] {
			seen[im.Centre] = true
			out = append(out, im.Centre)
		}
	}
	return out
}

func (r *Run) addCentre(ctx context.Context, out *report.CentreSweep, centre string, centres []string, f *frozenModel, nth int) error {
	sub, err := r.withoutCentre(ctx, centre, centres, f, nth)
	if err != nil {
		return err
	}
	scores, err := sub.scores("scores.csv")
	if err != nil {
		return err
	}
	left := scores[cohort.SetExternal][f.key]
	if err := sub.readTest("centres", cohort.SetExternal, "performance at "+centre+", left out of the development", left.units); err != nil {
		return err
	}
	p, err := r.centrePoint(centre, scores, f.key)
	if err != nil {
		return err
	}
	images, err := sub.images()
	if err != nil {
		return err
	}
	p.Trained = len(patientsOf(images, where(images, func(im imageRow) bool { return im.Set == cohort.SetTrain })))
	p.Study = sub == r
	out.Points = append(out.Points, p)
	return nil
}

// withoutCentre is the study developed without a centre: the study itself where it was, else a variation.
func (r *Run) withoutCentre(ctx context.Context, centre string, centres []string, f *frozenModel, nth int) (*Run, error) {
	s, err := r.splits()
	if err != nil {
		return nil, err
	}
	if s.Source == "random" && (s.LeftOut == centre || len(centres) == 2 && s.LeftOut == "" && s.Development != centre) {
		return r, nil
	}
	v := variation{name: fmt.Sprintf("centre-%d", nth+1), words: "without " + centre, change: func(p *Plan) { p.Split.LeaveOut = centre }}
	return r.vary(ctx, v, f.key, nth, len(centres))
}

// centrePoint measures a model at the centre left out, at the threshold of its own training patients.
func (r *Run) centrePoint(centre string, scores map[string]map[report.Key]scored, key report.Key) (report.CentrePoint, error) {
	p := report.CentrePoint{Centre: centre}
	train, left := scores[cohort.SetTrain][key], scores[cohort.SetExternal][key]
	threshold, err := r.Plan.threshold(train.scores, train.labels)
	if err != nil {
		return p, err
	}
	if p.Performance, err = evaluate.Measure(left.scores, left.labels, float64(threshold)); err != nil {
		return p, err
	}
	e := evaluation{Recal: map[report.Key]evaluate.Recalibration{}}
	if key.Model == recalibratedModel {
		if e.Recal[key], err = evaluate.FitRecalibration(train.scores, train.labels, evaluate.FromProbability); err != nil {
			return p, err
		}
	}
	if p.Slope, p.Intercept, err = e.calibrationOf(key, left); err != nil {
		return p, err
	}
	if in := scores[cohort.SetInternal][key]; len(in.units) > 0 {
		auc, err := evaluate.DeLong(in.scores, in.labels)
		if err != nil {
			return p, err
		}
		p.Internal = &auc
	}
	return p, nil
}

// calibrationOf gives slope and intercept of a model's probabilities, recalibrated where its scores are none.
func (e *evaluation) calibrationOf(key report.Key, s scored) (slope, intercept evaluate.Estimate, err error) {
	probability := s.scores
	if rc, ok := e.Recal[key]; ok {
		if probability, err = recalibrate(rc, s.scores); err != nil {
			return slope, intercept, err
		}
	}
	c, err := evaluate.Calibrate(probability, s.labels)
	return c.Slope, c.Intercept, err
}
