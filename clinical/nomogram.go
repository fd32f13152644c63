package clinical

import (
	"math"
	"slices"
	"strconv"

	"sonotype/internal/problem"
)

// Nomogram is a model as a reader sums it by hand: points for each variable, their total, the probability of the total.
// The variable that matters most spans 0 to 100 points.
type Nomogram struct {
	Axes     []Axis  `json:"axes"`
	Total    float64 `json:"total"`     // the largest sum of points
	Start    float64 `json:"start"`     // linear predictor at 0 points
	PerPoint float64 `json:"per_point"` // linear predictor of one point
	Risks    []Mark  `json:"risks"`     // probabilities by their total points, ascending
	Totals   []Mark  `json:"totals"`    // the axis of total points
	Points   []Mark  `json:"points"`    // the axis of points, 0 to 100
}

// Axis is one variable. Points grow or fall along it.
type Axis struct {
	Variable Variable `json:"variable"`
	Min      float64  `json:"min"` // of numeric variables, round values that enclose those of the patients
	Max      float64  `json:"max"`
	Zero     float64  `json:"zero"` // the linear predictor's part where the axis has 0 points
	Beta     float64  `json:"beta"` // numeric: points = (Beta t(value) - Zero) / PerPoint
	Marks    []Mark   `json:"marks"`
}

// Mark is a tick. A named one carries its label; the others lie between, at most a point apart on numeric axes.
type Mark struct {
	Label string  `json:"label,omitempty"`
	Value float64 `json:"value"`
	At    float64 `json:"at"` // points, or total points
}

// NewNomogram lays out a fitted model; columns are the values that it was fitted on, NaN where missing.
func NewNomogram(m *Model, columns [][]float64) (*Nomogram, error) {
	if !m.Fitted() {
		return nil, &problem.Error{What: "a model without estimates has no nomogram"}
	}
	n := &Nomogram{Start: float64(m.Intercept)}
	at := 0
	for i, v := range m.Variables {
		a := Axis{Variable: v}
		betas := m.Terms[at : at+v.Terms()]
		at += v.Terms()
		lo, hi := 0.0, 0.0
		if len(v.Levels) > 0 {
			a.Marks = []Mark{{Label: v.Levels[0]}}
			for l, c := range betas {
				lo, hi = min(lo, float64(c.Beta)), max(hi, float64(c.Beta))
				a.Marks = append(a.Marks, Mark{Label: v.Levels[l+1], Value: float64(l + 1), At: float64(c.Beta)})
			}
		} else {
			a.Beta = float64(betas[0].Beta)
			a.span(columns[i])
			ends := []float64{a.Beta * v.Transform(a.Min), a.Beta * v.Transform(a.Max)}
			lo, hi = slices.Min(ends), slices.Max(ends)
		}
		a.Zero = lo
		n.Start += lo
		n.PerPoint = max(n.PerPoint, (hi-lo)/100)
		n.Total += hi - lo
		n.Axes = append(n.Axes, a)
	}
	if !(n.PerPoint > 0) {
		return nil, &problem.Error{What: "a model in which no variable changes the probability has no nomogram"}
	}
	n.Total /= n.PerPoint
	for i := range n.Axes {
		n.Axes[i].mark(n.PerPoint)
	}
	n.Points = ruler(100, 100)
	n.Totals = ruler(n.Total, 300)
	n.markRisks()
	return n, nil
}

// Sum gives the points of a patient's values and the probability at their total.
func (n *Nomogram) Sum(values []float64) (points []float64, probability float64, err error) {
	total := 0.0
	for i, a := range n.Axes {
		if err := a.Variable.check(values[i], 0); err != nil {
			return nil, 0, err
		}
		points = append(points, a.points(values[i], n.PerPoint))
		total += points[i]
	}
	return points, n.Probability(total), nil
}

// Probability is that of a total.
func (n *Nomogram) Probability(total float64) float64 { return sigmoid(n.Start + n.PerPoint*total) }

func (a Axis) points(value, perPoint float64) float64 {
	if len(a.Variable.Levels) > 0 {
		return a.Marks[int(value)].At
	}
	return (a.Beta*a.Variable.Transform(value) - a.Zero) / perPoint
}

// probabilityLabels are the named marks of probability axes.
var probabilityLabels = []float64{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999}

// span encloses the values by round ones.
func (a *Axis) span(values []float64) {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if !math.IsNaN(v) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	if a.Variable.Scale == Logit {
		labels := probabilityLabels
		a.Min, a.Max = labels[0], labels[len(labels)-1]
		for _, p := range labels {
			if p <= lo {
				a.Min = p
			}
			if p >= hi {
				a.Max = p
				break
			}
		}
		return
	}
	step := roundStep((hi - lo) / 8)
	a.Min, a.Max = step*math.Floor(lo/step+1e-9), step*math.Ceil(hi/step-1e-9)
}

