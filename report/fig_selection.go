package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"sonotype/report/chart"
)

// lassoFigures are 1A (paths), 1B (cross-validation error) and 1C (weights) of the fusion set.
func (s *Study) lassoFigures() []figure {
	sel, ok := s.Selection[s.lassoSet()]
	if !ok {
		return nil
	}
	var out []figure
	if len(sel.Lambdas) > 1 && len(sel.Paths) > 0 {
		out = append(out, s.lassoPaths(sel))
	}
	if len(sel.Lambdas) > 1 && len(sel.CVMean) == len(sel.Lambdas) {
		out = append(out, s.cvError(sel))
	}
	if len(sel.Kept) > 0 {
		out = append(out, s.weights(sel))
	}
	return out
}

func (s *Study) lassoPaths(sel Selection) figure {
	f := figure{number: "1A", title: "LASSO coefficient paths", id: stem("1A", "lasso-paths", "")}
	f.caption = fmt.Sprintf("Each line is one candidate feature. From right to left the penalty is relaxed and features enter the model one by one; "+
		"those that differ from zero at the vertical solid line are kept: %s of %d.", count(len(sel.Kept), "feature"), sel.AfterSpearman)
	c := s.draw(&f, panelW, 380, fmt.Sprintf("Coefficients of %d features against the penalty lambda; %d are kept.", len(sel.Paths), len(sel.Kept)))
	lo, hi := 0.0, 0.0
	for _, path := range sel.Paths {
		lo, hi = min(lo, slices.Min(path)), max(hi, slices.Max(path))
	}
	pad := 0.05 * (hi - lo)
	p := chart.NewPlot(c, marginL, marginTop+14, marginR, marginBase+26, lambdaAxis(sel), chart.Axis{Min: lo - pad, Max: hi + pad, Label: "coefficient"})
	p.Inside(func() {
		for i, path := range sel.Paths {
			p.Path(p.Points(sel.Lambdas, path), chart.Stroke{Colour: regionColour(regionOf(sel.PathNames[i])), Width: 1.2, Opacity: 0.85})
		}
	})
	p.Horizontal(0, chart.Stroke{Colour: chart.Muted, Width: 1})
	markLambdas(p, sel)
	c.Legend(at(marginL, 380-24), 200, []chart.Entry{{Label: "TA (tumour)", Stroke: chart.Stroke{Colour: regionColour("ta"), Width: 2}}})
	c.Legend(at(marginL+190, 380-24), 200, []chart.Entry{{Label: "PTA (peritumoural)", Stroke: chart.Stroke{Colour: regionColour("pta"), Width: 2}}})
	f.data.header = append([]string{"lambda"}, sel.PathNames...)
	for l, v := range sel.Lambdas {
		row := []string{cell(v)}
		for _, path := range sel.Paths {
			row = append(row, cell(path[l]))
		}
		f.data.add(row...)
	}
	return f
}

// regionOf reads ta or pta off a feature's name, e.g. TA_012.
func regionOf(name string) string {
	if len(name) >= 3 && (name[0] == 'P' || name[0] == 'p') {
		return "pta"
	}
	return "ta"
}

func lambdaAxis(sel Selection) chart.Axis {
	return chart.Axis{Min: slices.Min(sel.Lambdas), Max: slices.Max(sel.Lambdas), Log: true, Label: "penalty λ (logarithmic)"}
}

// markLambdas draws lambda.min and lambda.1se, the one used solid; labels stand above the plot, apart when they are close.
func markLambdas(p *chart.Plot, sel Selection) {
	if sel.Lambda != sel.LambdaMin && sel.Lambda != sel.Lambda1SE {
		markLambda(p, sel.Lambda, "λ used", true, "middle")
	}
	left, right := "middle", "middle"
	if math.Abs(p.At(sel.Lambda1SE, p.Y.Min).X-p.At(sel.LambdaMin, p.Y.Min).X) < 70 {
		left, right = "end", "start"
	}
	if sel.Lambda1SE < sel.LambdaMin {
		left, right = right, left
	}
	markLambda(p, sel.LambdaMin, "λ min", sel.Lambda == sel.LambdaMin, left)
	markLambda(p, sel.Lambda1SE, "λ 1se", sel.Lambda == sel.Lambda1SE, right)
}

