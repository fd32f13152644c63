package explain

import (
	"image"
	"image/color"
	"math"
	"testing"

	"sonotype/imaging"
	"sonotype/internal/rng"
)

// The enlargement is PyTorch's.
func TestEnlargeIsTorchs(t *testing.T) {
	o := load(t)
	var cam []float32
	for _, row := range o.Negative {
		for _, v := range row {
			cam = append(cam, float32(v))
		}
	}
	h := len(o.Negative)
	got := enlarge(shareOfLargest(cam), h, h, o.Enlarged.Height, o.Enlarged.Width)
	for i, want := range o.Enlarged.Values {
		if math.Abs(got[i]-want) > 1e-6 {
			t.Fatalf("pixel %d: %v, want %v", i, got[i], want)
		}
	}
}

// The ramp gets lighter all the way, by even steps of perceived lightness, and never leaves sRGB.
func TestRampRises(t *testing.T) {
	before := -1.0
	for i := range 256 {
		v := float64(i) / 255
		c := ramp(v)
		y := luminance(c)
		if y <= before {
			t.Fatalf("at %.3f the luminance falls from %.4f to %.4f", v, before, y)
		}
		before = y
		for _, channel := range []uint8{c.R, c.G, c.B} {
			if channel == 0 || channel == 255 && v < 0.9 {
				t.Errorf("at %.3f the colour %v is at the edge of sRGB", v, c)
			}
		}
	}
	if dark, light := luminance(ramp(0)), luminance(ramp(1)); dark > 0.03 || light < 0.8 {
		t.Errorf("luminance from %.3f to %.3f", dark, light)
	}
	// white, by Oklab's definition
	if c := fromOklab(1, 0, 0); c != (color.RGBA{255, 255, 255, 255}) {
		t.Errorf("white is %v", c)
	}
}

// luminance is WCAG's relative luminance.
func luminance(c color.RGBA) float64 {
	linear := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

func sampleCrop(w, h int) *imaging.Gray {
	r := rng.Stream(3, "crop")
	g := imaging.NewGray(w, h)
	for i := range g.Pix {
		g.Pix[i] = uint8(r.IntN(200))
	}
	return g
}

// Without a map the crop stands alone.
func TestOverlayWithoutMap(t *testing.T) {
	crop := sampleCrop(17, 13)
	nan := float32(math.NaN())
	for name, cam := range map[string][]float32{"zeros": make([]float32, 6), "below zero": {-1, -2, -3, -1, -1, -1}, "not finite": {nan, float32(math.Inf(1)), 0, 0, 0, nan}, "too short": {1, 2}, "none": nil} {
		img := Overlay(crop, cam, 2, 3)
		for i, v := range crop.Pix {
			if got := img.At(i%17, i/17); got != (color.RGBA{v, v, v, 255}) {
				t.Fatalf("%s: pixel %d is %v, the crop has %d", name, i, got, v)
			}
		}
	}
}

// The largest value is drawn in the lightest colour, where the map is zero the crop stays, and the line of half the
// largest value stands between: light inside, dark outside.
func TestOverlayShowsThePlace(t *testing.T) {
	crop := imaging.NewGray(80, 40)
	for i := range crop.Pix {
		crop.Pix[i] = 100
	}
	img := Overlay(crop, []float32{0, 0, 0, 3}, 1, 4).(*image.RGBA)
	if img.Rect != image.Rect(0, 0, 80, 40) {
		t.Fatal(img.Rect)
	}
	if got := img.RGBAAt(5, 20); got != (color.RGBA{100, 100, 100, 255}) {
		t.Errorf("zero: %v", got)
	}
	top := ramp(1)
	if got := img.RGBAAt(79, 20); got.R != uint8(math.Round(25+.75*float64(top.R))) || got.G != uint8(math.Round(25+.75*float64(top.G))) || got.B != uint8(math.Round(25+.75*float64(top.B))) {
		t.Errorf("largest: %v over 100 by 0.75 of %v", got, top)
	}
	dark, light := img.RGBAAt(59, 20), img.RGBAAt(60, 20) // half of the way from 50 to 70
	if dark != rims[false] || light != rims[true] {
		t.Errorf("the line at half: %v, %v", dark, light)
	}
	grey := func(x int) float64 { return luminance(img.RGBAAt(x, 20)) }
	if !(grey(79) > grey(65) && grey(65) > grey(61)) {
		t.Errorf("grey print: %.3f, %.3f, %.3f", grey(79), grey(65), grey(61))
	}
}
