package survival

import (
	"fmt"
	"math"
	"slices"

	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/internal/stats"
)

// scoreName is the score's covariate.
const scoreName = "score (per SD)"

// Analyse computes all that is reported of a score and survival. Wrong input is an error; what the data do not allow
// (no events, one group, a model without solution) is left out or null, with a note.
func Analyse(d Data, o Options) (*Analysis, error) {
	c, err := ByCut(d.Time, d.Event, d.Score, o.Cut, o.Interval)
	if err != nil {
		return nil, err
	}
	a := &Analysis{Contrast: *c, Strata: 1}
	if _, a.Strata, err = strataOf(d.Strata, len(d.Time)); err != nil {
		return nil, err
	}
	if err := a.compareMeans(o.Horizon); err != nil {
		return nil, err
	}
	if a.Uno, err = UnoC(d.Time, d.Event, d.Score, finite(a.Means.Horizon)); err != nil {
		return nil, err
	}
	if a.TimeAUC, err = TimeDependentAUC(d.Time, d.Event, d.Score, o.Times); err != nil {
		return nil, err
	}
	if a.AUCCurve, err = TimeDependentAUC(d.Time, d.Event, d.Score, curveTimes(d.Time, d.Event)); err != nil {
		return nil, err
	}
	if a.Strata > 1 {
		if err := a.stratify(d, o.Cut); err != nil {
			return nil, err
		}
	}
	a.model(d)
	return a, nil
}

// finite is 0 for what is not a number.
func finite(v num.Float) float64 {
	if v.IsNaN() {
		return 0
	}
	return float64(v)
}

func (a *Analysis) compareMeans(horizon float64) error {
	if len(a.Contrast.Curves) < 2 {
		a.Means = RMST{Horizon: num.NaN(), Groups: []Mean{}, Difference: num.NaN(), SE: num.NaN(), Lo: num.NaN(), Hi: num.NaN(), P: num.NaN(), Note: a.Contrast.Note}
		if horizon > 0 {
			a.Means.Horizon = num.Float(horizon)
		}
		return nil
	}
	var err error
	a.Means, err = RestrictedMeans(&a.Contrast.Curves[0], &a.Contrast.Curves[1], horizon)
	return err
}

// stratify compares the groups within strata.
func (a *Analysis) stratify(d Data, cut float64) error {
	group := make([]string, len(d.Score))
	for i, s := range d.Score {
		if group[i] = LowGroup; s > cut {
			group[i] = HighGroup
		}
	}
	var err error
	a.Stratified, err = LogRankTest(d.Time, d.Event, group, d.Strata)
	return err
}

// model fits the score alone, the clinical covariates alone and both, and tests the proportional hazards of the
// largest model that there is.
func (a *Analysis) model(d Data) {
	if a.Contrast.Events == 0 {
		return // the contrast's note says so
	}
	score, ok := perSD(d.Score)
	d.Score = score.Values
	if !ok {
		a.Notes = append(a.Notes, "Cox regression: all scores are equal")
		return
	}
	var err error
	if a.Score, err = FitStratifiedCox(d.Time, d.Event, []Covariate{score}, d.Strata); err != nil {
		a.note("Cox regression of the score", err)
		return
	}
	if a.Periods, err = HazardByPeriod(d.Time, d.Event, score, d.Strata); err != nil {
		a.note("hazard ratios by period", err)
	}
	d.Clinical = a.varying(d.Clinical)
	d = d.complete()
	if left := a.N - len(d.Time); left > 0 {
		a.Notes = append(a.Notes, fmt.Sprintf("%d of %d lack a clinical value and are left out of the models with clinical covariates", left, a.N))
	}
	score.Values = d.Score
	largest := append(slices.Clone(d.Clinical), score)
	if len(d.Clinical) > 0 {
		if a.Added, a.Clinical, a.Combined, err = AddedValue(d.Time, d.Event, d.Clinical, largest[len(d.Clinical):], d.Strata); err != nil {
			a.note("Cox regression with clinical covariates", err)
			return
		}
	}
	for _, transform := range []string{TimeKM, TimeIdentity} {
		h, err := ProportionalHazards(d.Time, d.Event, largest, d.Strata, transform)
		if err != nil {
			a.note("test of proportional hazards", err)
			return
		}
		a.Hazards = append(a.Hazards, *h)
	}
}

// complete keeps the patients with all clinical values.
func (d Data) complete() Data {
	var keep []int
	for i := range d.Time {
		if !slices.ContainsFunc(d.Clinical, func(c Covariate) bool { return i < len(c.Values) && math.IsNaN(c.Values[i]) }) {
			keep = append(keep, i)
		}
	}
	out := Data{Time: pick(d.Time, keep), Event: pick(d.Event, keep), Score: pick(d.Score, keep)}
	if d.Strata != nil {
		out.Strata = pick(d.Strata, keep)
	}
	for _, c := range d.Clinical {
		if len(c.Values) == len(d.Time) { // else the fit says what is wrong
			c.Values = pick(c.Values, keep)
		}
		out.Clinical = append(out.Clinical, c)
	}
	return out
}

// varying drops the clinical covariates that nobody has or that are the same in all patients, with a note.
func (a *Analysis) varying(clinical []Covariate) []Covariate {
	var out []Covariate
	for _, c := range clinical {
		known := slices.DeleteFunc(slices.Clone(c.Values), math.IsNaN)
		switch {
		case len(known) == 0:
			a.Notes = append(a.Notes, c.Name+" is known of nobody and left out of the Cox models")
		case slices.Min(known) == slices.Max(known):
			a.Notes = append(a.Notes, c.Name+" is the same in all and left out of the Cox models")
		default:
			out = append(out, c)
		}
	}
	return out
}

func pick[T any](x []T, idx []int) []T {
	out := make([]T, len(idx))
	for k, i := range idx {
		out[k] = x[i]
	}
	return out
}

// perSD is the score in standard deviations; ok is false when it is constant.
func perSD(score []float64) (c Covariate, ok bool) {
	mean, variance := stats.MeanVar(score)
	sd := math.Sqrt(variance)
	c = Covariate{Name: scoreName, Values: make([]float64, len(score))}
	for i, s := range score {
		c.Values[i] = (s - mean) / sd
	}
	return c, sd > 0
}

func (a *Analysis) note(what string, err error) {
	why := err.Error()
	if e, ok := problem.As(err); ok {
		why = e.What
		if e.Found != "" {
			why += " (" + e.Found + ")"
		}
	}
	a.Notes = append(a.Notes, fmt.Sprintf("%s: %s", what, why))
}

const (
	curvePoints = 60 // of the time-dependent AUC's curve
	curveLeast  = 5  // events before and patients beyond each of them
)

// curveTimes are event times, evenly by rank, with enough events before and patients beyond.
func curveTimes(time []float64, event []int) []float64 {
	idx := stats.Order(time)
	var times []float64
	events := 0
	for k, i := range idx {
		events += event[i]
		last := k+1 == len(idx) || time[idx[k+1]] > time[i] // at equal times
		if last && time[i] > 0 && events >= curveLeast && len(idx)-k-1 >= curveLeast {
			times = append(times, time[i])
		}
	}
	if len(times) <= curvePoints {
		return times
	}
	var out []float64
	for k := range curvePoints {
		out = append(out, times[k*(len(times)-1)/(curvePoints-1)])
	}
	return out
}
