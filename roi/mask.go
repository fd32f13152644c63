// Package roi reads lesion masks and turns an image and its mask into the tumour (TA) and peritumoural (PTA) regions and their network inputs.
package roi

import (
	"bytes"

	"sonotype/imaging"
)

// Mask is a binary region: H rows of W pixels, row-major, each 0 or 1.
type Mask struct {
	W, H int
	Pix  []uint8
}

// NewMask returns an empty mask of w x h pixels.
func NewMask(w, h int) *Mask { return &Mask{W: w, H: h, Pix: make([]uint8, w*h)} }

// Row returns row y as a view.
func (m *Mask) Row(y int) []uint8 { return m.Pix[y*m.W : (y+1)*m.W : (y+1)*m.W] }

// Area counts the pixels inside the region.
func (m *Mask) Area() int { return bytes.Count(m.Pix, []byte{1}) }

// Box is a rectangle of pixels: columns X to X+W-1, rows Y to Y+H-1. It may reach outside its image.
type Box struct {
	X int `json:"x"`
	Y int `json:"y"`
	W int `json:"w"`
	H int `json:"h"`
}

// Bounds returns the smallest box around the region; W = H = 0 when it is empty.
func (m *Mask) Bounds() Box {
	x0, x1, y0, y1 := m.W, -1, -1, -1
	for y := range m.H {
		row := m.Row(y)
		first := bytes.IndexByte(row, 1)
		if first < 0 {
			continue
		}
		last := len(row) - 1
		for row[last] == 0 {
			last--
		}
		if y0 < 0 {
			y0 = y
		}
		x0, x1, y1 = min(x0, first), max(x1, last), y
	}
	if y0 < 0 {
		return Box{}
	}
	return Box{X: x0, Y: y0, W: x1 - x0 + 1, H: y1 - y0 + 1}
}

// TouchesEdge reports whether a pixel of the region lies on the image's border.
func (m *Mask) TouchesEdge() bool {
	b := m.Bounds()
	return b.W > 0 && (b.X == 0 || b.Y == 0 || b.X+b.W == m.W || b.Y+b.H == m.H)
}

// gray views the mask as an image with values 0 and 1.
func (m *Mask) gray() *imaging.Gray { return &imaging.Gray{W: m.W, H: m.H, Pix: m.Pix} }

func fromGray(g *imaging.Gray) *Mask { return &Mask{W: g.W, H: g.H, Pix: g.Pix} }
