package audit

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"sonotype/internal/num"
	"sonotype/internal/stats"
)

// hanley is the standard error of an AUC by Hanley and McNeil (Radiology 1982; 143: 29-36): exponential scores.
func hanley(auc float64, positive, negative int) float64 {
	p, n := float64(positive), float64(negative)
	q1, q2 := auc/(2-auc), 2*auc*auc/(1+auc)
	return math.Sqrt((auc*(1-auc) + (p-1)*(q1-auc*auc) + (n-1)*(q2-auc*auc)) / (p * n))
}

// widestRatio bounds the ratio of the classes' SDs that counts as possible, usualRatio what needs no remark.
const (
	widestRatio = 3.0
	usualRatio  = 2.0
)

// binormal is DeLong's standard error for normal scores whose SD among positives is ratio times that among negatives.
func binormal(auc, ratio float64, positive, negative int) float64 {
	normal := distuv.UnitNormal
	shift := normal.Quantile(auc) * math.Sqrt(1+ratio*ratio)
	// Of a positive's score: the share of negatives below it; of a negative's: the share of positives above it.
	v10 := secondMoment(func(z float64) float64 { return normal.CDF(shift + ratio*z) })
	v01 := secondMoment(func(z float64) float64 { return normal.CDF((shift - z) / ratio) })
	return math.Sqrt((v10-auc*auc)/float64(positive) + (v01-auc*auc)/float64(negative))
}

// secondMoment is the mean of f(Z)^2 for a standard normal Z, by the trapezoidal rule, which converges
// geometrically for smooth functions that vanish at both ends.
func secondMoment(f func(z float64) float64) float64 {
	const end, steps = 9.0, 1800
	sum := 0.0
	for i := range steps + 1 {
		z := -end + 2*end*float64(i)/steps
		v := f(z)
		sum += v * v * math.Exp(-z*z/2)
	}
	return sum * 2 * end / steps / math.Sqrt(2*math.Pi)
}

// binormalRange is the range of the standard error for SD ratios from 1:ratio to ratio:1.
func binormalRange(auc, ratio float64, positive, negative int) span {
	const steps = 24
	out := span{math.Inf(1), 0}
	for i := range steps + 1 {
		se := binormal(auc, math.Pow(ratio, 2*float64(i)/steps-1), positive, negative)
		out = span{min(out.lo, se), max(out.hi, se)}
	}
	return out
}

// most is the largest standard error of any scores: sqrt(AUC (1 - AUC) / min(P, N)) (Birnbaum and Klose, Annals
// of Mathematical Statistics 1957; 28: 933-945), with the min - 1 of DeLong's sample variance.
func most(auc float64, positive, negative int) float64 {
	return math.Sqrt(auc * (1 - auc) / float64(max(1, min(positive, negative)-1)))
}

// least is the smallest DeLong standard error of scores without ties. With g the ROC curve, a function of the
// false-positive rate t, and A its area, the mean squares of the structural components of positives and negatives
// are 2 int (1-t) g dt and int g^2 dt. DeLong's variance, with its P - 1 and N - 1, is therefore
//
//	int [2 (1-t) g / (P-1) + g^2 / (N-1)] dt - A^2 (1/(P-1) + 1/(N-1)),
//
// for given A smallest, point by point, at the straight line g = c + t (N-1)/(P-1) cut to [0, 1], where c makes
// the area A. That line rises, as a ROC curve must.
func least(auc float64, positive, negative int) float64 {
	p, n := float64(max(1, positive-1)), float64(max(1, negative-1))
	slope := n / p
	g := func(c, t float64) float64 { return min(max(c+slope*t, 0), 1) }
	lo, hi := -slope, 1.0
	for range 100 { // the area rises with c
		if c := (lo + hi) / 2; linearIntegral(c, slope, func(t float64) float64 { return g(c, t) }) < auc {
			lo = c
		} else {
			hi = c
		}
	}
	c := (lo + hi) / 2
	v10 := linearIntegral(c, slope, func(t float64) float64 { return 2 * (1 - t) * g(c, t) })
	v01 := linearIntegral(c, slope, func(t float64) float64 { return g(c, t) * g(c, t) })
	return math.Sqrt(max(0, (v10-auc*auc)/p+(v01-auc*auc)/n))
}

// linearIntegral integrates over [0, 1] a function that is a polynomial of degree 3 at most on each side of
// where c + slope t leaves [0, 1]: Simpson's rule is exact on each piece.
func linearIntegral(c, slope float64, f func(t float64) float64) float64 {
	a, b := min(max(-c/slope, 0), 1), min(max((1-c)/slope, 0), 1)
	simpson := func(x, y float64) float64 { return (y - x) / 6 * (f(x) + 4*f((x+y)/2) + f(y)) }
	return simpson(0, a) + simpson(a, b) + simpson(b, 1)
}

