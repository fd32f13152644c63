// Package explain draws what a network looked at: Grad-CAM maps of a trained classifier, their picture over the crop,
// and the check that the maps depend on what was learnt.
package explain

// CAM is the Grad-CAM map (Selvaraju et al., ICCV 2017) of one image for a network that ends in global average
// pooling and one linear unit: features is the last feature map A in C,H,W order (c x h x w), weight the unit's c
// weights. There the gradient of the logit by every value of channel k is weight[k]/(h*w), so the map
//
//	ReLU(sum over k of weight[k]*A[k]) / (h*w)
//
// is exact and needs no backward pass. Its values sum to the logit less the bias where no value is cut at zero.
// positive asks what speaks for the positive class; otherwise the weights are negated, which asks what speaks for
// the negative one. The map has h x w values, row by row, none below zero. Nil if the lengths do not fit.
func CAM(features []float32, c, h, w int, weight []float32, positive bool) []float32 {
	if c < 1 || h < 1 || w < 1 || len(weight) != c || len(features) != c*h*w {
		return nil
	}
	sum := make([]float64, h*w)
	for k, v := range weight {
		channel := features[k*h*w:][:h*w]
		for i, a := range channel {
			sum[i] += float64(v) * float64(a)
		}
	}
	sign := 1.0
	if !positive {
		sign = -1
	}
	out := make([]float32, h*w)
	for i, v := range sum {
		out[i] = float32(max(sign*v, 0) / float64(h*w))
	}
	return out
}
