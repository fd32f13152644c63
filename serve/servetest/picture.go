// Package servetest makes pictures for the tests of the server and its pages.
package servetest

import (
	"bytes"
	"image"
	"image/png"
)

// Picture is a w x h PNG, black but for the box, which is white.
func Picture(w, h int, box image.Rectangle) []byte {
	img := image.NewGray(image.Rect(0, 0, w, h))
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			img.Pix[y*w+x] = 255
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err) // a buffer takes everything
	}
	return b.Bytes()
}
