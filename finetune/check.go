package finetune

import (
	"fmt"
	"slices"
	"strings"

	"sonotype/internal/problem"
)

// Validate checks every setting; its errors name the key in study.yaml.
func (c Config) Validate() error {
	for _, s := range []struct {
		key, got string
		want     []string
	}{
		{"optimizer", c.Optimizer, []string{"adam", "adamw", "sgd"}},
		{"schedule", c.Schedule, []string{"constant", "cosine"}},
		{"loss", c.Loss, []string{"bce", "focal"}},
		{"class_weights", c.ClassWeights, []string{"none", "balanced"}},
		{"freeze", c.Freeze, []string{"none", "all-but-last-block", "all"}},
		{"select", c.Select, []string{"accuracy", "loss"}},
	} {
		if !slices.Contains(s.want, s.got) {
			return invalid(s.key, strings.Join(s.want, ", "), s.got)
		}
	}
	for _, s := range []struct {
		key         string
		got, lo, hi float64
	}{
		{"epochs", float64(c.Epochs), 0, 10000},
		{"batch", float64(c.Batch), 1, 256},
		{"rate", c.Rate, 1e-8, 1},
		{"weight_decay", c.WeightDecay, 0, 1},
		{"momentum", c.Momentum, 0, 0.999},
		{"warm_up", c.WarmUp, 0, float64(c.Epochs)},
		{"alpha", c.Alpha, 0, 0.999},
		{"gamma", c.Gamma, 0, 10},
		{"smoothing", c.Smoothing, 0, 0.5},
		{"clip", c.Clip, 0, 1e6},
		{"layer_decay", c.LayerDecay, 0.01, 1},
		{"patience", float64(c.Patience), 0, 10000},
		{"augment.flip", c.Augment.Flip, 0, 1},
		{"augment.shift", c.Augment.Shift, 0, 0.5},
		{"augment.scale", c.Augment.Scale, 0, 1},
		{"augment.rotation", c.Augment.Rotation, 0, 90},
		{"augment.gain", c.Augment.Gain, 0, 1},
		{"augment.contrast", c.Augment.Contrast, 0, 1},
		{"augment.speckle", c.Augment.Speckle, 0, 1},
	} {
		if !(s.got >= s.lo && s.got <= s.hi) {
			return invalid(s.key, fmt.Sprintf("between %g and %g", s.lo, s.hi), s.got)
		}
	}
	return nil
}

func invalid(key, want string, got any) error {
	return &problem.Error{What: "the study's network.train." + key + " is not valid", Expected: want, Found: fmt.Sprint(got)}
}
