package describe

import (
	"fmt"
	"math"
	"math/rand/v2"

	"sonotype/internal/num"
	"sonotype/internal/rng"
	"sonotype/internal/stats"
)

const (
	fisherTables = 20_000_000 // tables enumerated before the exact test gives way to Monte Carlo (about a second)
	fisherDraws  = 50_000     // Monte Carlo tables: standard error at most .0022
	fisherSlack  = 1e-7       // tables this much likelier than the observed one still count as equally likely, as in R
)

// Fisher is the Fisher-Freeman-Halton exact test of a table of counts [row][column]: the probability, margins
// fixed, of tables no likelier than the observed one (R's fisher.test). When more than 20 million tables share
// the margins, p is estimated from 50,000 random tables drawn from seed, Exact is false and Note says so.
func Fisher(counts [][]int, seed uint64) (Test, error) {
	return fisher(counts, seed, fisherTables)
}

func fisher(counts [][]int, seed uint64, limit int) (Test, error) {
	const name = "Fisher exact"
	if err := checkCounts(counts); err != nil {
		return Test{}, err
	}
	t := dropEmpty(counts)
	if len(t) < 2 || len(t[0]) < 2 {
		return stats.NotComputable(name, "fewer than two levels or groups have any count"), nil
	}
	f := newFisherWalk(t, limit)
	out := Test{Name: name, Statistic: num.NaN(), DF: num.NaN(), DF2: num.NaN()}
	if f.column(0, f.constant) {
		out.Exact, out.P = true, num.Float(min(1, f.sum))
		return out, nil
	}
	r := rng.Stream(seed, "describe", "fisher")
	out.P = num.Float(f.monteCarlo(r, fisherDraws))
	out.Note = fmt.Sprintf("Monte Carlo, %d random tables: too many tables for the exact test", fisherDraws)
	return out, nil
}

// fisherWalk enumerates all tables with given margins column by column; the last column and the last row of
// each column follow from the margins.
type fisherWalk struct {
	logFact    []float64
	rows, cols []int // margins
	left       []int // what the columns so far leave of each row margin
	constant   float64
	observed   float64 // log probability of the observed table, plus the slack
	sum        float64
	budget     int
}

func newFisherWalk(t [][]int, limit int) *fisherWalk {
	rows, cols, n := margins(t)
	f := &fisherWalk{rows: rows, cols: cols, left: append([]int(nil), rows...), budget: limit, logFact: make([]float64, n+1)}
	for i := 2; i <= n; i++ {
		f.logFact[i], _ = math.Lgamma(float64(i) + 1)
	}
	f.constant = -f.logFact[n]
	for _, m := range append(append([]int(nil), rows...), cols...) {
		f.constant += f.logFact[m]
	}
	f.observed = f.logProbability(t) + fisherSlack
	return f
}

func (f *fisherWalk) logProbability(t [][]int) float64 {
	l := f.constant
	for _, row := range t {
		for _, c := range row {
			l -= f.logFact[c]
		}
	}
	return l
}

// column fills column j; logp is the probability's logarithm up to there. It returns false when the budget is spent.
func (f *fisherWalk) column(j int, logp float64) bool {
	if j < len(f.cols)-1 {
		below := 0
		for _, l := range f.left {
			below += l
		}
		return f.cell(0, j, f.cols[j], below, logp)
	}
	if f.budget--; f.budget < 0 {
		return false
	}
	for _, l := range f.left {
		logp -= f.logFact[l]
	}
	if logp <= f.observed {
		f.sum += math.Exp(logp)
	}
	return true
}

// cell fills cell (i, j) with every possible count: need is what column j still lacks, below the sum of left[i:].
func (f *fisherWalk) cell(i, j, need, below int, logp float64) bool {
	if i == len(f.rows)-1 {
		f.left[i] -= need
		ok := f.column(j+1, logp-f.logFact[need])
		f.left[i] += need
		return ok
	}
	room := f.left[i]
	for c := max(0, need-(below-room)); c <= min(need, room); c++ {
		f.left[i] = room - c
		if !f.cell(i+1, j, need-c, below-room, logp-f.logFact[c]) {
			return false
		}
	}
	f.left[i] = room
	return true
}

// monteCarlo estimates p by (hits + 1) / (draws + 1) over tables made by shuffling the units' columns.
func (f *fisherWalk) monteCarlo(r *rand.Rand, draws int) float64 {
	var unit []int
	for j, m := range f.cols {
		for range m {
			unit = append(unit, j)
		}
	}
	cells := make([]int, len(f.cols))
	hits := 0
	for range draws {
		r.Shuffle(len(unit), func(a, b int) { unit[a], unit[b] = unit[b], unit[a] })
		logp, at := f.constant, 0
		for _, m := range f.rows {
			clear(cells)
			for _, j := range unit[at : at+m] {
				cells[j]++
			}
			for _, c := range cells {
				logp -= f.logFact[c]
			}
			at += m
		}
		if logp <= f.observed {
			hits++
		}
	}
	return float64(hits+1) / float64(draws+1)
}
