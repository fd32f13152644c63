package evaluate

import (
	"context"
	"math"
	"slices"

	"golang.org/x/sync/errgroup"

	"sonotype/internal/num"
	"sonotype/internal/stats"
)

// CurveBand is the uncertainty of the smooth calibration curve: pointwise 95 % limits, and the interval of the mean
// distance from it (ICI). The ICI of a draw is on average above that of the set, since noise bends the curve; its
// interval is wide at small n and says so.
type CurveBand struct {
	Draws  int               `json:"draws"`
	ICI    BootstrapInterval `json:"ici"`
	Points []BandPoint       `json:"points"`
}

// BandPoint holds the limits at one predicted probability; null where fewer than nine in ten draws reach it.
type BandPoint struct {
	Predicted float64   `json:"predicted"`
	Lo        num.Float `json:"lo"`
	Hi        num.Float `json:"hi"`
}

const bandPoints = 51

// CalibrationBand smooths every draw of the bootstrap anew. Patients are drawn as in Bootstrap, all together, since the
// curve rises and falls with the prevalence.
func CalibrationBand(ctx context.Context, probabilities []float64, labels []int, c BootstrapConfig) (*CurveBand, error) {
	if _, _, err := checkProbabilities(probabilities, labels); err != nil {
		return nil, err
	}
	if err := c.fill(); err != nil {
		return nil, err
	}
	samplers, err := newSamplers(labels, c.Patients, c.Seed)
	if err != nil {
		return nil, err
	}
	d := samplers.whole
	order := stats.Order(probabilities)
	grid := spaced(probabilities[order[0]], probabilities[order[len(order)-1]], bandPoints)
	rows := make([][]float64, c.Draws) // ICI, then the curve over the grid
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(c.Workers)
	const chunk = 50
	for from := 0; from < c.Draws; from += chunk {
		group.Go(func() error {
			sample := make([]uint16, d.units)
			for b := from; b < min(from+chunk, c.Draws); b++ {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				d.draw(b, sample)
				rows[b] = smoothDraw(probabilities, labels, order, sample, grid)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return newBand(rows, grid), nil
}

// smoothDraw gives the ICI of one draw and its curve over the grid, NaN beyond its extremes.
func smoothDraw(probabilities []float64, labels, order []int, sample []uint16, grid []float64) []float64 {
	var x, y []float64
	for _, i := range order {
		for range sample[i] {
			x, y = append(x, probabilities[i]), append(y, float64(labels[i]))
		}
	}
	xs, fit := lowess(x, y)
	row := make([]float64, 1+len(grid))
	for _, p := range x {
		k, _ := slices.BinarySearch(xs, p)
		row[0] += math.Abs(p-fit[k]) / float64(len(x))
	}
	for k, g := range grid {
		row[1+k] = interpolate(xs, fit, g)
	}
	return row
}

// interpolate reads a polygon over ascending xs; NaN outside.
func interpolate(xs, ys []float64, at float64) float64 {
	k, found := slices.BinarySearch(xs, at)
	switch {
	case found:
		return ys[k]
	case k == 0 || k == len(xs):
		return math.NaN()
	}
	share := (at - xs[k-1]) / (xs[k] - xs[k-1])
	return ys[k-1] + share*(ys[k]-ys[k-1])
}

func newBand(rows [][]float64, grid []float64) *CurveBand {
	band := &CurveBand{Draws: len(rows)}
	column := make([]float64, len(rows))
	take := func(k int) BootstrapInterval {
		for b := range rows {
			column[b] = rows[b][k]
		}
		return percentile(slices.Clone(column))
	}
	band.ICI = take(0)
	for k, g := range grid {
		p := BandPoint{Predicted: g, Lo: num.NaN(), Hi: num.NaN()}
		if i := take(1 + k); 10*i.Used >= 9*len(rows) {
			p.Lo, p.Hi = i.Lo, i.Hi
		}
		band.Points = append(band.Points, p)
	}
	return band
}
