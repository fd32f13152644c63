package audit

import (
	"fmt"
	"math"
	"strconv"

	"sonotype/describe"
	"sonotype/internal/num"
	"sonotype/internal/stats"
)

func formatFixed(v float64, decimals int) string { return strconv.FormatFloat(v, 'f', decimals, 64) }

func momentsText(v []float64) string {
	mean, variance := stats.MeanVar(v)
	return fmt.Sprintf("%.2f (%.2f)", mean, math.Sqrt(variance))
}

func percentText(n, of int) string { return fmt.Sprintf("%d (%.1f%%)", n, 100*float64(n)/float64(of)) }

func welch(x, y []float64) num.Float { return describe.WelchT(x, y).P }

func anova(groups [][]float64) num.Float { return describe.ANOVA(groups).P }

func chiSquare(counts [][]int) num.Float {
	t, err := describe.ChiSquare(counts, false)
	if err != nil {
		return num.NaN()
	}
	return t.P
}
