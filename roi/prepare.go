package roi

import (
	"fmt"

	"sonotype/imaging"
	"sonotype/internal/problem"
)

// Regions are an image and its lesion on the standardised grid, and the network's inputs.
type Regions struct {
	Image     *imaging.Gray `json:"-"`           // standardised: cropped, resized, filtered, padded
	TA        *Mask         `json:"-"`           // tumour area, on the grid of Image
	PTA       *Mask         `json:"-"`           // peritumoural area, on the grid of Image
	TACrop    *imaging.Gray `json:"-"`           // Input x Input
	PTACrop   *imaging.Gray `json:"-"`           // Input x Input
	TABox     Box           `json:"ta_box"`      // the square that TACrop shows; it may reach outside Image
	PTABox    Box           `json:"pta_box"`     // the square that PTACrop shows
	TAArea    int           `json:"ta_area"`     // pixels
	PTAArea   int           `json:"pta_area"`    // pixels
	Content   Box           `json:"content"`     // where the image lies on the grid; the rest is padding
	Scale     [2]float64    `json:"scale"`       // grid pixels per original pixel, across and down
	PixelMM   [2]float64    `json:"pixel_mm"`    // size of a grid pixel; 0 when unknown
	CutByCrop int           `json:"cut_by_crop"` // lesion pixels of the original that the edge crop removed
}

// Prepare takes an image and its mask of the same size through the geometry: the device's edge crop, the
// fit to Width x Height with the mean filter, growth on that grid, and the crops. spacing is the size of
// an original pixel in mm, 0 when unknown. Under "pad" the filter runs before the black is put on, and
// the peritumoural area ends at the image, never in the padding.
// Errors are *problem.Error without a file: the caller knows it.
func Prepare(img *imaging.Gray, m *Mask, spacing [2]float64, device string, g Geometry) (*Regions, error) {
	if err := g.Validate(); err != nil {
		return nil, err
	}
	r := &Regions{}
	img, m, err := r.cropEdges(img, m, g.Edges(device), device)
	if err != nil {
		return nil, err
	}
	if err := r.standardise(img, m, spacing, g); err != nil {
		return nil, err
	}
	if err := r.grow(g); err != nil {
		return nil, err
	}
	r.TABox, r.PTABox = square(r.TA.Bounds(), g.Frame), square(r.PTA.Bounds(), g.Frame)
	r.TAArea, r.PTAArea = r.TA.Area(), r.PTA.Area()
	r.TACrop = cutOut(r.Image, r.TA, r.TABox, g)
	r.PTACrop = cutOut(r.Image, r.PTA, r.PTABox, g)
	return r, nil
}

// cropEdges checks the pair and cuts the device's edges off both.
func (r *Regions) cropEdges(img *imaging.Gray, m *Mask, e imaging.Edges, device string) (*imaging.Gray, *Mask, error) {
	size := fmt.Sprintf("%d x %d", img.W, img.H)
	if img.W != m.W || img.H != m.H {
		return nil, nil, &problem.Error{What: "image and mask differ in size", Expected: size,
			Found: fmt.Sprintf("%d x %d", m.W, m.H), Try: "draw the mask on this image, without resampling either"}
	}
	whole := m.Area()
	if whole == 0 {
		return nil, nil, &problem.Error{What: "the mask is empty", Expected: "a lesion", Try: "draw the lesion, or exclude the row"}
	}
	if e.Zero() {
		return img, m, nil
	}
	if !e.Fits(img.W, img.H) {
		return nil, nil, &problem.Error{What: "the edge crop leaves nothing of the image", Found: fmt.Sprintf("%+v of %s", e, size),
			Try: "change the crop of device " + device}
	}
	m = fromGray(imaging.CropEdges(m.gray(), e))
	if r.CutByCrop = whole - m.Area(); r.CutByCrop == whole {
		return nil, nil, &problem.Error{What: "the edge crop removes the whole lesion", Found: fmt.Sprintf("%+v of %s", e, size),
			Try: "change the crop of device " + device}
	}
	return imaging.CropEdges(img, e), m, nil
}

