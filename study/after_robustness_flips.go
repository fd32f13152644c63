package study

import (
	"math"

	"sonotype/cohort"
	"sonotype/evaluate"
	"sonotype/internal/num"
	"sonotype/report"
	"sonotype/roi"
)

// pool is the mean score of each unit of a set with the kth version of its outlines; images without a score take no part.
func (s *outlineSweep) pool(images []outlineImage, set string, k int) (scored, error) {
	var of []float64
	var y []int
	var units []string
	for _, im := range images {
		row := s.images[im.Image]
		if row.Set == set && !im.Scores[k].IsNaN() {
			of, y, units = append(of, float64(im.Scores[k])), append(y, row.Label), append(units, row.Unit)
		}
	}
	if len(of) == 0 {
		return scored{}, nil
	}
	p, err := evaluate.Pool(of, y, units)
	if err != nil {
		return scored{}, err
	}
	return scored{p.Unit, p.Score, p.Label}, nil
}

// curves measures every set under every kind of change, from the outlines as drawn on.
func (s *outlineSweep) curves(images []outlineImage) ([]report.OutlineCurve, error) {
	var out []report.OutlineCurve
	for _, set := range []string{cohort.SetInternal, cohort.SetExternal} {
		drawn, err := s.pool(images, set, 0)
		if err != nil {
			return nil, err
		}
		if len(drawn.units) == 0 {
			continue
		}
		for _, kind := range roi.Perturbations {
			c := report.OutlineCurve{Set: set, Kind: kind}
			for k, v := range s.versions {
				if v.kind != kind && v.kind != "" {
					continue
				}
				p, err := s.point(images, set, k, drawn)
				if err != nil {
					return nil, err
				}
				c.Points = append(c.Points, p)
			}
			out = append(out, c)
		}
	}
	return out, nil
}

// point compares a set under the kth version with the same units as drawn.
func (s *outlineSweep) point(images []outlineImage, set string, k int, drawn scored) (report.OutlinePoint, error) {
	nan := num.NaN()
	none := evaluate.Estimate{Value: nan, SE: nan, Lo: nan, Hi: nan}
	p := report.OutlinePoint{Level: s.versions[k].level, Dice: s.meanDice(images, set, k), Slope: none, Intercept: none,
		AUC: evaluate.AUC{AUC: nan, SE: nan, Lo: nan, Hi: nan}, Change: nan, Flips: nan, FlipsLo: nan, FlipsHi: nan}
	changed, err := s.pool(images, set, k)
	p.N, p.Lost = len(changed.units), len(drawn.units)-len(changed.units)
	if err != nil || p.N == 0 {
		p.Note = "no outline is left"
		return p, err
	}
	if p.AUC, err = evaluate.DeLong(changed.scores, changed.labels); err != nil {
		return p, err
	}
	if p.Slope, p.Intercept, err = s.model.evaluation.calibrationOf(s.model.key, changed); err != nil {
		return p, err
	}
	if k > 0 {
		if p.Against, err = against(changed, drawn); err != nil {
			return p, err
		}
	}
	s.countFlips(&p, changed, drawn)
	return p, nil
}

// countFlips counts the units that cross the frozen threshold.
func (s *outlineSweep) countFlips(p *report.OutlinePoint, changed, drawn scored) {
	threshold := float64(s.model.evaluation.Thresholds[s.model.key])
	before := map[string]float64{}
	for i, u := range drawn.units {
		before[u] = drawn.scores[i]
	}
	change := 0.0
	for i, u := range changed.units {
		was, is := before[u], changed.scores[i]
		change += math.Abs(is - was)
		switch {
		case is > threshold && was <= threshold:
			p.ToHigh++
		case is <= threshold && was > threshold:
			p.ToLow++
		}
	}
	p.Change = num.Float(change / float64(p.N))
	p.Flips, p.FlipsLo, p.FlipsHi = evaluate.Wilson(p.ToHigh+p.ToLow, p.N)
}

// meanDice is the mean agreement of a set's changed outlines with those drawn; what is left of none agrees with nothing.
func (s *outlineSweep) meanDice(images []outlineImage, set string, k int) num.Float {
	sum, n := 0.0, 0
	for _, im := range images {
		if s.images[im.Image].Set == set {
			sum, n = sum+float64(im.Dice[k]), n+1
		}
	}
	if n == 0 {
		return num.NaN()
	}
	return num.Float(sum / float64(n))
}
