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
	turn   chan struct{}
}

func newQueue(waiting int) *queue {
	return &queue{places: make(chan struct{}, waiting+1), turn: make(chan struct{}, 1)}
}

// do runs f in its turn, or says that there is no place, or ctx's error when that ends first.
func (q *queue) do(ctx context.Context, f func() error) error {
	select {
	case q.places <- struct{}{}:
		defer func() { <-q.places }()
	default:
		return ErrBusy
	}
	select {
	case q.turn <- struct{}{}:
		defer func() { <-q.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return f()
}

// waiting counts those that run or wait.
func (q *queue) waiting() int { return len(q.places) }
