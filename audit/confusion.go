package audit

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/mathext"

	"sonotype/internal/num"
)

// measure is a printed measure that a confusion matrix must give.
type measure struct {
	name  string
	value figure
	of    func(tp, fp, tn, fn float64) float64 // NaN where the denominator is 0
}

// checkMeasures reads the printed measures of the confusion matrix.
func (m *Model) checkMeasures(where string) error {
	for _, x := range []struct {
		name string
		text Text
		of   func(tp, fp, tn, fn float64) float64
	}{
		{"accuracy", m.Accuracy, func(tp, fp, tn, fn float64) float64 { return (tp + tn) / (tp + fp + tn + fn) }},
		{"sensitivity", m.Sensitivity, func(tp, _, _, fn float64) float64 { return tp / (tp + fn) }},
		{"specificity", m.Specificity, func(_, fp, tn, _ float64) float64 { return tn / (tn + fp) }},
		{"PPV", m.PPV, func(tp, fp, _, _ float64) float64 { return tp / (tp + fp) }},
		{"NPV", m.NPV, func(_, _, tn, fn float64) float64 { return tn / (tn + fn) }},
		{"F1", m.F1, func(tp, fp, _, fn float64) float64 { return 2 * tp / (2*tp + fp + fn) }},
	} {
		f, err := x.text.optional(where+": the "+x.name, 0, 1)
		if err != nil {
			return err
		}
		if f != nil {
			m.measures = append(m.measures, measure{x.name, *f, x.of})
		}
	}
	return nil
}

// cells are the printed counts of a confusion matrix; -1 where not printed.
func (m *Model) cells() [4]int {
	out := [4]int{-1, -1, -1, -1}
	for i, w := range []Whole{m.TP, m.FP, m.TN, m.FN} {
		if w.given() {
			out[i] = w.N
		}
	}
	return out
}

// search finds whole-number confusion matrices.
type search struct {
	n, positive int // positive -1: unknown
	measures    []measure
	cells       [4]int
	rounding    func(figure) span
	swapped     bool // the measures are of the other class
}

// Limits of a search.
const (
	mostMatrices   = 20         // examples that a result lists
	mostCandidates = 50_000_000 // matrices looked at
)

// all counts the matrices that fit and returns the first ones; ok is false where there are too many candidates.
func (s search) all() (count int, first []Matrix, ok bool) {
	from, to := s.positive, s.positive
	if s.positive < 0 {
		from, to = 1, s.n-1
	}
	work := 0
	for p := from; p <= to; p++ {
		tpLo, tpHi := s.bounds("sensitivity", p, 0, 3)
		tnLo, tnHi := s.bounds("specificity", s.n-p, 2, 1)
		if tpHi < tpLo || tnHi < tnLo {
			continue
		}
		if work += (tpHi - tpLo + 1) * (tnHi - tnLo + 1); work > mostCandidates {
			return 0, nil, false
		}
		for tp := tpLo; tp <= tpHi; tp++ {
			for tn := tnLo; tn <= tnHi; tn++ {
				if !s.fits(tp, s.n-p-tn, tn, p-tp) {
					continue
				}
				if count++; len(first) < mostMatrices {
					first = append(first, newMatrix(tp, s.n-p-tn, tn, p-tp))
				}
			}
		}
	}
	return count, first, true
}

// bounds is the range of the right calls among n patients of a class that the class's measure and the printed
// cells (right, wrong: their places in cells) allow.
func (s search) bounds(name string, n, right, wrong int) (lo, hi int) {
	lo, hi = 0, n
	for _, m := range s.measures {
		if m.name == name && !s.swapped {
			r := s.rounding(m.value)
			lo = max(lo, int(math.Ceil((r.lo-slack)*float64(n))))
			hi = min(hi, int(math.Floor((r.hi+slack)*float64(n))))
		}
	}
	if c := s.cells[right]; c >= 0 {
		lo, hi = max(lo, c), min(hi, c)
	}
	if c := s.cells[wrong]; c >= 0 {
		lo, hi = max(lo, n-c), min(hi, n-c)
	}
	return lo, hi
}

func (s search) fits(tp, fp, tn, fn int) bool {
	a, b, c, d := float64(tp), float64(fp), float64(tn), float64(fn)
	if s.swapped {
		a, b, c, d = c, d, a, b
	}
	for _, m := range s.measures {
		if !s.rounding(m.value).holds(m.of(a, b, c, d)) { // NaN is held by nothing
			return false
		}
	}
	return true
}

func newMatrix(tp, fp, tn, fn int) Matrix {
	share := func(a, b int) num.Float {
		if a+b == 0 {
			return num.NaN()
		}
		return num.Float(float64(a) / float64(a+b))
	}
	return Matrix{TP: tp, FP: fp, TN: tn, FN: fn, PPV: share(tp, fp), NPV: share(tn, fn)}
}

