package audit

import (
	"math"

	"sonotype/internal/num"
	"sonotype/internal/stats"
)

// sample is a group of a continuous row: all means and SDs that round to what is printed.
type sample struct {
	n        float64
	mean, sd span
}

// samples are the groups of a continuous row, without the Overall column.
func (t *Table) samples(r *Row) []sample {
	var out []sample
	for g := range t.Groups {
		m := r.means[g]
		sd := m.sd.rounding()
		out = append(out, sample{float64(t.Groups[g].N.N), m.mean.rounding(), span{max(0, sd.lo), sd.hi}})
	}
	return out
}

// continuous gives the range of p-values that the rounding of means and SDs allows, by the t tests or the
// analysis of variance, and by the latter with the Overall column as a further group.
func (t *Table) continuous(r *Row) []PRange {
	s := t.samples(r)
	total := 0.0
	for _, g := range s {
		if g.n < 2 {
			return nil
		}
		total += g.n
	}
	between, within := betweenRange(s), withinRange(s)
	k := float64(len(s))
	ratio := quotient(between, within)
	anova := fRange(ratio, k-1, total-k)
	// The Overall column lies at the grand mean, so that it adds nothing between the groups; inside itself it
	// adds all of both sums of squares. Its ratio is b/(b+2w) with b/w as before, which rises with b/w.
	twice := func(q float64) float64 {
		if math.IsInf(q, 1) {
			return 1
		}
		return q / (q + 2)
	}
	overall := fRange(span{twice(ratio.lo), twice(ratio.hi)}, k, 2*total-k-1)
	var out []PRange
	if len(s) == 2 {
		out = append(out, ranged(testWelch, welchRange(s[0], s[1])), ranged(testPooled, anova))
	} else {
		out = append(out, ranged(testANOVA, anova))
	}
	return usable(append(out, ranged(testANOVA, overall).overall()))
}

func ranged(name string, p span) PRange {
	return PRange{Test: name, Lo: num.Float(p.lo), Hi: num.Float(p.hi)}
}

// fRange turns a range of between/within sums of squares into the range of the F test's p.
func fRange(ratio span, d1, d2 float64) span {
	p := func(q float64) float64 {
		if math.IsInf(q, 1) {
			return 0
		}
		return stats.FTail(q*d2/d1, d1, d2)
	}
	return span{p(ratio.hi), p(ratio.lo)}
}

// quotient is the range of a/b for non-negative ranges; 0/0 counts as 0.
func quotient(a, b span) span {
	div := func(x, y float64) float64 {
		switch {
		case x == 0:
			return 0
		case y == 0:
			return math.Inf(1)
		}
		return x / y
	}
	return span{div(a.lo, b.hi), div(a.hi, b.lo)}
}

// withinRange is the range of the sum of squares inside the groups.
func withinRange(s []sample) (w span) {
	for _, g := range s {
		w.lo += (g.n - 1) * g.sd.lo * g.sd.lo
		w.hi += (g.n - 1) * g.sd.hi * g.sd.hi
	}
	return w
}

// betweenRange is the range of the sum of squares between the groups. The largest is at a corner of the box of
// means, the function being convex. The smallest is min over c of sum n_i d(c, I_i)^2, d being the distance of
// c from the interval I_i: convex and of one variable.
func betweenRange(s []sample) (b span) {
	for corner := range 1 << len(s) {
		b.hi = max(b.hi, between(s, func(i int) float64 {
			if corner>>i&1 == 1 {
				return s[i].mean.hi
			}
			return s[i].mean.lo
		}))
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, g := range s {
		lo, hi = min(lo, g.mean.lo), max(hi, g.mean.hi)
	}
	at := func(c float64) (sum float64) {
		for _, g := range s {
			d := max(g.mean.lo-c, c-g.mean.hi, 0)
			sum += g.n * d * d
		}
		return sum
	}
	for range 200 { // ternary search: each step keeps two thirds
		third := (hi - lo) / 3
		if at(lo+third) <= at(hi-third) {
			hi -= third
		} else {
			lo += third
		}
	}
	b.lo = at((lo + hi) / 2)
	if b.lo < 1e-18*b.hi {
		b.lo = 0 // a common mean exists: the rest is rounding
	}
	return b
}

func between(s []sample, mean func(i int) float64) float64 {
	var n, sum float64
	for i, g := range s {
		n += g.n
		sum += g.n * mean(i)
	}
	grand, out := sum/n, 0.0
	for i, g := range s {
		out += g.n * (mean(i) - grand) * (mean(i) - grand)
	}
	return out
}

// welchSteps is the grid on each SD for Welch's test, whose degrees of freedom are not monotone in the SDs.
const welchSteps = 8

// welchRange is the range of the Welch test's p.
func welchRange(a, b sample) span {
	least, most := max(a.mean.lo-b.mean.hi, b.mean.lo-a.mean.hi, 0), max(a.mean.hi-b.mean.lo, b.mean.hi-a.mean.lo)
	out := span{1, 0}
	for i := range welchSteps + 1 {
		for j := range welchSteps + 1 {
			va := square(a.sd.lo+(a.sd.hi-a.sd.lo)*float64(i)/welchSteps) / a.n
			vb := square(b.sd.lo+(b.sd.hi-b.sd.lo)*float64(j)/welchSteps) / b.n
			df := square(va+vb) / (va*va/(a.n-1) + vb*vb/(b.n-1))
			for _, d := range []float64{least, most} {
				p := stats.TTwoSided(d/math.Sqrt(va+vb), df)
				switch {
				case d == 0:
					p = 1
				case va+vb == 0:
					p = 0
				}
				out = span{min(out.lo, p), max(out.hi, p)}
			}
		}
	}
	return out
}

func square(x float64) float64 { return x * x }

// pooledSpans are the ranges of the mean and SD of all groups together.
func pooledSpans(s []sample) (mean, sd span) {
	var n float64
	for _, g := range s {
		n += g.n
		mean.lo += g.n * g.mean.lo
		mean.hi += g.n * g.mean.hi
	}
	mean = span{mean.lo / n, mean.hi / n}
	b, w := betweenRange(s), withinRange(s)
	return mean, span{math.Sqrt((b.lo + w.lo) / (n - 1)), math.Sqrt((b.hi + w.hi) / (n - 1))}
}
