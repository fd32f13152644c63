package describe

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/internal/stats"
)

// Options choose among the tests; the zero value is the default: Welch's t test for two groups, the classical
// ANOVA for more, chi-square without Yates' correction.
type Options struct {
	PooledT    bool   // Student's t test in place of Welch's
	WelchANOVA bool   // Welch's ANOVA in place of the classical one
	Yates      bool   // continuity correction for 2 x 2 tables
	Seed       uint64 // of the Monte Carlo form of Fisher's test
}

// Table makes Table 1: every column of cols summarised and tested across the groups of by. The columns hold one
// value per row, all of by's length. Rows without a value of by are counted in MissingBy and take no part.
func Table(cols []Column, by Column, o Options) (*Result, error) {
	group, names, err := assign(by)
	if err != nil {
		return nil, err
	}
	r := &Result{By: by.Name, Groups: names, N: make([]int, len(names)), Variables: []Variable{}}
	for _, g := range group {
		if g < 0 {
			r.MissingBy++
		} else {
			r.N[g]++
		}
	}
	if len(names) < 2 || (by.Levels == nil && len(names) > maxLevels) {
		return nil, &problem.Error{What: fmt.Sprintf("column %q does not make groups", by.Name),
			Expected: fmt.Sprintf("2 to %d different values", maxLevels), Found: fmt.Sprintf("%d", len(names)), Try: "name another grouping column"}
	}
	for _, c := range cols {
		if len(c.Values) != len(by.Values) {
			return nil, &problem.Error{What: fmt.Sprintf("column %q has %d values, %q has %d", c.Name, len(c.Values), by.Name, len(by.Values))}
		}
		kind := c.Kind
		if kind == Auto {
			var reason string
			if kind, reason = detect(c.Values); reason != "" {
				r.LeftOut = append(r.LeftOut, LeftOut{Name: c.Name, Reason: reason})
				continue
			}
		}
		v, err := describeColumn(c, kind, group, len(names), o)
		if err != nil {
			return nil, err
		}
		r.Variables = append(r.Variables, v)
	}
	return r, nil
}

func describeColumn(c Column, kind Kind, group []int, groups int, o Options) (Variable, error) {
	switch kind {
	case Numeric:
		return numericVariable(c, group, groups, o)
	case Categorical:
		return categoricalVariable(c, group, groups, o)
	}
	return Variable{}, &problem.Error{What: fmt.Sprintf("column %q has an unknown kind", c.Name), Expected: "numeric or categorical", Found: string(kind)}
}

// assign numbers the levels of a column: -1 for a missing value.
func assign(c Column) (index []int, levels []string, err error) {
	var present []string
	for _, v := range c.Values {
		if !IsMissing(v) {
			present = append(present, strings.TrimSpace(v))
		}
	}
	levels = c.Levels
	if levels == nil {
		levels = sortedLevels(present)
	}
	at := map[string]int{}
	for i, l := range levels {
		at[l] = i
	}
	index = make([]int, len(c.Values))
	for i, v := range c.Values {
		k, ok := at[strings.TrimSpace(v)]
		switch {
		case ok:
			index[i] = k
		case IsMissing(v):
			index[i] = -1
		default:
			return nil, nil, &problem.Error{What: fmt.Sprintf("column %q holds a value outside its levels", c.Name),
				Expected: strings.Join(levels, ", "), Found: fmt.Sprintf("%q (value %d of the column)", v, i+1)}
		}
	}
	return index, levels, nil
}

func numericVariable(c Column, group []int, groups int, o Options) (Variable, error) {
	values, err := parseNumbers(c)
	if err != nil {
		return Variable{}, err
	}
	v := Variable{Name: c.Name, Kind: Numeric, Levels: []Level{}, Missing: make([]int, groups)}
	split := make([][]float64, groups)
	var all []float64
	for i, x := range values {
		switch g := group[i]; {
		case g < 0:
		case math.IsNaN(x):
			v.Missing[g]++
		default:
			split[g] = append(split[g], x)
			all = append(all, x)
		}
	}
	for _, g := range split {
		v.Groups = append(v.Groups, summarise(g))
	}
	overall := summarise(all)
	v.Overall = &overall
	v.setTest(meanTest(split, o))
	v.setSMD(SMD(split))
	if FarFromNormal(split) {
		var also Test
		if groups == 2 {
			also = Wilcoxon(split[0], split[1])
		} else {
			also = KruskalWallis(split)
		}
		v.Also = &also
	}
	return v, nil
}

