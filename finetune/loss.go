package finetune

import (
	"math"

	"sonotype/nn"
)

// loss is the recipe's loss; balanced class weights are images / (2 images of the class), as scikit-learn's.
func (c Config) loss(train []Example) nn.Loss {
	l := nn.Loss{Smoothing: c.Smoothing}
	if c.Loss == "focal" {
		l.Alpha, l.Gamma = c.Alpha, c.Gamma
	}
	if c.ClassWeights == "balanced" {
		positive := 0
		for _, e := range train {
			positive += e.Label
		}
		n := float64(len(train))
		l.ClassWeights = [2]float64{n / (2 * (n - float64(positive))), n / (2 * float64(positive))}
	}
	return l
}

// lossAt is l's value (see nn.Loss) for logit z and label y, for images that are judged and not learnt from.
func lossAt(l nn.Loss, z float64, y int) float64 {
	weight := 1.0
	if l.ClassWeights != [2]float64{} {
		weight = l.ClassWeights[y]
	}
	t := float64(y)*(1-l.Smoothing) + l.Smoothing/2
	if l.Alpha > 0 {
		weight *= l.Alpha*t + (1-l.Alpha)*(1-t)
	}
	p := sigmoid(z)
	ce := max(z, 0) - z*t + math.Log1p(math.Exp(-math.Abs(z)))
	return weight * math.Pow(p*(1-t)+(1-p)*t, l.Gamma) * ce
}
