package describe

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"sort"

	"sonotype/internal/num"
	"sonotype/internal/rng"
	"sonotype/internal/stats"
)

const (
	fisherBudget = 5_000_000 // column fillings before the exact test gives way to Monte Carlo (about a second)
	fisherDraws  = 50_000    // Monte Carlo tables: standard error at most .0022
	fisherSlack  = 1e-7      // tables this much likelier than the observed one still count as equally likely, as in R
)

// Fisher is the Fisher-Freeman-Halton exact test of a table of counts [row][column]: the probability, margins
// fixed, of tables no likelier than the observed one (R's fisher.test). When the exact sum would take more than
// about a second, p is estimated from 50,000 random tables drawn from seed, Exact is false and Note says so.
func Fisher(counts [][]int, seed uint64) (Test, error) {
	return fisher(counts, seed, fisherBudget)
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
	f := newFisherNetwork(t, limit)
	out := Test{Name: name, Statistic: num.NaN(), DF: num.NaN(), DF2: num.NaN()}
	if p, ok := f.exact(); ok {
		out.Exact, out.P = true, num.Float(p)
		return out, nil
	}
	r := rng.Stream(seed, "describe", "fisher")
	out.P = num.Float(f.monteCarlo(r, fisherDraws))
	out.Note = fmt.Sprintf("Monte Carlo, %d random tables: too many tables for the exact test", fisherDraws)
	return out, nil
}

// fisherNetwork sums over all tables with given margins, column by column. After each column only what is left of
// the row margins matters, in any order: such a node keeps the distinct probabilities of the ways to it, with their
// number (the idea of Mehta and Patel, JASA 1983). The last two columns are enumerated from each node and sorted, so
// that every way to the node finds the likely enough completions by binary search.
type fisherNetwork struct {
	logFact    []float64
	rows, cols []int // margins; no fewer columns than rows, the largest column last
	constant   float64
	observed   float64 // log probability of the observed table, plus the slack
	budget     int     // completions that may still be enumerated
}

// fisherNode is a state between columns. ways maps a rounded log probability to the ways with it.
type fisherNode struct {
	left []int // remaining row margins, descending
	ways map[int64]fisherWay
}

type fisherWay struct{ logp, count float64 }

func newFisherNetwork(t [][]int, limit int) *fisherNetwork {
	rows, cols, n := margins(t)
	if len(rows) > len(cols) {
		rows, cols = cols, rows
	}
	f := &fisherNetwork{rows: rows, cols: cols, budget: limit, logFact: make([]float64, n+1)}
	for i := 2; i <= n; i++ {
		f.logFact[i], _ = math.Lgamma(float64(i) + 1)
	}
	f.constant = -f.logFact[n]
	for _, m := range slices.Concat(rows, cols) {
		f.constant += f.logFact[m]
	}
	f.observed = f.constant + fisherSlack
	for _, row := range t {
		for _, c := range row {
			f.observed -= f.logFact[c]
		}
	}
	slices.Sort(f.cols)
	return f
}

// exact returns p; ok is false when the budget is spent.
func (f *fisherNetwork) exact() (p float64, ok bool) {
	last := len(f.cols) - 2
	start := slices.Clone(f.rows)
	slices.SortFunc(start, func(a, b int) int { return b - a })
	layer := map[string]*fisherNode{"": {left: start, ways: map[int64]fisherWay{0: {f.constant, 1}}}}
	for _, m := range f.cols[:last] {
		next := map[string]*fisherNode{}
		for _, node := range inOrder(layer) {
			if !f.fill(node.left, m, func(left []int, logp float64) { node.extend(next, left, logp) }) {
				return 0, false
			}
		}
		layer = next
	}
	for _, node := range inOrder(layer) {
		sum, ok := f.finish(node, f.cols[last])
		if !ok {
			return 0, false
		}
		p += sum
	}
	return min(1, p), true
}

