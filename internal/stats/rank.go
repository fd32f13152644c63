package stats

import (
	"math"
	"slices"
)

// Order returns the indices that sort x ascending, equal values in input order. x must hold no NaN.
func Order(x []float64) []int {
	idx := make([]int, len(x))
	for i := range idx {
		idx[i] = i
	}
	slices.SortStableFunc(idx, func(a, b int) int {
		switch {
		case x[a] < x[b]:
			return -1
		case x[a] > x[b]:
			return 1
		}
		return 0
	})
	return idx
}

// MidRanks returns 1-based ranks, tied values sharing the mean of theirs, and the tie term
// sum(t^3 - t) over groups of t tied values.
func MidRanks(x []float64) (ranks []float64, ties float64) {
	ranks = make([]float64, len(x))
	idx := Order(x)
	for i := 0; i < len(idx); {
		j := i + 1
		for j < len(idx) && x[idx[j]] == x[idx[i]] {
			j++
		}
		mid := float64(i+1+j) / 2
		for _, k := range idx[i:j] {
			ranks[k] = mid
		}
		t := float64(j - i)
		ties += t*t*t - t
		i = j
	}
	return ranks, ties
}

// Quantile is R's type 7 quantile (linear interpolation) of sorted values; NaN when there are none.
func Quantile(sorted []float64, p float64) float64 {
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	h := p * float64(n-1)
	lo := min(max(int(math.Floor(h)), 0), n-1)
	hi := min(lo+1, n-1)
	if f := h - float64(lo); f > 0 && hi > lo {
		return sorted[lo] + f*(sorted[hi]-sorted[lo])
	}
	return sorted[lo]
}
