package nn

import "math"

// Loss is the sigmoid focal loss of one logit (Lin et al., Focal loss for dense object detection,
// ICCV 2017; torchvision.ops.sigmoid_focal_loss), of which binary cross-entropy is the case Gamma 0:
//
//	p = sigmoid(z), ce = -y log p - (1-y) log(1-p), q = p(1-y) + (1-p)y
//	loss = w * (alpha y + (1-alpha)(1-y)) * q^gamma * ce
//
// with the smoothed target y' = y(1-s) + s/2 in place of y. The mean over the batch is taken.
type Loss struct {
	Gamma        float64
	Alpha        float64    // weight of the positives, 1-Alpha of the negatives; 0: both 1
	Smoothing    float64    // s
	ClassWeights [2]float64 // w of negatives and positives (targets below .5 and others); both 0: 1
}

// At returns the loss of logit z against target y, and its derivative by z.
func (l Loss) At(z, y float64) (loss, grad float64) {
	weight := 1.0
	if l.ClassWeights != [2]float64{} {
		weight = l.ClassWeights[0]
		if y >= 0.5 {
			weight = l.ClassWeights[1]
		}
	}
	y = y*(1-l.Smoothing) + l.Smoothing/2
	if l.Alpha > 0 {
		weight *= l.Alpha*y + (1-l.Alpha)*(1-y)
	}
	p := 1 / (1 + math.Exp(-z))
	ce := max(z, 0) - z*y + math.Log1p(math.Exp(-math.Abs(z)))
	if l.Gamma == 0 {
		return weight * ce, weight * (p - y)
	}
	q := p*(1-y) + (1-p)*y
	focus := math.Pow(q, l.Gamma)
	slope := 0.0 // of focus by z: gamma q^(gamma-1) (1-2y) p(1-p)
	if q > 0 {
		slope = l.Gamma * focus / q * (1 - 2*y) * p * (1 - p)
	}
	return weight * focus * ce, weight * (slope*ce + focus*(p-y))
}
