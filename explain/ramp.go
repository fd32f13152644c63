package explain

import (
	"image/color"
	"math"
)

// The ramp runs through Oklab (Ottosson 2020, bottosson.github.io/posts/oklab), where equal steps look equal: lightness
// rises evenly from dark to light, so that a grey print keeps the order, while the hue turns from violet over red to
// yellow. The chroma is the largest round one that sRGB holds all along.
const (
	darkest, lightest  = 0.25, 0.96
	chroma             = 0.125
	firstHue, lastHue  = 290.0, 465.0 // degrees
	gammaBreak         = 0.0031308    // sRGB's transfer function, IEC 61966-2-1
	gammaSlope         = 12.92
	gammaScale, gammaA = 1.055, 0.055
	gammaPower         = 1 / 2.4
)

// ramp is the colour of a share from 0 to 1.
func ramp(v float64) color.RGBA {
	l := darkest + (lightest-darkest)*v
	sin, cos := math.Sincos((firstHue + (lastHue-firstHue)*v) * math.Pi / 180)
	return fromOklab(l, chroma*cos, chroma*sin)
}

// fromOklab is the 8-bit sRGB colour of Oklab coordinates inside its gamut.
func fromOklab(lightness, a, b float64) color.RGBA {
	cube := func(x float64) float64 { return x * x * x }
	l := cube(lightness + 0.3963377774*a + 0.2158037573*b)
	m := cube(lightness - 0.1055613458*a - 0.0638541728*b)
	s := cube(lightness - 0.0894841775*a - 1.2914855480*b)
	return color.RGBA{
		R: encode(4.0767416621*l - 3.3077115913*m + 0.2309699292*s),
		G: encode(-1.2684380046*l + 2.6097574011*m - 0.3413193965*s),
		B: encode(-0.0041960863*l - 0.7034186147*m + 1.7076147010*s),
		A: 255,
	}
}

// encode is sRGB's transfer function of a linear intensity, in 8 bits.
func encode(v float64) uint8 {
	v = min(max(v, 0), 1)
	if v <= gammaBreak {
		v *= gammaSlope
	} else {
		v = gammaScale*math.Pow(v, gammaPower) - gammaA
	}
	return uint8(math.Round(255 * v))
}
