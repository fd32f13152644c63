package bundle

import (
	"math"

	"gonum.org/v1/gonum/stat"

	"sonotype/imaging"
	"sonotype/roi"
)

// StatisticNames name what Measure measures of a case, in its order. Those that are never negative and have a long tail are
// taken by their logarithm.
var StatisticNames = []string{
	"colour", "black", "mean grey", "log grey deviation", "grey entropy", "log lateral roughness", "log axial roughness", "log coarse roughness",
	"lesion grey", "log lesion deviation", "lesion contrast", "log outline area", "outline extent", "outline depth",
}

// leastDeviations are the least deviations over training cases that statistics are measured in: what gain, depth and device
// change from one centre to the next is nothing strange, though a study with one device does not show it. A little less
// than the deviations over BUS-BRA's images of four devices; a coloured logo or scale is nothing strange either.
var leastDeviations = map[string]float64{
	"colour": 0.02, "black": 0.1, "mean grey": 25, "log grey deviation": 0.3, "grey entropy": 0.4, "log lateral roughness": 0.2,
	"log axial roughness": 0.15, "log coarse roughness": 0.15, "lesion grey": 20, "log lesion deviation": 0.3,
}

const (
	// darkest is the grey below which a pixel counts as black: the frame around a sector, or padding.
	darkest = 10
	// near and far are the distances, in pixels of the standardised image, over which roughness is measured: within a
	// speckle and between tissues.
	near, far = 2, 32
	// flattest is the grey deviation below which an image has no contrast to divide by.
	flattest = 0.5
)

// Measure describes a prepared case by numbers that need no network: how grey, rough and coloured the image is, how the
// lesion stands out from its surroundings, and how large and where the outline. They tell a breast ultrasound from what is
// none. Roughness and contrast are shares of the image's own deviation, so that gain and another device change them little.
func Measure(info imaging.Info, r *roi.Regions) []float64 {
	var lit []float64
	var bins [32]float64
	for _, v := range r.Image.Pix {
		if v >= darkest {
			lit = append(lit, float64(v))
			bins[v/8]++
		}
	}
	black := 1 - float64(len(lit))/float64(len(r.Image.Pix))
	mean, sd := meanSD(lit)
	lesion, lesionSD := meanSD(inside(r.Image, r.TA))
	around, _ := meanSD(inside(r.Image, r.PTA))
	box := r.TABox
	area, h := count(r.TA), float64(box.H)
	return []float64{
		info.ColourFraction, black, mean, logged(sd), entropy(bins[:], float64(len(lit))),
		logged(roughness(r.Image, near, 0, sd)), logged(roughness(r.Image, 0, near, sd)), logged(roughness(r.Image, far, 0, sd)),
		lesion, logged(lesionSD), (lesion - around) / max(flattest, sd),
		math.Log(area / float64(len(r.TA.Pix))), area / (float64(box.W) * h), (float64(box.Y) + h/2) / float64(r.TA.H),
	}
}

// logged is the logarithm of what may be 0.
func logged(v float64) float64 { return math.Log(v + 0.02) }

// meanSD of no values is 0 and 0.
func meanSD(x []float64) (mean, sd float64) {
	if len(x) < 2 {
		return stat.Mean(append([]float64{0}, x...), nil), 0
	}
	return stat.MeanStdDev(x, nil)
}

// inside lists the grey values of a mask's pixels.
func inside(img *imaging.Gray, m *roi.Mask) []float64 {
	var out []float64
	for i, v := range m.Pix {
		if v != 0 {
			out = append(out, float64(img.Pix[i]))
		}
	}
	return out
}

func count(m *roi.Mask) float64 {
	n := 0
	for _, v := range m.Pix {
		n += int(v)
	}
	return float64(n)
}

// entropy of a histogram of n values, in bits.
func entropy(bins []float64, n float64) float64 {
	h := 0.0
	for _, k := range bins {
		if k > 0 {
			h -= k / n * math.Log2(k/n)
		}
	}
	return h
}

// roughness is the mean absolute difference of lit pixels dx to the right and dy below, as a share of the deviation sd.
func roughness(img *imaging.Gray, dx, dy int, sd float64) float64 {
	sum, n := 0.0, 0
	for y := range img.H - dy {
		for x := range img.W - dx {
			a, b := img.Pix[y*img.W+x], img.Pix[(y+dy)*img.W+x+dx]
			if a >= darkest && b >= darkest {
				sum += math.Abs(float64(a) - float64(b))
				n++
			}
		}
	}
	if n == 0 || sd == 0 {
		return 0
	}
	return sum / float64(n) / sd
}
