package classify

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// LightGBM's defaults for the binning of features.
const (
	maxBin       = 255
	minDataInBin = 3
	// sparseShare is the share of rows from which LightGBM derives the fullest bin's histogram entry by
	// subtraction; below it, the bin that holds zero plays that role.
	sparseShare = 0.7
)

// zeroThreshold is LightGBM's kZeroThreshold: values no larger in size are zero. It is a float32 constant there.
var zeroThreshold = float64(float32(1e-35))

// binMapper turns one feature's values into bins: bin b holds the values in (upper[b-1], upper[b]].
type binMapper struct {
	upper    []float64 // ascending, the last +Inf
	low      float64   // smallest and largest value, zeros included, for the model file
	high     float64
	derived  int // the bin whose histogram entry LightGBM derives from the others; 0 = never needed
	isUsable bool
}

// binOf returns v's bin.
func (m *binMapper) binOf(v float64) int {
	b, _ := slices.BinarySearch(m.upper, v)
	return b
}

// distinct is a feature's distinct values in ascending order and how often each occurs.
type distinct struct {
	value []float64
	count []int
}

func (d *distinct) add(v float64, count int) {
	d.value, d.count = append(d.value, v), append(d.count, count)
}

func (d *distinct) slice(lo, hi int) distinct { return distinct{d.value[lo:hi], d.count[lo:hi]} }

func (d *distinct) total() int {
	n := 0
	for _, c := range d.count {
		n += c
	}
	return n
}

// nextUp is the next larger float64: LightGBM nudges bin edges up by one step, and takes values
// that are one step apart for equal.
func nextUp(v float64) float64 { return math.Nextafter(v, math.Inf(1)) }

// findDistinct lists the distinct values of a feature. It sorts values, reordering it. Zeros are counted apart and
// stand between the negative and the positive values even when there are none, as in LightGBM's FindBin.
func findDistinct(values []float64) distinct {
	n := len(values)
	nonzero := values[:0]
	for _, v := range values {
		if math.Abs(v) > zeroThreshold {
			nonzero = append(nonzero, v)
		}
	}
	zeros := n - len(nonzero)
	slices.Sort(nonzero)
	var d distinct
	if len(nonzero) == 0 || (nonzero[0] > 0 && zeros > 0) {
		d.add(0, zeros)
	}
	for i, v := range nonzero {
		switch {
		case i > 0 && v <= nextUp(nonzero[i-1]):
			d.value[len(d.value)-1] = v
			d.count[len(d.count)-1]++
			continue
		case i > 0 && nonzero[i-1] < 0 && v > 0:
			d.add(0, zeros)
		}
		d.add(v, 1)
	}
	if len(nonzero) > 0 && nonzero[len(nonzero)-1] < 0 && zeros > 0 {
		d.add(0, zeros)
	}
	return d
}

// newBinMapper finds a feature's bins: zero gets a bin of its own, the rest are shared out between
// negative and positive values in proportion to their number (LightGBM's FindBinWithZeroAsOneBin).
func newBinMapper(values []float64) binMapper {
	n := len(values)
	d := findDistinct(values)
	m := binMapper{upper: zeroAsOneBin(d, n), low: d.value[0], high: d.value[len(d.value)-1]}
	m.isUsable = len(m.upper) > 1
	if !m.isUsable {
		return m
	}
	fullest, count := 0, make([]int, len(m.upper))
	for i, v := range d.value {
		count[m.binOf(v)] += d.count[i]
	}
	for b, c := range count {
		if c > count[fullest] {
			fullest = b
		}
	}
	m.derived = fullest
	if float64(count[fullest])/float64(n) < sparseShare {
		m.derived = m.binOf(0)
	}
	return m
}

func zeroAsOneBin(d distinct, n int) []float64 {
	left, _ := slices.BinarySearch(d.value, nextUp(-zeroThreshold))
	right, _ := slices.BinarySearch(d.value, nextUp(zeroThreshold))
	negative, zero, positive := d.slice(0, left), d.slice(left, right), d.slice(right, len(d.value))
	var upper []float64
	if left > 0 {
		share := int(float64(negative.total()) / float64(n-zero.total()) * (maxBin - 1))
		upper = greedyBins(negative, max(1, share))
		upper[len(upper)-1] = -zeroThreshold
	}
	rest := maxBin - 1 - len(upper)
	if len(positive.value) == 0 || rest <= 0 {
		return append(upper, math.Inf(1))
	}
	upper = append(upper, zeroThreshold)
	return append(upper, greedyBins(positive, rest)...)
}

// greedyBins shares d out over at most limit bins of at least minDataInBin rows and returns their upper
// edges, midpoints nudged up by one step, the last +Inf (LightGBM's GreedyFindBin).
func greedyBins(d distinct, limit int) []float64 {
	var upper []float64
	add := func(below, above float64) bool {
		edge := nextUp((below + above) / 2)
		if len(upper) > 0 && edge <= nextUp(upper[len(upper)-1]) {
			return false
		}
		upper = append(upper, edge)
		return true
	}
	if len(d.value) > limit {
		for _, cut := range greedyCuts(d, limit) {
			add(d.value[cut], d.value[cut+1])
		}
		return append(upper, math.Inf(1))
	}
	rows := 0
	for i := range len(d.value) - 1 {
		rows += d.count[i]
		if rows >= minDataInBin && add(d.value[i], d.value[i+1]) {
			rows = 0
		}
	}
	return append(upper, math.Inf(1))
}

// greedyCuts returns the values after which a bin ends when there are more values than bins: bins aim at
// the mean number of rows, and a value that alone holds that many gets a bin of its own.
func greedyCuts(d distinct, limit int) []int {
	total := d.total()
	limit = max(1, min(limit, total/minDataInBin))
	mean := float64(total) / float64(limit)
	big := make([]bool, len(d.value))
	restBins, restRows := limit, total
	for i, c := range d.count {
		if float64(c) >= mean {
			big[i] = true
			restBins--
			restRows -= c
		}
	}
	mean = float64(restRows) / float64(restBins)
	var cuts []int
	rows := 0
	for i := range len(d.value) - 1 {
		if !big[i] {
			restRows -= d.count[i]
		}
		rows += d.count[i]
		if !big[i] && float64(rows) < mean && !(big[i+1] && float64(rows) >= max(1, mean*0.5)) {
			continue
		}
		cuts = append(cuts, i)
		if len(cuts) >= limit-1 {
			break
		}
		rows = 0
		if !big[i] {
			restBins--
			mean = float64(restRows) / float64(restBins)
		}
	}
	return cuts
}

// binned is a feature table in bins, usable features only: bin[f*n+i] is row i's bin of feature f.
type binned struct {
	n      int
	mapper []binMapper // every column's
	column []int       // usable feature -> column of the table
	bin    []uint8
}

// newBinned bins the columns of x.
func newBinned(x *mat.Dense, workers int) *binned {
	n, p := x.Dims()
	b := &binned{n: n, mapper: make([]binMapper, p)}
	all := make([]uint8, n*p)
	inBlocks(workers, p, 16, func(lo, hi int) {
		column, scratch := make([]float64, n), make([]float64, n)
		for j := lo; j < hi; j++ {
			mat.Col(column, j, x)
			copy(scratch, column)
			b.mapper[j] = newBinMapper(scratch)
			for i, v := range column {
				all[j*n+i] = uint8(b.mapper[j].binOf(v))
			}
		}
	})
	for j := range p {
		if b.mapper[j].isUsable {
			b.column = append(b.column, j)
			b.bin = append(b.bin, all[j*n:(j+1)*n]...)
		}
	}
	return b
}
