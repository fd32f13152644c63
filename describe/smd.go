package describe

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"sonotype/internal/stats"
)

// SMD is the standardised mean difference of a numeric variable, the largest over all pairs of groups:
// |m1 - m2| / sqrt((s1^2 + s2^2) / 2). NaN when a group has fewer than two values, or when groups with
// different means do not vary.
func SMD(groups [][]float64) float64 {
	return largestPair(len(groups), func(a, b int) float64 {
		if len(groups[a]) < 2 || len(groups[b]) < 2 {
			return math.NaN()
		}
		ma, va := stats.MeanVar(groups[a])
		mb, vb := stats.MeanVar(groups[b])
		if ma == mb {
			return 0
		}
		if va+vb == 0 {
			return math.NaN()
		}
		return math.Abs(ma-mb) / math.Sqrt((va+vb)/2)
	})
}

// CategoricalSMD is the standardised difference of a categorical variable, counts [level][group], the largest
// over all pairs of groups: the Mahalanobis distance of the level proportions under the mean of the two
// multinomial covariances (Yang and Dalton, SAS Global Forum 2012, paper 335). NaN when a group is empty or
// the distance is infinite.
func CategoricalSMD(counts [][]int) float64 {
	if len(counts) == 0 {
		return math.NaN()
	}
	share := proportions(counts)
	return largestPair(len(counts[0]), func(a, b int) float64 {
		if share[a] == nil || share[b] == nil {
			return math.NaN()
		}
		return multinomialDistance(share[a], share[b])
	})
}

// proportions returns [group][level], nil for a group without counts.
func proportions(counts [][]int) [][]float64 {
	out := make([][]float64, len(counts[0]))
	for g := range out {
		total := 0
		for _, level := range counts {
			total += level[g]
		}
		if total == 0 {
			continue
		}
		out[g] = make([]float64, len(counts))
		for l, level := range counts {
			out[g][l] = float64(level[g]) / float64(total)
		}
	}
	return out
}

// multinomialDistance drops the first level, which the others determine, and uses the generalised inverse.
func multinomialDistance(p, q []float64) float64 {
	k := len(p) - 1
	if k < 1 {
		return 0
	}
	d := mat.NewVecDense(k, nil)
	s := mat.NewSymDense(k, nil)
	for i := range k {
		d.SetVec(i, p[i+1]-q[i+1])
		for j := i; j < k; j++ {
			v := -(p[i+1]*p[j+1] + q[i+1]*q[j+1]) / 2
			if i == j {
				v += (p[i+1] + q[i+1]) / 2
			}
			s.SetSym(i, j, v)
		}
	}
	if mat.Norm(d, math.Inf(1)) < 1e-15 {
		return 0
	}
	var eig mat.EigenSym
	if !eig.Factorize(s, true) {
		return math.NaN()
	}
	var vectors mat.Dense
	eig.VectorsTo(&vectors)
	values := eig.Values(nil)
	var along mat.VecDense
	along.MulVec(vectors.T(), d)
	var sum float64
	for i, v := range values {
		a := along.AtVec(i)
		switch {
		case v > 1e-10:
			sum += a * a / v
		case math.Abs(a) > 1e-8: // the groups differ where neither varies
			return math.NaN()
		}
	}
	return math.Sqrt(sum)
}

func largestPair(groups int, distance func(a, b int) float64) float64 {
	if groups < 2 {
		return math.NaN()
	}
	var largest float64
	for a := range groups {
		for b := a + 1; b < groups; b++ {
			d := distance(a, b)
			if math.IsNaN(d) {
				return d
			}
			largest = max(largest, d)
		}
	}
	return largest
}
