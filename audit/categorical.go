package audit

import (
	"fmt"
	"math"

	"sonotype/describe"
	"sonotype/internal/num"
	"sonotype/internal/stats"
)

// The names of tests that a row may state.
const (
	testChiSquare = "chi-square"
	testYates     = "chi-square (Yates)"
	testFisher    = "Fisher"
	testG         = "likelihood ratio"
	testRank      = "rank"
	testWelch     = "Welch t"
	testPooled    = "pooled t"
	testANOVA     = "ANOVA"
)

var testNames = []string{testChiSquare, testYates, testFisher, testG, testRank, testWelch, testPooled, testANOVA}

// smallExpected is the expected count under which Fisher's test is printed beside chi-square.
const smallExpected = 5

// fisherDraws is the number of random tables from which describe.Fisher estimates p where the exact sum is too long.
const fisherDraws = 50_000

// groupCounts are the counts [level][group] of a row, without the Overall column.
func (t *Table) groupCounts(r *Row) [][]int {
	out := make([][]int, len(r.counts))
	for l, cells := range r.counts {
		for g := range t.Groups {
			out[l] = append(out[l], cells[g].n)
		}
	}
	return out
}

// withOverall appends the sum of the groups as a further group: the error that the audit looks for.
func withOverall(counts [][]int) [][]int {
	out := make([][]int, len(counts))
	for l, row := range counts {
		sum := 0
		for _, c := range row {
			sum += c
		}
		out[l] = append(append([]int{}, row...), sum)
	}
	return out
}

// categorical recomputes a categorical row's p-value by every test that a paper is likely to have used.
func (t *Table) categorical(r *Row, seed uint64) ([]PRange, error) {
	counts := t.groupCounts(r)
	out, err := chiSquares(counts)
	if err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, nil
	}
	overall, err := describe.ChiSquare(withOverall(counts), false)
	if err != nil {
		return nil, err
	}
	out = append(out, exact(testChiSquare, overall).overall())
	if r.wantsFisher(counts, out) {
		f, err := describe.Fisher(counts, seed)
		if err != nil {
			return nil, err
		}
		out = append(out, fisherRange(f))
	}
	out = append(out, exact(testG, likelihoodRatio(counts)))
	if len(counts) > 2 {
		out = append(out, exact(testRank, rankTest(counts)))
	}
	if len(t.Groups) > 2 {
		pairs, err := t.pairs(counts)
		if err != nil {
			return nil, err
		}
		out = append(out, pairs...)
	}
	return usable(out), nil
}

// chiSquares is the plain test and, for 2 x 2 tables, the corrected one; none where there is nothing to test.
func chiSquares(counts [][]int) ([]PRange, error) {
	plain, err := describe.ChiSquare(counts, false)
	if err != nil || plain.P.IsNaN() {
		return nil, err
	}
	out := []PRange{exact(testChiSquare, plain)}
	if plain.DF == 1 {
		yates, err := describe.ChiSquare(counts, true)
		if err != nil {
			return nil, err
		}
		out = append(out, exact(testYates, yates))
	}
	return out, nil
}

// wantsFisher: Fisher's test costs up to a second, so that it is computed where expected counts are small,
// the table is 2 x 2, the paper names it, or nothing else explains the printed p-value.
func (r *Row) wantsFisher(counts [][]int, so []PRange) bool {
	if r.Test == testFisher || len(counts) == 2 && len(counts[0]) == 2 {
		return true
	}
	for _, row := range describe.Expected(counts) {
		for _, e := range row {
			if e < smallExpected {
				return true
			}
		}
	}
	for _, p := range so {
		if r.p == nil || p.fits(*r.p) {
			return false
		}
	}
	return true
}

// fisherRange widens an estimated p by four standard errors.
func fisherRange(f describe.Test) PRange {
	p := exact(testFisher, f)
	if !f.Exact {
		se := math.Sqrt(float64(f.P) * (1 - float64(f.P)) / fisherDraws)
		p.Lo, p.Hi = num.Float(max(0, float64(f.P)-4*se)), num.Float(min(1, float64(f.P)+4*se))
		p.Note = "estimated from random tables"
	}
	return p
}

// likelihoodRatio is the G test of independence.
func likelihoodRatio(counts [][]int) describe.Test {
	plain, err := describe.ChiSquare(counts, false)
	if err != nil {
		return stats.NotComputable(testG, err.Error())
	}
	expected := describe.Expected(counts)
	g := 0.0
	for i, row := range counts {
		for j, c := range row {
			if c > 0 {
				g += 2 * float64(c) * math.Log(float64(c)/expected[i][j])
			}
		}
	}
	return describe.Test{Name: testG, Statistic: num.Float(g), DF: plain.DF, P: num.Float(stats.ChiSquareTail(g, float64(plain.DF)))}
}

// rankTest takes the levels as ordered in the printed order: Kruskal-Wallis, or Wilcoxon for two groups.
func rankTest(counts [][]int) describe.Test {
	groups := make([][]float64, len(counts[0]))
	for level, row := range counts {
		for g, c := range row {
			for range c {
				groups[g] = append(groups[g], float64(level))
			}
		}
	}
	for _, g := range groups {
		if len(g) == 0 {
			return stats.NotComputable(testRank, "a group is empty")
		}
	}
	if len(groups) == 2 {
		return describe.Wilcoxon(groups[0], groups[1])
	}
	return describe.KruskalWallis(groups)
}

// pairs compares each two of several groups.
func (t *Table) pairs(counts [][]int) ([]PRange, error) {
	var out []PRange
	for a := range t.Groups {
		for b := a + 1; b < len(t.Groups); b++ {
			two := make([][]int, len(counts))
			for l, row := range counts {
				two[l] = []int{row[a], row[b]}
			}
			tests, err := chiSquares(two)
			if err != nil {
				return nil, err
			}
			for _, p := range tests {
				p.Test += fmt.Sprintf(", %s against %s only", t.Groups[a].Name, t.Groups[b].Name)
				out = append(out, p)
			}
		}
	}
	return out, nil
}

func exact(name string, t describe.Test) PRange { return PRange{Test: name, Lo: t.P, Hi: t.P} }

func (p PRange) overall() PRange {
	p.Overall = true
	p.Test += " with Overall as a further group"
	return p
}

func (p PRange) span() span { return span{float64(p.Lo), float64(p.Hi)} }

// fits says whether the test can give the printed p-value.
func (p PRange) fits(printed figure) bool { return p.span().meets(printed.rounding()) }

// usable drops what could not be computed.
func usable(in []PRange) []PRange {
	var out []PRange
	for _, p := range in {
		if !p.Lo.IsNaN() && !p.Hi.IsNaN() {
			out = append(out, p)
		}
	}
	return out
}
