package nn

import (
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// Every unit runs once, and run returns after the last, with more workers than processors and with
// workers that have gone to sleep in between.
func TestTeamRunsEveryUnitOnce(t *testing.T) {
	for _, workers := range []int{1, 2, 7} {
		tm := newTeam(workers)
		for round, units := range []int{0, 1, 2, 3, 50, 1000, 5, 64} {
			if round%3 == 2 {
				time.Sleep(5 * spinFor)
			}
			seen := make([]int32, units)
			tm.run(units, func(worker, u int) {
				if worker < 0 || worker >= workers {
					t.Errorf("worker %d of %d", worker, workers)
				}
				atomic.AddInt32(&seen[u], 1)
			})
			if slices.ContainsFunc(seen, func(n int32) bool { return n != 1 }) {
				t.Errorf("%d workers: units ran %v times", workers, seen)
			}
		}
		tm.stop()
	}
}

// No worker serves two units at once, so that its scratch is its own.
func TestTeamsWorkersDoOneThingAtATime(t *testing.T) {
	const workers = 3
	tm := newTeam(workers)
	defer tm.stop()
	var busy [workers]atomic.Int32
	for range 200 {
		tm.run(10, func(w, _ int) {
			if busy[w].Add(1) != 1 {
				t.Error("a worker runs two units")
			}
			runtime.Gosched()
			busy[w].Add(-1)
		})
	}
}

func TestStoppedTeamLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 10 {
		tm := newTeam(4)
		tm.run(8, func(_, _ int) {})
		tm.stop()
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}
