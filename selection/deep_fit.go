package selection

import (
	"context"
	"fmt"
	"math"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/floats"

	"sonotype/internal/dots"
	"sonotype/internal/problem"
)

// Work is cut into pieces of fixed size, whatever the number of workers: panels of columns that pass through
// the caches, stripes of a panel's columns for one worker to scale, and stripes of rows of a product.
const (
	panelWidth = 512
	stripe     = 64
	rowStripe  = 24
)

const epsilon = 0x1p-52 // float64's

// deepFit is the state of one FitDeep.
type deepFit struct {
	*Deep
	rows    [][]float32
	w       []float64
	sumW    float64
	root    []float64 // square roots of the weights
	minimum float64   // smallest share of non-zero values of a feature that stays
	config  DeepConfig
	workers int

	mean, scale, centre []float64 // by feature of x; scale 0 = sparse, -1 = constant, -2 = unwanted
	gram                []float64 // n x n, lower triangle
	left                dots.Rows // k rows of n: eigenvectors of the Gram matrix over singular values
}

func newDeepFit(x Rows, idx []int, w []float64, c DeepConfig) *deepFit {
	_, p := x.Dims()
	f := &deepFit{
		Deep: &Deep{Features: p, Clip: c.Clip},
		rows: make([][]float32, len(idx)), w: w, root: make([]float64, len(idx)), config: c,
		minimum: c.MinNonZero,
		workers: goroutines(c.Workers),
		mean:    make([]float64, p), scale: make([]float64, p), centre: make([]float64, p),
	}
	for i, r := range idx {
		f.rows[i] = x.Row(r)
		f.root[i] = math.Sqrt(w[i])
		f.sumW += w[i]
	}
	return f
}

// scaleAndGram learns every feature's mean, scale and centre, and sums the Gram matrix, in one pass over x.
func (f *deepFit) scaleAndGram(ctx context.Context) error {
	n := len(f.rows)
	f.gram = make([]float64, n*n)
	panel := dots.Rows{Data: make([]float64, n*panelWidth), N: n, Len: panelWidth, Stride: panelWidth}
	for lo := 0; lo < f.Features; lo += panelWidth {
		if err := ctx.Err(); err != nil {
			return err
		}
		hi := min(lo+panelWidth, f.Features)
		clear(panel.Data)
		err := parallel(f.workers, lo, hi, stripe, func(a, b int) error {
			return f.scaleColumns(a, b, panel.Data[a-lo:])
		})
		if err != nil {
			return err
		}
		_ = parallel(f.workers, 0, n, rowStripe, func(a, b int) error {
			dots.AddMulTBelow(f.gram[a*n:], n, panel.Slice(a, b), panel, a)
			return nil
		})
		f.progress(hi)
	}
	for j, s := range f.scale {
		switch {
		case s == sparse:
			f.SparseDropped++
		case s == constant:
			f.ConstantDropped++
		case s == unwanted:
			f.CallerDropped++
		default:
			f.Columns = append(f.Columns, j)
			f.Mean = append(f.Mean, f.mean[j])
			f.Scale = append(f.Scale, s)
			f.Centre = append(f.Centre, f.centre[j])
		}
	}
	if len(f.Columns) == 0 {
		return &problem.Error{What: "no feature varies over the training images",
			Found: fmt.Sprintf("%d features almost always zero, %d constant, %d left out", f.SparseDropped, f.ConstantDropped, f.CallerDropped),
			Try:   "look at the crops and at the network's weights"}
	}
	return nil
}

// Marks of dropped features in deepFit.scale.
const (
	sparse   = 0
	constant = -1
	unwanted = -2
)

// scaleColumns learns features a to b-1 and writes their sqrt(w)·(z - centre) to out, whose rows are
// panelWidth apart; a dropped feature's column stays zero.
func (f *deepFit) scaleColumns(a, b int, out []float64) error {
	width := b - a
	mean, variance := make([]float64, width), make([]float64, width)
	nonZero := make([]uint32, width)
	for i, row := range f.rows {
		for j, v := range row[a:b] {
			mean[j] += f.w[i] * float64(v)
			magnitude := math.Float32bits(v) &^ (1 << 31)
			nonZero[j] += (magnitude | -magnitude) >> 31 // 1 unless zero: half of the values are, and a branch stalls
		}
	}
	for j := range mean {
		mean[j] /= f.sumW
		if math.IsNaN(mean[j]) || math.IsInf(mean[j], 0) {
			return f.notFinite(a + j)
		}
	}
	for i, row := range f.rows {
		for j, v := range row[a:b] {
			d := float64(v) - mean[j]
			variance[j] += f.w[i] * d * d
		}
	}
	scale := f.scale[a:b]
	for j, v := range variance {
		v /= f.sumW
		scale[j] = math.Sqrt(v)
		// scikit-learn's test of a constant feature: its variance is within rounding of zero.
		if e := float64(len(f.rows)) * epsilon; v <= e*v+(e*mean[j])*(e*mean[j]) {
			scale[j] = constant
		}
		if float64(nonZero[j])/float64(len(f.rows)) < f.minimum {
			scale[j] = sparse
		}
		if f.config.Drop != nil && f.config.Drop[a+j] {
			scale[j] = unwanted
		}
	}
	copy(f.mean[a:b], mean)
	f.scores(a, b, out)
	return nil
}

