package report

import (
	"cmp"
	"fmt"
	"slices"

	"sonotype/report/chart"
)

// timeAUC draws the time-dependent AUC along follow-up with its band.
func (s *Study) timeAUC(sv SurvivalSet) figure {
	f := figure{title: "Time-dependent AUC, " + sv.Title, id: stem("", "time-auc", sv.Set)}
	unit := cmp.Or(sv.Unit, "months")
	f.caption = fmt.Sprintf("How well the score tells %ss with an event by a time from those followed beyond it, along follow-up. Line at 0.5: chance. Band: 95 %% interval at each time, wide where few are compared; dots: the times of the table.", s.unit())
	f.data.header = []string{"time", "events_before", "followed_beyond", "auc", "lo", "hi"}
	const h = 360.0
	c := s.draw(&f, panelW, h, f.caption)
	var x, y []float64
	var lower, upper []chart.Point
	curve := sv.ByScore.AUCCurve
	p := chart.NewPlot(c, marginL, marginTop, marginR, 54, chart.Axis{Min: 0, Max: max(1, curve[len(curve)-1].Time), Label: "time since surgery, " + unit},
		chart.Axis{Min: 0, Max: 1, Label: "AUC", Ticks: []float64{0, 0.25, 0.5, 0.75, 1}})
	for _, a := range curve {
		f.data.add(cell(a.Time), whole(a.Cases), whole(a.Controls), cell(a.AUC), cell(a.Lo), cell(a.Hi))
		if !computable(a.AUC, a.Lo, a.Hi) {
			continue
		}
		x, y = append(x, a.Time), append(y, float64(a.AUC))
		lower, upper = append(lower, p.At(a.Time, float64(a.Lo))), append(upper, p.At(a.Time, float64(a.Hi)))
	}
	colour := modelColour(s.Primary.Model)
	p.Inside(func() {
		p.Horizontal(0.5, chart.Stroke{Colour: chart.Grey, Width: 1.2, Dash: chart.Dotted})
		slices.Reverse(lower)
		p.Area(append(upper, lower...), colour, 0.15)
		p.Path(p.Points(x, y), chart.Stroke{Colour: colour, Width: 2.4, Dash: dashOf(Set{Name: sv.Set})})
	})
	for _, a := range sv.ByScore.TimeAUC {
		if computable(a.AUC, a.Lo, a.Hi) && a.Time <= curve[len(curve)-1].Time {
			p.Line(p.At(a.Time, float64(a.Lo)), p.At(a.Time, float64(a.Hi)), chart.Stroke{Colour: colour, Width: 1.2})
			p.Dot(p.At(a.Time, float64(a.AUC)), 4, colour, fmt.Sprintf("%s %s: %s", significant(a.Time), unit, share(a.AUC)))
		}
	}
	return f
}
