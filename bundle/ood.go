package bundle

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"sonotype/internal/problem"
	"sonotype/internal/stats"
)

// Familiar tells whether a case is like those that a model was fitted on. Three measures of strangeness - the
// Mahalanobis distance of the image's statistics (Measure), the most extreme of them, and the distance to the nearest
// training cases in the model's inputs - each have a limit: a little more than nearly all training cases have, every one
// measured as if it had not been among them. A case beyond a limit is not predicted.
type Familiar struct {
	Names     []string    `json:"names"` // of the statistics
	Mean      []float64   `json:"mean"`  // of the statistics over the training cases
	SD        []float64   `json:"sd"`
	Precision [][]float64 `json:"precision"` // inverse of the standardised statistics' shrunken covariance
	Distance  float64     `json:"distance"`  // limit of the Mahalanobis distance
	Extreme   float64     `json:"extreme"`   // limit of the most extreme standardised statistic
	Nearest   float64     `json:"nearest"`   // limit of the distance to the neighbours; 0 = not asked
}

const (
	// shrinkage draws the covariance of standardised statistics towards none between them.
	shrinkage = 0.05
	// usual is the share of training cases whose strangeness is within a limit before its margin.
	usual = 0.98
	// margin widens the limits: cases of another centre or device lie a little further out than training cases, foreign
	// ones far out (docs/predict.md has the figures that it was chosen by).
	margin = 1.12
	// nearMargin is that of the distance to the neighbours, which another centre moves more.
	nearMargin = 1.25
	// neighbours are the training cases whose mean distance counts.
	neighbours = 5
	// MinTraining is how many training cases it takes to tell familiar images from strange ones.
	MinTraining = 4 * neighbours
)

// FitFamiliar learns from training cases: their statistics, a row a case, and the distances of each to its nearest
// others in the model's inputs, or nil where the bundle keeps no training cases to compare with.
func FitFamiliar(statistics [][]float64, nearest []float64) (*Familiar, error) {
	n, p := len(statistics), len(StatisticNames)
	if n < MinTraining || (nearest != nil && n != len(nearest)) {
		return nil, &problem.Error{What: "too few training cases to tell familiar images from strange ones", Expected: fmt.Sprintf("at least %d", MinTraining), Found: fmt.Sprint(n)}
	}
	f := &Familiar{Names: StatisticNames, Mean: make([]float64, p), SD: make([]float64, p)}
	z := mat.NewDense(n, p, nil)
	for j := range p {
		column := make([]float64, n)
		for i := range statistics {
			column[i] = statistics[i][j]
		}
		f.Mean[j], f.SD[j] = stat.MeanStdDev(column, nil)
		f.SD[j] = max(f.SD[j], leastDeviations[StatisticNames[j]], 1e-3*max(1, math.Abs(f.Mean[j]))) // what never varies in training still has a scale
		for i, v := range column {
			z.Set(i, j, (v-f.Mean[j])/f.SD[j])
		}
	}
	if err := f.fitPrecision(z); err != nil {
		return nil, err
	}
	distance, extreme := make([]float64, n), make([]float64, n)
	for i := range n {
		d, e := f.strangeness(statistics[i])
		distance[i], extreme[i] = leftOut(d, n), leftOut(e, n)
	}
	f.Distance, f.Extreme = margin*limit(distance), margin*limit(extreme)
	if nearest != nil {
		f.Nearest = nearMargin * limit(nearest)
	}
	return f, nil
}

// limit is what the usual share of values do not exceed.
func limit(values []float64) float64 {
	return stats.Quantile(slices.Sorted(slices.Values(values)), usual)
}

// leftOut is the Mahalanobis distance that a training case, at distance d, would have if it had not been among the n that
// mean and covariance come from: with the mean's shift and Sherman and Morrison's formula for the covariance,
// n^2 (n-2) / (n-1)^3 * d^2 / (1 - n d^2 / (n-1)^2) is its square. Exact without shrinkage.
func leftOut(d float64, cases int) float64 {
	n := float64(cases)
	rest := max(1e-6, 1-n*d*d/((n-1)*(n-1)))
	return d * n / (n - 1) * math.Sqrt((n-2)/(n-1)/rest)
}