// confusion recovers a model's confusion matrices and says what they mean.
func (r *Report) confusion(g *Models, m *Model, res *ModelResult) {
	where := g.Name + ", " + m.Name
	s := search{n: g.set.N.N, positive: -1, measures: m.measures, cells: m.cells(), rounding: figure.rounding}
	if g.set.classes() {
		s.positive = g.set.Positive.N
	}
	given := len(m.measures)
	for _, c := range s.cells {
		if c >= 0 {
			given++
		}
	}
	if given < 2 {
		return
	}
	count, first, ok := s.all()
	if !ok {
		r.add("confusion matrix", where, Untestable, "Too many matrices to look at; give the set's classes, or sensitivity and specificity.")
		return
	}
	res.Matrices, res.Examples = count, first
	switch {
	case count == 1:
		x := first[0]
		r.add("confusion matrix", where, Agrees, fmt.Sprintf("One matrix fits: TP %d of %d, TN %d of %d.", x.TP, x.TP+x.FN, x.TN, x.TN+x.FP))
	case count > 1:
		r.add("confusion matrix", where, Agrees, fmt.Sprintf("%d matrices fit, e.g. TP %d of %d, TN %d of %d.", count, first[0].TP, first[0].TP+first[0].FN, first[0].TN, first[0].TN+first[0].FP))
	default:
		r.add("confusion matrix", where, Contradiction, s.none(g.set))
	}
}

// none explains that no matrix fits.
func (s search) none(set *Set) string {
	of := fmt.Sprintf("%d patients", s.n)
	if s.positive >= 0 {
		of = fmt.Sprintf("%d positive and %d negative patients", s.positive, s.n-s.positive)
	}
	said := "No whole-number matrix of " + of + " gives these measures."
	try := s
	try.rounding = figure.truncation
	if n, _, ok := try.all(); ok && n > 0 {
		return said + " One fits if digits were cut off instead of rounded."
	}
	try = s
	try.swapped = true
	if n, _, ok := try.all(); ok && n > 0 {
		return said + " One fits if the measures are of the other class."
	}
	var without []string
	for i, m := range s.measures {
		try = s
		try.measures = append(append([]measure{}, s.measures[:i]...), s.measures[i+1:]...)
		if n, _, ok := try.all(); ok && n > 0 && n <= mostMatrices {
			without = append(without, m.name)
		}
	}
	if len(without) > 0 {
		said += " One fits without the " + strings.Join(without, ", or without the ") + "."
	}
	return said
}

// accuracy compares a model with calling everyone the commoner class.
func (r *Report) accuracy(g *Models, m *Model, res *ModelResult) {
	res.Accuracy, res.NoInformation, res.AboveP = num.NaN(), num.NaN(), num.NaN()
	right, ok := m.rightCalls(res)
	if !ok || !g.set.classes() {
		return
	}
	n := g.set.N.N
	none := float64(max(g.set.Positive.N, g.set.Negative.N)) / float64(n)
	is := float64(right) / float64(n)
	res.Accuracy, res.NoInformation, res.AboveP = num.Float(is), num.Float(none), num.Float(binomialTail(right, n, none))
	where := g.Name + ", " + m.Name
	said := fmt.Sprintf("Accuracy %.3f; calling everyone the commoner class gives %.3f (one-sided exact P %s)", is, none, formatP(float64(res.AboveP)))
	switch {
	case is < none:
		r.add("accuracy", where, Doubt, said+": the model is worse than no model at its threshold.")
	case res.AboveP >= significance:
		r.add("accuracy", where, Note, said+": not shown to be better than no model.")
	default:
		r.add("accuracy", where, Agrees, said+".")
	}
}

// rightCalls is the number of right calls, where the matrices that fit or the printed accuracy give one.
func (m *Model) rightCalls(res *ModelResult) (int, bool) {
	if res.Matrices > 0 && res.Matrices <= len(res.Examples) {
		right := res.Examples[0].TP + res.Examples[0].TN
		for _, x := range res.Examples {
			if x.TP+x.TN != right {
				return 0, false
			}
		}
		return right, true
	}
	for _, x := range m.measures {
		if x.name == "accuracy" {
			s := x.value.rounding()
			lo, hi := math.Ceil((s.lo-slack)*float64(res.N)), math.Floor((s.hi+slack)*float64(res.N))
			return int(lo), lo == hi
		}
	}
	return 0, false
}

// binomialTail is P(X >= k) of n trials with probability p.
func binomialTail(k, n int, p float64) float64 {
	if k <= 0 {
		return 1
	}
	return mathext.RegIncBeta(float64(k), float64(n-k+1), p)
}
