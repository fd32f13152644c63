package synth

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// drawFrame prints what scanners print around the field: a probe label and a depth scale with a tick every 5 mm.
func drawFrame(dst *image.Gray, v raster, f frame) {
	if f.label == "" {
		return
	}
	if f.top >= 12 {
		text(dst, 4, 11, f.label, 150)
	}
	x, digit := v.x+v.w+3, v.x+v.w+9
	if f.left > f.right {
		x, digit = v.x-6, v.x-15
	}
	for mm := 0.0; mm < float64(v.h)*v.pixel; mm += 5 {
		y := v.y + int(mm/v.pixel)
		long := 2
		if math.Mod(mm, 10) == 0 {
			long = 4
			if mm > 0 && max(f.left, f.right) >= 20 {
				text(dst, digit, y+4, fmt.Sprint(int(mm/10)), 130)
			}
		}
		for k := range long {
			set(dst, x+k, y, 150)
		}
	}
}

// drawCalipers burns the sonographer's marks in: four crosses at the lesion's ends and the sizes underneath.
func drawCalipers(dst *image.Gray, v raster, l *lesion) {
	for _, a := range []int{0, angles / 4, angles / 2, 3 * angles / 4} {
		t := 2 * math.Pi * float64(a) / angles
		x, y := v.px(l.x+l.drawn[a]*math.Cos(t), l.z+l.drawn[a]*math.Sin(t))
		for k := -4; k <= 4; k++ {
			set(dst, x+k, y, 235)
			set(dst, x, y+k, 235)
		}
	}
	size := fmt.Sprintf("+%.1fmm  x%.1fmm", l.drawn[0]+l.drawn[angles/2], l.drawn[angles/4]+l.drawn[3*angles/4])
	text(dst, v.x+6, v.y+v.h-6, size, 225)
}

func set(dst *image.Gray, x, y int, grey uint8) {
	if image.Pt(x, y).In(dst.Rect) {
		dst.Pix[y*dst.Stride+x] = grey
	}
}

func text(dst *image.Gray, x, y int, s string, grey uint8) {
	d := font.Drawer{Dst: dst, Src: image.NewUniform(color.Gray{Y: grey}), Face: basicfont.Face7x13, Dot: fixed.P(x, y)}
	d.DrawString(s)
}
