package imaging

import (
	"image"
	"image/color"
)

// chroma is the spread of a pixel's channels above which it counts as coloured.
const chroma = 40

// luma is OpenCV 4.6's RGB2GRAY: 0.299 R + 0.587 G + 0.114 B with 15-bit weights, rounded half up.
func luma(r, g, b uint8) uint8 {
	return uint8((9798*uint32(r) + 19235*uint32(g) + 3735*uint32(b) + 1<<14) >> 15)
}

// ToGray converts a decoded image to 8-bit grey as Decode does.
func ToGray(img image.Image) *Gray { return toGray(img, new(Info)) }

// toGray converts any image that the decoders return and completes info with what it saw.
func toGray(img image.Image, info *Info) *Gray {
	b := img.Bounds()
	g := NewGray(b.Dx(), b.Dy())
	c := greyScan{}
	switch m := img.(type) {
	case *image.Gray:
		for y := range g.H {
			copy(g.Row(y), m.Pix[y*m.Stride:])
		}
		for _, v := range g.Pix {
			c.peak = max(c.peak, uint16(v))
		}
	case *image.Paletted:
		c.paletted(g, m)
	case *image.RGBA:
		c.bytes4(g, m.Pix, m.Stride)
	case *image.NRGBA:
		c.bytes4(g, m.Pix, m.Stride)
	case *image.Gray16:
		c.words(g, m.Pix, m.Stride, 1)
	case *image.RGBA64:
		c.words(g, m.Pix, m.Stride, 4)
	case *image.NRGBA64:
		c.words(g, m.Pix, m.Stride, 4)
	case *image.YCbCr:
		for y := range g.H {
			for x := range g.W {
				i, j := m.YOffset(b.Min.X+x, b.Min.Y+y), m.COffset(b.Min.X+x, b.Min.Y+y)
				r, gg, bb := color.YCbCrToRGB(m.Y[i], m.Cb[j], m.Cr[j])
				g.Pix[y*g.W+x] = c.rgb(r, gg, bb)
			}
		}
	default: // CMYK
		for y := range g.H {
			for x := range g.W {
				r, gg, bb, _ := img.At(b.Min.X+x, b.Min.Y+y).RGBA()
				g.Pix[y*g.W+x] = c.rgb(uint8(r>>8), uint8(gg>>8), uint8(bb>>8))
			}
		}
	}
	info.Peak, info.Alpha = int(c.peak), c.alpha
	info.ColourFraction = float64(c.coloured) / float64(len(g.Pix))
	return g
}

// greyScan gathers, while pixels are converted, what Info reports about them.
type greyScan struct {
	coloured int
	peak     uint16
	alpha    bool
}

// rgb converts one 8-bit pixel.
func (c *greyScan) rgb(r, g, b uint8) uint8 {
	hi, lo := max(r, g, b), min(r, g, b)
	if hi-lo > chroma {
		c.coloured++
	}
	c.peak = max(c.peak, uint16(hi))
	return luma(r, g, b)
}

// bytes4 converts rows of R, G, B, A bytes; the colour of a transparent pixel counts as stored.
func (c *greyScan) bytes4(g *Gray, pix []uint8, stride int) {
	for y := range g.H {
		row, out := pix[y*stride:y*stride+4*g.W], g.Row(y)
		for x := range out {
			p := row[4*x : 4*x+4 : 4*x+4]
			out[x] = c.rgb(p[0], p[1], p[2])
			c.alpha = c.alpha || p[3] != 255
		}
	}
}

// words converts rows of big-endian 16-bit samples, one or four a pixel, by their high bytes.
func (c *greyScan) words(g *Gray, pix []uint8, stride, channels int) {
	for y := range g.H {
		row, out := pix[y*stride:y*stride+2*channels*g.W], g.Row(y)
		for x := range out {
			p := row[2*channels*x : 2*channels*(x+1)]
			peak := c.peak
			if channels == 1 {
				out[x] = p[0]
				peak = max(peak, uint16(p[0])<<8|uint16(p[1]))
			} else {
				out[x] = c.rgb(p[0], p[2], p[4])
				for i := 0; i < 6; i += 2 {
					peak = max(peak, uint16(p[i])<<8|uint16(p[i+1]))
				}
				c.alpha = c.alpha || p[6] != 255 || p[7] != 255
			}
			c.peak = peak
		}
	}
}

// paletted looks pixels up and reports on the entries that the image uses.
func (c *greyScan) paletted(g *Gray, m *image.Paletted) {
	var grey [256]uint8
	var seen [256]int
	for i := range min(len(m.Palette), 256) {
		grey[i] = luma(straight(m.Palette[i]))
	}
	for y := range g.H {
		out := g.Row(y)
		for x, v := range m.Pix[y*m.Stride : y*m.Stride+g.W] {
			out[x] = grey[v]
			seen[v]++
		}
	}
	coloured := 0
	for i := range min(len(m.Palette), 256) {
		if seen[i] == 0 {
			continue
		}
		c.coloured = 0
		c.rgb(straight(m.Palette[i]))
		coloured += c.coloured * seen[i]
		if _, _, _, a := m.Palette[i].RGBA(); a != 0xffff {
			c.alpha = true
		}
	}
	c.coloured = coloured
}

// straight returns the 8-bit colour as stored, before alpha.
func straight(c color.Color) (r, g, b uint8) {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	return n.R, n.G, n.B
}
