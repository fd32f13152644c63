package nn_test

import (
	"math"
	"testing"

	"sonotype/internal/golden"
	"sonotype/nn"
)

// Losses and derivatives are torchvision's and autograd's.
func TestLossIsTorchvisions(t *testing.T) {
	var want struct {
		golden.Meta
		Losses []struct {
			Gamma        float64    `json:"gamma"`
			Alpha        float64    `json:"alpha"`
			Smoothing    float64    `json:"smoothing"`
			ClassWeights [2]float64 `json:"class_weights"`
			Cases        []struct {
				Z    float64 `json:"z"`
				Y    float64 `json:"y"`
				Loss float64 `json:"loss"`
				Grad float64 `json:"grad"`
			} `json:"cases"`
		} `json:"losses"`
	}
	golden.Load(t, "testdata/oracle/loss.json", &want)
	for _, o := range want.Losses {
		l := nn.Loss{Gamma: o.Gamma, Alpha: o.Alpha, Smoothing: o.Smoothing, ClassWeights: o.ClassWeights}
		for _, c := range o.Cases {
			loss, grad := l.At(c.Z, c.Y)
			if !(math.Abs(loss-c.Loss) <= want.Tolerance*max(1, c.Loss)) || !(math.Abs(grad-c.Grad) <= want.Tolerance*max(1, math.Abs(c.Grad))) {
				t.Errorf("%+v at %v, %v: %v and %v, want %v and %v", l, c.Z, c.Y, loss, grad, c.Loss, c.Grad)
			}
		}
	}
}
