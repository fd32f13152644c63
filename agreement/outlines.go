package agreement

import (
	"math"
	"slices"

	"sonotype/internal/num"
	"sonotype/internal/stats"
	"sonotype/roi"
)

// Outlines compares two readers' outlines of one image.
type Outlines struct {
	A           string    `json:"reader_a"`
	B           string    `json:"reader_b"`
	Dice        num.Float `json:"dice"`
	Hausdorff95 num.Float `json:"hausdorff95_px"` // pixels of the original image
	MM          num.Float `json:"hausdorff95_mm"` // where the pixel size is known
}

// Compare gives every pair of readers' agreement on one image, in the readers' order. pixelMM is the size of a pixel,
// NaN when unknown. Outlines of different sizes, or empty ones, have no agreement.
func Compare(masks []*roi.Mask, readers []string, pixelMM float64) []Outlines {
	var out []Outlines
	for i := range masks {
		for j := i + 1; j < len(masks); j++ {
			px := roi.Hausdorff95(masks[i], masks[j], [2]float64{1, 1})
			out = append(out, Outlines{readers[i], readers[j], num.Float(roi.Dice(masks[i], masks[j])), num.Float(px), num.Float(px * pixelMM)})
		}
	}
	return out
}

// Quantity is the distribution of an agreement over images.
type Quantity struct {
	N      int       `json:"n"`
	Mean   num.Float `json:"mean"`
	SD     num.Float `json:"sd"`
	Q1     num.Float `json:"q1"`
	Median num.Float `json:"median"`
	Q3     num.Float `json:"q3"`
	Min    num.Float `json:"min"`
	Max    num.Float `json:"max"`
}

// Pair is the agreement of two readers over the images that both outlined.
type Pair struct {
	A           string   `json:"reader_a"`
	B           string   `json:"reader_b"`
	Images      int      `json:"images"`
	Dice        Quantity `json:"dice"`
	Hausdorff95 Quantity `json:"hausdorff95_px"`
	MM          Quantity `json:"hausdorff95_mm"`
}

// Pairs sums the comparisons up by pair of readers, in the order of the readers' names.
func Pairs(all []Outlines) []Pair {
	by := map[[2]string][]Outlines{}
	for _, o := range all {
		key := [2]string{min(o.A, o.B), max(o.A, o.B)}
		by[key] = append(by[key], o)
	}
	var keys [][2]string
	for key := range by {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	var out []Pair
	for _, key := range keys {
		of := by[key]
		pick := func(f func(Outlines) num.Float) Quantity {
			var v []float64
			for _, o := range of {
				if x := float64(f(o)); !math.IsNaN(x) {
					v = append(v, x)
				}
			}
			return Describe(v)
		}
		out = append(out, Pair{
			A: key[0], B: key[1], Images: len(of),
			Dice:        pick(func(o Outlines) num.Float { return o.Dice }),
			Hausdorff95: pick(func(o Outlines) num.Float { return o.Hausdorff95 }),
			MM:          pick(func(o Outlines) num.Float { return o.MM }),
		})
	}
	return out
}

// Describe gives mean, standard deviation and quartiles (R's type 7) of the values.
func Describe(values []float64) Quantity {
	q := Quantity{N: len(values), Mean: num.NaN(), SD: num.NaN(), Min: num.NaN(), Max: num.NaN()}
	v := slices.Sorted(slices.Values(values))
	q.Q1, q.Median, q.Q3 = quartiles(v)
	if len(v) == 0 {
		return q
	}
	mean, variance := stats.MeanVar(v)
	q.Mean, q.Min, q.Max = num.Float(mean), num.Float(v[0]), num.Float(v[len(v)-1])
	if len(v) > 1 {
		q.SD = num.Float(math.Sqrt(variance))
	}
	return q
}

func quartiles(sorted []float64) (q1, median, q3 num.Float) {
	if len(sorted) == 0 {
		return num.NaN(), num.NaN(), num.NaN()
	}
	return num.Float(stats.Quantile(sorted, 0.25)), num.Float(stats.Quantile(sorted, 0.5)), num.Float(stats.Quantile(sorted, 0.75))
}
