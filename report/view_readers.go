package report

import (
	"fmt"
	"strings"

	"sonotype/agreement"
	"sonotype/report/chart"
)

// readersView is the section on several readers; nil where no image has several outlines.
type readersView struct {
	Names      string
	Cases      int
	Pairs      []pairRow
	Regions    []readerRegionRow
	Score      string
	Components []componentRow
	Note       string
	Figures    []figureView
	Millimetre bool // the size of a pixel is known of some images
}

type pairRow struct {
	Readers              string
	Images               int
	Dice, Hausdorff, MM  valueCell
	DiceLeast, HausWorst string
}

type readerRegionRow struct {
	Name     string
	Features int
	Median   valueCell
	Bands    []valueCell // poor, moderate, good, excellent
	Dropped  valueCell
}

type componentRow struct {
	Name string
	ICC  valueCell
}

func (s *Study) readersView(figures []figure) *readersView {
	r := s.Readers
	if r == nil {
		return nil
	}
	v := &readersView{Names: listed(r.Names), Cases: r.Cases, Note: r.Note, Figures: views(figures)}
	for _, p := range r.Pairs {
		v.Millimetre = v.Millimetre || p.MM.N > 0
		v.Pairs = append(v.Pairs, pairRow{
			Readers: p.A + " and " + p.B, Images: p.Images, Dice: quantityCell(p.Dice), Hausdorff: quantityCell(p.Hausdorff95), MM: quantityCell(p.MM),
			DiceLeast: significant(float64(p.Dice.Min)), HausWorst: significant(float64(p.Hausdorff95.Max)),
		})
	}
	for _, g := range r.Regions {
		row := readerRegionRow{Name: featureName(g.Region), Features: g.Features, Median: valueCell{Value: share(g.Median), Small: interval(g.Q1, g.Q3)}, Dropped: valueCell{Value: dash, Title: "no bound was set"}}
		for _, n := range g.Bands {
			row.Bands = append(row.Bands, valueCell{Value: percent(n, g.Features) + " %", Small: whole(n)})
		}
		if r.Bound > 0 {
			row.Dropped = valueCell{Value: whole(g.Dropped)}
		}
		v.Regions = append(v.Regions, row)
	}
	for _, c := range r.Components {
		v.Components = append(v.Components, componentRow{c.Name, iccCell(c.ICC)})
	}
	if sc := r.Score; sc != nil {
		v.Score = fmt.Sprintf("The %s’s score has an ICC of %s (95 %% CI %s) between readers; the verdict at the frozen threshold depends on whose outline is used in %d of %d cases.",
			strings.TrimPrefix(s.Primary.title(), "the "), share(sc.ICC.ICC), interval(sc.Lo, sc.Hi), sc.Changed, sc.Cases)
		if !computable(sc.ICC.ICC) {
			v.Score = fmt.Sprintf("The %s’s score has no ICC between readers: %s.", strings.TrimPrefix(s.Primary.title(), "the "), note(sc.Note))
		}
	}
	return v
}

// quantityCell prints a median with the quartiles below.
func quantityCell(q agreement.Quantity) valueCell {
	if q.N == 0 {
		return valueCell{Value: dash, Title: "not known"}
	}
	return valueCell{Value: significant(float64(q.Median)), Small: ratioInterval(q.Q1, q.Q3)}
}

func iccCell(c agreement.ICC) valueCell { return metric(c.ICC, c.Lo, c.Hi, c.Note) }

// readerFigures draws how the features' ICCs are spread.
func (s *Study) readerFigures() []figure {
	if s.Readers == nil || len(s.Readers.Regions) == 0 {
		return nil
	}
	f := figure{title: "Agreement of the features between readers", id: "readers-icc"}
	f.caption = fmt.Sprintf("How many of a region’s deep features have which ICC(2,1) between %s. The further to the right, the less it matters who draws the outline.", listed(s.Readers.Names))
	if s.Readers.Bound > 0 {
		f.caption += fmt.Sprintf(" Dashed: features below %s on training patients were dropped.", significant(s.Readers.Bound))
	}
	c := s.draw(&f, panelW, 340, f.caption)
	most := 0.0
	for _, g := range s.Readers.Regions {
		for _, b := range g.Histogram {
			most = max(most, 100*float64(b.N)/float64(max(1, g.Features)))
		}
	}
	p := chart.NewPlot(c, marginL, marginTop, marginR, marginBase+40, chart.Axis{Min: 0, Max: 1, Label: "ICC(2,1) between readers"}, chart.Axis{Min: 0, Max: max(most, 1) * 1.05, Label: "% of the features"})
	f.data.header = []string{"region", "icc_from", "icc_to", "features"}
	var legend []chart.Entry
	for k, g := range s.Readers.Regions {
		colour := regionColour(g.Region)
		p.Inside(func() {
			for _, b := range g.Histogram {
				width := (b.Hi - b.Lo) / float64(len(s.Readers.Regions))
				x := b.Lo + float64(k)*width
				top, foot := p.At(x, 100*float64(b.N)/float64(max(1, g.Features))), p.At(x+0.92*width, 0)
				c.Rect(top, foot.X-top.X, foot.Y-top.Y, colour, 0.9, fmt.Sprintf("%s: %d features from %.2f to %.2f", featureName(g.Region), b.N, b.Lo, b.Hi))
				f.data.add(g.Region, cell(b.Lo), cell(b.Hi), whole(b.N))
			}
		})
		legend = append(legend, chart.Entry{Stroke: chart.Stroke{Colour: colour}, Fill: true, Label: featureName(g.Region), Value: "median " + share(g.Median)})
	}
	if b := s.Readers.Bound; b > 0 {
		p.Vertical(b, chart.Stroke{Colour: chart.Ink, Width: 1.2, Dash: chart.Dashed})
	}
	c.Legend(at(marginL, 340-36), panelW-marginL-marginR, legend)
	return []figure{f}
}

func (s *Study) readersTables() []namedTable {
	if s.Readers == nil {
		return nil
	}
	pairs := table{header: []string{"reader_a", "reader_b", "images", "measure", "n", "mean", "sd", "q1", "median", "q3", "min", "max"}}
	for _, p := range s.Readers.Pairs {
		for i, q := range []agreement.Quantity{p.Dice, p.Hausdorff95, p.MM} {
			pairs.add(p.A, p.B, whole(p.Images), []string{"dice", "hausdorff95_px", "hausdorff95_mm"}[i], whole(q.N), cell(q.Mean), cell(q.SD), cell(q.Q1), cell(q.Median), cell(q.Q3), cell(q.Min), cell(q.Max))
		}
	}
	iccs := table{header: []string{"what", "cases", "readers", "icc", "lo", "hi", "note"}}
	add := func(what string, c agreement.ICC) {
		iccs.add(what, whole(c.Cases), whole(c.Readers), cell(c.ICC), cell(c.Lo), cell(c.Hi), c.Note)
	}
	for _, c := range s.Readers.Components {
		add(c.Name, c.ICC)
	}
	if s.Readers.Score != nil {
		add("score", s.Readers.Score.ICC)
	}
	return []namedTable{{"readers-outlines", pairs}, {"readers-icc-inputs", iccs}}
}
