// Package harmonise takes features of several centres (or devices) and gives them without the centres' shifts and
// scales: ComBat, fitted on training data without labels.
package harmonise

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"sonotype/internal/problem"
)

// Table holds the features of images, a row an image.
type Table interface {
	Dims() (n, p int)
	Row(i int) []float32
}

// Combat is a fitted harmonisation: location and scale of every feature in every batch (a centre or a device), shrunk
// by parametric empirical Bayes (Johnson, Li and Rabinovic, Biostatistics 2007), without covariates. Slices are by
// feature.
type Combat struct {
	By       string    // what a batch is: "centre" or "device"
	Batches  []string  // sorted
	Images   []int     // training images of each batch
	Features int       // width of the tables that it applies to
	Mean     []float64 // over all training images
	Scale    []float64 // pooled standard deviation; 0: the feature is left as it is
	Gamma    [][]float64
	Delta    [][]float64 // squared scale of a batch, as Gamma its shift, both in units of Scale; batch x feature
	Left     int         // features left as they are, since they do not vary within some batch
}

// fewest images of a batch: its variance must be known.
const fewest = 2

// panel is the number of features that one worker looks at together; it does not change a result.
const panel = 1024

// Fit learns the harmonisation from rows idx of t; batch[i] is the batch of row idx[i]. The labels play no part. Fewer
// than two batches, or a batch with a single image, are an error. Features that do not vary within some batch are left
// as they are and take no part in the priors, as in R's sva.
func Fit(ctx context.Context, t Table, idx []int, batch []string, by string, workers int) (*Combat, error) {
	c, of, err := prepare(t, idx, batch, by)
	if err != nil {
		return nil, err
	}
	f := &fit{Combat: c, table: t, idx: idx, of: of, workers: cmp.Or(max(workers, 0), runtime.GOMAXPROCS(0))}
	if err := f.each(ctx, f.standardise); err != nil {
		return nil, err
	}
	for _, s := range c.Scale {
		if s == 0 {
			c.Left++
		}
	}
	if c.Features-c.Left < 2 {
		return nil, &problem.Error{What: "too few features vary within every " + by + " to harmonise them", Found: fmt.Sprintf("%d of %d", c.Features-c.Left, c.Features), Try: "set `harmonise: none`"}
	}
	for b := range c.Batches {
		if err := f.shrink(ctx, b); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// prepare checks the batches and numbers them.
func prepare(t Table, idx []int, batch []string, by string) (*Combat, []int, error) {
	n, p := t.Dims()
	if len(idx) != len(batch) {
		return nil, nil, &problem.Error{What: "images and batches differ in number", Found: fmt.Sprintf("%d images, %d batches", len(idx), len(batch))}
	}
	count := map[string]int{}
	for i, row := range idx {
		if row < 0 || row >= n {
			return nil, nil, &problem.Error{What: "a training image is not in the feature table", Expected: fmt.Sprintf("rows 0 to %d", n-1), Found: fmt.Sprint(row)}
		}
		count[batch[i]]++
	}
	c := &Combat{By: by, Batches: slices.Sorted(maps.Keys(count)), Features: p, Mean: make([]float64, p), Scale: make([]float64, p)}
	if err := Fittable(by, batch); err != nil {
		return nil, nil, err
	}
	for _, b := range c.Batches {
		c.Images = append(c.Images, count[b])
		c.Gamma = append(c.Gamma, make([]float64, p))
		c.Delta = append(c.Delta, make([]float64, p))
	}
	of := make([]int, len(batch))
	for i, b := range batch {
		of[i], _ = slices.BinarySearch(c.Batches, b)
	}
	return c, of, nil
}

// fit is one Fit at work.
type fit struct {
	*Combat
	table   Table
	idx     []int
	of      []int // batch of each row
	workers int
}

// each runs job on panels of features.
func (f *fit) each(ctx context.Context, job func(lo, hi int)) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(f.workers)
	for lo := 0; lo < f.Features; lo += panel {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			job(lo, min(lo+panel, f.Features))
			return nil
		})
	}
	return g.Wait()
}

// standardise learns each feature's mean, pooled scale, and the shift and squared scale of the batches before shrinking.
// The mean is that of all images: the batches' means weighted by their images. The pooled variance divides by n, the
// batches' by n - 1, as published.
func (f *fit) standardise(lo, hi int) {
	w, batches := hi-lo, len(f.Batches)
	means, squares := make([]float64, batches*w), make([]float64, batches*w)
	for r, i := range f.idx {
		m := means[f.of[r]*w:][:w]
		for j, v := range f.table.Row(i)[lo:hi] {
			m[j] += float64(v) / float64(f.Images[f.of[r]])
		}
	}
	for r, i := range f.idx {
		m, s := means[f.of[r]*w:][:w], squares[f.of[r]*w:][:w]
		for j, v := range f.table.Row(i)[lo:hi] {
			s[j] += (float64(v) - m[j]) * (float64(v) - m[j])
		}
	}
	n := float64(len(f.idx))
	for j := range w {
		pooled, flat := 0.0, false
		for b := range batches {
			f.Mean[lo+j] += means[b*w+j] * float64(f.Images[b]) / n
			pooled += squares[b*w+j] / n
			flat = flat || within(squares[b*w+j], means[b*w+j], f.Images[b])
		}
		if flat {
			continue // Scale stays 0
		}
		f.Scale[lo+j] = math.Sqrt(pooled)
		for b := range batches {
			f.Gamma[b][lo+j] = (means[b*w+j] - f.Mean[lo+j]) / f.Scale[lo+j]
			f.Delta[b][lo+j] = squares[b*w+j] / float64(f.Images[b]-1) / pooled
		}
	}
}