// fitPrecision inverts the covariance of standardised statistics, each with a variance of at least 1.
func (f *Familiar) fitPrecision(z *mat.Dense) error {
	_, p := z.Dims()
	var c mat.SymDense
	stat.CovarianceMatrix(&c, z, nil)
	for i := range p {
		for j := i; j < p; j++ {
			v := (1 - shrinkage) * c.At(i, j)
			if i == j {
				v = max(1, (1-shrinkage)*c.At(i, i)+shrinkage)
			}
			c.SetSym(i, j, v)
		}
	}
	var chol mat.Cholesky
	if !chol.Factorize(&c) {
		return &problem.Error{What: "the training images' statistics have no covariance that can be inverted"}
	}
	var inverse mat.SymDense
	if err := chol.InverseTo(&inverse); err != nil {
		return err
	}
	f.Precision = make([][]float64, p)
	for i := range p {
		f.Precision[i] = make([]float64, p)
		for j := range p {
			f.Precision[i][j] = inverse.At(i, j)
		}
	}
	return nil
}

// strangeness is a case's Mahalanobis distance and its most extreme standardised statistic.
func (f *Familiar) strangeness(statistics []float64) (distance, extreme float64) {
	z := make([]float64, len(f.Mean))
	for j, v := range statistics {
		z[j] = (v - f.Mean[j]) / f.SD[j]
		extreme = max(extreme, math.Abs(z[j]))
	}
	sum := 0.0
	for i := range z {
		for j := range z {
			sum += z[i] * f.Precision[i][j] * z[j]
		}
	}
	return math.Sqrt(max(0, sum)), extreme
}

// Check refuses a reference that no study writes.
func (f *Familiar) Check() error {
	p := len(StatisticNames)
	if !slices.Equal(f.Names, StatisticNames) || len(f.Mean) != p || len(f.SD) != p || len(f.Precision) != p || !(f.Distance > 0) || !(f.Extreme > 0) || !(f.Nearest >= 0) {
		return &problem.Error{What: "the reference of familiar images does not fit this program"}
	}
	for j := range p {
		if !(f.SD[j] > 0) || len(f.Precision[j]) != p {
			return &problem.Error{What: "the reference of familiar images is damaged", Found: f.Names[j]}
		}
	}
	return nil
}

// Judge gives the reasons for which a case, by its statistics and its mean distance to its neighbours, is too strange to
// be predicted; none for a familiar one.
func (f *Familiar) Judge(statistics []float64, nearest float64) []string {
	var reasons []string
	if distance, extreme := f.strangeness(statistics); !(distance <= f.Distance && extreme <= f.Extreme) {
		j := f.oddest(statistics)
		reasons = append(reasons, fmt.Sprintf(unlikeImage+"; the most unusual: %s %.3g, in training %.3g (SD %.2g)", f.Names[j], statistics[j], f.Mean[j], f.SD[j]))
	}
	if f.Nearest > 0 && !(nearest <= f.Nearest) {
		reasons = append(reasons, unlikeFeatures)
	}
	return reasons
}

// How Judge's reasons begin.
const (
	unlikeImage    = "the image or its outline is unlike those of the study"
	unlikeFeatures = "what the networks see is unlike all training cases"
)

// Unlike says whether a prediction's reason is that the case is strange, and not that it breaks the contract.
func Unlike(reason string) bool {
	return strings.HasPrefix(reason, unlikeImage) || reason == unlikeFeatures
}

// oddest is the statistic furthest from its mean, in deviations.
func (f *Familiar) oddest(statistics []float64) int {
	odd := 0
	for j := range statistics {
		if math.Abs(statistics[j]-f.Mean[j])/f.SD[j] > math.Abs(statistics[odd]-f.Mean[odd])/f.SD[odd] {
			odd = j
		}
	}
	return odd
}
