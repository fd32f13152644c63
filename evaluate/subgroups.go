package evaluate

import (
	"fmt"
	"math"

	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/internal/stats"
)

// Subgroup is the performance in one level of a subgroup variable, at the threshold of all.
type Subgroup struct {
	Level string `json:"level"`
	Performance
}

// Subgroups compares a score between the levels of one variable.
type Subgroups struct {
	Variable    string     `json:"variable"`
	Levels      []Subgroup `json:"levels"`
	Unknown     int        `json:"unknown"`     // units without a level
	AUCs        stats.Test `json:"auc_test"`    // are the AUCs equal
	Interaction stats.Test `json:"interaction"` // does the logit of the score count alike
}

// fewestOfClass is the number of units of either class that a level needs to take part in the tests; normal and
// chi-square approximations are poor below it.
const fewestOfClass = 5

// BySubgroup measures a score in each level of a variable: group[i] is unit i's index into levels, or -1 when unknown.
// Two tests compare the levels that have at least five units of each class:
//   - the AUCs, of independent units, by Cochran's Q with DeLong's variances: chi-square with one degree of freedom
//     less than levels;
//   - the effect of the score, by the likelihood-ratio test of the interaction in a logistic regression of the outcome
//     on the score's logit, the level and their product. It needs probabilities; those of exactly 0 or 1 have no logit
//     and are left out, which the note tells.
//
// The same AUC in all levels does not need the same effect, nor the reverse.
func BySubgroup(variable string, scores []float64, labels, group []int, levels []string, threshold float64) (Subgroups, error) {
	if _, _, err := checkInput(scores, labels); err != nil {
		return Subgroups{}, err
	}
	if len(group) != len(scores) {
		return Subgroups{}, &problem.Error{What: "scores and subgroups differ in number", Expected: fmt.Sprint(len(scores)), Found: fmt.Sprint(len(group))}
	}
	out := Subgroups{Variable: variable}
	in := make([]sample, len(levels))
	for i, g := range group {
		switch {
		case g == -1:
			out.Unknown++
		case g < -1 || g >= len(levels):
			return Subgroups{}, &problem.Error{What: "a unit's subgroup has no name", Expected: fmt.Sprintf("-1 to %d", len(levels)-1), Found: fmt.Sprint(g)}
		default:
			in[g].scores, in[g].labels = append(in[g].scores, scores[i]), append(in[g].labels, labels[i])
		}
	}
	var tested []sample
	var performance []Performance
	for g, s := range in {
		if len(s.scores) == 0 {
			continue
		}
		p, err := Measure(s.scores, s.labels, threshold)
		if err != nil {
			return Subgroups{}, err
		}
		out.Levels = append(out.Levels, Subgroup{levels[g], p})
		if min(p.Positive, p.N-p.Positive) >= fewestOfClass {
			tested, performance = append(tested, s), append(performance, p)
		}
	}
	out.AUCs, out.Interaction = heterogeneity(tested), interaction(tested)
	if few := len(out.Levels) - len(performance); few > 0 && len(tested) > 1 {
		note := fmt.Sprintf("%d of %d levels have fewer than %d units of a class and take no part", few, len(out.Levels), fewestOfClass)
		out.AUCs.Note, out.Interaction.Note = joined(note, out.AUCs.Note), joined(note, out.Interaction.Note)
	}
	return out, nil
}

// sample is the scores and labels of one level.
type sample struct {
	scores []float64
	labels []int
}

const tooFewLevels = "fewer than two levels have at least five units of each class"

