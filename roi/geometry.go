package roi

import (
	"fmt"
	"math"
	"slices"

	"sonotype/imaging"
	"sonotype/internal/problem"
)

// Geometry says how an image and its mask become regions and network inputs; it is recorded with the run.
type Geometry struct {
	Width      int                      `json:"width" yaml:"width"`             // of the standardised image, px
	Height     int                      `json:"height" yaml:"height"`           // of the standardised image, px
	Fit        string                   `json:"fit" yaml:"fit"`                 // "stretch", or "pad": aspect kept, centred on black
	Interp     string                   `json:"interp" yaml:"interp"`           // "linear", "cubic" or "area", as OpenCV; masks are always nearest
	MeanFilter int                      `json:"mean_filter" yaml:"mean_filter"` // side of the mean filter, odd; 1 = none
	Crop       map[string]imaging.Edges `json:"crop,omitempty" yaml:"crop"`     // edges cut first, by device; "" or "*" is every other device
	Growth     float64                  `json:"growth" yaml:"growth"`           // radius of the disk that grows the ROI
	GrowthUnit string                   `json:"growth_unit" yaml:"growth_unit"` // "px" of the standardised grid, or "mm"
	PTA        string                   `json:"pta" yaml:"pta"`                 // "ring" = grown minus ROI, "whole" = grown
	Context    string                   `json:"context" yaml:"context"`         // "masked": outside the region is 0; "box": it is kept
	Frame      int                      `json:"frame" yaml:"frame"`             // px around the region's bounding square
	Input      int                      `json:"input" yaml:"input"`             // side of the network's input, px
}

// Defaults is the geometry of the method with the aspect kept (the rigorous preset).
func Defaults() Geometry {
	return Geometry{
		Width: 960, Height: 720, Fit: "pad", Interp: "linear", MeanFilter: 3,
		Growth: 10, GrowthUnit: "px", PTA: "ring", Context: "masked", Frame: 2, Input: 224,
	}
}

// Validate reports the first setting that cannot be used.
func (g Geometry) Validate() error {
	bad := func(key, expected string, found any) error {
		return &problem.Error{What: "the geometry cannot be used: " + key, Expected: expected,
			Found: fmt.Sprint(found), Try: "change " + key + " in the study file"}
	}
	const maxSide = 8192
	switch {
	case g.Width < 16 || g.Width > maxSide:
		return bad("width", "16 to 8192 px", g.Width)
	case g.Height < 16 || g.Height > maxSide:
		return bad("height", "16 to 8192 px", g.Height)
	case !slices.Contains([]string{"stretch", "pad"}, g.Fit):
		return bad("fit", "stretch or pad", g.Fit)
	case !slices.Contains([]string{"linear", "cubic", "area"}, g.Interp):
		return bad("interp", "linear, cubic or area", g.Interp)
	case g.MeanFilter < 1 || g.MeanFilter > imaging.MaxBlur || g.MeanFilter%2 == 0:
		return bad("mean_filter", "an odd number from 1 (none) to 31", g.MeanFilter)
	case math.IsNaN(g.Growth) || g.Growth <= 0 || g.Growth > 1000:
		return bad("growth", "more than 0, at most 1000", g.Growth)
	case !slices.Contains([]string{"px", "mm"}, g.GrowthUnit):
		return bad("growth_unit", "px or mm", g.GrowthUnit)
	case !slices.Contains([]string{"ring", "whole"}, g.PTA):
		return bad("pta", "ring or whole", g.PTA)
	case !slices.Contains([]string{"masked", "box"}, g.Context):
		return bad("context", "masked or box", g.Context)
	case g.Frame < 0 || g.Frame > 1000:
		return bad("frame", "0 to 1000 px", g.Frame)
	case g.Input < 16 || g.Input > 2048:
		return bad("input", "16 to 2048 px", g.Input)
	}
	for device, e := range g.Crop {
		if e.Left < 0 || e.Top < 0 || e.Right < 0 || e.Bottom < 0 {
			return bad("crop of device "+device, "edges of 0 or more pixels", fmt.Sprintf("%+v", e))
		}
	}
	return nil
}

// Edges returns the crop of a device: its own entry, else "*", else "" (none when there is no entry).
func (g Geometry) Edges(device string) imaging.Edges {
	for _, k := range []string{device, "*", ""} {
		if e, ok := g.Crop[k]; ok {
			return e
		}
	}
	return imaging.Edges{}
}
