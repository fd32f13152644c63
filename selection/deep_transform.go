package selection

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"sonotype/internal/dots"
)

// deepTransform is the state of one Transform: panels of z-scores times panels of loadings.
type deepTransform struct {
	*Deep
	rows    [][]float32 // nil where a row cannot be had
	workers int
	out     []float64 // rows x components
}

func newDeepTransform(d *Deep, x Rows, idx []int, workers int) *deepTransform {
	n, p := x.Dims()
	t := &deepTransform{Deep: d, rows: make([][]float32, len(idx)), workers: goroutines(workers), out: make([]float64, len(idx)*len(d.SD))}
	for i, r := range idx {
		if p == d.Features && r >= 0 && r < n {
			t.rows[i] = x.Row(r)
		}
	}
	return t
}

func (t *deepTransform) run() *mat.Dense {
	n, k, m := len(t.rows), len(t.SD), len(t.Columns)
	if n == 0 || k == 0 {
		return &mat.Dense{}
	}
	z := dots.Rows{Data: make([]float64, n*panelWidth), N: n, Stride: panelWidth}
	v := dots.Rows{Data: make([]float64, k*panelWidth), N: k, Stride: panelWidth}
	for lo := 0; lo < m; lo += panelWidth {
		width := min(panelWidth, m-lo)
		z.Len, v.Len = width, width
		t.each(n, k, func(rows, components [2]int) {
			for i := rows[0]; i < rows[1]; i++ {
				t.fillScores(i, lo, z.Row(i))
			}
			for c := components[0]; c < components[1]; c++ {
				for j, l := range t.Components[c*m+lo : c*m+lo+width] {
					v.Data[c*panelWidth+j] = float64(l)
				}
			}
		})
		_ = parallel(t.workers, 0, tiles(n)*tiles(k), 1, func(tile, _ int) error {
			i, c := tile/tiles(k)*stripe, tile%tiles(k)*stripe
			dots.AddMulT(t.out[i*k+c:], k, z.Slice(i, min(i+stripe, n)), v.Slice(c, min(c+stripe, k)))
			return nil
		})
	}
	for i := range t.out {
		t.out[i] /= t.SD[i%k]
	}
	return mat.NewDense(n, k, t.out)
}

func tiles(n int) int { return (n + stripe - 1) / stripe }

// each shares out n rows and k components among the workers, in stripes of rowStripe.
func (t *deepTransform) each(n, k int, fill func(rows, components [2]int)) {
	_ = parallel(t.workers, 0, max(n, k), rowStripe, func(a, b int) error {
		fill([2]int{min(a, n), min(b, n)}, [2]int{min(a, k), min(b, k)})
		return nil
	})
}

// fillScores writes row i's centred z-scores of the kept features from lo on.
func (t *deepTransform) fillScores(i, lo int, z []float64) {
	row := t.rows[i]
	for j := range z {
		if row == nil {
			z[j] = math.NaN()
			continue
		}
		z[j] = zScore(row[t.Columns[lo+j]], t.Mean[lo+j], t.Scale[lo+j], t.Clip) - t.Centre[lo+j]
	}
}
