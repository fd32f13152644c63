package describe

import (
	"math"

	"sonotype/internal/num"
	"sonotype/internal/problem"
)

// OddsRatio is the association of two yes/no variables: the conditional maximum-likelihood odds ratio with its exact
// 95 % interval, and the two-sided P of Fisher's exact test (R's fisher.test). An infinite value is null; Open says that
// the upper end is infinite.
type OddsRatio struct {
	Value num.Float `json:"odds_ratio"`
	Lo    num.Float `json:"lo"`
	Hi    num.Float `json:"hi"`
	Open  bool      `json:"open,omitempty"` // no upper end
	P     num.Float `json:"p"`
	Note  string    `json:"note,omitempty"`
}

// Odds compares the odds of a/b with those of c/d, four counts: a of those exposed have the outcome and b have not,
// c and d of those not exposed. The counts may be zero; a margin of zero gives no value, with a note.
func Odds(a, b, c, d int) (OddsRatio, error) {
	if min(a, b, c, d) < 0 {
		return OddsRatio{}, &problem.Error{What: "a count is negative"}
	}
	out := OddsRatio{Value: num.NaN(), Lo: num.NaN(), Hi: num.NaN(), P: num.NaN()}
	if a+b == 0 || c+d == 0 || a+c == 0 || b+d == 0 {
		out.Note = "a row or column of the table is empty"
		return out, nil
	}
	test, err := Fisher([][]int{{a, b}, {c, d}}, 0)
	if err != nil {
		return out, err
	}
	out.P = test.P
	h := newHypergeometric(a, b, c, d)
	const tail = 0.025
	switch a {
	case h.lo:
		out.Value, out.Lo = 0, 0
	case h.hi:
		out.Value = num.Float(math.Inf(1))
		out.Note = "the odds ratio is infinite: a count is zero"
	default:
		out.Value = h.solve(func(logOR float64) float64 { return h.mean(logOR) - float64(a) })
	}
	if a > h.lo {
		out.Lo = h.solve(func(logOR float64) float64 { return h.upper(a, logOR) - tail })
	}
	if a < h.hi {
		out.Hi = h.solve(func(logOR float64) float64 { return tail - h.lower(a, logOR) })
	} else {
		out.Hi, out.Open = num.Float(math.Inf(1)), true
	}
	return out, nil
}

// hypergeometric is Fisher's noncentral distribution of the first count with the margins fixed.
type hypergeometric struct {
	lo, hi int
	log    []float64 // log probability of lo, lo+1, ... at an odds ratio of 1, up to a constant
}

func newHypergeometric(a, b, c, d int) hypergeometric {
	row, other, column := a+b, c+d, a+c
	h := hypergeometric{lo: max(0, column-other), hi: min(column, row)}
	choose := func(n, k int) float64 {
		total, _ := math.Lgamma(float64(n + 1))
		in, _ := math.Lgamma(float64(k + 1))
		rest, _ := math.Lgamma(float64(n - k + 1))
		return total - in - rest
	}
	for x := h.lo; x <= h.hi; x++ {
		h.log = append(h.log, choose(row, x)+choose(other, column-x))
	}
	return h
}

// each calls f with every count and its probability at an odds ratio.
func (h hypergeometric) each(logOR float64, f func(x int, p float64)) {
	top := math.Inf(-1)
	for i, l := range h.log {
		top = max(top, l+logOR*float64(h.lo+i))
	}
	sum := 0.0
	for i, l := range h.log {
		sum += math.Exp(l + logOR*float64(h.lo+i) - top)
	}
	for i, l := range h.log {
		f(h.lo+i, math.Exp(l+logOR*float64(h.lo+i)-top)/sum)
	}
}

func (h hypergeometric) mean(logOR float64) (m float64) {
	h.each(logOR, func(x int, p float64) { m += float64(x) * p })
	return m
}

// upper is the probability of a count of a or more, lower of a or fewer.
func (h hypergeometric) upper(a int, logOR float64) (s float64) {
	h.each(logOR, func(x int, p float64) {
		if x >= a {
			s += p
		}
	})
	return s
}

func (h hypergeometric) lower(a int, logOR float64) (s float64) {
	h.each(logOR, func(x int, p float64) {
		if x <= a {
			s += p
		}
	})
	return s
}

// solve finds the odds ratio where an increasing function of its logarithm is 0, by bisection.
func (h hypergeometric) solve(f func(logOR float64) float64) num.Float {
	lo, hi := -1.0, 1.0
	for f(lo) > 0 && lo > -500 {
		lo *= 2
	}
	for f(hi) < 0 && hi < 500 {
		hi *= 2
	}
	for range 200 {
		mid := lo + (hi-lo)/2
		if mid == lo || mid == hi {
			break
		}
		if f(mid) < 0 {
			lo = mid
		} else {
			hi = mid
		}
	}
	return num.Float(math.Exp(lo + (hi-lo)/2))
}
