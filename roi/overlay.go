package roi

import (
	"image"
	"image/color"
	"image/draw"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	xdraw "golang.org/x/image/draw"

	"sonotype/imaging"
)

// Colours of the regions, from the Okabe-Ito palette: TA orange, PTA sky blue.
var (
	ColourTA  = color.RGBA{230, 159, 0, 255}
	ColourPTA = color.RGBA{86, 180, 233, 255}
)

// Overlay draws the contours of TA and of the grown region (TA and PTA together) on the standardised
// image, two pixels wide, without the padding.
func Overlay(r *Regions) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, r.Image.W, r.Image.H))
	for i, v := range r.Image.Pix {
		p := img.Pix[4*i : 4*i+4]
		p[0], p[1], p[2], p[3] = v, v, v, 255
	}
	grown := NewMask(r.TA.W, r.TA.H)
	for i := range grown.Pix {
		grown.Pix[i] = r.TA.Pix[i] | r.PTA.Pix[i]
	}
	drawContour(img, grown, ColourPTA)
	drawContour(img, r.TA, ColourTA)
	c := r.Content
	return img.SubImage(image.Rect(c.X, c.Y, c.X+c.W, c.Y+c.H))
}

// drawContour paints the contour pixels and those next to them inside the region.
func drawContour(img *image.RGBA, m *Mask, c color.RGBA) {
	edge := m.contour()
	inner := minus(m, edge).contour()
	for i := range m.Pix {
		if edge.Pix[i]|inner.Pix[i] != 0 {
			img.SetRGBA(i%m.W, i/m.W, c)
		}
	}
}

// Cells of a contact sheet, in pixels.
const (
	cellW, cellH = 320, 240
	cellGap      = 6
	labelH       = 18
)

// ContactSheet lays images out in rows of cols cells, each scaled to fit 320 x 240 with its aspect kept and
// centred on black, with labels[i] above image i (labels may be shorter or nil).
func ContactSheet(images []image.Image, cols int, labels []string) *image.RGBA {
	cols = max(1, min(cols, len(images)))
	rows := (len(images) + cols - 1) / cols
	stepX, stepY := cellW+cellGap, cellH+labelH+cellGap
	sheet := image.NewRGBA(image.Rect(0, 0, cols*stepX+cellGap, rows*stepY+cellGap))
	draw.Draw(sheet, sheet.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	for i, img := range images {
		x, y := cellGap+i%cols*stepX, cellGap+i/cols*stepY
		if i < len(labels) {
			write(sheet, x, y+labelH-5, labels[i])
		}
		cell := image.Rect(x, y+labelH, x+cellW, y+labelH+cellH)
		draw.Draw(sheet, cell, image.Black, image.Point{}, draw.Src)
		place(sheet, cell, img)
	}
	return sheet
}

// write puts one line of text, cut to the width of a cell.
func write(dst draw.Image, x, y int, text string) {
	face := basicfont.Face7x13
	runes := []rune(text)
	d := font.Drawer{Dst: dst, Src: image.Black, Face: face, Dot: fixed.P(x, y)}
	d.DrawString(string(runes[:min(len(runes), cellW/face.Advance)]))
}

func place(dst draw.Image, cell image.Rectangle, img image.Image) {
	b := img.Bounds()
	if b.Empty() {
		return
	}
	w, h := imaging.FitWithin(b.Dx(), b.Dy(), cell.Dx(), cell.Dy())
	x, y := cell.Min.X+(cell.Dx()-w)/2, cell.Min.Y+(cell.Dy()-h)/2
	xdraw.CatmullRom.Scale(dst, image.Rect(x, y, x+w, y+h), img, b, draw.Src, nil)
}
