package report

import (
	"cmp"
	"fmt"
	"math"

	"sonotype/internal/num"
	"sonotype/report/chart"
)

// learningMetric is a figure of each epoch, on the images that a network trained on and on those held out.
type learningMetric struct {
	id, name string
	share    bool // between 0 and 1, larger is better
	of       func(Epoch) (train, heldout num.Float)
	see      string // what to see
}

var learningMetrics = []learningMetric{
	{id: "loss", name: "Loss", of: func(e Epoch) (num.Float, num.Float) { return e.TrainLoss, e.ValidLoss },
		see: "Both lines should fall. Where the thin one falls on while the thick one rises, the network learns its training patients by heart."},
	{id: "accuracy", name: "Accuracy", share: true, of: func(e Epoch) (num.Float, num.Float) { return e.TrainAccuracy, e.ValidAccuracy },
		see: "The share of patients or lesions whose mean probability lies on the right side of 0.5. It should rise; when most cases are of one class, a high value means little."},
	{id: "auc", name: "AUC", share: true, of: func(e Epoch) (num.Float, num.Float) { return e.TrainAUC, e.ValidAUC },
		see: "The thick line should stay well above 0.5, which is guessing. The gap between the lines is what does not carry over to new patients."},
}

// learningFigures are loss, accuracy and AUC by epoch, the networks side by side; those of cross-fitting stand in the table only.
func (s *Study) learningFigures() []figure {
	var out []figure
	for _, m := range learningMetrics {
		for _, l := range s.Learning {
			if l.Fold == 0 && len(l.History) > 0 {
				out = append(out, s.learningCurve(l, m))
			}
		}
	}
	return out
}

// networkName is how the network of a region is called.
func (l Learning) networkName() string {
	if l.Region == "shared" {
		return "TA and PTA"
	}
	return featureName(l.Region)
}

// kept finds the epoch whose weights are used.
func (l Learning) kept() (Epoch, bool) {
	for _, e := range l.History {
		if e.Epoch == l.Kept {
			return e, true
		}
	}
	return Epoch{}, false
}

func (s *Study) learningCurve(l Learning, m learningMetric) figure {
	f := figure{title: m.name + " by epoch, " + l.networkName(), id: stem("", "learning-"+m.id, l.Region)}
	f.caption = fmt.Sprintf("%s of the %s network after each epoch, a pass over its training images. %s%s", m.name, l.networkName(), m.see, l.keptInWords(m))
	c := s.draw(&f, panelW, 340, fmt.Sprintf("%s of the %s network by epoch, on its training images and on held-out patients.%s", m.name, l.networkName(), l.keptInWords(m)))
	epochs, train, heldout := make([]float64, len(l.History)), make([]float64, len(l.History)), make([]float64, len(l.History))
	f.data.header = []string{"epoch", "train_" + m.id, "heldout_" + m.id, "kept"}
	for i, e := range l.History {
		a, b := m.of(e)
		epochs[i], train[i], heldout[i] = float64(e.Epoch), float64(a), float64(b)
		f.data.add(whole(e.Epoch), cell(a), cell(b), yesNo(e.Epoch == l.Kept))
	}
	first, last := l.History[0].Epoch, l.History[len(l.History)-1].Epoch
	p := chart.NewPlot(c, marginL, marginTop+14, marginR, marginBase+26,
		chart.Axis{Min: float64(first), Max: float64(last), Label: "epoch", Ticks: epochTicks(first, last)}, m.axis(append(train, heldout...)))
	if m.id == "auc" {
		p.Horizontal(0.5, chart.Stroke{Colour: chart.Grey, Width: 1})
	}
	l.markKept(p)
	strokes := [2]chart.Stroke{{Colour: chart.Muted, Width: 1.3}, {Colour: regionColour(l.Region), Width: 2.6}}
	p.Inside(func() {
		for k, values := range [][]float64{train, heldout} {
			p.Path(p.Points(epochs, values), strokes[k])
			for i, v := range values {
				if len(epochs) <= dottedEpochs && isNumber(v) {
					p.Dot(p.At(epochs[i], v), 1.2*strokes[k].Width, strokes[k].Colour, fmt.Sprintf("epoch %d: %s", l.History[i].Epoch, significant(v)))
				}
			}
		}
	})
	c.Legend(at(marginL, 340-24), 190, []chart.Entry{{Label: "held-out patients", Stroke: strokes[1]}})
	c.Legend(at(marginL+180, 340-24), 190, []chart.Entry{{Label: "training images", Stroke: strokes[0]}})
	return f
}

// dottedEpochs is up to how many epochs each is drawn as a dot that tells its value.
const dottedEpochs = 40

// keptInWords gives a metric at the kept epoch.
func (l Learning) keptInWords(m learningMetric) string {
	e, ok := l.kept()
	if !ok {
		return ""
	}
	train, heldout := m.of(e)
	if !computable(train, heldout) {
		return fmt.Sprintf(" Kept: epoch %d.", l.Kept)
	}
	return fmt.Sprintf(" Kept: epoch %d, with %s held out and %s in training.", l.Kept, significant(float64(heldout)), significant(float64(train)))
}

// markKept draws a line at the kept epoch and says so above the plot, on the side where there is room.
func (l Learning) markKept(p *chart.Plot) {
	if _, ok := l.kept(); !ok {
		return
	}
	v, anchor := float64(l.Kept), "middle"
	p.Vertical(v, chart.Stroke{Colour: chart.Ink, Width: 1.3, Dash: chart.Dotted})
	x, label := p.At(v, p.Y.Max).X, fmt.Sprintf("epoch %d kept", l.Kept)
	switch half := chart.Width(label, 11.5) / 2; {
	case x-half < p.Left:
		anchor = "start"
	case x+half > p.Left+p.Width:
		anchor = "end"
	}
	p.Label(at(x, p.Top-5), label, chart.Text{Size: 11.5, Anchor: anchor})
}

// axis spans the values: for shares from a tenth below the least (an AUC's axis always shows guessing) to 1, for a loss from 0.
func (m learningMetric) axis(values []float64) chart.Axis {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if isNumber(v) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	a := chart.Axis{Min: 0, Max: 1.05 * hi, Label: cmp.Or(map[string]string{"auc": "AUC"}[m.id], m.id)}
	if m.share {
		if m.id == "auc" {
			lo = min(lo, 0.5)
		}
		a.Min, a.Max = max(0, math.Floor(10*lo-0.5)/10), 1
	}
	return a
}

// epochTicks are the first epoch and at most eight round ones up to the last.
func epochTicks(first, last int) []float64 {
	step := 1
	for k := 0; (last-first)/step > 7; k++ {
		step = []int{2, 5, 10}[k%3] * int(math.Pow10(k/3))
	}
	out := []float64{float64(first)}
	for e := step; e <= last; e += step {
		if e > first && (e-first)*2 >= step {
			out = append(out, float64(e))
		}
	}
	return out
}