func meanTest(split [][]float64, o Options) Test {
	switch {
	case len(split) == 2 && o.PooledT:
		return PooledT(split[0], split[1])
	case len(split) == 2:
		return WelchT(split[0], split[1])
	case o.WelchANOVA:
		return WelchANOVA(split)
	}
	return ANOVA(split)
}

func categoricalVariable(c Column, group []int, groups int, o Options) (Variable, error) {
	index, names, err := assign(c)
	if err != nil {
		return Variable{}, err
	}
	v := Variable{Name: c.Name, Kind: Categorical, Levels: []Level{}, Missing: make([]int, groups), SMD: num.NaN()}
	counts := make([][]int, len(names))
	for l := range counts {
		counts[l] = make([]int, groups)
	}
	for i, l := range index {
		switch g := group[i]; {
		case g < 0:
		case l < 0:
			v.Missing[g]++
		default:
			counts[l][g]++
		}
	}
	v.Levels = levelsOf(names, counts, groups)
	if len(counts) == 0 {
		v.setTest(stats.NotComputable("chi-square", "no values"))
		return v, nil
	}
	test, err := ChiSquare(counts, o.Yates)
	if err != nil {
		return Variable{}, err
	}
	v.setTest(test)
	v.setSMD(CategoricalSMD(counts))
	if !test.P.IsNaN() && anyBelow(Expected(dropEmpty(counts)), 5) {
		also, err := Fisher(counts, o.Seed)
		if err != nil {
			return Variable{}, err
		}
		v.Also = &also
	}
	return v, nil
}

// setSMD notes why a difference is missing, beside the note of the test.
func (v *Variable) setSMD(d float64) {
	v.SMD = num.Float(d)
	if math.IsNaN(d) {
		if v.Note != "" {
			v.Note += "; "
		}
		v.Note += "no standardised difference: a group has too few values or no variation"
	}
}

func (v *Variable) setTest(t Test) {
	v.Test, v.Statistic, v.P, v.Note = t.Name, t.Statistic, t.P, t.Note
}

func levelsOf(names []string, counts [][]int, groups int) []Level {
	total := make([]int, groups)
	for _, row := range counts {
		for g, c := range row {
			total[g] += c
		}
	}
	out := make([]Level, len(names))
	for l, name := range names {
		out[l] = Level{Name: name, Counts: counts[l], Percent: make([]num.Float, groups)}
		for g, c := range counts[l] {
			out[l].Total += c
			out[l].Percent[g] = num.Float(100 * float64(c) / float64(total[g])) // 0/0 is NaN: null
		}
	}
	return out
}

func summarise(x []float64) GroupSummary {
	s := GroupSummary{N: len(x), Mean: num.NaN(), SD: num.NaN(), Median: num.NaN(), Q1: num.NaN(), Q3: num.NaN(), Min: num.NaN(), Max: num.NaN()}
	if len(x) == 0 {
		return s
	}
	sorted := slices.Clone(x)
	slices.Sort(sorted)
	mean, variance := stats.MeanVar(x)
	s.Mean, s.SD = num.Float(mean), num.Float(math.Sqrt(variance))
	s.Q1, s.Median, s.Q3 = num.Float(stats.Quantile(sorted, .25)), num.Float(stats.Quantile(sorted, .5)), num.Float(stats.Quantile(sorted, .75))
	s.Min, s.Max = num.Float(sorted[0]), num.Float(sorted[len(sorted)-1])
	return s
}

func anyBelow(table [][]float64, limit float64) bool {
	for _, row := range table {
		if slices.Min(row) < limit {
			return true
		}
	}
	return false
}
