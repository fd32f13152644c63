package study

import (
	"slices"

	"gonum.org/v1/gonum/stat"

	"sonotype/internal/num"
	"sonotype/internal/stats"
	"sonotype/report"
)

// spreadOf sums up a distribution; quantiles are R's type 7, the mean and SD NaN where a value is missing.
func spreadOf(x []float64) report.Spread {
	s := report.Spread{N: len(x), Mean: num.NaN(), SD: num.NaN(), Min: num.NaN(), Lo: num.NaN(), Median: num.NaN(), Hi: num.NaN(), Max: num.NaN()}
	if len(x) == 0 {
		return s
	}
	sorted := slices.Sorted(slices.Values(x))
	s.Mean = num.Float(stat.Mean(x, nil))
	if len(x) > 1 {
		s.SD = num.Float(stat.StdDev(x, nil))
	}
	s.Min, s.Max = num.Float(sorted[0]), num.Float(sorted[len(sorted)-1])
	s.Lo, s.Median, s.Hi = num.Float(stats.Quantile(sorted, 0.025)), num.Float(stats.Quantile(sorted, 0.5)), num.Float(stats.Quantile(sorted, 0.975))
	return s
}