// within says whether a sum of squares is within rounding of zero.
func within(squares, mean float64, n int) bool {
	e := float64(n) * 0x1p-52 * mean
	return squares <= float64(n)*e*e
}

// priors are the hyperparameters of a batch: normal for the shifts, inverse gamma for the squared scales, by the method
// of moments over features.
type priors struct{ gamma, tau2, a, b float64 }

func (f *fit) priors(batch int) priors {
	meanVar := func(v []float64) (mean, variance float64) {
		n := 0.0
		for j, x := range v {
			if f.Scale[j] > 0 {
				mean += x
				n++
			}
		}
		mean /= n
		for j, x := range v {
			if f.Scale[j] > 0 {
				variance += (x - mean) * (x - mean)
			}
		}
		return mean, variance / (n - 1)
	}
	var p priors
	p.gamma, p.tau2 = meanVar(f.Gamma[batch])
	m, s2 := meanVar(f.Delta[batch])
	p.a, p.b = (2*s2+m*m)/s2, (m*s2+m*m*m)/s2
	return p
}

// A feature's iteration ends when neither its shift nor its squared scale moves by more than this. The published code
// stops at 1e-4, where a few digits are still to come.
const (
	convergence = 1e-12
	mostSteps   = 1000
)

// shrink replaces a batch's shifts and squared scales by their posterior modes.
func (f *fit) shrink(ctx context.Context, batch int) error {
	p := f.priors(batch)
	if !(p.tau2 > 0) || math.IsInf(p.a, 0) || math.IsNaN(p.a) {
		return &problem.Error{What: "ComBat cannot be fitted: the features of a " + f.By + " do not differ in shift or scale", Found: f.Batches[batch], Try: "set `harmonise: none`"}
	}
	var rows []int
	for r, i := range f.idx {
		if f.of[r] == batch {
			rows = append(rows, i)
		}
	}
	return f.each(ctx, func(lo, hi int) {
		n := float64(len(rows))
		for j := lo; j < hi; j++ {
			if f.Scale[j] == 0 {
				continue
			}
			// The sum of squares about any shift follows from that about the batch's own mean.
			own, around := f.Gamma[batch][j], f.Delta[batch][j]*(n-1)
			g, d := own, f.Delta[batch][j]
			for range mostSteps {
				gNew := (p.tau2*n*own + d*p.gamma) / (p.tau2*n + d)
				sum := around + n*(own-gNew)*(own-gNew)
				dNew := (0.5*sum + p.b) / (n/2 + p.a - 1)
				change := max(math.Abs(gNew-g)/(1+math.Abs(g)), math.Abs(dNew-d)/d)
				g, d = gNew, dNew
				if change <= convergence {
					break
				}
			}
			f.Gamma[batch][j], f.Delta[batch][j] = g, d
		}
	})
}

// Knows is an error for a batch that was not in the fit.
func (c *Combat) Knows(batch string) error {
	if _, ok := slices.BinarySearch(c.Batches, batch); ok {
		return nil
	}
	return Unknown(c.By, c.Batches, batch)
}

// Unknown is the error of a batch that is not among those known.
func Unknown(by string, known []string, batch string) error {
	return &problem.Error{
		What:     fmt.Sprintf("ComBat does not know the %s of an image", by),
		Expected: "one of the training set's: " + strings.Join(known, ", "), Found: cmp.Or(batch, "none"),
		Try: "set `harmonise: none`: how a " + by + " shifts the features can only be learnt from its own images",
	}
}

// Fittable is an error where the batches of the training images cannot be harmonised: fewer than two of them, or one
// with a single image.
func Fittable(by string, batches []string) error {
	count := map[string]int{}
	for _, b := range batches {
		count[b]++
	}
	names := slices.Sorted(maps.Keys(count))
	if len(names) < 2 {
		return &problem.Error{
			What:     fmt.Sprintf("ComBat cannot be fitted: the training images are all of one %s", by),
			Expected: fmt.Sprintf("training images of at least two %ss", by), Found: strings.Join(names, ", "),
			Try: "set `harmonise: none`, or give the training set several " + by + "s with a `split` column",
		}
	}
	for _, b := range names {
		if count[b] < fewest {
			return &problem.Error{
				What:     fmt.Sprintf("ComBat cannot be fitted: a %s has a single training image, so its variance is unknown", by),
				Expected: fmt.Sprintf("at least %d images a %s", fewest, by), Found: fmt.Sprintf("%s: %d", b, count[b]),
				Try: "set `harmonise: none`, or leave that " + by + " out of the training set",
			}
		}
	}
	return nil
}

// Apply writes a row of a batch, harmonised, to dst, which may be the row. A batch that the fit has not seen is an
// error: its shift and scale are unknown.
func (c *Combat) Apply(row []float32, batch string, dst []float32) error {
	if err := c.Knows(batch); err != nil {
		return err
	}
	b, _ := slices.BinarySearch(c.Batches, batch)
	if len(row) != c.Features || len(dst) != c.Features {
		return &problem.Error{What: "the feature table does not fit the harmonisation", Expected: fmt.Sprintf("%d features an image", c.Features), Found: fmt.Sprint(len(row))}
	}
	gamma, delta := c.Gamma[b], c.Delta[b]
	for j, v := range row {
		if c.Scale[j] == 0 {
			dst[j] = v
			continue
		}
		z := (float64(v) - c.Mean[j]) / c.Scale[j]
		dst[j] = float32((z-gamma[j])/math.Sqrt(delta[j])*c.Scale[j] + c.Mean[j])
	}
	return nil
}
