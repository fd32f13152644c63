package report

import (
	"cmp"
	"fmt"
	"slices"

	"sonotype/report/chart"
)

// barsShown is how many bars a histogram has before the rest is summed up.
const barsShown = 12

// imageFigures are the histograms of devices and of original sizes.
func (s *Study) imageFigures() []figure {
	var out []figure
	if len(s.Images.Devices) > 0 {
		counts := slices.Clone(s.Images.Devices)
		slices.SortStableFunc(counts, func(a, b Count) int { return cmp.Compare(b.N, a.N) })
		f := figure{title: "Images by device", id: "devices", caption: "Which ultrasound machines the images come from. A model may not carry over to a machine that it has not seen."}
		out = append(out, s.bars(f, counts))
	}
	if len(s.Images.Sizes) > 0 {
		f := figure{title: "Images by original width", id: "sizes", caption: "How wide the images were before they were brought to one size."}
		out = append(out, s.bars(f, s.Images.Sizes))
	}
	return out
}

// bars draws a horizontal histogram.
func (s *Study) bars(f figure, counts []Count) figure {
	f.data.header = []string{"name", "images"}
	for _, b := range counts {
		f.data.add(b.Name, whole(b.N))
	}
	if rest := len(counts) - barsShown; rest > 0 {
		sum := 0
		for _, b := range counts[barsShown:] {
			sum += b.N
		}
		counts = append(slices.Clone(counts[:barsShown]), Count{fmt.Sprintf("%d others", rest), sum})
	}
	top, total := 0, 0
	for _, b := range counts {
		top, total = max(top, b.N), total+b.N
	}
	const bar, left, right = 26.0, 190.0, 88.0
	c := s.draw(&f, panelW, marginTop+bar*float64(len(counts))+10, f.title+", as bars.")
	for i, b := range counts {
		y := marginTop + bar*float64(i)
		name := b.Name
		if name == "" {
			name = "not stated"
		}
		short, full := chart.Fit(name, left-16, 12)
		c.Label(at(left-8, y+16), short, chart.Text{Anchor: "end", Title: full})
		w := (panelW - left - right) * shareOf(b.N, top)
		c.Rect(at(left, y+3), max(w, 1), bar-8, chart.Blue, 0.75, fmt.Sprintf("%s: %d", name, b.N))
		c.Label(at(left+w+6, y+16), fmt.Sprintf("%d (%s %%)", b.N, percent(b.N, total)), chart.Text{Colour: chart.Muted})
	}
	return f
}
