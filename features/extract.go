package features

import (
	"context"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"

	"sonotype/internal/problem"
)

// Inferer is the part of a compiled network that is needed here (nn.Program has it): x holds n images one after
// another, and the values of each tap named in taps are written to its slice, image after image.
type Inferer interface {
	Infer(x []float32, n int, taps map[string][]float32) error
}

// Job is one feature file to be made.
type Job struct {
	Path     string                           // of the file
	Images   int                              // number of images = rows
	InputLen int                              // values of one input: 3 * side * side
	Input    func(i int, dst []float32) error // fills the input of image i; called from several goroutines
	Tap      string                           // "features" or "avgpool"
	Width    int                              // values of the tap for one image = columns
	Batch    int                              // images the network takes at once; <= 0: 16
	Workers  int                              // goroutines that prepare inputs; <= 0: GOMAXPROCS
	Progress func(done, total int)            // after each batch, in images; may be nil
}

// inFlight is the number of batches in memory: one in the network, one ready, one being prepared.
const inFlight = 3

// batch is a run of consecutive images on their way to the network.
type batch struct {
	first, n int
	x        []float32
}

// Extract runs all images of a job through net and writes row i for image i. Inputs are prepared ahead of the
// network; the rows do not depend on Batch or Workers. On an error or when ctx ends, no file is left behind.
func Extract(ctx context.Context, net Inferer, job Job) error {
	if job.Images < 1 || job.InputLen < 1 || job.Width < 1 || job.Input == nil {
		return &problem.Error{What: "there is nothing to extract features from", File: job.Path, Found: fmt.Sprintf("%d images of %d values, %d columns", job.Images, job.InputLen, job.Width)}
	}
	if job.Batch <= 0 {
		job.Batch = 16
	}
	if job.Workers <= 0 {
		job.Workers = runtime.GOMAXPROCS(0)
	}
	w, err := Write(job.Path, job.Images, job.Width)
	if err != nil {
		return err
	}
	defer w.Abort()
	g, ctx := errgroup.WithContext(ctx)
	free, ready := make(chan batch, inFlight), make(chan batch, inFlight)
	for range inFlight {
		free <- batch{x: make([]float32, job.Batch*job.InputLen)}
	}
	g.Go(func() error { return job.prepare(ctx, free, ready) })
	g.Go(func() error { return job.infer(ctx, net, w, free, ready) })
	if err := g.Wait(); err != nil {
		return err
	}
	return w.Close()
}

// prepare fills batches in the order of the images and closes ready after the last.
func (job Job) prepare(ctx context.Context, free <-chan batch, ready chan<- batch) error {
	defer close(ready)
	for first := 0; first < job.Images; first += job.Batch {
		var b batch
		select {
		case b = <-free:
		case <-ctx.Done():
			return ctx.Err()
		}
		b.first, b.n = first, min(job.Batch, job.Images-first)
		g, _ := errgroup.WithContext(ctx)
		g.SetLimit(job.Workers)
		for k := range b.n {
			g.Go(func() error { return job.Input(first+k, b.x[k*job.InputLen:(k+1)*job.InputLen]) })
		}
		if err := g.Wait(); err != nil {
			return err
		}
		ready <- b // never blocks: there are inFlight batches and as many places
	}
	return nil
}

// infer takes ready batches through the network and writes their rows.
func (job Job) infer(ctx context.Context, net Inferer, w *Writer, free chan<- batch, ready <-chan batch) error {
	out := make([]float32, job.Batch*job.Width)
	for b := range ready {
		if err := ctx.Err(); err != nil {
			return err
		}
		taps := map[string][]float32{job.Tap: out[:b.n*job.Width]}
		if err := net.Infer(b.x[:b.n*job.InputLen], b.n, taps); err != nil {
			return err
		}
		for k := range b.n {
			if err := w.Row(out[k*job.Width : (k+1)*job.Width]); err != nil {
				return err
			}
		}
		if job.Progress != nil {
			job.Progress(b.first+b.n, job.Images)
		}
		free <- b
	}
	return nil
}
