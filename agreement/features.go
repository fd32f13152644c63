package agreement

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"sonotype/internal/num"
	"sonotype/internal/problem"
)

// Table holds the features of outlines, a row an outline.
type Table interface {
	Dims() (n, p int)
	Row(i int) []float32
}

// panel is the number of features that one worker looks at together; it does not change a result.
const panel = 1024

// Features gives ICC(2,1) of every feature: rows[i][j] is the table's row of reader j's outline of case i. A feature
// that does not vary is NaN.
func Features(ctx context.Context, t Table, rows [][]int, workers int) ([]float64, error) {
	if len(rows) < 2 || len(rows[0]) < 2 {
		k := 0
		if len(rows) > 0 {
			k = len(rows[0])
		}
		return nil, &problem.Error{What: "too few outlines for intraclass correlations", Expected: "at least 2 cases and 2 readers", Found: fmt.Sprintf("%d cases, %d readers", len(rows), k)}
	}
	n, p := t.Dims()
	for _, r := range rows {
		for _, i := range r {
			if len(r) != len(rows[0]) || i < 0 || i >= n {
				return nil, &problem.Error{What: "an outline is not in the feature table", Expected: fmt.Sprintf("%d rows a case, numbered 0 to %d", len(rows[0]), n-1), Found: fmt.Sprint(r)}
			}
		}
	}
	out := make([]float64, p)
	g, ctx := errgroup.WithContext(ctx)
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	g.SetLimit(workers)
	for lo := 0; lo < p; lo += panel {
		g.Go(func() error {
			featurePanel(t, rows, lo, out[lo:min(lo+panel, p)])
			return ctx.Err()
		})
	}
	return out, g.Wait()
}

// featurePanel computes the ICCs of len(out) features from column lo on, as anova does for one.
func featurePanel(t Table, rows [][]int, lo int, out []float64) {
	n, k, w := len(rows), len(rows[0]), len(out)
	origin := t.Row(rows[0][0])[lo : lo+w]
	reader, grand, mean := make([]float64, k*w), make([]float64, w), make([]float64, w)
	for _, r := range rows {
		for j, i := range r {
			addShifted(reader[j*w:(j+1)*w], t.Row(i)[lo:lo+w], origin)
		}
	}
	for c := range grand {
		for j := range k {
			reader[j*w+c] /= float64(n)
			grand[c] += reader[j*w+c]
		}
		grand[c] /= float64(k)
	}
	s := make([]squares, w)
	for _, r := range rows {
		clear(mean)
		for _, i := range r {
			addShifted(mean, t.Row(i)[lo:lo+w], origin)
		}
		for c := range mean {
			mean[c] /= float64(k)
			s[c].cases += float64(k) * (mean[c] - grand[c]) * (mean[c] - grand[c]) / float64(n-1)
		}
		for j, i := range r {
			for c, v := range t.Row(i)[lo : lo+w] {
				e := float64(v) - float64(origin[c]) - mean[c] - reader[j*w+c] + grand[c]
				s[c].errors += e * e / float64((n-1)*(k-1))
			}
		}
	}
	for c := range out {
		for j := range k {
			d := reader[j*w+c] - grand[c]
			s[c].readers += float64(n) * d * d / float64(k-1)
		}
		s[c].n, s[c].k = n, k
		out[c] = s[c].icc()
	}
}

// addShifted adds a row's values about their origin to a sum.
func addShifted(sum []float64, row, origin []float32) {
	for c, v := range row {
		sum[c] += float64(v) - float64(origin[c])
	}
}

// Bounds of Koo and Li (Journal of Chiropractic Medicine 2016): below 0.5 poor, to 0.75 moderate, to 0.9 good, above
// excellent.
var bounds = []float64{0.5, 0.75, 0.9}

// Spread sums up the ICCs of many features.
type Spread struct {
	Features  int        `json:"features"` // with an ICC
	Undefined int        `json:"undefined"`
	Q1        num.Float  `json:"q1"`
	Median    num.Float  `json:"median"`
	Q3        num.Float  `json:"q3"`
	Bands     [4]int     `json:"bands"` // poor, moderate, good, excellent (Koo and Li)
	Histogram []Interval `json:"histogram"`
}

// Interval counts the ICCs from Lo up to but not including Hi; the first takes all below too, the last 1 itself.
type Interval struct {
	Lo float64 `json:"lo"`
	Hi float64 `json:"hi"`
	N  int     `json:"n"`
}

// histogramBins is the number of bins between 0 and 1.
const histogramBins = 20

// Summarise counts ICCs by band and by twentieths.
func Summarise(iccs []float64) Spread {
	var s Spread
	for b := range histogramBins {
		s.Histogram = append(s.Histogram, Interval{Lo: float64(b) / histogramBins, Hi: float64(b+1) / histogramBins})
	}
	var known []float64
	for _, v := range iccs {
		if math.IsNaN(v) {
			s.Undefined++
			continue
		}
		known = append(known, v)
		band := 0
		for band < len(bounds) && v >= bounds[band] {
			band++
		}
		s.Bands[band]++
		s.Histogram[min(max(int(math.Floor(v*histogramBins)), 0), histogramBins-1)].N++
	}
	s.Features = len(known)
	slices.Sort(known)
	s.Q1, s.Median, s.Q3 = quartiles(known)
	return s
}

// Below marks the features whose ICC is under the bound or not defined: a filter drops them.
func Below(iccs []float64, bound float64) []bool {
	out := make([]bool, len(iccs))
	for i, v := range iccs {
		out[i] = !(v >= bound)
	}
	return out
}