func markLambda(p *chart.Plot, v float64, label string, used bool, anchor string) {
	if !(v > 0) || v < p.X.Min*(1-1e-9) || v > p.X.Max*(1+1e-9) {
		return
	}
	stroke := chart.Stroke{Colour: chart.Ink, Width: 1, Dash: chart.Dotted}
	if used {
		stroke.Dash, stroke.Width = "", 1.3
		label += " (used)"
	}
	p.Vertical(v, stroke)
	x := p.At(v, p.Y.Max).X
	switch anchor { // a little apart from the line, since the neighbour's label begins there
	case "end":
		x += 6
	case "start":
		x -= 2
	}
	p.Label(at(x, p.Top-5), label, chart.Text{Size: 11.5, Anchor: anchor, Bold: used})
}

func (s *Study) cvError(sel Selection) figure {
	f := figure{number: "1B", title: "Cross-validation error", id: stem("1B", "cv-error", "")}
	f.caption = fmt.Sprintf("How the penalty was chosen. The line is the error (%s) on patients left out of the fit, with one standard error either side. "+
		"λ min has the least error; λ 1se is the strongest penalty within one standard error of it. Used: λ = %s.", cmp.Or(sel.CVName, "error"), significant(sel.Lambda))
	c := s.draw(&f, panelW, 380, "Cross-validation error against the penalty lambda, with the penalty of least error and the one-standard-error penalty marked.")
	lo, hi := make([]float64, len(sel.CVMean)), make([]float64, len(sel.CVMean))
	for i, m := range sel.CVMean {
		se := 0.0
		if i < len(sel.CVSE) {
			se = sel.CVSE[i]
		}
		lo[i], hi[i] = m-se, m+se
	}
	pad := 0.05 * (slices.Max(hi) - slices.Min(lo))
	p := chart.NewPlot(c, marginL+8, marginTop+14, marginR, marginBase, lambdaAxis(sel), chart.Axis{Min: slices.Min(lo) - pad, Max: slices.Max(hi) + pad, Label: cmp.Or(sel.CVName, "error")})
	p.Inside(func() {
		c.Area(band(p, sel.Lambdas, lo, hi), chart.Blue, 0.18)
		c.Path(p.Points(sel.Lambdas, sel.CVMean), chart.Stroke{Colour: chart.Blue, Width: 2})
	})
	markLambdas(p, sel)
	f.data.header = []string{"lambda", "cv_mean", "cv_mean_minus_se", "cv_mean_plus_se"}
	for i, v := range sel.Lambdas {
		f.data.add(cell(v), cell(sel.CVMean[i]), cell(lo[i]), cell(hi[i]))
	}
	return f
}

// band is the outline between two curves.
func band(p *chart.Plot, x, lo, hi []float64) []chart.Point {
	back := p.Points(x, lo)
	slices.Reverse(back)
	return append(p.Points(x, hi), back...)
}

// weightsShown is how many weights are drawn; the table holds all.
const weightsShown = 30

