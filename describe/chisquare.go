package describe

import (
	"math"

	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/internal/stats"
)

// ChiSquare is Pearson's test of independence of a table of counts [row][column]. With yates, a 2 x 2 table
// gets Yates' continuity correction (R's chisq.test default), larger tables none. Rows and columns without
// any count are dropped.
func ChiSquare(counts [][]int, yates bool) (Test, error) {
	const name = "chi-square"
	if err := checkCounts(counts); err != nil {
		return Test{}, err
	}
	t := dropEmpty(counts)
	if len(t) < 2 || len(t[0]) < 2 {
		return stats.NotComputable(name, "fewer than two levels or groups have any count"), nil
	}
	expected := Expected(t)
	correction := 0.0
	label := name
	if yates && len(t) == 2 && len(t[0]) == 2 {
		correction = min(0.5, math.Abs(float64(t[0][0])-expected[0][0]))
		label = "chi-square (Yates)"
	}
	var x float64
	for i, row := range t {
		for j, c := range row {
			d := math.Abs(float64(c)-expected[i][j]) - correction
			x += d * d / expected[i][j]
		}
	}
	df := float64((len(t) - 1) * (len(t[0]) - 1))
	return Test{Name: label, Statistic: num.Float(x), DF: num.Float(df), DF2: num.NaN(), P: num.Float(stats.ChiSquareTail(x, df))}, nil
}

// Expected returns the counts expected under independence.
func Expected(counts [][]int) [][]float64 {
	rows, cols, n := margins(counts)
	e := make([][]float64, len(rows))
	for i := range rows {
		e[i] = make([]float64, len(cols))
		for j := range cols {
			e[i][j] = float64(rows[i]) * float64(cols[j]) / float64(n)
		}
	}
	return e
}

func margins(counts [][]int) (rows, cols []int, n int) {
	rows, cols = make([]int, len(counts)), make([]int, len(counts[0]))
	for i, row := range counts {
		for j, c := range row {
			rows[i] += c
			cols[j] += c
			n += c
		}
	}
	return rows, cols, n
}

// dropEmpty copies the table without its all-zero rows and columns.
func dropEmpty(counts [][]int) [][]int {
	rows, cols, _ := margins(counts)
	var out [][]int
	for i, row := range counts {
		if rows[i] == 0 {
			continue
		}
		var kept []int
		for j, c := range row {
			if cols[j] > 0 {
				kept = append(kept, c)
			}
		}
		out = append(out, kept)
	}
	return out
}

func checkCounts(counts [][]int) error {
	if len(counts) == 0 || len(counts[0]) == 0 {
		return &problem.Error{What: "the table of counts is empty"}
	}
	for _, row := range counts {
		if len(row) != len(counts[0]) {
			return &problem.Error{What: "the rows of the table of counts differ in length"}
		}
		for _, c := range row {
			if c < 0 {
				return &problem.Error{What: "the table of counts holds a negative number"}
			}
		}
	}
	return nil
}
