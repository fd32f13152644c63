package nn

import (
	"fmt"
	"runtime"
	"slices"
	"sync"

	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/nn/kernel"
)

// CompileTraining implements Engine.
func (cpuEngine) CompileTraining(g *Graph, o TrainOptions) (Trainer, error) {
	k, p, err := prepare(g, o.ISA)
	if err != nil {
		return nil, err
	}
	if p.head.classes != 1 {
		return nil, &problem.Error{What: "only a network with one logit can be trained",
			Expected: "a linear layer of 1 output", Found: fmt.Sprint(p.head.classes)}
	}
	if _, err := newLayout(p); err != nil {
		return nil, err
	}
	specs := g.Params()
	if err := checkRates(o.Rates, specs); err != nil {
		return nil, err
	}
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	t := &cpuTrainer{plan: p, specs: specs, kernels: k, team: newTeam(workers)}
	t.net = newTrainNet(p, t.specs, o.Rates, k.Cols)
	for i := range p.blocks {
		t.bands = append(t.bands, newBandPlan(&p.blocks[i]))
	}
	for range workers {
		t.scratch = append(t.scratch, newTrainScratch(p, t.bands))
	}
	t.stemLearns = !frozen(t.net.stem, t.net.stemNorm.weight, t.net.stemNorm.bias)
	for !t.stemLearns && t.first < len(p.blocks) && !t.net.learning(t.first) {
		t.first++
	}
	t.channelBuffers()
	return t, nil
}

// cpuTrainer is a plan with parameters, workers and the buffers of a batch.
type cpuTrainer struct {
	mu      sync.Mutex
	plan    *plan
	specs   []ParamSpec
	kernels *kernel.Set
	team    *team
	net     *trainNet
	bands   []bandPlan      // by block
	scratch []*trainScratch // a worker each
	closed  bool
	loaded  bool
	steps   int // updates so far
	stepped bool

	first      int  // the first block that gradients must reach
	stemLearns bool // they must reach the stem as well

	// By channel.
	stemMoments, neckMoments moments
	blockMoments             []moments
	offset, slope            [][]float64  // by block: what is missing in act.grad
	ownOffset, ownSlope      []float64    // the same of a normalisation whose input nothing else reads
	terms                    [2][]float32 // of the correction at work
	zeros, ones              []float32
	planes, flipped          [][][][]float32 // by block and layer: transforms of 3x3 weights, forth and back
	turned                   [][][]float32   // by block and layer: 1x1 weights for the way back
	turnedTransition         [][]float32

	// Of the batch.
	x      []float32
	n      int
	act    *activations
	means  []float32 // images x channels: the head's pool
	logits []float64
	parts  []float32 // sums of moments, by unit
	rows   []int     // rows of each unit
	sums   []float64 // sums of gradients, by part
	dw     []float32 // gradients of weights, by part
}

// checkRates refuses factors that are no numbers of use, or of no parameter.
func checkRates(rates map[string]float64, specs []ParamSpec) error {
	for name, v := range rates {
		if !slices.ContainsFunc(specs, func(s ParamSpec) bool { return s.Name == name }) {
			return &problem.Error{What: "a learning rate of no parameter of the network", Found: name}
		}
		if !num.Finite(v) || v < 0 {
			return &problem.Error{What: "the factor on the learning rate of " + name + " is not valid",
				Expected: "a number of at least 0", Found: fmt.Sprint(v)}
		}
	}
	return nil
}

// channelBuffers makes what depends on the network alone.
func (t *cpuTrainer) channelBuffers() {
	most := t.plan.stem.convShape.C
	t.stemMoments = newMoments(most)
	for i := range t.plan.blocks {
		b := &t.plan.blocks[i]
		most = max(most, b.shape.C, b.neck)
		t.blockMoments = append(t.blockMoments, newMoments(b.shape.C))
		t.offset, t.slope = append(t.offset, make([]float64, b.shape.C)), append(t.slope, make([]float64, b.shape.C))
		var planes, flipped [][][]float32
		var turned [][]float32
		for _, l := range t.net.blocks[i].layers {
			planes = append(planes, t.bands[i].weights(b))
			flipped = append(flipped, t.bands[i].weights(b))
			turned = append(turned, make([]float32, len(l.conv1.p)))
		}
		t.planes, t.flipped, t.turned = append(t.planes, planes), append(t.flipped, flipped), append(t.turned, turned)
		if c := t.net.blocks[i].conv; c != nil {
			t.turnedTransition = append(t.turnedTransition, make([]float32, len(c.p)))
		}
	}
	t.neckMoments = newMoments(most)
	t.ownOffset, t.ownSlope = make([]float64, most), make([]float64, most)
	t.terms = [2][]float32{make([]float32, most), make([]float32, most)}
	t.zeros, t.ones = make([]float32, most), make([]float32, most)
	for i := range t.ones {
		t.ones[i] = 1
	}
}

