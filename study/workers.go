package study

import (
	"runtime"
	"sync/atomic"
)

// workers turns a job count into a number of goroutines: 0 means all cores.
func workers(jobs int) int {
	if jobs > 0 {
		return jobs
	}
	return runtime.GOMAXPROCS(0)
}

// counter counts finished pieces of work from several goroutines.
type counter struct{ n atomic.Int64 }

func (c *counter) next() int { return int(c.n.Add(1)) }
