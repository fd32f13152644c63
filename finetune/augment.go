package finetune

import (
	"math"
	"math/rand/v2"

	"sonotype/imaging"
)

// change is what augmentation does to one image, once.
type change struct {
	flip          bool    // mirrored, left for right, before all else
	scale, angle  float64 // then larger by scale and turned by angle (radians, from right to down) about the centre
	dx, dy        float64 // then moved, px to the right and down
	gain, gamma   float64 // grey v becomes 255 gain (v/255)^gamma
	speckle       float64 // relative standard deviation of the grain
	warped, toned bool    // anything of the first three lines, of the last two
}

// draw takes a change of a crop of side pixels. It draws the same numbers whatever is switched off.
func (a AugmentConfig) draw(r *rand.Rand, side int) change {
	signed := func(most float64) float64 { return most * (2*r.Float64() - 1) }
	factor := func(most float64) float64 { return math.Exp(signed(math.Log1p(most))) }
	c := change{
		flip: r.Float64() < a.Flip,
		dx:   signed(a.Shift * float64(side)), dy: signed(a.Shift * float64(side)),
		scale: factor(a.Scale), angle: signed(a.Rotation * math.Pi / 180),
		gain: factor(a.Gain), gamma: factor(a.Contrast),
		speckle: a.Speckle * r.Float64(),
	}
	c.warped = c.flip || a.Shift > 0 || a.Scale > 0 || a.Rotation > 0
	c.toned = a.Gain > 0 || a.Contrast > 0 || a.Speckle > 0
	return c
}

// apply writes the changed src to dst (grey, 0 to 255), taking the grain from r. What is black stays black: outside
// the region a crop is 0, and so is what comes in from beyond its sides.
func (c change) apply(dst []float32, src *imaging.Gray, r *rand.Rand) {
	if c.warped {
		c.warp(dst, src)
	} else {
		for i, v := range src.Pix {
			dst[i] = float32(v)
		}
	}
	if c.toned {
		c.tone(dst, src.W, r)
	}
}

// warp resamples src once, bilinearly: the value at a pixel of dst is that at the point of src which comes to lie there.
func (c change) warp(dst []float32, src *imaging.Gray) {
	cx, cy := float64(src.W-1)/2, float64(src.H-1)/2
	cos, sin := math.Cos(c.angle)/c.scale, math.Sin(c.angle)/c.scale
	mirror := 1.0
	if c.flip {
		mirror = -1
	}
	stepX, stepY := float32(mirror*cos), float32(-sin) // of the point for a pixel to the right
	for y := range src.H {
		u, v := -cx-c.dx, float64(y)-cy-c.dy // of the row's first pixel, from the centre
		x0, y0 := float32(cx+mirror*(u*cos+v*sin)), float32(cy-u*sin+v*cos)
		row := dst[y*src.W:][:src.W]
		for x := range row {
			row[x] = at(src, x0+float32(x)*stepX, y0+float32(x)*stepY)
		}
	}
}

// at interpolates src between its pixels' centres, which have whole coordinates; beyond its sides it is 0.
func at(src *imaging.Gray, x, y float32) float32 {
	if !(x > -1 && y > -1 && x < float32(src.W) && y < float32(src.H)) {
		return 0
	}
	left, top := int(x+1)-1, int(y+1)-1 // rounded down
	fx, fy := x-float32(left), y-float32(top)
	var p [4]float32
	if left >= 0 && top >= 0 && left+1 < src.W && top+1 < src.H {
		i := top*src.W + left
		p = [4]float32{float32(src.Pix[i]), float32(src.Pix[i+1]), float32(src.Pix[i+src.W]), float32(src.Pix[i+src.W+1])}
	} else {
		for k := range p {
			if px, py := left+k%2, top+k/2; px >= 0 && py >= 0 && px < src.W && py < src.H {
				p[k] = float32(src.Pix[py*src.W+px])
			}
		}
	}
	upper, lower := p[0]+fx*(p[1]-p[0]), p[2]+fx*(p[3]-p[2])
	return upper + fy*(lower-upper)
}

// tone changes the grey curve of an image and multiplies by the grain, both of which leave 0 as it is, and clamps to 0..255.
//
// Gain and contrast are those of the scanner's grey map as far as it can be known from a stored image: a factor and
// an exponent. A shift of all greys, as gain in dB would be, would tear the region from the black around it.
func (c change) tone(x []float32, width int, r *rand.Rand) {
	var curve [257]float32 // at whole greys, one more for the interpolation at 255
	for i := range curve {
		curve[i] = float32(255 * c.gain * math.Pow(float64(i)/255, c.gamma))
	}
	speckle, row := newGrain(r, width), make([]float32, width)
	sd := float32(c.speckle)
	for i, v := range x {
		if i%width == 0 {
			speckle.row(row)
		}
		if v <= 0 {
			x[i] = 0
			continue
		}
		v = min(v, 255)
		k := int(v)
		v = curve[k] + (v-float32(k))*(curve[k+1]-curve[k])
		v *= 1 + sd*row[i%width]
		x[i] = max(0, min(v, 255))
	}
}
