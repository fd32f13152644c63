package evaluate

import "math"

// logits are what the logistic recalibration of a draw needs: made once a candidate, so that a draw costs a few Newton
// steps from the fit of the whole set. Units with probability 0 or 1 have no logit and take no part, as in Calibrate.
type logits struct {
	unit    []int     // of those with a logit
	t       []float64 // logit
	inverse []float64 // exp(-t): odds against
	label   []int
	a, b    float64   // slope's fit on the whole set
	offset  float64   // intercept's
	usable  bool      // both classes occur
	weight  []float64 // scratch
}

func newLogits(probability []float64, labels []int) logits {
	var l logits
	for i, p := range probability {
		if p > 0 && p < 1 {
			l.unit, l.t, l.inverse, l.label = append(l.unit, i), append(l.t, logit(p)), append(l.inverse, (1-p)/p), append(l.label, labels[i])
		}
	}
	l.weight = make([]float64, len(l.unit))
	y := make([]float64, len(l.label))
	positive := 0
	for k, v := range l.label {
		y[k] = float64(v)
		positive += v
	}
	if positive == 0 || positive == len(y) {
		return l
	}
	l.usable = true
	l.offset, _ = fitOffset(l.t, l.label)
	if separated(l.t, l.label) == "" { // else no draw has a slope
		f := fitLogistic(l.t, y)
		l.a, l.b = f.a, f.b
	}
	return l
}

// fitIntercept gives a draw's calibration intercept (slope 1); NaN where there is none. Where the Newton steps from the
// whole set's fit do not settle, the careful fit takes over.
func (l *logits) fitIntercept(sample []uint16) float64 {
	if !l.usable || !l.load(sample) {
		return math.NaN()
	}
	intercept, ok := l.stepIntercept()
	if !ok {
		t, label := l.expand()
		intercept, _ = fitOffset(t, label)
	}
	return intercept
}

// fitSlope gives a draw's calibration slope in the same way.
func (l *logits) fitSlope(sample []uint16) float64 {
	if !l.usable || !l.load(sample) || l.separated() {
		return math.NaN()
	}
	slope, ok := l.stepSlope()
	if !ok {
		t, label := l.expand()
		y := make([]float64, len(label))
		for i, v := range label {
			y[i] = float64(v)
		}
		slope = fitLogistic(t, y).b
	}
	return slope
}

// load sets the weights and says whether both classes occur.
func (l *logits) load(sample []uint16) bool {
	var has [2]bool
	for k, i := range l.unit {
		l.weight[k] = float64(sample[i])
		if sample[i] > 0 {
			has[l.label[k]] = true
		}
	}
	return has[0] && has[1]
}

const (
	settled  = 1e-9 // a step this small, relative to 1 + |value|, ends the iteration: the next is its square
	maxSteps = 12
)

func (l *logits) stepIntercept() (float64, bool) {
	a := l.offset
	for range maxSteps {
		odds := math.Exp(-a)
		var r, h float64
		for k, w := range l.weight {
			p := 1 / (1 + odds*l.inverse[k])
			r += w * (float64(l.label[k]) - p)
			h += w * p * (1 - p)
		}
		step := r / h
		if !(math.Abs(step) < 4) { // also NaN
			return 0, false
		}
		a += step
		if math.Abs(step) <= settled*(1+math.Abs(a)) {
			return a, true
		}
	}
	return 0, false
}

func (l *logits) stepSlope() (float64, bool) {
	a, b := l.a, l.b
	for range maxSteps {
		var ga, gb, haa, hab, hbb float64
		for k, w := range l.weight {
			if w == 0 {
				continue
			}
			t := l.t[k]
			p := 1 / (1 + math.Exp(-(a + b*t)))
			v, r := w*p*(1-p), w*(float64(l.label[k])-p)
			ga, gb = ga+r, gb+r*t
			haa, hab, hbb = haa+v, hab+v*t, hbb+v*t*t
		}
		det := haa*hbb - hab*hab
		da, db := (hbb*ga-hab*gb)/det, (haa*gb-hab*ga)/det
		if !(det > 0) || !(math.Abs(db) <= 1+math.Abs(b)) {
			return 0, false
		}
		a, b = a+da, b+db
		if math.Abs(da) <= settled*(1+math.Abs(a)) && math.Abs(db) <= settled*(1+math.Abs(b)) {
			return b, true
		}
	}
	return 0, false
}

// separated is the draw's form of the function of that name.
func (l *logits) separated() bool {
	lo, hi := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for k, w := range l.weight {
		if y := l.label[k]; w > 0 {
			lo[y], hi[y] = min(lo[y], l.t[k]), max(hi[y], l.t[k])
		}
	}
	return hi[0] <= lo[1] || hi[1] <= lo[0]
}

// expand writes the draw out, each unit as often as it was drawn.
func (l *logits) expand() (t []float64, label []int) {
	for k, w := range l.weight {
		for range int(w) {
			t, label = append(t, l.t[k]), append(label, l.label[k])
		}
	}
	return t, label
}
