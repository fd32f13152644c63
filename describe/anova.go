package describe

import (
	"math"

	"sonotype/internal/num"
	"sonotype/internal/stats"
)

// ANOVA is the one-way analysis of variance of two or more groups with equal variances; R's
// oneway.test(var.equal = TRUE).
func ANOVA(groups [][]float64) Test {
	const name = "one-way ANOVA"
	if len(groups) < 2 {
		return stats.NotComputable(name, "fewer than two groups")
	}
	if note := tooFew(groups...); note != "" {
		return stats.NotComputable(name, note)
	}
	var all []float64
	for _, g := range groups {
		all = append(all, g...)
	}
	n := float64(len(all))
	grand, _ := stats.MeanVar(all)
	var between, within, largest float64
	for _, g := range groups {
		m, v := stats.MeanVar(g)
		between += float64(len(g)) * (m - grand) * (m - grand)
		within += float64(len(g)-1) * v
		largest = max(largest, math.Abs(m))
	}
	d1, d2 := float64(len(groups)-1), n-float64(len(groups))
	if constant(math.Sqrt(within/d2), largest, 0) {
		return stats.NotComputable(name, "the values are constant within the groups")
	}
	return fResult(name, (between/d1)/(within/d2), d1, d2)
}

// WelchANOVA is Welch's one-way test, which does not assume equal variances; R's oneway.test.
func WelchANOVA(groups [][]float64) Test {
	const name = "Welch ANOVA"
	if len(groups) < 2 {
		return stats.NotComputable(name, "fewer than two groups")
	}
	if note := tooFew(groups...); note != "" {
		return stats.NotComputable(name, note)
	}
	k := float64(len(groups))
	mean, weight := make([]float64, len(groups)), make([]float64, len(groups))
	var sumW, centre float64
	for i, g := range groups {
		m, v := stats.MeanVar(g)
		if constant(math.Sqrt(v/float64(len(g))), m, 0) {
			return stats.NotComputable(name, "the values of a group are constant")
		}
		mean[i], weight[i] = m, float64(len(g))/v
		sumW += weight[i]
	}
	for i := range groups {
		centre += weight[i] * mean[i] / sumW
	}
	var between, lambda float64
	for i, g := range groups {
		between += weight[i] * (mean[i] - centre) * (mean[i] - centre)
		rest := 1 - weight[i]/sumW
		lambda += rest * rest / float64(len(g)-1)
	}
	lambda /= k*k - 1
	f := between / ((k - 1) * (1 + 2*(k-2)*lambda))
	return fResult(name, f, k-1, 1/(3*lambda))
}

func fResult(name string, f, d1, d2 float64) Test {
	return Test{Name: name, Statistic: num.Float(f), DF: num.Float(d1), DF2: num.Float(d2), P: num.Float(stats.FTail(f, d1, d2))}
}

// KruskalWallis is the rank test of two or more groups, chi-square approximation with tie correction; R's kruskal.test.
func KruskalWallis(groups [][]float64) Test {
	const name = "Kruskal-Wallis"
	var all []float64
	for _, g := range groups {
		if len(g) == 0 {
			return stats.NotComputable(name, "a group has no values")
		}
		all = append(all, g...)
	}
	if len(groups) < 2 {
		return stats.NotComputable(name, "fewer than two groups")
	}
	ranks, ties := stats.MidRanks(all)
	n := float64(len(all))
	shrink := 1 - ties/(n*n*n-n)
	if !(shrink > 0) {
		return stats.NotComputable(name, "all values are equal")
	}
	var h float64
	at := 0
	for _, g := range groups {
		var sum float64
		for _, r := range ranks[at : at+len(g)] {
			sum += r - (n+1)/2
		}
		h += sum * sum / float64(len(g))
		at += len(g)
	}
	h = 12 * h / (n * (n + 1)) / shrink
	df := float64(len(groups) - 1)
	return Test{Name: name, Statistic: num.Float(h), DF: num.Float(df), DF2: num.NaN(), P: num.Float(stats.ChiSquareTail(h, df))}
}

// Wilcoxon is the two-sided rank-sum test of x against y: exact when both groups have fewer than 50 values
// and nothing is tied, else the normal approximation with tie and continuity correction (R's wilcox.test).
func Wilcoxon(x, y []float64) Test { return stats.RankSum(x, y) }
