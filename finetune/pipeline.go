package finetune

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// inFlight is the number of batches in memory: one in the network, one being prepared.
const inFlight = 2

// batch is some images of a set on their way to the network.
type batch struct {
	index []int     // of the images in their set
	x     []float32 // their inputs
	y     []float32 // their labels
}

// feed prepares the batches one after another in a goroutine of its own, ahead of use, which gets them in order. A
// batch is use's until it returns.
func (in *input) feed(ctx context.Context, set []Example, batches [][]int, epoch int, use func(batch) error) error {
	most := 0
	for _, b := range batches {
		most = max(most, len(b))
	}
	g, ctx := errgroup.WithContext(ctx)
	free, ready := make(chan batch, inFlight), make(chan batch, inFlight)
	for range inFlight {
		free <- batch{x: make([]float32, most*in.size()), y: make([]float32, most)}
	}
	g.Go(func() error {
		defer close(ready)
		for _, index := range batches {
			select {
			case b := <-free:
				b, err := in.prepare(b, set, index, epoch)
				if err != nil {
					return err
				}
				ready <- b // never blocks: there are inFlight batches and as many places
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	g.Go(func() error {
		for b := range ready {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := use(b); err != nil {
				return err
			}
			free <- b
		}
		return nil
	})
	return g.Wait()
}

// prepare fills b with the images index of set.
func (in *input) prepare(b batch, set []Example, index []int, epoch int) (batch, error) {
	b.index, b.x, b.y = index, b.x[:len(index)*in.size()], b.y[:len(index)]
	for k, i := range index {
		b.y[k] = float32(set[i].Label)
		if err := in.fill(b.x[k*in.size():][:in.size()], set[i], epoch, i); err != nil {
			return b, err
		}
	}
	return b, nil
}

// batches cuts order into runs of size. A single image left over joins the run before: alone it would be normalised
// by its own statistics.
func batches(order []int, size int) [][]int {
	var out [][]int
	for len(order) > 0 {
		n := min(size, len(order))
		if size > 1 && len(order) == size+1 {
			n++
		}
		out = append(out, order[:n])
		order = order[n:]
	}
	return out
}

// upTo are the numbers 0..n-1.
func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
