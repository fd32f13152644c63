package nn

import (
	"fmt"
	"runtime"
	"slices"
	"sync"

	"sonotype/internal/problem"
	"sonotype/nn/kernel"
)

// cpuEngine runs graphs on the CPU with the kernels of nn/kernel.
type cpuEngine struct{}

// New returns the engine of this machine's CPU.
func New() Engine { return cpuEngine{} }

// Info implements Engine.
func (cpuEngine) Info() Info { return Info{Name: "cpu", ISA: Detect()} }

// Compile implements Engine.
func (cpuEngine) Compile(g *Graph, o Options) (Program, error) {
	k, p, err := prepare(g, o.ISA)
	if err != nil {
		return nil, err
	}
	l, err := newLayout(p)
	if err != nil {
		return nil, err
	}
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	c := &cpuProgram{plan: p, specs: g.Params(), kernels: k, maxBatch: o.MaxBatch, layout: l, team: newTeam(workers)}
	for range workers {
		c.scratch = append(c.scratch, newScratch(p, c.layout, k))
	}
	c.slots = make([]*slot, workers)
	return c, nil
}

// prepare finds the kernels of isa and the plan of g.
func prepare(g *Graph, isa ISA) (*kernel.Set, *plan, error) {
	if g.err != nil {
		return nil, nil, g.err
	}
	k := kernel.For(isa)
	if k == nil {
		return nil, nil, &problem.Error{What: "this machine lacks the instruction set " + isa.String(),
			Expected: "at most " + Detect().String(), Try: "leave it at auto"}
	}
	p, err := match(g)
	return k, p, err
}

// cpuProgram is a plan with its weights, workers and buffers.
type cpuProgram struct {
	mu       sync.Mutex
	plan     *plan
	specs    []ParamSpec
	kernels  *kernel.Set
	maxBatch int
	team     *team
	layout   *layout
	weights  *packed
	bytes    int64      // of weights
	scratch  []*scratch // a worker each
	slots    []*slot    // activations, made when first needed; slot 0 serves the whole team
	closed   bool
}

// ImportState implements Program.
func (c *cpuProgram) ImportState(s State) error {
	w, bytes, err := pack(c.plan, c.layout, c.specs, s.Tensors, c.kernels.Cols)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errClosed()
	}
	c.weights, c.bytes = w, bytes
	return nil
}

// Info implements Program.
func (c *cpuProgram) Info() ProgramInfo {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := ProgramInfo{ISA: c.kernels.ISA, Workers: c.team.n, Convs: c.plan.convs(), WeightBytes: c.bytes}
	for _, s := range c.scratch {
		i.WorkBytes += s.bytes()
	}
	for _, s := range c.slots {
		i.WorkBytes += s.bytes()
	}
	return i
}

// Close implements Program.
func (c *cpuProgram) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.team.stop()
	}
	c.closed, c.weights, c.slots, c.scratch = true, nil, nil, nil
	return nil
}

// Infer implements Program. As many images as the workers can share evenly are run one worker an
// image; all workers join on what is left. Either way each value is the same sum in the same order.
func (c *cpuProgram) Infer(x []float32, n int, taps map[string][]float32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	b, err := c.batch(x, n, taps)
	if err != nil {
		return err
	}
	workers := c.team.n
	apart := n / workers * workers
	if apart > 0 {
		// The images per worker in equal groups that fit the slot.
		groups := workers * ceilDiv(apart/workers, c.layout.group)
		c.team.run(groups, func(w, u int) {
			solo := phases{program: c, batch: b, slot: c.slot(w), run: func(units int, f func(worker, unit int)) {
				for u := range units {
					f(w, u)
				}
			}, workers: 1}
			solo.images(u*apart/groups, (u+1)*apart/groups)
		})
	}
	for at := apart; at < n; {
		end := min(at+c.layout.group, n)
		all := phases{program: c, batch: b, slot: c.slot(0), run: c.team.run, workers: workers}
		all.images(at, end)
		at = end
	}
	return nil
}

// batch is one call of Infer.
type batch struct {
	x    []float32
	taps []output
}

// output is a tap that the caller wants.
type output struct {
	tapPlan
	data []float32
}

// image returns where image i of the tap goes.
func (o *output) image(i int) []float32 {
	n := o.shape.Len()
	return o.data[i*n : (i+1)*n]
}

// batch checks the arguments of Infer.
func (c *cpuProgram) batch(x []float32, n int, taps map[string][]float32) (*batch, error) {
	size := c.plan.input.Len()
	switch {
	case c.closed:
		return nil, errClosed()
	case c.weights == nil:
		return nil, &problem.Error{What: "the network has no weights yet", Try: "import its state first"}
	case n < 1 || c.maxBatch > 0 && n > c.maxBatch:
		return nil, &problem.Error{What: "impossible batch size", Expected: batchRange(c.maxBatch), Found: fmt.Sprint(n)}
	case len(x) != n*size:
		return nil, &problem.Error{What: "the network's input has the wrong length",
			Expected: fmt.Sprintf("%d x %d values", n, size), Found: fmt.Sprint(len(x))}
	}
	b := &batch{x: x}
	for name, data := range taps {
		i := slices.IndexFunc(c.plan.taps, func(t tapPlan) bool { return t.name == name })
		if i < 0 {
			return nil, &problem.Error{What: "the network has no tap " + name}
		}
		t := c.plan.taps[i]
		if len(data) != n*t.shape.Len() {
			return nil, &problem.Error{What: "the slice for tap " + name + " has the wrong length",
				Expected: fmt.Sprintf("%d x %d values", n, t.shape.Len()), Found: fmt.Sprint(len(data))}
		}
		b.taps = append(b.taps, output{t, data})
	}
	return b, nil
}

func batchRange(most int) string {
	if most > 0 {
		return fmt.Sprintf("1 to %d images", most)
	}
	return "at least 1 image"
}

// slot returns worker w's activations. Only w asks for it.
func (c *cpuProgram) slot(w int) *slot {
	if c.slots[w] == nil {
		c.slots[w] = newSlot(c.plan, c.layout)
	}
	return c.slots[w]
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