// mark fills the ticks: round labels, and between them ticks at most one point apart.
func (a *Axis) mark(perPoint float64) {
	if len(a.Variable.Levels) > 0 {
		for l := range a.Marks {
			a.Marks[l].At = (a.Marks[l].At - a.Zero) / perPoint
		}
		return
	}
	v := a.Variable
	span := math.Abs(a.Beta) * (v.Transform(a.Max) - v.Transform(a.Min)) / perPoint
	if v.Scale == Logit {
		a.markLogit(perPoint)
		return
	}
	step := roundStep((a.Max - a.Min) / 8)
	fine := step
	for _, parts := range []float64{1, 2, 5, 10, 20, 50, 100} { // the coarsest that leaves at most a point between
		if fine = step / parts; span*fine/(a.Max-a.Min) <= 1 {
			break
		}
	}
	per := int(math.Round(step / fine))
	for k := range int(math.Round((a.Max-a.Min)/fine)) + 1 {
		m := Mark{Value: tidy(a.Min + float64(k)*fine)}
		if k%per == 0 {
			m.Label = strconv.FormatFloat(m.Value, 'f', -1, 64)
		}
		m.At = a.points(m.Value, perPoint)
		a.Marks = append(a.Marks, m)
	}
}

// markLogit divides each gap between named probabilities until its ticks lie at most a point apart.
func (a *Axis) markLogit(perPoint float64) {
	for k, p := range probabilityLabels {
		if p < a.Min || p > a.Max {
			continue
		}
		a.Marks = append(a.Marks, Mark{Label: strconv.FormatFloat(p, 'f', -1, 64), Value: p, At: a.points(p, perPoint)})
		if p == a.Max {
			return
		}
		a.Marks = append(a.Marks, between(p, probabilityLabels[k+1], 1, func(q float64) float64 { return a.points(q, perPoint) })...)
	}
}

// between are unnamed marks between two values, evenly in the value and at most apart points from each other.
func between(lo, hi, apart float64, at func(float64) float64) []Mark {
	for _, parts := range []int{1, 2, 5, 10, 20, 50, 100} {
		var marks []Mark
		widest, before := 0.0, at(lo)
		for k := 1; k <= parts; k++ {
			v := tidy(lo + (hi-lo)*float64(k)/float64(parts))
			here := at(v)
			widest, before = max(widest, math.Abs(here-before)), here
			if k < parts {
				marks = append(marks, Mark{Value: v, At: here})
			}
		}
		if widest <= apart || parts == 100 {
			return marks
		}
	}
	return nil
}

// markRisks marks the probabilities that the totals reach.
func (n *Nomogram) markRisks() {
	at := func(p float64) float64 { return (math.Log(p) - math.Log1p(-p) - n.Start) / n.PerPoint }
	inside := func(m Mark) bool { return m.At >= 0 && m.At <= n.Total }
	for k, p := range probabilityLabels {
		if m := (Mark{Label: strconv.FormatFloat(p, 'f', -1, 64), Value: p, At: at(p)}); inside(m) {
			n.Risks = append(n.Risks, m)
		}
		if k+1 == len(probabilityLabels) {
			break
		}
		for _, m := range between(p, probabilityLabels[k+1], 2, at) {
			if inside(m) {
				n.Risks = append(n.Risks, m)
			}
		}
	}
}

// ruler marks whole points, every tenth (or a rounder step on long rulers) by name; above fine points every second only.
func ruler(to, fine float64) []Mark {
	step := 1.0
	if to > fine {
		step = 2
	}
	named := max(10, roundStep(to/12))
	var marks []Mark
	for v := 0.0; v <= to+1e-9; v += step {
		m := Mark{Value: v, At: v}
		if math.Mod(v, named) == 0 {
			m.Label = strconv.FormatFloat(v, 'f', -1, 64)
		}
		marks = append(marks, m)
	}
	return marks
}

// roundStep is the smallest of 1, 2, 5 times a power of ten that is not below v.
func roundStep(v float64) float64 {
	if !(v > 0) {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, s := range []float64{1, 2, 5} {
		if s*power >= v*(1-1e-9) {
			return s * power
		}
	}
	return 10 * power
}

// tidy takes the rounding of sums off a value.
func tidy(v float64) float64 {
	out, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 12, 64), 64)
	return out
}
