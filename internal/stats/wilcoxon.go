package stats

import (
	"math"

	"sonotype/internal/num"
)

// exactLimit is R's rule: the exact distribution is used while both groups are smaller than this and nothing is tied.
const exactLimit = 50

// RankSum is the two-sided Wilcoxon rank-sum (Mann-Whitney) test of x against y by the rule of R's wilcox.test:
// exact when both groups have fewer than 50 values and no two values are equal, else normal with tie and
// continuity correction. Statistic is W, the number of pairs with x above y, ties counting one half; Exact tells which form P has.
func RankSum(x, y []float64) Test {
	const name = "Wilcoxon rank-sum"
	nx, ny := float64(len(x)), float64(len(y))
	if len(x) == 0 || len(y) == 0 {
		return NotComputable(name, "a group has no values")
	}
	all := append(append(make([]float64, 0, len(x)+len(y)), x...), y...)
	ranks, ties := MidRanks(all)
	w := -nx * (nx + 1) / 2
	for _, r := range ranks[:len(x)] {
		w += r
	}
	t := Test{Name: name, Statistic: num.Float(w), DF: num.NaN(), DF2: num.NaN()}
	if len(x) < exactLimit && len(y) < exactLimit && ties == 0 {
		t.Exact = true
		t.P = num.Float(rankSumExact(int(w), len(x), len(y)))
		return t
	}
	n := nx + ny
	sigma := math.Sqrt(nx * ny / 12 * (n + 1 - ties/(n*(n-1))))
	if !(sigma > 0) {
		t.P, t.Note = num.NaN(), "all values are equal"
		return t
	}
	d := w - nx*ny/2
	if d != 0 {
		d -= math.Copysign(0.5, d)
	}
	t.P = num.Float(min(1, NormalTwoSided(d/sigma)))
	return t
}

// rankSumExact is min(1, 2 x the smaller tail) of W under all C(m+n, m) assignments.
func rankSumExact(w, m, n int) float64 {
	w = min(w, m*n-w) // the distribution is symmetric
	count := rankSumCounts(m, n)
	var tail, total float64
	for u, c := range count {
		total += c
		if u <= w {
			tail += c
		}
	}
	return min(1, 2*tail/total)
}

// rankSumCounts[u] is the number of ways in which m of m+n ranks give W = u. It adds only, so that counts
// beyond 2^53 keep their relative precision.
func rankSumCounts(m, n int) []float64 {
	// ways[k][s]: ways to choose k ranks among those seen so far with W-contribution s, each rank r
	// chosen as the k-th smallest contributing r - k.
	ways := make([][]float64, m+1)
	for k := range ways {
		ways[k] = make([]float64, m*n+1)
	}
	ways[0][0] = 1
	for r := 1; r <= m+n; r++ {
		for k := min(r, m); k >= 1; k-- {
			gain := r - k
			if gain > n {
				continue // more than n unchosen ranks below: no such assignment
			}
			for s := gain; s <= m*n; s++ {
				ways[k][s] += ways[k-1][s-gain]
			}
		}
	}
	return ways[m]
}
