package imaging

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"os"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"sonotype/internal/problem"
)

// Info describes an image file as stored, before anything is done to it.
type Info struct {
	Format         string  `json:"format"` // "png", "jpeg", "bmp", "tiff"
	Width          int     `json:"width"`
	Height         int     `json:"height"`
	Bits           int     `json:"bits"`            // per channel: 8 or 16
	Peak           int     `json:"peak"`            // largest sample at that depth (a 12-bit image in 16 bits stays below 4096)
	Alpha          bool    `json:"alpha"`           // some pixel is not opaque; alpha is ignored for the grey value
	ColourFraction float64 `json:"colour_fraction"` // pixels whose largest and smallest channel differ by more than 40 of 255
}

// Decode reads the image at path as 8-bit grey; see DecodeBytes. Errors are *problem.Error and name the file.
func Decode(path string) (*Gray, Info, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, Info{}, err
	}
	return DecodeBytes(path, data)
}

// DecodeBytes decodes a PNG, JPEG, BMP or TIFF file held in memory; name stands in its errors.
// Colour becomes grey by OpenCV's formula, 16 bits keep the high byte, palettes are looked up, and
// alpha and EXIF orientation are ignored, all as OpenCV and ITK do. Sizes are checked first: see MaxPixels.
func DecodeBytes(name string, data []byte) (*Gray, Info, error) {
	img, info, err := DecodeImage(name, data)
	if err != nil {
		return nil, Info{}, err
	}
	g := toGray(img, &info)
	return g, info, nil
}

// DecodeImage decodes under the same limits without converting the pixels; of Info it fills
// Format, Width, Height and Bits.
func DecodeImage(name string, data []byte) (image.Image, Info, error) {
	h, err := readHeader(data)
	if err != nil {
		return nil, Info{}, unreadable(name, err)
	}
	var img image.Image
	r := bytes.NewReader(data)
	switch h.format {
	case "png":
		img, err = png.Decode(r)
	case "jpeg":
		img, err = jpeg.Decode(r)
	case "bmp":
		img, err = bmp.Decode(r)
	case "tiff":
		img, err = tiff.Decode(r)
	}
	if err == nil && (img.Bounds().Dx() != h.w || img.Bounds().Dy() != h.h) {
		err = fmt.Errorf("the header declares %d x %d pixels, the data hold %d x %d", h.w, h.h, img.Bounds().Dx(), img.Bounds().Dy())
	}
	if err != nil {
		return nil, Info{}, unreadable(name, err)
	}
	return img, Info{Format: h.format, Width: h.w, Height: h.h, Bits: depth(img)}, nil
}

func unreadable(name string, err error) error {
	return &problem.Error{What: "the image cannot be read", File: name, Err: err,
		Expected: "a whole PNG, JPEG, BMP or TIFF file",
		Try:      "open it in an image viewer and save it again, as 8-bit PNG where possible"}
}

func depth(img image.Image) int {
	switch img.(type) {
	case *image.Gray16, *image.RGBA64, *image.NRGBA64:
		return 16
	}
	return 8
}

// readFile reads a regular file of at most MaxFileBytes.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &problem.Error{What: "the image file is missing", File: path,
			Try: "check the path in the cohort table; paths are relative to the table"}
	}
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("not a regular file")
	}
	if err == nil && st.Size() > MaxFileBytes {
		err = fmt.Errorf("%d MB, more than the limit of %d MB", st.Size()>>20, MaxFileBytes>>20)
	}
	var data []byte
	if err == nil {
		data = make([]byte, st.Size())
		_, err = io.ReadFull(f, data)
	}
	if err != nil {
		return nil, unreadable(path, err)
	}
	return data, nil
}
