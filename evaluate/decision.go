package evaluate

import (
	"fmt"

	"sonotype/internal/num"
	"sonotype/internal/problem"
)

// DefaultGrid is 0.01, 0.02, ... 0.99.
func DefaultGrid() []float64 {
	g := make([]float64, 99)
	for i := range g {
		g[i] = float64(i+1) / 100
	}
	return g
}

// Decision computes the decision curve over a grid of threshold probabilities (nil: DefaultGrid), ascending, each
// in [0, 1). Net benefit = TP/n - FP/n * pt/(1-pt) (Vickers and Elkin, Med Decis Making 2006), treating by the
// study's rule, score > pt. The scores must be probabilities.
func Decision(scores []float64, labels []int, grid []float64) (DecisionCurve, error) {
	positive, negative, err := checkProbabilities(scores, labels)
	if err != nil {
		return DecisionCurve{}, err
	}
	if grid == nil {
		grid = DefaultGrid()
	}
	n := len(scores)
	c := DecisionCurve{N: n, Positive: positive, Prevalence: float64(positive) / float64(n), Points: []DecisionPoint{}, Better: []Range{}, Note: oneClass(positive, negative)}
	for i, pt := range grid {
		if !(pt >= 0 && pt < 1) || (i > 0 && !(pt > grid[i-1])) {
			return DecisionCurve{}, &problem.Error{What: "the grid of threshold probabilities is wrong", Expected: "ascending values in [0, 1)", Found: fmt.Sprintf("%v at place %d", pt, i+1)}
		}
		tp, fp, _, _ := Confusion(scores, labels, pt)
		p := DecisionPoint{Threshold: pt, Model: netBenefit(tp, fp, n, pt), TreatAll: netBenefit(positive, negative, n, pt), TP: tp, FP: fp, Standardised: c.standardised(netBenefit(tp, fp, n, pt))}
		c.Points = append(c.Points, p)
	}
	c.Better = c.stretches(c.better)
	return c, nil
}

func (c *DecisionCurve) standardised(benefit float64) num.Float {
	if c.Positive == 0 {
		return num.NaN()
	}
	return num.Float(benefit / c.Prevalence)
}

// stretches are the runs of grid points at which the model is better.
func (c *DecisionCurve) stretches(better func(k int) bool) []Range {
	out := []Range{}
	open := false
	for k, p := range c.Points {
		now := better(k)
		switch {
		case now && open:
			out[len(out)-1].Hi = p.Threshold
		case now:
			out = append(out, Range{Lo: p.Threshold, Hi: p.Threshold})
		}
		open = now
	}
	return out
}

// better says whether the model is above treating all and treating none at a grid point.
func (c *DecisionCurve) better(k int) bool {
	p := c.Points[k]
	return p.Model > p.TreatAll && p.Model > p.TreatNone
}

// SetBand adds the limits of a bootstrap over the curve's grid (BootstrapResult.Decision). The prevalence differs from draw
// to draw and moves the line of treating all with the model's, so that the two are compared within each draw: the model is
// surely better where the lower limits of its net benefit and of its gain over treating all are above 0.
func (c *DecisionCurve) SetBand(b BenefitIntervals) {
	if len(b.Benefit) != len(c.Points) || c.Note != "" {
		return
	}
	c.Band = make([]DecisionBand, len(b.Benefit))
	for k, l := range b.Benefit {
		s := b.Standardised[k]
		c.Band[k] = DecisionBand{Threshold: c.Points[k].Threshold, Lo: l.Lo, Hi: l.Hi, StandardisedLo: s.Lo, StandardisedHi: s.Hi, OverAllLo: b.OverAll[k].Lo, OverAllHi: b.OverAll[k].Hi}
	}
	c.Sure = c.stretches(func(k int) bool { return c.better(k) && c.Band[k].Lo > 0 && c.Band[k].OverAllLo > 0 })
}

func netBenefit(tp, fp, n int, pt float64) float64 {
	return float64(tp)/float64(n) - float64(fp)/float64(n)*pt/(1-pt)
}

// brierScaled is 1 - Brier / (Brier of predicting the prevalence for everybody): 1 is perfect, 0 no better than that.
func brierScaled(b num.Float, positive, n int) num.Float {
	prevalence := float64(positive) / float64(n)
	if positive == 0 || positive == n {
		return num.NaN()
	}
	return num.Float(1 - float64(b)/(prevalence*(1-prevalence)))
}
