package synth

import (
	"image"
	"math"
	"math/rand/v2"

	"sonotype/internal/rng"
)

// exam is one finished image with what the table and the mask need.
type exam struct {
	image  *image.Gray
	mask   []uint8 // 0/1, the reader's contour, as large as the image
	pixel  float64 // mm
	device string
}

// body is one patient's build around the lesion, in mm.
type body struct {
	anatomy
	depth                 float64 // of the image
	lesionZ               float64 // depth of the lesion's centre
	halfWidth, halfHeight float64 // of the lesion
}

// render images one patient: everything random comes from the patient's own streams.
func render(p patient, c Config) exam {
	l := drawLatent(p, rng.Stream(c.Seed, "synth", "latent", p.id))
	r := rng.Stream(c.Seed, "synth", "image", p.id)
	d := drawDevice(p.centre, r)
	b := drawBuild(p, r)
	w, h, f := canvas(d, c, r)
	v := fieldOfView(w, h, f, b.depth, d.array)
	g := v.grid()
	les := drawLesion(lesionX(g, b, r), b.lesionZ, b.halfWidth, b.halfHeight, drawSigns(l, r), r)
	s := buildScene(g, b.anatomy, r)
	les.paint(s, r)
	d.probe.focus = b.lesionZ + 3*r.NormFloat64()
	d.probe.penetration *= 0.6 + 0.4*b.depth/40
	env := acquire(s, d.probe, r)
	grey := compress(env, d.picture, gainSD*r.NormFloat64())
	picture := enhance(scanConvert(g, grey, v), v.w, v.h, d.picture)

	e := exam{image: image.NewGray(image.Rect(0, 0, w, h)), mask: make([]uint8, w*h), pixel: v.pixel, device: d.name}
	slope := 0.0
	if r.Float64() < d.sector {
		slope = 0.10 + 0.08*r.Float64()
	}
	place(e.image, picture, v, slope)
	drawFrame(e.image, v, f)
	if r.Float64() < d.caliper {
		drawCalipers(e.image, v, les)
	}
	for row := range v.h {
		for col := range v.w {
			if x, z := v.mm(col, row); les.contains(x, z) {
				e.mask[(v.y+row)*w+v.x+col] = 1
			}
		}
	}
	return e
}

// drawBuild draws the lesion's size from the T stage (as far as an image holds it), the layers around it and the image depth.
func drawBuild(p patient, r *rand.Rand) body {
	diameter := 8 + 12*r.Float64() // T1, and T4 by ingrowth may be any size
	switch p.factors["t_stage"] {
	case "2":
		diameter = 20 + 10*r.Float64()*r.Float64()
	case "3":
		diameter = 27 + 5*r.Float64()
	case "4":
		diameter = 14 + 16*r.Float64()
	}
	var b body
	ratio := min(1.2, max(0.45, 0.75+0.17*r.NormFloat64())) // height to width
	b.halfWidth = diameter / 2 / max(1, ratio)
	b.halfHeight = min(11, b.halfWidth*ratio)
	b.density = r.Float64()
	b.skinTop = 0.5 + 0.3*r.Float64()
	b.skinBottom = b.skinTop + 1.1 + 0.9*r.Float64()
	b.glandTop = b.skinBottom + 2.5 + 7*r.Float64()
	thick := max(8+8*r.Float64(), 2*b.halfHeight*(0.9+0.4*r.Float64())+2)
	b.lesionZ = max(b.glandTop+thick*(0.4+0.15*r.Float64()), b.skinBottom+1.5+1.3*b.halfHeight)
	b.glandBottom = max(b.glandTop+thick, b.lesionZ+0.9*b.halfHeight)
	b.muscleTop = b.glandBottom + 0.8 + 2.5*r.Float64()
	b.muscleBottom = b.muscleTop + 5 + 4*r.Float64()
	need := max(b.lesionZ+1.4*b.halfHeight+4, b.muscleTop+1+9*r.Float64())
	b.depth = max(25, 5*math.Ceil(need/5)) // depth settings go by 5 mm
	return b
}

// lesionX centres the lesion roughly, wholly inside the field.
func lesionX(g grid, b body, r *rand.Rand) float64 {
	x := g.width()/2 + 0.07*g.width()*r.NormFloat64()
	room := 1.45*b.halfWidth + 2
	return max(room, min(g.width()-room, x))
}

// canvas is the image size and frame: the device's own, or the configured size without a frame.
func canvas(d device, c Config, r *rand.Rand) (w, h int, f frame) {
	size := d.sizes[r.IntN(len(d.sizes))]
	if c.Width > 0 && c.Height > 0 {
		return c.Width, c.Height, frame{}
	}
	return size[0], size[1], d.frame
}

// fieldOfView fits depth mm into the height left by the frame, and no more than the array's width across.
func fieldOfView(w, h int, f frame, depth, array float64) raster {
	v := raster{x: f.left, y: f.top, w: w - f.left - f.right, h: h - f.top - f.bottom}
	v.pixel = depth / float64(v.h)
	if room := int(array / v.pixel); room < v.w {
		v.x += (v.w - room) / 2
		v.w = room
	}
	return v
}
