package report

import (
	"bytes"
	"encoding/base64"
	"html/template"
	"image"
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
	Positive                   bool
	Overlay, TA, PTA           template.URL
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
			g := galleryCase{Patient: c.Patient, Set: c.Set, Score: share(c.Score), Positive: c.Label == 1, Label: s.negative()}
			if g.Positive {
				g.Label = s.positive()
			}
			for _, picture := range []struct {
				from  image.Image
				width int
				to    *template.URL
			}{{c.Overlay, overlayWidth, &g.Overlay}, {c.TA, cropWidth, &g.TA}, {c.PTA, cropWidth, &g.PTA}} {
				uri, err := thumbnail(picture.from, picture.width)
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

// thumbnail is the picture at most width pixels wide as a JPEG data URI; empty without a picture.
func thumbnail(img image.Image, width int) (template.URL, error) {
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
	var out bytes.Buffer
	if err := jpeg.Encode(&out, small, &jpeg.Options{Quality: jpegQuality}); err != nil {
		return "", err
	}
	return template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(out.Bytes())), nil
}
