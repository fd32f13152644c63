package evaluate

import (
	"fmt"
	"math"
	"slices"

	"sonotype/internal/num"
	"sonotype/internal/stats"
)

// Calibrate compares probabilities with 0/1 outcomes; every definition is that of rms::val.prob or stated beside
// the field. Probabilities of exactly 0 or 1 (counted in Certain) have no logit and take no part in intercept and
// slope. With one class only, what needs both is null.
func Calibrate(probabilities []float64, labels []int) (Calibration, error) {
	positive, negative, err := checkProbabilities(probabilities, labels)
	if err != nil {
		return Calibration{}, err
	}
	none := Estimate{Value: num.NaN(), SE: num.NaN(), Lo: num.NaN(), Hi: num.NaN()}
	c := Calibration{N: len(labels), Positive: positive, Intercept: none, Slope: none, SlopeIntercept: none,
		Note: oneClass(positive, negative)}
	c.Brier = brier(probabilities, labels)
	c.BrierScaled = brierScaled(c.Brier, positive, c.N)
	c.ObservedExpect = observedExpected(probabilities, positive)
	c.SpiegelhalterZ, c.SpiegelhalterP = spiegelhalter(probabilities, labels)
	c.smooth(probabilities, labels)
	c.Groups = calibrationGroups(probabilities, labels)
	c.recalibrate(probabilities, labels)
	return c, nil
}

// recalibrate fits intercept (slope fixed at 1) and slope with Wald intervals.
func (c *Calibration) recalibrate(probabilities []float64, labels []int) {
	var t, y []float64
	var kept []int
	for i, p := range probabilities {
		if p <= 0 || p >= 1 {
			c.Certain++
			if int(p) != labels[i] {
				c.CertainWrong++
			}
			continue
		}
		t, y, kept = append(t, logit(p)), append(y, float64(labels[i])), append(kept, labels[i])
	}
	if c.Certain > 0 {
		c.addNote(fmt.Sprintf("%d probabilities of exactly 0 or 1 left out of intercept and slope", c.Certain))
	}
	if !slices.Contains(kept, 0) || !slices.Contains(kept, 1) {
		if c.Certain > 0 {
			c.addNote("no intercept and slope: the rest has one class")
		}
		return
	}
	a, se := fitOffset(t, kept)
	c.Intercept = wald(a, se)
	if why := separated(t, kept); why != "" {
		c.addNote("no slope: " + why)
		return
	}
	f := fitLogistic(t, y)
	c.Slope, c.SlopeIntercept = wald(f.b, f.seB), wald(f.a, f.seA)
}

func (c *Calibration) addNote(note string) {
	if c.Note != "" {
		c.Note += "; "
	}
	c.Note += note
}

func wald(v, se float64) Estimate {
	return Estimate{Value: num.Float(v), SE: num.Float(se), Lo: num.Float(v - stats.Z975*se), Hi: num.Float(v + stats.Z975*se)}
}

// smooth fills the lowess curve and the distances from it: ICI (Austin and Steyerberg, Stat Med 2019; with lowess
// it is val.prob's Eavg), E50, E90, Emax.
func (c *Calibration) smooth(probabilities []float64, labels []int) {
	y := make([]float64, len(labels))
	for i, l := range labels {
		y[i] = float64(l)
	}
	xs, fit := lowess(probabilities, y)
	c.Curve = make([]CurvePoint, len(xs))
	for k, x := range xs {
		c.Curve[k] = CurvePoint{Predicted: x, Observed: fit[k]}
	}
	distance := make([]float64, len(probabilities))
	var sum float64
	for i, p := range probabilities {
		k, _ := slices.BinarySearch(xs, p)
		distance[i] = math.Abs(p - fit[k])
		sum += distance[i]
	}
	slices.Sort(distance)
	c.ICI = num.Float(sum / float64(len(distance)))
	c.E50, c.E90 = num.Float(stats.Quantile(distance, .5)), num.Float(stats.Quantile(distance, .9))
	c.EMax = num.Float(distance[len(distance)-1])
}

// observedExpected is O:E with the interval on the log scale, SE(log O:E) = sqrt((1 - O/n) / O) (Debray et al,
// BMJ 2017); its SE field is that of the logarithm.
func observedExpected(probabilities []float64, positive int) Estimate {
	var expected float64
	for _, p := range probabilities {
		expected += p
	}
	out := Estimate{Value: num.NaN(), SE: num.NaN(), Lo: num.NaN(), Hi: num.NaN()}
	if expected == 0 {
		return out
	}
	o := float64(positive)
	oe := o / expected
	out.Value = num.Float(oe)
	if positive == 0 {
		return out
	}
	se := math.Sqrt((1 - o/float64(len(probabilities))) / o)
	out.SE = num.Float(se)
	out.Lo, out.Hi = num.Float(oe*math.Exp(-stats.Z975*se)), num.Float(oe*math.Exp(stats.Z975*se))
	return out
}

// spiegelhalter is the z test of Brier's score against its expectation under perfect calibration (Stat Med 1986).
func spiegelhalter(probabilities []float64, labels []int) (z, p num.Float) {
	var s, v float64
	for i, q := range probabilities {
		s += (float64(labels[i]) - q) * (1 - 2*q)
		v += (1 - 2*q) * (1 - 2*q) * q * (1 - q)
	}
	if !(v > 0) {
		return num.NaN(), num.NaN()
	}
	zz := s / math.Sqrt(v)
	return num.Float(zz), num.Float(stats.NormalTwoSided(zz))
}

// calibrationGroups cuts the units, sorted by probability, into up to ten groups of about equal size; equal
// probabilities stay together.
func calibrationGroups(probabilities []float64, labels []int) []CalibrationGroup {
	idx := stats.Order(probabilities)
	n := len(idx)
	want := max(1, min(10, n/10))
	groups := []CalibrationGroup{}
	for i := 0; i < n; {
		goal := (len(groups) + 1) * n / want
		var g CalibrationGroup
		for i < n && (i < goal || (i > 0 && probabilities[idx[i]] == probabilities[idx[i-1]]) || g.N == 0) {
			g.N++
			g.Positive += labels[idx[i]]
			g.Predicted += probabilities[idx[i]]
			i++
		}
		g.Predicted /= float64(g.N)
		g.Observed = float64(g.Positive) / float64(g.N)
		_, g.ObservedLo, g.ObservedHi = Wilson(g.Positive, g.N)
		groups = append(groups, g)
	}
	return groups
}
