package selection

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// homotopy follows the gaussian LASSO path from one event to the next (Osborne, Presnell and Turlach 2000;
// Efron et al. 2004): between events β is linear in λ, β_A = G_AA⁻¹(X'Wy - λ s)_A. Where principal components of
// two regions are joined, G is so ill-conditioned that coordinate descent needs thousands of sweeps for what
// takes one event here. Every result is certified by the caller's duality gap; where ties or dependent
// features stop the homotopy, coordinate descent takes over.
type homotopy struct {
	*gaussian
	lambda  float64
	active  []int
	sign    []float64 // of the active
	factor  triangle  // Cholesky factor of G_AA
	in      []bool    // active, by feature
	barred  []bool    // inactive and, at the last try, dependent on the active
	dropped int       // the feature that the last event dropped, or -1
	off     bool
}

const (
	minPivot = 1e-9 // squared pivot over G_jj below which a feature counts as dependent on the active
	// eventsPerFeature bounds the events on the way to one lambda; more means cycling between ties.
	eventsPerFeature = 4
)

func newHomotopy(g *gaussian) *homotopy {
	h := &homotopy{gaussian: g, in: make([]bool, len(g.beta)), barred: make([]bool, len(g.beta)), dropped: -1}
	h.lambda = floats.Norm(g.corr, math.Inf(1))
	h.join(floats.MaxIdx(absolute(g.corr)))
	return h
}

func absolute(v []float64) []float64 {
	a := make([]float64, len(v))
	for i := range v {
		a[i] = math.Abs(v[i])
	}
	return a
}

// follow moves β to the solution at target and returns the number of events.
func (h *homotopy) follow(target float64) (events int) {
	if target >= h.lambda {
		return 0
	}
	for ; !h.off && h.lambda > target; events++ {
		if events > eventsPerFeature*(len(h.beta)+8) {
			h.off = true
			break
		}
		h.event(target)
	}
	if !h.off {
		h.polish()
	}
	return events
}

// event moves to the next join or drop, or to target if that comes first.
func (h *homotopy) event(target float64) {
	direction := h.factor.solve(h.sign)
	slope := make([]float64, len(h.beta)) // of the correlations
	for k, j := range h.active {
		floats.AddScaled(slope, direction[k], h.column(j))
	}
	step, join, drop := h.lambda-target, -1, -1
	for j, c := range h.corr {
		if h.in[j] || h.barred[j] || j == h.dropped {
			continue
		}
		if t := meets(h.lambda, c, slope[j]); t < step {
			step, join = t, j
		}
	}
	for k, j := range h.active {
		if direction[k]*h.sign[k] < 0 {
			if t := math.Abs(h.beta[j] / direction[k]); t < step {
				step, join, drop = t, -1, k
			}
		}
	}
	h.lambda -= step
	for k, j := range h.active {
		h.beta[j] += step * direction[k]
	}
	floats.AddScaled(h.corr, -step, slope)
	h.dropped = -1
	switch {
	case drop >= 0:
		h.drop(drop)
	case join >= 0:
		h.join(join)
	default:
		h.lambda = target
	}
}

// meets is the step at which a correlation c - t·slope reaches ±(lambda - t), or +Inf.
func meets(lambda, c, slope float64) float64 {
	t := math.Inf(1)
	if d := 1 - slope; d > epsilon {
		t = max(lambda-c, 0) / d
	}
	if d := 1 + slope; d > epsilon {
		t = min(t, max(lambda+c, 0)/d)
	}
	return t
}

// join makes feature j active unless it depends on the active ones.
func (h *homotopy) join(j int) {
	g := make([]float64, len(h.active)+1)
	col := h.column(j)
	for k, i := range h.active {
		g[k] = col[i]
	}
	g[len(h.active)] = h.square[j]
	if !h.factor.grow(g, minPivot*h.square[j]) {
		h.barred[j] = true
		return
	}
	h.active = append(h.active, j)
	h.sign = append(h.sign, math.Copysign(1, h.corr[j]))
	h.in[j] = true
}

// drop makes the k-th active feature inactive; what depended on it may join again.
func (h *homotopy) drop(k int) {
	j := h.active[k]
	h.beta[j] = 0
	h.in[j] = false
	h.dropped = j
	h.active = slices.Delete(h.active, k, k+1)
	h.sign = slices.Delete(h.sign, k, k+1)
	h.factor.shrink(k)
	clear(h.barred)
}

// polish solves for the active coefficients at the present lambda, free of the rounding of past steps.
func (h *homotopy) polish() {
	right := make([]float64, len(h.active))
	for k, j := range h.active {
		right[k] = h.start[j] - h.lambda*h.sign[k]
	}
	for k, b := range h.factor.solve(right) {
		// A feature that has just joined sits at zero: rounding must not give it the wrong sign.
		if b*h.sign[k] < 0 {
			b = 0
		}
		h.beta[h.active[k]] = b
	}
	h.refresh()
}

// resume starts again from the solution that coordinate descent found at lambda.
func (h *homotopy) resume(lambda float64) {
	h.lambda, h.dropped = lambda, -1
	h.active, h.sign, h.factor = nil, nil, triangle{}
	clear(h.in)
	clear(h.barred)
	for j, b := range h.beta {
		if b == 0 {
			continue
		}
		h.join(j)
		if h.barred[j] {
			h.off = true
			return
		}
		h.sign[len(h.sign)-1] = math.Copysign(1, b)
	}
	h.off = len(h.active) == 0
}
