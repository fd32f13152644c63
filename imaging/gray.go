// Package imaging turns image files into 8-bit grey pixels and resizes, filters, crops and hashes them as OpenCV 4.6 does.
package imaging

import "image"

// Gray is an 8-bit grey image: H rows of W pixels, row-major, without padding (len(Pix) = W*H).
type Gray struct {
	W, H int
	Pix  []uint8
}

// NewGray returns a black image of w x h pixels.
func NewGray(w, h int) *Gray { return &Gray{W: w, H: h, Pix: make([]uint8, w*h)} }

// Row returns row y as a view.
func (g *Gray) Row(y int) []uint8 { return g.Pix[y*g.W : (y+1)*g.W : (y+1)*g.W] }

// Edges are the pixels to cut off each side of an image.
type Edges struct {
	Left   int `json:"left" yaml:"left"`
	Top    int `json:"top" yaml:"top"`
	Right  int `json:"right" yaml:"right"`
	Bottom int `json:"bottom" yaml:"bottom"`
}

// Zero reports whether nothing is cut.
func (e Edges) Zero() bool { return e == Edges{} }

// Fits reports whether the edges are not negative and leave at least one pixel of a w x h image.
func (e Edges) Fits(w, h int) bool {
	return e.Left >= 0 && e.Top >= 0 && e.Right >= 0 && e.Bottom >= 0 &&
		e.Left < w && e.Right < w && e.Top < h && e.Bottom < h &&
		e.Left+e.Right < w && e.Top+e.Bottom < h
}

// CropEdges cuts the edges off src; edges that do not fit (see Edges.Fits) leave a copy of src.
func CropEdges(src *Gray, e Edges) *Gray {
	if !e.Fits(src.W, src.H) {
		e = Edges{}
	}
	dst := NewGray(src.W-e.Left-e.Right, src.H-e.Top-e.Bottom)
	for y := range dst.H {
		copy(dst.Row(y), src.Row(y + e.Top)[e.Left:])
	}
	return dst
}

// FitWithin returns the largest size with the aspect of w x h that fits in maxW x maxH,
// each side rounded half up and at least 1.
func FitWithin(w, h, maxW, maxH int) (fw, fh int) {
	if w*maxH >= h*maxW { // the width binds
		return maxW, min(maxH, max(1, (2*h*maxW+w)/(2*w)))
	}
	return min(maxW, max(1, (2*w*maxH+h)/(2*h))), maxH
}

// PadOffset is where Pad puts the left (or top) side: half of what is left over, rounded down.
func PadOffset(inner, outer int) int { return (outer - inner) / 2 }

// Pad puts src in the centre of a black w x h image without scaling it; the odd pixel left over
// goes to the right and the bottom. A src larger than w x h is returned as it is.
func Pad(src *Gray, w, h int) *Gray {
	if src.W > w || src.H > h || (src.W == w && src.H == h) {
		return src
	}
	dst := NewGray(w, h)
	x0, y0 := PadOffset(src.W, w), PadOffset(src.H, h)
	for y := range src.H {
		copy(dst.Row(y + y0)[x0:], src.Row(y))
	}
	return dst
}

// Image returns the pixels as a view for the standard library's encoders and drawing.
func (g *Gray) Image() *image.Gray {
	return &image.Gray{Pix: g.Pix, Stride: g.W, Rect: image.Rect(0, 0, g.W, g.H)}
}
