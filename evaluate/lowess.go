package evaluate

import (
	"math"

	"sonotype/internal/stats"
)

// lowess is Cleveland's locally weighted linear smoother without robustness iterations, at span 2/3 and with
// points closer than 1 % of the range interpolated: R's lowess(x, y, iter = 0), which rms::val.prob draws.
// It returns the distinct x ascending with the smooth at each.
func lowess(x, y []float64) (xs, smooth []float64) {
	idx := stats.Order(x)
	n := len(x)
	sx, sy := make([]float64, n), make([]float64, n)
	for k, i := range idx {
		sx[k], sy[k] = x[i], y[i]
	}
	fit := lowessSorted(sx, sy, 2.0/3, 0.01*(sx[n-1]-sx[0]))
	for i := 0; i < n; {
		j, sum := i, 0.0
		for ; j < n && sx[j] == sx[i]; j++ {
			sum += fit[j]
		}
		xs, smooth = append(xs, sx[i]), append(smooth, sum/float64(j-i))
		i = j
	}
	return xs, smooth
}

func lowessSorted(x, y []float64, span, delta float64) []float64 {
	n := len(x)
	fit := make([]float64, n)
	if n < 2 {
		copy(fit, y)
		return fit
	}
	window := max(2, min(n, int(span*float64(n)+1e-7)))
	weight := make([]float64, n)
	left, right := 0, window-1
	last, i := -1, 0 // last point estimated, current point
	for last < n-1 {
		for right < n-1 && x[i]-x[left] > x[right+1]-x[i] { // the window moves right while that shrinks its radius
			left++
			right++
		}
		var ok bool
		if fit[i], ok = lowest(x, y, x[i], left, right, weight); !ok {
			fit[i] = y[i]
		}
		for j := last + 1; j < i; j++ { // points skipped since the last one are interpolated
			a := (x[j] - x[last]) / (x[i] - x[last])
			fit[j] = a*fit[i] + (1-a)*fit[last]
		}
		last = i
		cut := x[last] + delta
		for i = last + 1; i < n && x[i] <= cut; i++ {
			if x[i] == x[last] {
				fit[i] = fit[last]
				last = i
			}
		}
		i = max(last+1, i-1)
	}
	return fit
}

// lowest fits at one point: tricube weights over x[left:right+1] and ties to the right, then a weighted line
// unless the points are too close together for a slope.
func lowest(x, y []float64, at float64, left, right int, w []float64) (fit float64, ok bool) {
	n := len(x)
	h := math.Max(at-x[left], x[right]-at)
	var total float64
	end := left
	for ; end < n; end++ {
		w[end] = 0
		r := math.Abs(x[end] - at)
		if r <= .999*h {
			w[end] = 1
			if r > .001*h {
				q := r / h
				u := 1 - q*q*q
				w[end] = u * u * u
			}
			total += w[end]
		} else if x[end] > at {
			break
		}
	}
	if total <= 0 {
		return 0, false
	}
	for j := left; j < end; j++ {
		w[j] /= total
	}
	if h > 0 {
		var centre, spread float64
		for j := left; j < end; j++ {
			centre += w[j] * x[j]
		}
		for j := left; j < end; j++ {
			spread += w[j] * (x[j] - centre) * (x[j] - centre)
		}
		if math.Sqrt(spread) > .001*(x[n-1]-x[0]) {
			b := (at - centre) / spread
			for j := left; j < end; j++ {
				w[j] *= b*(x[j]-centre) + 1
			}
		}
	}
	for j := left; j < end; j++ {
		fit += w[j] * y[j]
	}
	return fit, true
}
