package selection

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"sonotype/internal/dots"
)

// Spearman returns the columns of x (n x p) to keep, ascending: from left to right, a column is dropped if its
// Spearman correlation with an earlier kept column exceeds cut in absolute value. Ties get mid-ranks.
// A constant column correlates with nothing and stays. Images count equally, whatever their weight.
func Spearman(x *mat.Dense, cut float64, workers int) []int {
	if x == nil || x.IsEmpty() {
		return nil
	}
	n, p := x.Dims()
	ranks := dots.Rows{Data: make([]float64, n*p), N: p, Len: n, Stride: n}
	_ = parallel(goroutines(workers), 0, p, stripe, func(a, b int) error {
		for j := a; j < b; j++ {
			standardRanks(mat.Col(nil, j, x), ranks.Row(j))
		}
		return nil
	})
	drop := make([]bool, p)
	for a := 0; a < p; a += stripe {
		dropFrom(a, min(a+stripe, p), ranks, cut, workers, drop)
	}
	var keep []int
	for j, d := range drop {
		if !d {
			keep = append(keep, j)
		}
	}
	return keep
}

// dropFrom decides on columns a to b-1, once all earlier ones are decided; so memory is p numbers a column.
func dropFrom(a, b int, ranks dots.Rows, cut float64, workers int, drop []bool) {
	rho := make([]float64, (b-a)*b)
	_ = parallel(goroutines(workers), a, b, 3, func(i, end int) error {
		dots.AddMulTBelow(rho[(i-a)*b:], b, ranks.Slice(i, end), ranks.Slice(0, b), i)
		return nil
	})
	for j := a; j < b; j++ {
		for i := range j {
			if !drop[i] && math.Abs(rho[(j-a)*b+i]) > cut {
				drop[j] = true
				break
			}
		}
	}
}

// standardRanks writes the mid-ranks of v, centred and of unit length, to out: zeros if v is constant.
func standardRanks(v, out []float64) {
	order := make([]int, len(v))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(v[a], v[b]) })
	for lo := 0; lo < len(v); {
		hi := lo + 1
		for hi < len(v) && v[order[hi]] == v[order[lo]] {
			hi++
		}
		for _, i := range order[lo:hi] {
			out[i] = float64(lo+hi+1) / 2
		}
		lo = hi
	}
	floats.AddConst(-float64(len(v)+1)/2, out)
	if length := floats.Norm(out, 2); length > 0 {
		floats.Scale(1/length, out)
	}
}
