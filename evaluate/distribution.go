package evaluate

import (
	"math"
	"slices"

	"sonotype/internal/num"
	"sonotype/internal/stats"
)

const (
	histogramBins = 20
	densityPoints = 101
)

// Distribute summarises the scores of the two classes (ready for a histogram, box or violin plot) and compares
// them by the Wilcoxon rank-sum test, positives against negatives, by the rule of R's wilcox.test.
func Distribute(scores []float64, labels []int) (Distribution, error) {
	positive, negative, err := checkInput(scores, labels)
	if err != nil {
		return Distribution{}, err
	}
	var split [2][]float64
	for i, s := range scores {
		split[labels[i]] = append(split[labels[i]], s)
	}
	lo, hi := 0.0, 1.0 // probabilities are shown on their whole scale
	if notProbability(scores) >= 0 {
		lo, hi = slices.Min(scores), slices.Max(scores)
		if lo == hi {
			lo, hi = lo-.5, hi+.5
		}
	}
	d := Distribution{Edges: spaced(lo, hi, histogramBins+1), Grid: spaced(lo, hi, densityPoints), Note: oneClass(positive, negative)}
	d.Test = stats.RankSum(split[1], split[0])
	for label, x := range split {
		slices.Sort(x)
		d.Classes[label] = classScores(label, x, d.Edges, d.Grid)
	}
	return d, nil
}

func spaced(lo, hi float64, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = lo + (hi-lo)*float64(i)/float64(n-1)
	}
	x[n-1] = hi
	return x
}

func classScores(label int, sorted, edges, grid []float64) ClassScores {
	nan := num.NaN()
	c := ClassScores{Label: label, N: len(sorted), Mean: nan, SD: nan, Min: nan, Q1: nan, Median: nan, Q3: nan, Max: nan,
		Counts: make([]int, len(edges)-1), Density: []float64{}}
	if len(sorted) == 0 {
		return c
	}
	mean, variance := stats.MeanVar(sorted)
	c.Mean, c.SD = num.Float(mean), num.Float(math.Sqrt(variance))
	c.Min, c.Max = num.Float(sorted[0]), num.Float(sorted[len(sorted)-1])
	c.Q1, c.Median, c.Q3 = num.Float(stats.Quantile(sorted, .25)), num.Float(stats.Quantile(sorted, .5)), num.Float(stats.Quantile(sorted, .75))
	for _, v := range sorted { // bins hold their left edge; the last one its right edge too
		k, found := slices.BinarySearch(edges, v)
		if !found {
			k--
		}
		c.Counts[min(max(k, 0), len(c.Counts)-1)]++
	}
	if sorted[0] < sorted[len(sorted)-1] {
		c.Density = density(sorted, grid, float64(c.SD))
	}
	return c
}

// density is a Gaussian kernel estimate with Silverman's bandwidth (R's bw.nrd0).
func density(sorted, grid []float64, sd float64) []float64 {
	n := float64(len(sorted))
	width := min(sd, (stats.Quantile(sorted, .75)-stats.Quantile(sorted, .25))/1.34)
	if width == 0 {
		width = sd
	}
	h := .9 * width * math.Pow(n, -.2)
	out := make([]float64, len(grid))
	for k, g := range grid {
		for _, v := range sorted {
			z := (g - v) / h
			out[k] += math.Exp(-z * z / 2)
		}
		out[k] /= n * h * math.Sqrt(2*math.Pi)
	}
	return out
}
