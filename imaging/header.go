package imaging

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// Limits that a file must keep, all checked before its pixels are decoded. An ultrasound frame has
// about one megapixel; these leave room for anything real and bound what a hostile header can ask for.
const (
	MaxPixels      = 64 << 20  // width x height
	MaxFileBytes   = 128 << 20 // of the file itself
	maxDecodeBytes = 400 << 20 // held by the decoder at its peak, estimated from the header
	maxJPEGScans   = 200       // each scan of a progressive file costs a pass over the image
)

// header is what a file's first bytes declare.
type header struct {
	format    string // "jpeg", "png", "bmp", "tiff"
	w, h      int
	pixelCost int64 // bytes a pixel that decoding holds at its peak
}

// Formats lists the formats that Decode reads, by their names in Info.
func Formats() []string { return []string{"bmp", "jpeg", "png", "tiff"} }

// sniff names the format by its first bytes; "" when it is none that Decode reads.
func sniff(data []byte) string {
	for _, f := range []struct{ magic, format string }{
		{"\x89PNG\r\n\x1a\n", "png"}, {"\xff\xd8\xff", "jpeg"}, {"BM", "bmp"},
		{"II*\x00", "tiff"}, {"MM\x00*", "tiff"},
	} {
		if bytes.HasPrefix(data, []byte(f.magic)) {
			return f.format
		}
	}
	return ""
}

// readHeader reads the size and estimates what decoding will hold, without allocating for pixels.
func readHeader(data []byte) (header, error) {
	h := header{format: sniff(data)}
	var cfg image.Config
	var err error
	r := bytes.NewReader(data)
	switch h.format {
	case "png":
		cfg, err = png.DecodeConfig(r)
		h.pixelCost = pngCost(data)
	case "jpeg":
		// Planes and a converted copy; a progressive file also holds an int32 for every coefficient.
		// Those marker bytes cannot occur in entropy-coded data, and looking for them everywhere
		// leaves nothing for a lying order of segments to gain.
		cfg, err = jpeg.DecodeConfig(r)
		h.pixelCost = 8
		if bytes.Contains(data, []byte{0xff, 0xc2}) {
			h.pixelCost += 16
		}
	case "bmp":
		cfg, err = bmp.DecodeConfig(r)
		h.pixelCost = 4
	case "tiff":
		cfg, err = tiff.DecodeConfig(r)
		h.pixelCost = 8 + 3*8 // the image, and one strip of its size while the buffer doubles
	default:
		return h, fmt.Errorf("not a PNG, JPEG, BMP or TIFF file")
	}
	if err != nil {
		return h, err
	}
	h.w, h.h = cfg.Width, cfg.Height
	return h, h.check(data)
}

// check holds the header against the limits.
func (h header) check(data []byte) error {
	w, ht := int64(h.w), int64(h.h)
	if w < 1 || ht < 1 {
		return fmt.Errorf("an image of %d x %d pixels", w, ht)
	}
	if w > MaxPixels || ht > MaxPixels || w*ht > MaxPixels {
		return fmt.Errorf("%d x %d pixels, more than the limit of %d megapixels", w, ht, MaxPixels>>20)
	}
	if h.format == "jpeg" {
		w, ht = (w+31)&^31, (ht+31)&^31 // whole blocks are decoded, 32 x 32 at most
		if n := bytes.Count(data, []byte{0xff, 0xda}); n > maxJPEGScans {
			return fmt.Errorf("%d scans, more than the limit of %d", n, maxJPEGScans)
		}
	}
	if need := w * ht * (h.pixelCost + 1); need > maxDecodeBytes {
		return fmt.Errorf("%d x %d pixels of this kind take up to %d MB to decode, more than the limit of %d MB",
			h.w, h.h, need>>20, maxDecodeBytes>>20)
	}
	if h.format == "bmp" && w*ht > 8*int64(len(data)) { // never compressed, so at least a bit a pixel
		return fmt.Errorf("%d x %d pixels declared in a file of %d bytes", h.w, h.h, len(data))
	}
	return nil
}

// pngCost estimates the bytes a pixel from the IHDR chunk, which must stand first.
func pngCost(data []byte) int64 {
	const depthAt, colourAt, interlaceAt, palette = 24, 25, 28, 3
	if len(data) <= interlaceAt {
		return 16
	}
	cost := int64(4)
	switch {
	case data[colourAt] == palette:
		cost = 1
	case data[depthAt] == 16:
		cost = 8
	}
	if data[interlaceAt] != 0 {
		cost *= 2 // the passes are held beside the image
	}
	return cost
}
