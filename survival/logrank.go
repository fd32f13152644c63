package survival

import (
	"slices"

	"gonum.org/v1/gonum/mat"

	"sonotype/internal/num"
	"sonotype/internal/stats"
)

// LogRankTest compares the survival of two or more groups (R's survdiff, rho = 0), within strata when strata is
// not nil. Groups are listed in ascending order of name.
func LogRankTest(time []float64, event []int, group []string, strata []string) (*LogRank, error) {
	events, err := checkFollowUp(time, event)
	if err != nil {
		return nil, err
	}
	if err := checkLength("groups", len(group), len(time)); err != nil {
		return nil, err
	}
	if strata == nil {
		strata = make([]string, len(time))
	} else if err := checkLength("strata", len(strata), len(time)); err != nil {
		return nil, err
	}
	names, index := numbered(group)
	_, stratum := numbered(strata)
	r := &LogRank{N: len(time), Events: events, ChiSquared: num.NaN(), P: num.NaN(), Strata: slices.Max(stratum) + 1}
	for _, name := range names {
		r.Groups = append(r.Groups, LogRankGroup{Name: name})
	}
	for i, g := range index {
		r.Groups[g].N++
		r.Groups[g].Observed += event[i]
	}
	expected, variance := logRankMoments(time, event, index, stratum, len(names), r.Strata)
	for g, e := range expected {
		r.Groups[g].Expected = e
	}
	r.test(variance)
	return r, nil
}

// logRankMoments sums, over event times within strata, the expected events of each group and their
// hypergeometric covariance.
func logRankMoments(time []float64, event, group, stratum []int, groups, strata int) ([]float64, *mat.SymDense) {
	expected, variance := make([]float64, groups), mat.NewSymDense(groups, nil)
	members := make([][]int, strata)
	for _, i := range stats.Order(time) {
		members[stratum[i]] = append(members[stratum[i]], i)
	}
	for _, idx := range members {
		atRisk := make([]float64, groups)
		for _, i := range idx {
			atRisk[group[i]]++
		}
		for i := 0; i < len(idx); {
			n, d, j := float64(len(idx)-i), 0.0, i
			for ; j < len(idx) && time[idx[j]] == time[idx[i]]; j++ {
				d += float64(event[idx[j]])
			}
			for a, ra := range atRisk {
				expected[a] += d * ra / n
				if n == 1 || d == 0 {
					continue
				}
				scale := d * (n - d) / (n - 1) * ra / n
				for b := a; b < groups; b++ {
					v := -scale * atRisk[b] / n
					if a == b {
						v += scale
					}
					variance.SetSym(a, b, variance.At(a, b)+v)
				}
			}
			for ; i < j; i++ {
				atRisk[group[idx[i]]]--
			}
		}
	}
	return expected, variance
}

// test fills chi-squared = u' V^-1 u over the groups in which events were expected, the first left out.
func (r *LogRank) test(variance *mat.SymDense) {
	var used []int
	for g, grp := range r.Groups {
		if grp.Expected > 0 {
			used = append(used, g)
		}
	}
	if len(used) < 2 {
		r.Note = "fewer than two groups were at risk when events happened"
		return
	}
	used = used[1:]
	r.DF = len(used)
	u, v := mat.NewVecDense(r.DF, nil), mat.NewSymDense(r.DF, nil)
	for a, g := range used {
		u.SetVec(a, float64(r.Groups[g].Observed)-r.Groups[g].Expected)
		for b := a; b < r.DF; b++ {
			v.SetSym(a, b, variance.At(g, used[b]))
		}
	}
	x, ok := quadratic(u, v)
	if !ok {
		r.Note = "the groups were never at risk together"
		return
	}
	r.ChiSquared, r.P = num.Float(x), num.Float(stats.ChiSquareTail(x, float64(r.DF)))
}

// quadratic is u' V^-1 u; ok is false when V is singular.
func quadratic(u *mat.VecDense, v *mat.SymDense) (x float64, ok bool) {
	var c mat.Cholesky
	if !c.Factorize(v) || c.Cond() > 1e12 {
		return 0, false
	}
	var s mat.VecDense
	if err := c.SolveVecTo(&s, u); err != nil {
		return 0, false
	}
	return mat.Dot(u, &s), true
}

// numbered maps names to their place among the sorted distinct names.
func numbered(names []string) (distinct []string, index []int) {
	distinct = slices.Clone(names)
	slices.Sort(distinct)
	distinct = slices.Compact(distinct)
	index = make([]int, len(names))
	for i, n := range names {
		index[i], _ = slices.BinarySearch(distinct, n)
	}
	return distinct, index
}
