package nn

import (
	"runtime"
	"sync/atomic"
	"time"

	"sonotype/nn/kernel"
)

// team is a set of workers that meet at the end of every phase. Phases are as short as tens of
// microseconds, so between them workers spin; idle for longer, they park.
type team struct {
	n    int
	job  atomic.Pointer[job]
	mate []mate // of workers 1..n-1; worker 0 is the caller
}

type mate struct {
	parked atomic.Bool
	wake   chan struct{}
	_      [48]byte // a cache line each
}

// job is one phase: units 0..n-1 dealt out in contiguous runs, one a worker, so that a worker
// finds in its cache what it wrote the phase before. Who is done early takes from the others.
type job struct {
	f    func(worker, unit int)
	runs []run
	left atomic.Int64 // units not finished; 0 ends the phase
}

type run struct {
	next atomic.Int64
	end  int64
	_    [48]byte
}

// spinFor is how long an idle worker spins before it parks.
const spinFor = 200 * time.Microsecond

func newTeam(n int) *team {
	t := &team{n: n, mate: make([]mate, n)}
	for w := 1; w < n; w++ {
		t.mate[w].wake = make(chan struct{}, 1)
		go t.serve(w)
	}
	return t
}

// run calls f(worker, unit) for every unit and returns when all are done. One run at a time.
func (t *team) run(units int, f func(worker, unit int)) {
	if t.n == 1 || units <= 1 {
		for u := range units {
			f(0, u)
		}
		return
	}
	j := &job{f: f, runs: make([]run, t.n)}
	j.left.Store(int64(units))
	for w := range j.runs {
		j.runs[w].next.Store(int64(w * units / t.n))
		j.runs[w].end = int64((w + 1) * units / t.n)
	}
	t.publish(j)
	j.work(0)
	for spin := 1; j.left.Load() > 0; spin++ {
		relax(spin)
	}
}

// stop ends the workers.
func (t *team) stop() { t.publish(&job{}) }

// publish makes j the current job and wakes who sleeps. A job without runs ends the team.
func (t *team) publish(j *job) {
	t.job.Store(j)
	for w := 1; w < t.n; w++ {
		if m := &t.mate[w]; m.parked.CompareAndSwap(true, false) {
			m.wake <- struct{}{}
		}
	}
}

// serve is the life of worker w.
func (t *team) serve(w int) {
	var last *job
	for {
		j := t.wait(w, last)
		if j.runs == nil {
			return
		}
		j.work(w)
		last = j
	}
}

// wait returns the job after last.
func (t *team) wait(w int, last *job) *job {
	m := &t.mate[w]
	start := time.Now()
	for spin := 1; ; spin++ {
		if j := t.job.Load(); j != last {
			return j
		}
		if relax(spin) && time.Since(start) > spinFor {
			m.parked.Store(true)
			if t.job.Load() == last || !m.parked.CompareAndSwap(true, false) {
				<-m.wake
			}
			start = time.Now()
		}
	}
}

// relax spends one turn of a spin loop and now and then offers the thread to others; it reports
// whether it did.
func relax(spin int) bool {
	if spin%64 == 0 {
		runtime.Gosched()
		return true
	}
	kernel.Pause()
	return false
}

// work does the units of worker w's run, then what is left of the others'.
func (j *job) work(w int) {
	n := len(j.runs)
	for i := range n {
		r := &j.runs[(w+i)%n]
		for r.next.Load() < r.end {
			u := r.next.Add(1) - 1
			if u >= r.end {
				break
			}
			j.f(w, int(u))
			j.left.Add(-1)
		}
	}
}
