package finetune

import "sonotype/nn"

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
