package roi

import "sonotype/imaging"

// ImageNet's channel means and standard deviations on 0..1, with which torchvision's networks were trained.
var (
	ImageNetMean = [3]float32{0.485, 0.456, 0.406}
	ImageNetStd  = [3]float32{0.229, 0.224, 0.225}
)

// Normalise fills dst (3 x H x W) with the crop repeated in three channels, each (v/255 - mean) / std in
// float32, step by step as torchvision's ToTensor and Normalize.
func Normalise(crop *imaging.Gray, dst []float32) {
	n := len(crop.Pix)
	for c := range 3 {
		var table [256]float32
		for v := range table {
			unit := float32(v) / 255
			table[v] = (unit - ImageNetMean[c]) / ImageNetStd[c]
		}
		out := dst[c*n : (c+1)*n]
		for i, v := range crop.Pix {
			out[i] = table[v]
		}
	}
}