// standardise puts image and mask on the grid.
func (r *Regions) standardise(img *imaging.Gray, m *Mask, spacing [2]float64, g Geometry) error {
	w, h := g.Width, g.Height
	if g.Fit == "pad" {
		w, h = imaging.FitWithin(img.W, img.H, w, h)
	}
	in, err := imaging.ParseInterp(g.Interp)
	if err != nil {
		return err
	}
	r.Content = Box{X: imaging.PadOffset(w, g.Width), Y: imaging.PadOffset(h, g.Height), W: w, H: h}
	r.Scale = [2]float64{float64(w) / float64(img.W), float64(h) / float64(img.H)}
	if spacing[0] > 0 && spacing[1] > 0 {
		r.PixelMM = [2]float64{spacing[0] / r.Scale[0], spacing[1] / r.Scale[1]}
	}
	r.Image = imaging.Pad(imaging.Blur(imaging.Resize(img, w, h, in), g.MeanFilter), g.Width, g.Height)
	r.TA = fromGray(imaging.Pad(imaging.Resize(m.gray(), w, h, imaging.Nearest), g.Width, g.Height))
	if r.TA.Bounds().W == 0 {
		return &problem.Error{What: "the lesion vanishes when the mask is resized",
			Found: fmt.Sprintf("%d lesion pixels of %d x %d on a grid of %d x %d", m.Area(), m.W, m.H, w, h),
			Try:   "check the mask for stray pixels, or use a larger grid"}
	}
	return nil
}

// grow makes the peritumoural area.
func (r *Regions) grow(g Geometry) error {
	unit := [2]float64{1, 1}
	if g.GrowthUnit == "mm" {
		if unit = r.PixelMM; unit[0] == 0 {
			return &problem.Error{What: "the growth is in mm but the pixel size is unknown",
				Expected: "pixel_mm in the cohort table, or a mask with spacing",
				Try:      "fill pixel_mm, or set growth_unit: px"}
		}
	}
	grown := Grow(r.TA, g.Growth, unit)
	clipTo(grown, r.Content)
	r.PTA = grown
	if g.PTA == "ring" {
		r.PTA = minus(grown, r.TA)
	}
	if r.PTA.Bounds().W == 0 {
		return &problem.Error{What: "the peritumoural ring is empty",
			Found: fmt.Sprintf("a growth of %g %s around %d pixels", g.Growth, g.GrowthUnit, r.TA.Area()),
			Try:   "use a larger growth; if the mask covers the whole image, draw the lesion only"}
	}
	return nil
}

// clipTo empties a mask outside box.
func clipTo(m *Mask, box Box) {
	if box.W == m.W && box.H == m.H {
		return
	}
	for y := range m.H {
		row := m.Row(y)
		if y < box.Y || y >= box.Y+box.H {
			clear(row)
			continue
		}
		clear(row[:box.X])
		clear(row[box.X+box.W:])
	}
}

// square returns the square around a box, centred (an odd pixel goes right and down), with a frame.
func square(b Box, frame int) Box {
	side := max(b.W, b.H) + 2*frame
	return Box{X: b.X - (side-b.W)/2, Y: b.Y - (side-b.H)/2, W: side, H: side}
}

// cutOut copies a square of the image, black outside the image and, unless the context is kept,
// outside the region, and resizes it to the network's input.
func cutOut(img *imaging.Gray, m *Mask, box Box, g Geometry) *imaging.Gray {
	cut := imaging.NewGray(box.W, box.H)
	x0, x1 := max(box.X, 0), min(box.X+box.W, img.W)
	for y := max(box.Y, 0); y < min(box.Y+box.H, img.H); y++ {
		to := cut.Row(y - box.Y)[x0-box.X:]
		from, in := img.Row(y)[x0:x1], m.Row(y)[x0:x1]
		if g.Context == "box" {
			copy(to, from)
			continue
		}
		for x, v := range from {
			to[x] = v & -in[x] // in is 0 or 1
		}
	}
	return imaging.Resize(cut, g.Input, g.Input, imaging.Linear)
}
