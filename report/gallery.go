package report

import (
	"bytes"
	"encoding/base64"
	"html/template"
	"image"
	"image/color"
	"image/jpeg"

	"golang.org/x/image/draw"
)

// Measures of the gallery: widths in pixels, and the bytes after which no further case is shown, so that the report stays quick to open.
const (
	overlayWidth  = 360
	cropWidth     = 112
	jpegQuality   = 80
	galleryBudget = 3_500_000
)

// galleryPart is a row of the gallery as the page shows it; Omitted counts the cases that no longer fitted.
type galleryPart struct {
	Title   string
	Cases   []galleryCase
	Omitted int
}

type galleryCase struct {
	Patient, Set, Label, Score string
	Overlay, TA, PTA           template.URL
	TACam, PTACam              template.URL
	For                        string // what the maps speak for
	Negated                    bool   // not for a positive
}

// gallery scales the pictures down and turns them into data URIs.
func (s *Study) gallery(step func()) ([]galleryPart, error) {
	used := 0
	var parts []galleryPart
	for _, p := range s.Images.Parts {
		part := galleryPart{Title: p.Title}
		for _, c := range p.Cases {
			if used > galleryBudget {
				part.Omitted++
				continue
			}
			g := s.galleryCase(c)
			for _, picture := range []struct {
				from     image.Image
				width    int
				contours bool
				to       *template.URL
			}{{c.Overlay, overlayWidth, true, &g.Overlay}, {c.TA, cropWidth, false, &g.TA}, {c.PTA, cropWidth, false, &g.PTA},
				{c.TACam, cropWidth, false, &g.TACam}, {c.PTACam, cropWidth, false, &g.PTACam}} {
				uri, err := thumbnail(picture.from, picture.width, picture.contours)
				if err != nil {
					return nil, err
				}
				*picture.to = uri
				used += len(uri)
			}
			part.Cases = append(part.Cases, g)
			step()
		}
		parts = append(parts, part)
	}
	return parts, nil
}

// galleryCase is a case in words, without its pictures.
func (s *Study) galleryCase(c GalleryCase) galleryCase {
	class := map[bool]string{true: s.positive(), false: s.negative()}
	return galleryCase{Patient: c.Patient, Set: c.Set, Score: share(c.Score), Label: class[c.Label == 1], For: class[!c.CamNegative], Negated: c.CamNegative}
}

// thumbnail is the picture at most width pixels wide as a JPEG data URI; empty without a picture. Contours stay visible
// where it has any.
func thumbnail(img image.Image, width int, contours bool) (template.URL, error) {
	if img == nil || img.Bounds().Empty() {
		return "", nil
	}
	b := img.Bounds()
	w := min(width, b.Dx())
	h := max(1, b.Dy()*w/b.Dx())
	var small draw.Image = image.NewRGBA(image.Rect(0, 0, w, h))
	if _, grey := img.(*image.Gray); grey {
		small = image.NewGray(small.Bounds())
	}
	draw.CatmullRom.Scale(small, small.Bounds(), img, b, draw.Src, nil)
	if rgba, ok := img.(*image.RGBA); ok && contours && w < b.Dx() {
		keepContours(small, rgba)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, small, &jpeg.Options{Quality: jpegQuality}); err != nil {
		return "", err
	}
	return template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(out.Bytes())), nil
}

// keepContours paints the contours of a picture, the only coloured pixels of it, onto its smaller copy, where they
// would be too thin to see: a pixel takes the colour of a contour that runs through it or half a pixel beside it.
func keepContours(small draw.Image, from *image.RGBA) {
	b, size := from.Bounds(), small.Bounds()
	scale := float64(b.Dx()) / float64(size.Dx())
	reach := func(v int, end int) (lo, hi int) {
		return max(0, int((float64(v)-0.5)*scale)), min(end, int((float64(v)+1.5)*scale))
	}
	for y := range size.Dy() {
		y0, y1 := reach(y, b.Dy())
		for x := range size.Dx() {
			x0, x1 := reach(x, b.Dx())
			if c, ok := contourColour(from, image.Rect(x0, y0, x1, y1).Add(b.Min)); ok {
				small.Set(x, y, c)
			}
		}
	}
}

// contourColour is the more frequent of the warm (TA) and cool (PTA) colours in a part of a picture that is grey otherwise.
func contourColour(img *image.RGBA, part image.Rectangle) (color.RGBA, bool) {
	const coloured = 40 // difference of red and blue; both contours are far above
	var n [2]int
	var last [2]color.RGBA
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			p := img.Pix[img.PixOffset(x, y):][:3]
			kind := 0
			switch d := int(p[0]) - int(p[2]); {
			case d > coloured:
			case d < -coloured:
				kind = 1
			default:
				continue
			}
			n[kind]++
			last[kind] = color.RGBA{p[0], p[1], p[2], 255}
		}
	}
	if n[1] > n[0] {
		return last[1], true
	}
	return last[0], n[0] > 0
}