// scores fills columns a to b-1 of a panel and their centres.
func (f *deepFit) scores(a, b int, out []float64) {
	mean, scale, centre := f.mean[a:b], f.scale[a:b], f.centre[a:b]
	for i, row := range f.rows {
		z := out[i*panelWidth : i*panelWidth+b-a]
		for j, v := range row[a:b] {
			if scale[j] > 0 {
				z[j] = zScore(v, mean[j], scale[j], f.Clip)
				centre[j] += f.w[i] * z[j]
			}
		}
	}
	for j := range centre {
		centre[j] /= f.sumW
	}
	for i := range f.rows {
		z := out[i*panelWidth : i*panelWidth+b-a]
		for j := range z {
			if scale[j] > 0 {
				z[j] = (z[j] - centre[j]) * f.root[i]
			}
		}
	}
}

func zScore(v float32, mean, scale, clip float64) float64 {
	return min(max((float64(v)-mean)/scale, -clip), clip)
}

// notFinite names the first training row whose feature j is NaN or infinite.
func (f *deepFit) notFinite(j int) error {
	for i, row := range f.rows {
		if v := float64(row[j]); math.IsNaN(v) || math.IsInf(v, 0) {
			return &problem.Error{What: fmt.Sprintf("feature column %d is not a finite number for training image %d", j+1, i+1),
				Found: fmt.Sprint(v), Try: "look at this image's crop and at the network's weights"}
		}
	}
	return &problem.Error{What: fmt.Sprintf("feature column %d is too large to average", j+1)}
}

// eigen computes the eigenvectors that become components, and settles their number and variances.
func (f *deepFit) eigen() error {
	n := len(f.rows)
	trace := 0.0
	for i := range n {
		trace += f.gram[i*n+i]
	}
	values, vectors, ok := largestEigen(f.gram, n, min(f.config.Components, n-1, len(f.Columns)), float64(n)*epsilon)
	if !ok {
		return &problem.Error{What: "the principal components did not converge", Try: "look for damaged features"}
	}
	if len(values) == 0 {
		return &problem.Error{What: "the training images do not differ", Expected: "at least one principal component"}
	}
	f.gram = nil
	f.left = vectors
	f.Total = trace / (f.sumW - 1)
	for c, v := range values {
		f.Variance = append(f.Variance, v/(f.sumW-1))
		f.SD = append(f.SD, math.Sqrt(v/f.sumW))
		f.flip(f.left.Row(c), math.Sqrt(v))
	}
	return nil
}

// flip divides an eigenvector by its singular value, with svd_flip's sign: that of the largest |u/sqrt(w)|,
// the row's score, so that a weight of 2 acts as the row twice.
func (f *deepFit) flip(u []float64, singular float64) {
	largest := 0.0
	for i, v := range u {
		if score := v / f.root[i]; math.Abs(score) > math.Abs(largest) {
			largest = score
		}
	}
	floats.Scale(1/math.Copysign(singular, largest), u)
}

// project turns eigenvectors u into components: row c is Σ_i sign·u_i/s · sqrt(w_i)·(z_i - centre).
func (f *deepFit) project(ctx context.Context) error {
	k, m := len(f.SD), len(f.Columns)
	f.Components = make([]float32, k*m)
	for lo := 0; lo < m; lo += panelWidth {
		if err := ctx.Err(); err != nil {
			return err
		}
		hi := min(lo+panelWidth, m)
		_ = parallel(f.workers, lo, hi, stripe, func(a, b int) error {
			f.projectColumns(a, b)
			return nil
		})
		f.progress(f.Features + hi*f.Features/m)
	}
	return nil
}

// projectColumns computes the loadings of kept features a to b-1.
func (f *deepFit) projectColumns(a, b int) {
	n, k, m := len(f.rows), len(f.SD), len(f.Columns)
	z := dots.Rows{Data: make([]float64, (b-a)*n), N: b - a, Len: n, Stride: n}
	for i, row := range f.rows {
		for j := a; j < b; j++ {
			v := zScore(row[f.Columns[j]], f.Mean[j], f.Scale[j], f.Clip)
			z.Data[(j-a)*n+i] = (v - f.Centre[j]) * f.root[i]
		}
	}
	out := make([]float64, k*(b-a))
	dots.AddMulT(out, b-a, f.left, z)
	for c := range k {
		for j, v := range out[c*(b-a) : (c+1)*(b-a)] {
			f.Components[c*m+a+j] = float32(v)
		}
	}
}

// progress reports columns done: p in the first pass, about p in the second.
func (f *deepFit) progress(columns int) {
	if f.config.Progress != nil {
		f.config.Progress(columns, 2*f.Features)
	}
}

// parallel calls work for the pieces of lo to hi-1, each of the given size, on that many workers.
func parallel(workers, lo, hi, size int, work func(a, b int) error) error {
	var g errgroup.Group
	g.SetLimit(workers)
	for a := lo; a < hi; a += size {
		g.Go(func() error { return work(a, min(a+size, hi)) })
	}
	return g.Wait()
}
