package describe

import (
	"math"

	"sonotype/internal/num"
	"sonotype/internal/stats"
)

// WelchT is the two-sided t test of equal means without assuming equal variances (Welch-Satterthwaite
// degrees of freedom); R's t.test(x, y).
func WelchT(x, y []float64) Test {
	const name = "Welch t"
	if note := tooFew(x, y); note != "" {
		return stats.NotComputable(name, note)
	}
	mx, vx := stats.MeanVar(x)
	my, vy := stats.MeanVar(y)
	ex, ey := vx/float64(len(x)), vy/float64(len(y))
	se := math.Sqrt(ex + ey)
	if constant(se, mx, my) {
		return stats.NotComputable(name, "the values are constant within the groups")
	}
	df := (ex + ey) * (ex + ey) / (ex*ex/float64(len(x)-1) + ey*ey/float64(len(y)-1))
	return tResult(name, (mx-my)/se, df)
}

// PooledT is Student's two-sided t test with the pooled variance; R's t.test(x, y, var.equal = TRUE).
func PooledT(x, y []float64) Test {
	const name = "pooled t"
	if note := tooFew(x, y); note != "" {
		return stats.NotComputable(name, note)
	}
	mx, vx := stats.MeanVar(x)
	my, vy := stats.MeanVar(y)
	nx, ny := float64(len(x)), float64(len(y))
	df := nx + ny - 2
	se := math.Sqrt(((nx-1)*vx + (ny-1)*vy) / df * (1/nx + 1/ny))
	if constant(se, mx, my) {
		return stats.NotComputable(name, "the values are constant within the groups")
	}
	return tResult(name, (mx-my)/se, df)
}

func tResult(name string, t, df float64) Test {
	return Test{Name: name, Statistic: num.Float(t), DF: num.Float(df), DF2: num.NaN(), P: num.Float(stats.TTwoSided(t, df))}
}

// constant is R's rule for "data are essentially constant".
func constant(se, mx, my float64) bool {
	const eps = 2.220446049250313e-16
	return se < 10*eps*max(math.Abs(mx), math.Abs(my)) || se == 0
}

func tooFew(groups ...[]float64) string {
	for _, g := range groups {
		if len(g) < 2 {
			return "a group has fewer than two values"
		}
	}
	return ""
}
