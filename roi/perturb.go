package roi

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"sonotype/internal/problem"
)

// Kinds of perturbation: ways in which an outline may differ from the one that was drawn.
const (
	Shifted = "shift"  // the whole outline is moved, in a random direction
	Dilated = "dilate" // drawn too large by a constant distance
	Eroded  = "erode"  // drawn too small by a constant distance
	Redrawn = "reader" // drawn again by a reader whose hand wanders smoothly about the contour
)

const (
	waves    = 64  // of a redrawn contour's random field
	wander   = 0.5 // correlation length of that field, in diameters of the lesion
	farthest = 4.0 // standard deviations within which a redrawn contour stays
)

// Perturbations lists the kinds.
var Perturbations = []string{Shifted, Dilated, Eroded, Redrawn}

// Diameter is that of the disk of the mask's area, in pixels.
func (m *Mask) Diameter() float64 { return 2 * math.Sqrt(float64(m.Area())/math.Pi) }

// Perturb changes an outline by so many pixels: the length of the shift, the distance of dilation or erosion by a
// Euclidean disk, or the standard deviation of the redrawn contour's distance from the true one. Random kinds draw from
// random alone and take the same draws whatever the amount is, so that an outline is perturbed more and more in one way.
// What leaves the image is cut off; the image's border itself does not erode. The result may be empty.
func Perturb(m *Mask, kind string, amount float64, random *rand.Rand) (*Mask, error) {
	if !slices.Contains(Perturbations, kind) || math.IsNaN(amount) || amount < 0 {
		return nil, &problem.Error{What: "unknown perturbation of an outline", Expected: fmt.Sprintf("one of %v by 0 pixels or more", Perturbations), Found: fmt.Sprintf("%s by %g", kind, amount)}
	}
	switch kind {
	case Shifted:
		sin, cos := math.Sincos(2 * math.Pi * random.Float64())
		return m.shift(int(math.Round(amount*cos)), int(math.Round(amount*sin))), nil
	case Dilated:
		return Grow(m, amount, [2]float64{1, 1}), nil
	case Eroded:
		return Grow(m.inverse(), amount, [2]float64{1, 1}).inverse(), nil
	}
	return m.redraw(amount, random), nil
}

// shift moves the region right and down.
func (m *Mask) shift(dx, dy int) *Mask {
	out := NewMask(m.W, m.H)
	for y := max(0, dy); y < min(m.H, m.H+dy); y++ {
		to, from := out.Row(y), m.Row(y-dy)
		copy(to[min(m.W, max(0, dx)):], from[min(m.W, max(0, -dx)):])
	}
	return out
}

// inverse swaps inside and outside.
func (m *Mask) inverse() *Mask {
	out := NewMask(m.W, m.H)
	for i, v := range m.Pix {
		out.Pix[i] = 1 - v
	}
	return out
}

// redraw moves the contour along its normal by a smooth random distance: a Gaussian field of standard deviation sd whose
// correlation falls as exp(-r²/2l²) with the distance r, l being half the lesion's diameter (random Fourier features:
// Rahimi and Recht 2007). A pixel belongs to the new region when its signed distance to the contour is below the field.
func (m *Mask) redraw(sd float64, random *rand.Rand) *Mask {
	f := newField(wander*m.Diameter(), random)
	out := &Mask{W: m.W, H: m.H, Pix: slices.Clone(m.Pix)}
	b := m.Bounds()
	if b.W == 0 || sd == 0 {
		return out
	}
	reach := int(math.Ceil(farthest*sd)) + 1
	box := widen(b, reach, reach, m.W, m.H)
	unit := [2]float64{1, 1}
	outside, inside := squaredDistance(m, box, unit), squaredDistance(m.inverse(), box, unit)
	for y := range box.H {
		row := out.Row(box.Y + y)[box.X : box.X+box.W]
		for x := range row {
			i := y*box.W + x
			// The contour runs between the last pixel inside and the first outside.
			signed := math.Sqrt(outside[i]) - 0.5
			if row[x] == 1 {
				signed = 0.5 - math.Sqrt(inside[i])
			}
			if math.Abs(signed) > farthest*sd {
				continue
			}
			row[x] = 0
			if signed < sd*f.at(float64(box.X+x), float64(box.Y+y)) {
				row[x] = 1
			}
		}
	}
	return out
}

// field is a Gaussian random field of the plane with variance 1, as a sum of waves.
type field struct{ kx, ky, phase [waves]float64 }

func newField(length float64, random *rand.Rand) *field {
	f := &field{}
	for i := range waves {
		f.kx[i], f.ky[i] = random.NormFloat64()/length, random.NormFloat64()/length
		f.phase[i] = 2 * math.Pi * random.Float64()
	}
	return f
}

func (f *field) at(x, y float64) float64 {
	sum := 0.0
	for i := range waves {
		sum += math.Cos(f.kx[i]*x + f.ky[i]*y + f.phase[i])
	}
	return sum * math.Sqrt(2.0/waves)
}
