package study

import (
	"context"
	"maps"
	"path/filepath"
	"slices"

	"sonotype/cohort"
	"sonotype/harmonise"
	"sonotype/selection"
)

// The plan's harmonisation of features.
const (
	harmoniseNone   = "none"
	harmoniseCombat = "combat"
	batchCentre     = "centre"
	batchDevice     = "device"
)

func (p *Plan) harmonises() bool { return p.Harmonise == harmoniseCombat }

// batchOf is the centre or device whose shift ComBat takes away.
func (p *Plan) batchOf(centre, device string) string {
	if p.HarmoniseBy == batchDevice {
		return device
	}
	return centre
}

// mayHarmonise refuses a study whose features ComBat cannot harmonise: too few training images of a centre, or test
// images of a centre that the training set does not have.
func (p *Plan) mayHarmonise(c *cohort.Cohort, splits *cohort.Splits) error {
	if !p.harmonises() {
		return nil
	}
	var train []string
	known := map[string]bool{}
	for _, im := range c.Images {
		if a, _ := splits.Of(im.Patient); a.Set == cohort.SetTrain {
			batch := p.batchOf(im.Centre, im.Device)
			train, known[batch] = append(train, batch), true
		}
	}
	if err := harmonise.Fittable(p.HarmoniseBy, train); err != nil {
		return err
	}
	for _, im := range c.Images {
		if batch := p.batchOf(im.Centre, im.Device); !known[batch] {
			return harmonise.Unknown(p.HarmoniseBy, slices.Sorted(maps.Keys(known)), batch)
		}
	}
	return nil
}

// harmonised are rows of features without the shift of the image's centre or device.
type harmonised struct {
	selection.Rows
	combat *harmonise.Combat
	batch  []string // of each row, all known to combat
}

// Row is a copy of the row, harmonised.
func (h harmonised) Row(i int) []float32 {
	row := h.Rows.Row(i)
	out := make([]float32, len(row))
	if h.combat.Apply(row, h.batch[i], out) != nil {
		return nil // cannot be: the batch was looked up when the table was made
	}
	return out
}

// tamed are a region's features as the selection takes them: harmonised, and with those marked that readers disagree on.
type tamed struct {
	rows   selection.Rows
	drop   []bool // nil: none
	combat *harmonise.Combat
}

// tame harmonises a region's features and finds those that readers disagree on, from the images fitted alone. The rows
// of the images applied and fitted can be read afterwards.
func (r *Run) tame(ctx context.Context, region string, pair int, rows selection.Rows, images []imageRow, fitted, applied []int) (t tamed, err error) {
	t.rows = rows
	if r.Plan.harmonises() {
		if t, err = r.harmonise(ctx, rows, images, fitted, applied); err != nil {
			return t, err
		}
	}
	if r.Plan.Readers.ICC > 0 {
		t.drop, err = r.disagreed(ctx, region, pair, t.combat, images, fitted)
	}
	return t, err
}

func (r *Run) harmonise(ctx context.Context, rows selection.Rows, images []imageRow, fitted, applied []int) (tamed, error) {
	batch := make([]string, len(images))
	for i, im := range images {
		batch[i] = r.Plan.batchOf(im.Centre, im.Device)
	}
	of := make([]string, len(fitted))
	for k, i := range fitted {
		of[k] = batch[i]
	}
	c, err := harmonise.Fit(ctx, rows, fitted, of, r.Plan.HarmoniseBy, r.Jobs)
	if err != nil {
		return tamed{}, err
	}
	for _, i := range applied {
		if err := c.Knows(batch[i]); err != nil {
			return tamed{}, err
		}
	}
	return tamed{rows: harmonised{rows, c, batch}, combat: c}, nil
}

// combatDir is where the final fit of a region's harmonisation lies, below a fit's folder.
func combatDir(fit, region string) string { return filepath.Join(fit, region+"-combat") }
