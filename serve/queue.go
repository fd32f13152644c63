package serve

import (
	"context"
	"errors"
)

// ErrBusy says that so many predictions wait that one more would wait too long.
var ErrBusy = errors.New("the server is busy")

// queue lets one prediction run at a time, since one uses every core, and a few wait.
type queue struct {
	places chan struct{} // of those that run or wait
	turn   slots
}

// slots are how many of something may go on at once.
type slots chan struct{}

// do runs f when a slot is free, or gives ctx's error when that ends first.
func (s slots) do(ctx context.Context, f func() error) error {
	select {
	case s <- struct{}{}:
		defer func() { <-s }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return f()
}

func newQueue(waiting int) *queue {
	return &queue{places: make(chan struct{}, waiting+1), turn: make(slots, 1)}
}

// do runs f in its turn, or says that there is no place, or ctx's error when that ends first.
func (q *queue) do(ctx context.Context, f func() error) error {
	select {
	case q.places <- struct{}{}:
		defer func() { <-q.places }()
	default:
		return ErrBusy
	}
	return q.turn.do(ctx, f)
}

// waiting counts those that run or wait.
func (q *queue) waiting() int { return len(q.places) }
