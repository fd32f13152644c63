package classify

import (
	"cmp"
	"fmt"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/mat"

	"sonotype/internal/problem"
)

// columns is a feature table column by column in float32, the precision in which scikit-learn's
// trees compare: v[j*n+i] is feature j of row i.
type columns struct {
	n, p int
	v    []float32
}

// float32Columns converts x; a value beyond float32's range is an error, as in scikit-learn.
func float32Columns(x *mat.Dense) (*columns, error) {
	n, p := dims(x)
	c := &columns{n: n, p: p, v: make([]float32, n*p)}
	for i := range n {
		for j, v := range x.RawRowView(i) {
			f := float32(v) + 0 // + 0 turns -0 into 0, so that equal values have equal bits
			if math.IsInf(float64(f), 0) {
				return nil, &problem.Error{What: fmt.Sprintf("feature column %d is too large for a tree in row %d", j+1, i+1),
					Expected: fmt.Sprintf("at most %g in size", math.MaxFloat32), Found: fmt.Sprint(v), Try: "rescale the feature"}
			}
			c.v[j*n+i] = f
		}
	}
	return c, nil
}

// presorted adds each column's ascending order; equal values stand in row order.
type presorted struct {
	*columns
	order  []int32   // order[j*n+k] is the row of rank k in feature j
	rank   []int32   // rank[j*n+i] is the rank of row i in feature j
	sorted []float32 // sorted[j*n+k] is the value of rank k in feature j
}

// presort orders every column of c.
func presort(c *columns, workers int) *presorted {
	s := &presorted{columns: c, order: make([]int32, len(c.v)), rank: make([]int32, len(c.v)), sorted: make([]float32, len(c.v))}
	inBlocks(workers, c.p, 16, func(lo, hi int) {
		keys := make([]uint64, c.n)
		for j := lo; j < hi; j++ {
			at := j * c.n
			for i, v := range c.v[at : at+c.n] {
				keys[i] = uint64(orderedBits(v))<<32 | uint64(i)
			}
			slices.Sort(keys)
			for k, key := range keys {
				i := int32(uint32(key))
				s.order[at+k], s.rank[at+int(i)] = i, int32(k)
				s.sorted[at+k] = c.v[at+int(i)]
			}
		}
	})
	return s
}

// orderedBits maps floats to integers of the same order.
func orderedBits(v float32) uint32 {
	b := math.Float32bits(v)
	if b>>31 != 0 {
		return ^b
	}
	return b | 1<<31
}

// inBlocks runs do on consecutive blocks [lo, hi) of [0, n), each of the given size but the last, on up to
// workers goroutines. The blocks do not depend on workers.
func inBlocks(workers, n, size int, do func(lo, hi int)) {
	workers = cmp.Or(max(workers, 0), runtime.GOMAXPROCS(0))
	if workers == 1 || n <= size {
		for lo := 0; lo < n; lo += size {
			do(lo, min(lo+size, n))
		}
		return
	}
	var g errgroup.Group
	g.SetLimit(workers)
	for lo := 0; lo < n; lo += size {
		g.Go(func() error {
			do(lo, min(lo+size, n))
			return nil
		})
	}
	_ = g.Wait() // do returns nothing
}
