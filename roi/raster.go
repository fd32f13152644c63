package roi

import (
	"fmt"
	"image"
	"io"
	"slices"

	"sonotype/imaging"
	"sonotype/internal/problem"
)

// readRaster reads a mask drawn in an image file. Where the lesion is, in this order:
//
//   - an alpha channel that holds both 0 and 255 is the mask: alpha >= 128;
//   - a lossless image whose samples all lie in the lower half of their range, with at most 16
//     different ones, is a label map (0, 1, 2 ... or a palette of dark colours): anything but 0;
//   - else grey >= half of the range (128 of 255), colours through OpenCV's grey formula.
//
// Palettes are looked up first. The rule that was used stands in MaskInfo.Rule.
func readRaster(name string, r io.Reader) (*Mask, MaskInfo, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFileBytes+1))
	if err != nil {
		return nil, MaskInfo{}, err
	}
	if len(data) > maxFileBytes {
		return nil, MaskInfo{}, fmt.Errorf("more than the limit of %d MB", maxFileBytes>>20)
	}
	img, file, err := imaging.DecodeImage(name, data)
	if p, ok := problem.As(err); ok {
		return nil, MaskInfo{}, p.Err
	}
	info := MaskInfo{Format: file.Format, Slice: 1, Slices: 1}
	values, full := alphaSamples(img), uint16(255)
	if values != nil {
		info.Rule = "alpha >= 128"
	} else {
		values, full = greySamples(img)
	}
	half := full/2 + 1
	hist := histogram(values)
	threshold := half
	if info.Rule == "" {
		info.Rule = fmt.Sprintf("value >= %d", half)
		if file.Format != "jpeg" && isLabelMap(hist, half) {
			threshold, info.Rule = 1, "value >= 1 (label map)"
		}
	}
	m := NewMask(file.Width, file.Height)
	for i, v := range values {
		if v >= threshold {
			m.Pix[i] = 1
		}
	}
	distinct := 0
	for v, n := range hist {
		if v == 0 || n == 0 {
			continue
		}
		if distinct++; distinct <= maxListed {
			info.Labels = append(info.Labels, float64(v))
		}
	}
	info.NonBinary = distinct > 1
	return m, info, nil
}

func histogram(values []uint16) []int {
	hist := make([]int, 1<<16)
	for _, v := range values {
		hist[v]++
	}
	return hist
}

// isLabelMap reports few, low and not only zero samples.
func isLabelMap(hist []int, half uint16) bool {
	distinct := 0
	for v, n := range hist {
		if n > 0 && v >= int(half) {
			return false
		}
		if n > 0 && v > 0 {
			distinct++
		}
	}
	return distinct > 0 && distinct <= maxListed
}

// alphaSamples returns the 8-bit alpha of each pixel when it holds both 0 and 255, else nil.
func alphaSamples(img image.Image) []uint16 {
	if o, ok := img.(interface{ Opaque() bool }); !ok || o.Opaque() {
		return nil
	}
	b := img.Bounds()
	out := make([]uint16, 0, b.Dx()*b.Dy())
	for y := b.Min.Y; y < b.Max.Y; y++ {
		if n, ok := img.(*image.NRGBA); ok { // what PNG gives; the general way is slow
			for row := n.Pix[n.PixOffset(b.Min.X, y):][:4*b.Dx()]; len(row) > 0; row = row[4:] {
				out = append(out, uint16(row[3]))
			}
			continue
		}
		for x := b.Min.X; x < b.Max.X; x++ {
			_, _, _, a := img.At(x, y).RGBA()
			out = append(out, uint16(a>>8))
		}
	}
	if !slices.Contains(out, 0) || !slices.Contains(out, 255) {
		return nil
	}
	return out
}

// greySamples returns each pixel's grey value and the largest that the depth allows.
func greySamples(img image.Image) ([]uint16, uint16) {
	if g, ok := img.(*image.Gray16); ok {
		out := make([]uint16, 0, len(g.Pix)/2)
		for y := range g.Rect.Dy() {
			row := g.Pix[y*g.Stride:][:2*g.Rect.Dx()]
			for i := 0; i < len(row); i += 2 {
				out = append(out, uint16(row[i])<<8|uint16(row[i+1]))
			}
		}
		return out, 1<<16 - 1
	}
	g := imaging.ToGray(img)
	out := make([]uint16, len(g.Pix))
	for i, v := range g.Pix {
		out[i] = uint16(v)
	}
	return out, 255
}
