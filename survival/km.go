package survival

import (
	"fmt"
	"math"
	"sort"

	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/internal/stats"
)

// The scales on which a Kaplan-Meier interval is symmetric.
const (
	Log    = "log"     // R's default
	LogLog = "log-log" // lifelines' default
)

// halfTolerance is R's: a curve this close to one half counts as touching it.
const halfTolerance = 1.4901161193847656e-08

// KaplanMeier estimates the survival curve with Greenwood's standard error and 95 % intervals on the named scale
// ("" = Log), as R's survfit: bounds clipped at 1; null where the scale has no value (S = 0; S = 1 on log-log).
func KaplanMeier(time []float64, event []int, interval string) (*KM, error) {
	events, err := checkFollowUp(time, event)
	if err != nil {
		return nil, err
	}
	if interval == "" {
		interval = Log
	}
	if interval != Log && interval != LogLog {
		return nil, &problem.Error{What: "unknown Kaplan-Meier interval", Expected: Log + " or " + LogLog, Found: fmt.Sprintf("%q", interval)}
	}
	k := &KM{N: len(time), Events: events, Interval: interval, Level: 0.95, Points: []KMPoint{}}
	idx := stats.Order(time)
	survival, greenwood := 1.0, 0.0
	for i := 0; i < len(idx); {
		p := KMPoint{Time: time[idx[i]], AtRisk: len(idx) - i}
		for ; i < len(idx) && time[idx[i]] == p.Time; i++ {
			p.Events += event[idx[i]]
			p.Censored += 1 - event[idx[i]]
		}
		n, d := float64(p.AtRisk), float64(p.Events)
		survival *= (n - d) / n
		greenwood += d / (n * (n - d)) // infinite when the curve reaches 0
		p.Survival = survival
		p.SE, p.Lo, p.Hi = bounds(survival, math.Sqrt(greenwood), interval)
		k.Points = append(k.Points, p)
	}
	k.Median = crossing(k.Points, func(p KMPoint) float64 { return p.Survival })
	k.MedianLo = crossing(k.Points, func(p KMPoint) float64 { return float64(p.Lo) })
	k.MedianHi = crossing(k.Points, func(p KMPoint) float64 { return float64(p.Hi) })
	if events == 0 {
		k.Note = "no events"
	}
	return k, nil
}

// bounds gives the standard error of S and the interval, from S and the standard error of log S.
func bounds(s, seLog float64, interval string) (se, lo, hi num.Float) {
	if s == 0 {
		return num.NaN(), num.NaN(), num.NaN()
	}
	se = num.Float(s * seLog)
	half := stats.Z975 * seLog
	if interval == Log {
		return se, num.Float(s * math.Exp(-half)), num.Float(min(1, s*math.Exp(half)))
	}
	if s == 1 {
		return se, num.NaN(), num.NaN()
	}
	centre, half := math.Log(-math.Log(s)), half/math.Abs(math.Log(s))
	return se, num.Float(math.Exp(-math.Exp(centre + half))), num.Float(math.Exp(-math.Exp(centre - half)))
}

// crossing is the time at which a curve falls to one half, by R's rule: where the curve is flat at one half,
// the middle of the flat stretch (its end being the next drop); null when it stays above.
func crossing(points []KMPoint, curve func(KMPoint) float64) num.Float {
	for i, p := range points {
		y := curve(p)
		if !(y < 0.5+halfTolerance) { // NaN: no value
			continue
		}
		if math.Abs(y-0.5) < halfTolerance {
			for _, q := range points[i+1:] {
				if curve(q) < y {
					return num.Float((p.Time + q.Time) / 2)
				}
			}
		}
		return num.Float(p.Time)
	}
	return num.NaN()
}

// At is the estimate at time t >= 0: the last point not after t, or S = 1 with everybody at risk before the first.
func (k *KM) At(t float64) KMPoint {
	i := sort.Search(len(k.Points), func(i int) bool { return k.Points[i].Time > t })
	if i == 0 {
		return KMPoint{Time: 0, AtRisk: k.N, Survival: 1, SE: 0, Lo: 1, Hi: 1}
	}
	return k.Points[i-1]
}

// AtRisk counts the patients still followed just before each time.
func (k *KM) AtRisk(times []float64) []int {
	out := make([]int, len(times))
	for j, t := range times {
		i := sort.Search(len(k.Points), func(i int) bool { return k.Points[i].Time >= t })
		if i < len(k.Points) {
			out[j] = k.Points[i].AtRisk
		}
	}
	return out
}
