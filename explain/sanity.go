package explain

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/internal/stats"
)

// Similarity is Spearman's rank correlation of two maps, ties with mid-ranks: 1 for maps that rank the places alike,
// 0 for unrelated ones. NaN when it is not defined: a map without contrast, without finite values, or of another size.
func Similarity(a, b []float32) float64 {
	if len(a) != len(b) || !contrast(a) || !contrast(b) {
		return math.NaN()
	}
	ra, _ := stats.MidRanks(wide(a))
	rb, _ := stats.MidRanks(wide(b))
	return stat.Correlation(ra, rb, nil)
}

// contrast says whether a map is finite and holds more than one value.
func contrast(m []float32) bool {
	for _, v := range m {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return false
		}
	}
	return len(m) > 0 && slices.Min(m) < slices.Max(m)
}

func wide(m []float32) []float64 {
	out := make([]float64, len(m))
	for i, v := range m {
		out[i] = float64(v)
	}
	return out
}

// Alike is the similarity from which two maps count as the same.
const Alike = 0.5

// Sanity says how far maps depend on what the network learnt (Adebayo et al., NeurIPS 2018).
type Sanity struct {
	Maps       int       `json:"maps"`       // pairs compared
	Blank      int       `json:"blank"`      // pairs with a map without contrast, where no similarity is defined
	Similarity num.Float `json:"similarity"` // median Spearman correlation of the other pairs
	Changed    num.Float `json:"changed"`    // share of the other pairs with a similarity below Alike
}

// CheckSanity compares the maps of a trained network with those of the same network with randomised weights, each a
// set of n maps of cells values, one after another, of the same images in the same order. Maps that stay alike show
// the picture, not what was learnt.
func CheckSanity(trained, randomised []float32, n, cells int) (Sanity, error) {
	if n < 1 || cells < 1 || len(trained) != n*cells || len(randomised) != n*cells {
		return Sanity{}, &problem.Error{What: "the two sets of Grad-CAM maps do not fit together",
			Expected: fmt.Sprintf("%d maps of %d values each", n, cells), Found: fmt.Sprintf("%d and %d values", len(trained), len(randomised))}
	}
	s := Sanity{Maps: n, Similarity: num.NaN(), Changed: num.NaN()}
	var all []float64
	changed := 0
	for i := range n {
		rho := Similarity(trained[i*cells:][:cells], randomised[i*cells:][:cells])
		if math.IsNaN(rho) {
			s.Blank++
			continue
		}
		all = append(all, rho)
		if rho < Alike {
			changed++
		}
	}
	if len(all) > 0 {
		slices.Sort(all)
		s.Similarity, s.Changed = num.Float(stats.Quantile(all, 0.5)), num.Float(float64(changed)/float64(len(all)))
	}
	return s, nil
}