// inOrder fixes the order of addition.
func inOrder[K cmp.Ordered, V any](m map[K]V) []V {
	out := make([]V, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[k])
	}
	return out
}

// extend carries the node's ways over one column to the node with the given remaining margins.
func (node *fisherNode) extend(next map[string]*fisherNode, left []int, logp float64) {
	sorted := slices.Clone(left)
	slices.SortFunc(sorted, func(a, b int) int { return b - a })
	key := fmt.Sprint(sorted)
	to := next[key]
	if to == nil {
		to = &fisherNode{left: sorted, ways: map[int64]fisherWay{}}
		next[key] = to
	}
	for _, w := range inOrder(node.ways) {
		l := w.logp + logp
		k := int64(math.Round(l * 1e9)) // ways this close are one: a hundredth of the slack
		way, seen := to.ways[k]
		if !seen {
			way.logp = l
		}
		way.count += w.count
		to.ways[k] = way
	}
}

// finish sums the node's tables that are no likelier than the observed one.
func (f *fisherNetwork) finish(node *fisherNode, column int) (sum float64, ok bool) {
	var logs []float64
	ok = f.fill(node.left, column, func(left []int, logp float64) {
		for _, l := range left {
			logp -= f.logFact[l]
		}
		logs = append(logs, logp)
	})
	if !ok {
		return 0, false
	}
	slices.Sort(logs)
	cumulative := make([]float64, len(logs)+1)
	highest := logs[len(logs)-1]
	for i, l := range logs {
		cumulative[i+1] = cumulative[i] + math.Exp(l-highest)
	}
	for _, w := range inOrder(node.ways) {
		k := sort.Search(len(logs), func(i int) bool { return w.logp+logs[i] > f.observed })
		sum += w.count * math.Exp(w.logp+highest) * cumulative[k]
	}
	return sum, true
}

// fill spreads need units over the rows in every possible way and hands out what each leaves, with the column's part
// of the log probability. It returns false when the budget is spent.
func (f *fisherNetwork) fill(margin []int, need int, visit func(left []int, logp float64)) bool {
	left := slices.Clone(margin)
	below := make([]int, len(left)+1) // sum of left[i:]
	for i := len(left) - 1; i >= 0; i-- {
		below[i] = below[i+1] + left[i]
	}
	var cell func(i, need int, logp float64) bool
	cell = func(i, need int, logp float64) bool {
		room := left[i]
		if i == len(left)-1 {
			if f.budget--; f.budget < 0 {
				return false
			}
			left[i] = room - need
			visit(left, logp-f.logFact[need])
			left[i] = room
			return true
		}
		for c := max(0, need-below[i+1]); c <= min(need, room); c++ {
			left[i] = room - c
			if !cell(i+1, need-c, logp-f.logFact[c]) {
				return false
			}
		}
		left[i] = room
		return true
	}
	return cell(0, need, 0)
}

// monteCarlo estimates p by (hits + 1) / (draws + 1) over random tables: units are drawn without replacement into
// every row but the largest, which takes the rest.
func (f *fisherNetwork) monteCarlo(r *rand.Rand, draws int) float64 {
	var unit []int // each unit's column
	for j, m := range f.cols {
		unit = append(unit, slices.Repeat([]int{j}, m)...)
	}
	rows := slices.Sorted(slices.Values(f.rows))
	cells, rest := make([]int, len(f.cols)), make([]int, len(f.cols))
	hits := 0
	for range draws {
		logp, at := f.constant, 0
		copy(rest, f.cols)
		for _, m := range rows[:len(rows)-1] {
			clear(cells)
			for range m {
				k := at + r.IntN(len(unit)-at)
				unit[at], unit[k] = unit[k], unit[at]
				cells[unit[at]]++
				at++
			}
			for j, c := range cells {
				logp -= f.logFact[c]
				rest[j] -= c
			}
		}
		for _, c := range rest {
			logp -= f.logFact[c]
		}
		if logp <= f.observed {
			hits++
		}
	}
	return float64(hits+1) / float64(draws+1)
}
