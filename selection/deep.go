// Package selection reduces features: a wide feature table of the training images flows in; fitted scaling,
// principal components, a correlation filter and LASSO weights flow out, ready to apply to new images.
package selection

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"

	"gonum.org/v1/gonum/mat"

	"sonotype/internal/problem"
)

// Rows is a table of n images with p features each, e.g. a memory-mapped file.
type Rows interface {
	Dims() (n, p int)
	Row(i int) []float32 // a view, valid while the table is open
}

// DeepConfig sets how deep features are reduced.
type DeepConfig struct {
	Components int     `json:"components"`   // most components to keep
	MinNonZero float64 `json:"min_non_zero"` // features non-zero in a smaller share of the training images are dropped
	Clip       float64 `json:"clip"`         // largest |z|
	Drop       []bool  `json:"-"`            // features that the caller leaves out, e.g. since readers disagree on them; nil = none
	Workers    int     `json:"-"`            // goroutines; <= 0 means GOMAXPROCS; never changes a result

	Progress func(done, total int) `json:"-"` // called from one goroutine; may be nil
}

// DeepDefaults are the method's settings: 256 components, features non-zero in 1 %, |z| <= 10.
func DeepDefaults() DeepConfig { return DeepConfig{Components: 256, MinNonZero: 0.01, Clip: 10} }

// Deep is a fitted reduction: z-score, clip, principal components, z-score of the components.
type Deep struct {
	Features int     // width p of the tables that it applies to
	Clip     float64 // largest |z| of a feature

	Columns []int     // the m features kept, ascending
	Mean    []float64 // m weighted means on training
	Scale   []float64 // m weighted population standard deviations on training
	Centre  []float64 // m weighted means of the clipped z-scores on training: 0 unless something was clipped

	Components []float32 // k rows of m loadings
	Variance   []float64 // k variances of the components: eigenvalues over (sum of weights - 1)
	Total      float64   // variance of all features together, the denominator of the explained share
	SD         []float64 // k weighted population standard deviations of the components on training

	SparseDropped   int // features dropped because they are almost always zero
	ConstantDropped int // features dropped because they are constant
	CallerDropped   int // features that the caller left out
}

// FitDeep fits the reduction on rows idx of x. w holds one weight > 0 a row of idx, nil meaning ones;
// a weight of 2 acts as the row twice. Means, variances and the covariance are weighted.
//
// The principal components are exact: eigenvectors of the n x n Gram matrix of the weighted rows
// sqrt(w)·(z - centre), built by column panels, so that memory stays under the components plus 16 n² bytes
// plus a constant. Signs follow scikit-learn 1.2's svd_flip: each component's largest |score / sqrt(variance)| is positive.
// min(Components, n-1, rank) components are kept; the rank counts eigenvalues above n·2e-16 times the largest,
// the smallest that a Gram matrix can resolve.
func FitDeep(ctx context.Context, x Rows, idx []int, w []float64, c DeepConfig) (*Deep, error) {
	w, err := checkRows(x, idx, w)
	if err != nil {
		return nil, err
	}
	if _, p := x.Dims(); c.Drop != nil && len(c.Drop) != p {
		return nil, &problem.Error{What: "the features to drop do not fit the feature table", Expected: fmt.Sprintf("%d features", p), Found: fmt.Sprint(len(c.Drop))}
	}
	f := newDeepFit(x, idx, w, c)
	if err := f.scaleAndGram(ctx); err != nil {
		return nil, err
	}
	if err := f.eigen(); err != nil {
		return nil, err
	}
	if err := f.project(ctx); err != nil {
		return nil, err
	}
	return f.Deep, nil
}

// Dims returns the number of components and the number of features of a table.
func (d *Deep) Dims() (components, features int) { return len(d.SD), d.Features }

// ExplainedVarianceRatio returns each component's share of the variance of all kept features.
func (d *Deep) ExplainedVarianceRatio() []float64 {
	r := make([]float64, len(d.Variance))
	for i, v := range d.Variance {
		r[i] = v / d.Total
	}
	return r
}

// Check refuses a table whose width is not the one that the reduction was fitted on.
func (d *Deep) Check(x Rows) error {
	if _, p := x.Dims(); p != d.Features {
		return &problem.Error{What: "the feature table does not fit the reduction",
			Expected: fmt.Sprintf("%d features an image", d.Features), Found: fmt.Sprint(p),
			Try: "extract the features with the network and layer that the reduction was fitted on"}
	}
	return nil
}

// checkRows refuses tables that nothing can be fitted on and returns the weights.
func checkRows(x Rows, idx []int, w []float64) ([]float64, error) {
	n, p := x.Dims()
	if len(idx) < 2 || p == 0 {
		return nil, &problem.Error{What: "too few training images to reduce their features",
			Expected: "at least 2 images with features", Found: fmt.Sprintf("%d images, %d features", len(idx), p)}
	}
	for _, i := range idx {
		if i < 0 || i >= n {
			return nil, &problem.Error{What: "a training image is not in the feature table",
				Expected: fmt.Sprintf("rows 0 to %d", n-1), Found: fmt.Sprint(i)}
		}
	}
	if w == nil {
		return ones(len(idx)), nil
	}
	if len(w) != len(idx) {
		return nil, &problem.Error{What: "training images and weights differ in number", Found: fmt.Sprintf("%d images, %d weights", len(idx), len(w))}
	}
	for i, v := range w {
		if !(v > 0) || math.IsInf(v, 1) {
			return nil, &problem.Error{What: fmt.Sprintf("weight of training image %d is not a finite number > 0", i+1), Found: fmt.Sprint(v)}
		}
	}
	return w, nil
}

func ones(n int) []float64 {
	w := make([]float64, n)
	for i := range w {
		w[i] = 1
	}
	return w
}

// goroutines turns a worker count into a limit for an errgroup.
func goroutines(workers int) int { return cmp.Or(max(workers, 0), runtime.GOMAXPROCS(0)) }

// Transform returns the z-scored components, len(idx) x k, of rows idx of x. A row's result does not depend
// on the other rows. A table of another width, which Check refuses, and rows outside it give NaN.
func (d *Deep) Transform(x Rows, idx []int, workers int) *mat.Dense {
	return newDeepTransform(d, x, idx, workers).run()
}