// batchBuffers makes room for n images.
func (t *cpuTrainer) batchBuffers(n int) {
	t.n = n
	if t.act != nil && n <= t.act.n {
		return
	}
	p := t.plan
	last := &p.blocks[len(p.blocks)-1]
	t.act = nil // so that the old buffers can go before the new ones come
	t.act = newActivations(p, n)
	t.means, t.logits = make([]float32, n*last.shape.C), make([]float64, n)
	conv := p.stem.convShape
	units, parts, sums, dw := n*ceilDiv(conv.H, trainStemRows), 0, n*last.shape.C, gradSlices*len(t.net.stem.p)
	parts = units * conv.C
	for i := range p.blocks {
		b := &p.blocks[i]
		rows := n * b.pixels()
		necks := ceilDiv(rows, trainRows)
		units = max(units, necks, n*b.shape.H)
		parts = max(parts, necks*b.neck, n*b.shape.H*b.grow)
		sums = max(sums, gradSlices*max(b.shape.C, b.neck))
		for _, l := range t.net.blocks[i].layers {
			dw = max(dw, gradShares(rows, 1).parts*len(l.conv1.p), gradShares(n, sliceRows).parts*len(l.conv2.p))
		}
		if tr := b.transition; tr != nil {
			pooled := n * tr.out.H * tr.out.W
			parts = max(parts, ceilDiv(pooled, trainRows)*tr.out.C)
			dw = max(dw, gradShares(pooled, 1).parts*len(t.net.blocks[i].conv.p))
		}
	}
	sums = max(sums, n*conv.C)
	t.parts, t.rows, t.sums, t.dw = make([]float32, 2*parts), make([]int, units), make([]float64, 2*sums), make([]float32, dw)
}

// TrainStep implements Trainer.
func (t *cpuTrainer) TrainStep(x, y []float32, n int, h Hyper) (Step, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.check(x, y, n); err != nil {
		return Step{}, err
	}
	if err := h.check(); err != nil {
		return Step{}, err
	}
	t.batchBuffers(n)
	t.x = x
	t.turnWeights()
	t.forward(x)
	step := Step{Logits: make([]float32, n)}
	dlogits := make([]float64, n)
	for i := range dlogits {
		loss, grad := h.Loss.At(t.logits[i], float64(y[i]))
		step.Loss += loss / float64(n)
		dlogits[i] = grad / float64(n)
		step.Logits[i] = float32(t.logits[i])
	}
	t.backward(dlogits)
	t.stepped = true
	step.GradNorm = t.update(h)
	return step, nil
}

// check refuses impossible batches.
func (t *cpuTrainer) check(x, y []float32, n int) error {
	size := t.plan.input.Len()
	if err := t.ready(); err != nil {
		return err
	}
	switch {
	case n < 1:
		return &problem.Error{What: "impossible batch size", Expected: batchRange(0), Found: fmt.Sprint(n)}
	case len(x) != n*size:
		return &problem.Error{What: "the network's input has the wrong length",
			Expected: fmt.Sprintf("%d x %d values", n, size), Found: fmt.Sprint(len(x))}
	case len(y) != n:
		return &problem.Error{What: "the targets have the wrong length", Expected: fmt.Sprint(n), Found: fmt.Sprint(len(y))}
	}
	for i, v := range y {
		if !(v >= 0 && v <= 1) {
			return &problem.Error{What: fmt.Sprintf("target %d is no probability", i), Expected: "0 to 1", Found: fmt.Sprint(v)}
		}
	}
	for i := range t.plan.blocks {
		if b := &t.plan.blocks[i]; n*b.pixels() < 2 {
			return &problem.Error{What: "a batch of one value a channel has no variance",
				Found: fmt.Sprintf("1 image of %dx%d before block %d", b.shape.H, b.shape.W, i+1), Try: "use larger batches"}
		}
	}
	return nil
}

// ready says why the trainer cannot be used now: it is closed, or empty.
func (t *cpuTrainer) ready() error {
	switch {
	case t.closed:
		return errClosed()
	case !t.loaded:
		return &problem.Error{What: "the network has no weights yet", Try: "import its state first"}
	}
	return nil
}

// Gradients implements Trainer.
func (t *cpuTrainer) Gradients() (Tensors, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.ready(); err != nil {
		return nil, err
	}
	if !t.stepped {
		return nil, &problem.Error{What: "there are no gradients before the first training step"}
	}
	g := Tensors{}
	for _, a := range t.net.params {
		if a.rate != 0 {
			g[a.spec.Name] = a.tensor(a.g)
		}
	}
	return g, nil
}

// ExportState implements Trainer.
func (t *cpuTrainer) ExportState() (State, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.ready(); err != nil {
		return State{}, err
	}
	return t.net.state(t.steps), nil
}

// ImportState implements Trainer.
func (t *cpuTrainer) ImportState(s State) error {
	k := &packer{t: s.Tensors}
	for _, spec := range t.specs {
		k.check(spec)
	}
	if k.err != nil {
		return k.err
	}
	if s.Steps < 0 || (s.M == nil && s.Steps > 0) {
		return &problem.Error{What: "the state's number of steps does not fit its moments", Found: fmt.Sprint(s.Steps),
			Try: "set it to 0 to start the optimiser anew"}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return errClosed()
	}
	t.steps, t.loaded, t.stepped = s.Steps, false, false
	if err := t.net.load(s); err != nil {
		return err
	}
	t.loaded = true
	return nil
}

// Info implements Trainer.
func (t *cpuTrainer) Info() ProgramInfo {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := ProgramInfo{ISA: t.kernels.ISA, Workers: t.team.n, Convs: t.plan.convs()}
	if t.closed {
		return i
	}
	for _, a := range t.net.params {
		i.WeightBytes += int64(len(a.p)) * 4 * 4 // value, gradient, two moments
	}
	for _, s := range t.scratch {
		i.WorkBytes += s.bytes()
	}
	if t.act != nil {
		i.WorkBytes += t.act.bytes() + int64(len(t.means)+len(t.parts)+len(t.dw))*4 + int64(len(t.sums))*8
	}
	return i
}

// Close implements Trainer.
func (t *cpuTrainer) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.team.stop()
	}
	t.closed, t.loaded, t.act, t.net, t.scratch = true, false, nil, nil, nil
	return nil
}

// finite reports whether x is a number.