// newSERange compares an AUC's printed interval with what n allows.
func newSERange(m *Model, positive, negative int) *SERange {
	auc := m.auc.value
	band, usual := binormalRange(auc, widestRatio, positive, negative), binormalRange(auc, usualRatio, positive, negative)
	lo, hi := m.lo.rounding(), m.hi.rounding()
	out := &SERange{
		AUC: num.Float(auc), Hanley: num.Float(hanley(auc, positive, negative)),
		Lo: num.Float((hi.lo - lo.hi) / 2 / stats.Z975), Hi: num.Float((hi.hi - lo.lo) / 2 / stats.Z975),
		BinormLo: num.Float(band.lo), BinormHi: num.Float(band.hi), UsualLo: num.Float(usual.lo), UsualHi: num.Float(usual.hi),
		Least: num.Float(least(auc, positive, negative)), Most: num.Float(most(auc, positive, negative)),
	}
	middle := span{(lo.lo + hi.lo) / 2, (lo.hi + hi.hi) / 2}
	out.Symmetric = middle.meets(m.auc.rounding())
	return out
}

// auc audits the AUC of a model: its interval against n, and against the printed operating point.
func (r *Report) auc(g *Models, m *Model, res *ModelResult) {
	if m.auc == nil {
		return
	}
	where := g.Name + ", " + m.Name
	r.operatingPoint(where, m)
	switch {
	case m.lo == nil:
		r.add("AUC interval", where, Note, "The AUC has no confidence interval.")
		return
	case !m.auc.rounding().meets(span{m.lo.rounding().lo, m.hi.rounding().hi}):
		r.add("AUC interval", where, Contradiction, fmt.Sprintf("The AUC %s lies outside its own interval %s to %s.", m.AUC.Text, m.CI[0].Text, m.CI[1].Text))
		return
	case !g.set.classes():
		r.add("AUC interval", where, Untestable, "The set's classes are not given.")
		return
	case m.auc.value <= 0 || m.auc.value >= 1 || m.hi.value >= 1 || m.lo.value <= 0:
		r.add("AUC interval", where, Untestable, "An interval that is cut at 0 or 1 does not show its standard error.")
		return
	case min(g.set.Positive.N, g.set.Negative.N) < 3:
		r.add("AUC interval", where, Untestable, "A class has fewer than three patients.")
		return
	}
	s := newSERange(m, g.set.Positive.N, g.set.Negative.N)
	res.SE = s
	r.reportSE(where, s, g.set)
}

func (r *Report) reportSE(where string, s *SERange, set *Set) {
	classes := fmt.Sprintf("%d positive and %d negative patients", set.Positive.N, set.Negative.N)
	said := fmt.Sprintf("The interval implies a standard error of %.4f (Hanley-McNeil: %.4f; normal scores: %.4f to %.4f)", (s.Lo+s.Hi)/2, s.Hanley, s.BinormLo, s.BinormHi)
	if !s.Symmetric {
		said += "; it is not symmetric about the AUC, as bootstrap or logit intervals are not"
	}
	printed := span{float64(s.Lo), float64(s.Hi)}
	// An interval that is not symmetric shows its standard error only roughly: a tenth is allowed.
	if !s.Symmetric {
		printed = span{printed.lo * 0.9, printed.hi * 1.1}
	}
	fitting := fmt.Sprintf(" By Hanley-McNeil it would fit about %.0f patients of the same class shares.", float64(set.N.N)*square(float64(s.Hanley)*2/float64(s.Lo+s.Hi)))
	switch {
	case printed.lo > float64(s.Most):
		r.add("AUC interval", where, Contradiction, fmt.Sprintf("%s. No scores of %s can have a standard error above %.4f: the interval belongs to fewer patients, or to another AUC.%s", said, classes, s.Most, fitting))
	case printed.hi < float64(s.Least):
		r.add("AUC interval", where, Contradiction, fmt.Sprintf("%s. No scores of %s without ties can have one below %.4f: the interval belongs to more units than patients, or is not of this AUC.%s", said, classes, s.Least, fitting))
	case printed.lo > float64(s.BinormHi):
		r.add("AUC interval", where, Doubt, said+". It is wider than normal scores of these class counts give: possible only with an unusual distribution of scores, or fewer patients."+fitting)
	case printed.hi < float64(s.BinormLo):
		r.add("AUC interval", where, Doubt, said+". It is narrower than normal scores of these class counts give: possible only with an unusual distribution of scores, or if images were counted as patients."+fitting)
	case printed.lo > float64(s.UsualHi), printed.hi < float64(s.UsualLo):
		r.add("AUC interval", where, Note, said+". Normal scores give it only where the SDs of the two classes differ more than twofold.")
	default:
		r.add("AUC interval", where, Agrees, said+".")
	}
}

// operatingPoint: a ROC curve rises, so that one point on it bounds its area from both sides.
func (r *Report) operatingPoint(where string, m *Model) {
	var sens, spec *figure
	for i, x := range m.measures {
		switch x.name {
		case "sensitivity":
			sens = &m.measures[i].value
		case "specificity":
			spec = &m.measures[i].value
		}
	}
	if sens == nil || spec == nil {
		return
	}
	a, b := sens.rounding().in(0, 1), spec.rounding().in(0, 1)
	allowed := span{a.lo * b.lo, 1 - (1-a.hi)*(1-b.hi)}
	said := fmt.Sprintf("Sensitivity %s with specificity %s allows an AUC from %.3f to %.3f", sens.text, spec.text, allowed.lo, allowed.hi)
	if m.auc.rounding().meets(allowed) {
		r.add("operating point", where, Agrees, said+".")
		return
	}
	r.add("operating point", where, Contradiction, said+"; printed is "+m.AUC.Text+".")
}
