package evaluate

import (
	"math"

	"sonotype/internal/stats"
)

// logistic is a fit of P(y = 1) = 1 / (1 + exp(-(a + b t))).
type logistic struct {
	a, b       float64
	seA, seB   float64
	iterations int
}

// separated reports why the maximum likelihood fit on t does not exist: "" when it does.
func separated(t []float64, labels []int) string {
	lo, hi := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for i, v := range t {
		lo[labels[i]], hi[labels[i]] = min(lo[labels[i]], v), max(hi[labels[i]], v)
	}
	switch {
	case min(lo[0], lo[1]) >= max(hi[0], hi[1]):
		return "all scores are equal"
	case hi[0] <= lo[1] || hi[1] <= lo[0]:
		return "the scores separate the classes completely"
	}
	return ""
}

// fitLogistic maximises the likelihood of targets in [0, 1] (0/1 labels or Platt's) by Newton's method with step
// halving, on standardised t. The caller has excluded separation, so that the maximum exists.
func fitLogistic(t, target []float64) logistic {
	mean, variance := stats.MeanVar(t)
	scale := math.Sqrt(variance)
	z := make([]float64, len(t))
	for i, v := range t {
		z[i] = (v - mean) / scale
	}
	var a, b, varA, varB, cov float64
	f := logistic{}
	loss := crossEntropy(z, target, a, b)
	for f.iterations = 1; f.iterations <= 100; f.iterations++ {
		var ga, gb, haa, hab, hbb float64
		for i, v := range z {
			p := sigmoid(a + b*v)
			w, r := p*(1-p), target[i]-p
			ga, gb = ga+r, gb+r*v
			haa, hab, hbb = haa+w, hab+w*v, hbb+w*v*v
		}
		det := haa*hbb - hab*hab
		if !(det > 0) {
			break
		}
		varA, varB, cov = hbb/det, haa/det, -hab/det
		da, db := (hbb*ga-hab*gb)/det, (haa*gb-hab*ga)/det
		step := 1.0
		for ; step > 1e-6; step /= 2 {
			if l := crossEntropy(z, target, a+step*da, b+step*db); l <= loss+1e-12*math.Abs(loss) {
				loss = l
				break
			}
		}
		a, b = a+step*da, b+step*db
		if math.Abs(da) <= 1e-11*(1+math.Abs(a)) && math.Abs(db) <= 1e-11*(1+math.Abs(b)) {
			break
		}
	}
	// back to t: b t' = (b / scale) (t - mean)
	k := mean / scale
	f.a, f.b = a-b*k, b/scale
	f.seA, f.seB = math.Sqrt(varA+k*k*varB-2*k*cov), math.Sqrt(varB)/scale
	return f
}

// fitOffset maximises the likelihood over a alone, b = 1; both classes must occur. The equation is monotone in a:
// Newton's step, replaced by bisection when it leaves the bracket.
func fitOffset(t []float64, labels []int) (a, se float64) {
	lo, hi := -1.0, 1.0
	residual := func(a float64) (r, w float64) {
		for i, v := range t {
			p := sigmoid(a + v)
			r, w = r+float64(labels[i])-p, w+p*(1-p)
		}
		return r, w
	}
	for r, _ := residual(lo); r < 0 && lo > -1e6; r, _ = residual(lo) {
		lo *= 2
	}
	for r, _ := residual(hi); r > 0 && hi < 1e6; r, _ = residual(hi) {
		hi *= 2
	}
	for range 200 {
		r, w := residual(a)
		se = 1 / math.Sqrt(w)
		if r > 0 {
			lo = a
		} else {
			hi = a
		}
		next := a + r/w
		if !(next > lo && next < hi) {
			next = lo + (hi-lo)/2
		}
		done := math.Abs(next-a) <= 1e-14*(1+math.Abs(a))
		a = next
		if done {
			break
		}
	}
	return a, se
}

func crossEntropy(t, target []float64, a, b float64) float64 {
	var s float64
	for i, v := range t {
		z := a + b*v
		s += math.Max(z, 0) - target[i]*z + math.Log1p(math.Exp(-math.Abs(z)))
	}
	return s
}

func sigmoid(z float64) float64 {
	if z >= 0 {
		return 1 / (1 + math.Exp(-z))
	}
	e := math.Exp(z)
	return e / (1 + e)
}

func logit(p float64) float64 { return math.Log(p) - math.Log1p(-p) }
