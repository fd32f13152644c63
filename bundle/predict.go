package bundle

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"

	"sonotype/evaluate"
	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/roi"
)

// reference is what a prediction is calibrated with and compared with.
type reference struct {
	calibration evaluate.VennAbers
	familiar    Familiar
	neighbours  Neighbours // empty where the study kept none
}

// readReference reads the entries that Predict needs, and refuses what no study writes.
func readReference(a *archive, inputs int) (*reference, error) {
	r := &reference{}
	if err := a.readJSON(CalibrationEntry, &r.calibration); err != nil {
		return nil, err
	}
	if err := a.readJSON(OODEntry, &r.familiar); err != nil {
		return nil, err
	}
	if _, err := fs.Stat(a, NeighboursEntry); err == nil {
		if err := a.readJSON(NeighboursEntry, &r.neighbours); err != nil {
			return nil, err
		}
	}
	if err := r.calibration.Check(); err != nil {
		return nil, err
	}
	if err := r.familiar.Check(); err != nil {
		return nil, err
	}
	for _, c := range r.neighbours.Cases {
		if len(c.Inputs) != inputs || (c.Label != 0 && c.Label != 1) {
			return nil, &problem.Error{What: "a training case does not fit the model", Expected: fmt.Sprintf("%d inputs, label 0 or 1", inputs), Found: fmt.Sprintf("%d inputs, label %d", len(c.Inputs), c.Label)}
		}
	}
	return r, nil
}

// shownNeighbours are the training cases that a prediction names.
const shownNeighbours = 5

// Predict gives the probability of the positive class with its interval, or the reasons for giving none: the case does
// not meet the contract, or is unlike all that the model was fitted on. The score is the study's to the last bit.
func (b *Bundle) Predict(ctx context.Context, c Case) (Prediction, error) {
	p := Prediction{Score: num.NaN(), Probability: num.NaN(), Lo: num.NaN(), Hi: num.NaN(), Bundle: b.hash, Reasons: []string{}, Warnings: []string{},
		Threshold: b.scorer.manifest.Models[0].Threshold}
	p.Reasons = append(p.Reasons, b.card.Contract.breaches(c)...)
	if w := b.card.Contract.unseen(c.Device); w != "" {
		p.Warnings = append(p.Warnings, w)
	}
	if len(p.Reasons) > 0 {
		p.Abstained = true
		return p, nil
	}
	r, err := b.Prepare(c)
	if err != nil {
		p.Abstained, p.Reasons = true, append(p.Reasons, inWords(err))
		return p, nil
	}
	inputs, score, err := b.scorer.one(ctx, r)
	if err != nil {
		return p, err
	}
	near := b.reference.neighbours.nearest(inputs, nil)
	p.Reasons = append(p.Reasons, b.reference.familiar.Judge(Measure(c.Info, r), near.mean())...)
	if p.Abstained = len(p.Reasons) > 0; p.Abstained {
		return p, nil
	}
	v, lo, hi := b.Calibrated(score)
	p.Score, p.Probability, p.Lo, p.Hi = num.Float(score), num.Float(v), num.Float(lo), num.Float(hi)
	p.Positive = score > float64(p.Threshold)
	p.Nearest = near.shown(shownNeighbours)
	if cut := b.card.SurvivalCut; !cut.IsNaN() {
		p.Group = map[bool]string{true: "high", false: "low"}[score > float64(cut)]
	}
	return p, nil
}

// Calibrated is the probability of a score with its Venn-Abers interval: of a case, or the mean of a lesion's images.
func (b *Bundle) Calibrated(score float64) (p, lo, hi float64) {
	return b.reference.calibration.Predict(score)
}

// one takes prepared regions to the model's inputs and its score.
func (s *Scorer) one(ctx context.Context, r *roi.Regions) ([]float64, float64, error) {
	components, err := s.components(ctx, []*roi.Regions{r})
	if err != nil {
		return nil, 0, err
	}
	inputs := gather(components, s.manifest.Kept[s.manifest.Models[0].Features], 1)
	scores, err := s.predict(0, inputs)
	if err != nil {
		return nil, 0, err
	}
	return inputs.RawRowView(0), scores[0], nil
}

// breaches are the ways in which a case is not what the model takes.
func (k *Contract) breaches(c Case) []string {
	var out []string
	if w, h := c.Image.W, c.Image.H; min(w, h) < k.MinSide || (k.MaxSide > 0 && max(w, h) > k.MaxSide) {
		out = append(out, fmt.Sprintf("the image is %d x %d px; sides of %d to %d px are expected", w, h, k.MinSide, k.MaxSide))
	}
	if c.Info.Format != "" && len(k.Formats) > 0 && !slices.Contains(k.Formats, c.Info.Format) {
		out = append(out, fmt.Sprintf("the image came as %s; the model knows %v", c.Info.Format, k.Formats))
	}
	if k.Unit == "mm" && !(c.Spacing[0] > 0 && c.Spacing[1] > 0) {
		out = append(out, "the size of a pixel is not known, and the peritumoural area is measured in mm")
	}
	return out
}

// unseen is a warning on a device that training did not see; "" where there is nothing to say.
func (k *Contract) unseen(device string) string {
	switch {
	case len(k.Devices) == 0 || slices.Contains(k.Devices, device):
		return ""
	case device == "":
		return "the device is not known"
	}
	return fmt.Sprintf("the device %q was not seen in training", device)
}

// inWords is the first line of an error.
func inWords(err error) string {
	if p, ok := problem.As(err); ok {
		if p.Found != "" {
			return p.What + ": " + p.Found
		}
		return p.What
	}
	return err.Error()
}

// found are training cases by their distance from a case, nearest first.
type found []Neighbour

// nearest finds the training cases closest in the model's inputs, leaving out those that are not others; nil: none.
func (n *Neighbours) nearest(inputs []float64, other func(i int) bool) found {
	var out found
	for i, c := range n.Cases {
		if other == nil || other(i) {
			out = append(out, Neighbour{ID: c.ID, Label: c.Label, Score: c.Score, Distance: floats.Distance(inputs, c.Inputs, 2)})
		}
	}
	slices.SortStableFunc(out, func(a, b Neighbour) int { return cmp.Compare(a.Distance, b.Distance) })
	return out
}

// mean is the distance to the few nearest; 0 where there are none.
func (f found) mean() float64 {
	sum, k := 0.0, min(neighbours, len(f))
	for _, n := range f[:k] {
		sum += n.Distance
	}
	return sum / math.Max(1, float64(k))
}

func (f found) shown(most int) []Neighbour { return f[:min(most, len(f))] }

// Apart is each training case's mean distance to the nearest cases of other patients, since a new case has no image of
// its own patient among them. patients names the patient of each case.
func (n *Neighbours) Apart(patients []string) []float64 {
	out := make([]float64, len(n.Cases))
	for i, c := range n.Cases {
		out[i] = n.nearest(c.Inputs, func(k int) bool { return patients[k] != patients[i] }).mean()
	}
	return out
}