func (s *Study) weights(sel Selection) figure {
	kept := slices.Clone(sel.Kept)
	slices.SortStableFunc(kept, func(a, b Weight) int { return cmp.Compare(math.Abs(b.Weight), math.Abs(a.Weight)) })
	f := figure{number: "1C", title: "Weights of the kept features", id: stem("1C", "weights", "")}
	regions := map[string]int{}
	f.data.header = []string{"feature", "region", "weight"}
	for _, w := range kept {
		regions[w.Features]++
		f.data.add(w.Name, w.Features, cell(w.Weight))
	}
	f.caption = fmt.Sprintf("The longer a bar, the more a feature counts; bars to the right raise the chance of %s, bars to the left lower it. %d come from the tumour (TA), %d from its surroundings (PTA).",
		s.positive(), regions["ta"], regions["pta"])
	if len(kept) > weightsShown {
		f.caption += fmt.Sprintf(" The %d largest of %d are drawn; the table has all.", weightsShown, len(kept))
		kept = kept[:weightsShown]
	}
	slices.SortStableFunc(kept, func(a, b Weight) int { return cmp.Compare(b.Weight, a.Weight) })
	h := float64(marginTop+marginBase+26) + max(60, 15*float64(len(kept)))
	c := s.draw(&f, panelW, h, fmt.Sprintf("Bars of %d feature weights, TA and PTA in two colours.", len(kept)))
	lo, hi := 0.0, 0.0
	for _, w := range kept {
		lo, hi = min(lo, w.Weight), max(hi, w.Weight)
	}
	n := float64(len(kept))
	p := chart.NewPlot(c, 78, marginTop, marginR, marginBase+26, chart.Axis{Min: 1.05 * lo, Max: 1.05 * hi, Label: "weight (LASSO coefficient)"},
		chart.Axis{Min: 0, Max: n, Bare: true, Ticks: []float64{0}})
	for i, w := range kept {
		top, from, to := p.At(0, n-float64(i)), p.At(min(w.Weight, 0), 0).X, p.At(max(w.Weight, 0), 0).X
		step := p.Height / n
		c.Rect(at(from, top.Y+0.15*step), max(to-from, 0.5), min(0.7*step, 24), regionColour(w.Features), 1, w.Name+": "+significant(w.Weight))
		c.Label(at(72, top.Y+0.15*step+min(0.35*step, 12)+4), w.Name, chart.Text{Size: 11, Anchor: "end"})
	}
	p.Vertical(0, chart.Stroke{Colour: chart.Muted, Width: 1})
	c.Legend(at(78, h-24), 200, []chart.Entry{{Label: "TA (tumour)", Fill: true, Stroke: chart.Stroke{Colour: regionColour("ta")}}})
	c.Legend(at(78+160, h-24), 200, []chart.Entry{{Label: "PTA (peritumoural)", Fill: true, Stroke: chart.Stroke{Colour: regionColour("pta")}}})
	return f
}

// scree draws the share of variance of each principal component of TA and PTA.
func (s *Study) scree() []figure {
	f := figure{title: "Principal components", id: "scree"}
	f.data.header = []string{"features", "component", "explained_variance_ratio"}
	longest, hi, lo := 0, 0.0, math.Inf(1)
	for _, set := range s.FeatureSets {
		for k, v := range s.Selection[set].Scree {
			f.data.add(set, whole(k+1), cell(v))
			if v > 0 && isNumber(v) {
				longest, hi, lo = max(longest, k+1), max(hi, 100*v), min(lo, 100*v)
			}
		}
	}
	if longest < 2 {
		return nil
	}
	f.caption = "How the many network features were condensed. Each component carries a share of the differences between images; a steep fall means that few components carry most of it."
	c := s.draw(&f, panelW, 380, "Share of variance explained by each principal component, falling from the first to the last.")
	p := chart.NewPlot(c, marginL, marginTop, marginR, marginBase+26, chart.Axis{Min: 1, Max: float64(longest), Log: true, Label: "component (logarithmic)", Ticks: componentTicks(longest)},
		chart.Axis{Min: max(lo, hi*1e-4) / 1.2, Max: hi * 1.2, Log: true, Label: "variance explained, % (logarithmic)"})
	x := marginL
	for _, set := range s.FeatureSets {
		scree := s.Selection[set].Scree
		if len(scree) == 0 {
			continue
		}
		var pts []chart.Point
		for k, v := range scree {
			if v > 0 {
				pts = append(pts, p.At(float64(k+1), 100*v))
			}
		}
		stroke := chart.Stroke{Colour: regionColour(set), Width: 2}
		p.Inside(func() { c.Path(pts, stroke) })
		c.Legend(at(float64(x), 380-24), 160, []chart.Entry{{Label: featureName(set), Stroke: stroke}})
		x += 130
	}
	return []figure{f}
}

func componentTicks(n int) []float64 {
	var out []float64
	for _, t := range []float64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000} {
		if t <= float64(n) {
			out = append(out, t)
		}
	}
	return out
}