// heterogeneity is Cochran's Q of independent AUCs.
func heterogeneity(levels []sample) stats.Test {
	const name = "Cochran's Q of the AUCs"
	if len(levels) < 2 {
		return stats.NotComputable(name, tooFewLevels)
	}
	var sum, weights float64
	auc, w := make([]float64, len(levels)), make([]float64, len(levels))
	for i, s := range levels {
		d := components(s.scores, s.labels)
		v := covariance(d, d)
		if v == 0 {
			return stats.NotComputable(name, "DeLong's variance is zero in a level")
		}
		auc[i], w[i] = d.auc, 1/v
		sum, weights = sum+w[i]*auc[i], weights+w[i]
	}
	q := 0.0
	for i := range auc {
		d := auc[i] - sum/weights
		q += w[i] * d * d
	}
	return chiSquared(name, q, len(levels)-1)
}

func chiSquared(name string, statistic float64, df int) stats.Test {
	t := stats.NotComputable(name, "")
	t.Statistic, t.DF, t.P = num.Float(statistic), num.Float(df), num.Float(stats.ChiSquareTail(statistic, float64(df)))
	return t
}

// interaction is the likelihood-ratio test of a score-by-level interaction in logistic regression.
func interaction(levels []sample) stats.Test {
	const name = "likelihood ratio, score by subgroup"
	if len(levels) < 2 {
		return stats.NotComputable(name, tooFewLevels)
	}
	certain := 0
	t, y := make([][]float64, len(levels)), make([][]float64, len(levels))
	full := 0.0
	for g, s := range levels {
		if notProbability(s.scores) >= 0 {
			return stats.NotComputable(name, "the scores are not probabilities")
		}
		var kept []int
		for i, p := range s.scores {
			if p == 0 || p == 1 {
				certain++
				continue
			}
			t[g], y[g], kept = append(t[g], logit(p)), append(y[g], float64(s.labels[i])), append(kept, s.labels[i])
		}
		if len(kept) == 0 {
			return stats.NotComputable(name, "a level has no probability other than 0 or 1")
		}
		if why := separated(t[g], kept); why != "" {
			return stats.NotComputable(name, "no fit in a level: "+why)
		}
		f := fitLogistic(t[g], y[g])
		full += crossEntropy(t[g], y[g], f.a, f.b)
	}
	out := chiSquared(name, max(0, 2*(commonSlope(t, y)-full)), len(levels)-1)
	if certain > 0 {
		out.Note = fmt.Sprintf("%d probabilities of exactly 0 or 1 left out", certain)
	}
	return out
}

// commonSlope is the least cross-entropy of y ~ level + t: an intercept a level and one slope. The intercepts that fit
// best follow from the slope, so that the search is over the slope alone, where the profile is convex: golden section
// on a bracket that starts from the levels' own slopes.
func commonSlope(t, y [][]float64) float64 {
	lo, hi := math.Inf(1), math.Inf(-1)
	for g := range t {
		b := fitLogistic(t[g], y[g]).b
		lo, hi = min(lo, b), max(hi, b)
	}
	profile := func(b float64) float64 {
		sum := 0.0
		for g := range t {
			sum += profiled(t[g], y[g], b)
		}
		return sum
	}
	const ratio = 0.6180339887498949
	a, d := hi-ratio*(hi-lo), lo+ratio*(hi-lo)
	fa, fd := profile(a), profile(d)
	for hi-lo > 1e-9*(1+math.Abs(lo)) { // the profile is flat to the square of this
		if fa < fd {
			hi, d, fd = d, a, fa
			a = hi - ratio*(hi-lo)
			fa = profile(a)
		} else {
			lo, a, fa = a, d, fd
			d = lo + ratio*(hi-lo)
			fd = profile(d)
		}
	}
	return profile(lo + (hi-lo)/2)
}

// profiled is the cross-entropy of y ~ a + b t with the best a for a given b.
func profiled(t, y []float64, b float64) float64 {
	shifted, labels := make([]float64, len(t)), make([]int, len(t))
	for i := range t {
		shifted[i], labels[i] = b*t[i], int(y[i])
	}
	a, _ := fitOffset(shifted, labels)
	return crossEntropy(shifted, y, a, 1)
}

func joined(a, b string) string {
	if b == "" {
		return a
	}
	return a + "; " + b
}
