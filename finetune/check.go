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
		{"warm_up", c.WarmUp, 0, 10000},
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

// check refuses what cannot be learnt from.
func (j *Job) check() error {
	if err := j.Config.Validate(); err != nil {
		return err
	}
	if j.Config.Epochs < 1 {
		return &problem.Error{What: "there is nothing to train", Found: "network.train.epochs: 0", Try: "set network.train.epochs to 1 or more"}
	}
	of := map[string]string{} // which set a unit is in
	label := map[string]int{}
	for _, s := range []struct {
		words string
		set   []Example
	}{{"training", j.Train}, {"validation", j.Valid}} {
		seen := [2]bool{}
		for i, e := range s.set {
			if e.Label != 0 && e.Label != 1 || e.Unit == "" || e.Crop == nil {
				return j.wrong(fmt.Sprintf("%s image %d cannot be used", s.words, i+1), "label 0 or 1, a unit and a crop", fmt.Sprintf("label %d, unit %q", e.Label, e.Unit), "")
			}
			if other, ok := of[e.Unit]; ok && other != s.words {
				return j.wrong("a patient is trained on and validated with", "each in one part", e.Unit, "split by patient")
			}
			if l, ok := label[e.Unit]; ok && l != e.Label {
				return j.wrong("the images of one patient carry different labels", "one outcome per patient or lesion", e.Unit, "correct the table, or give the lesions their own lesion_id")
			}
			of[e.Unit], label[e.Unit], seen[e.Label] = s.words, e.Label, true
		}
		if seen != [2]bool{true, true} {
			return j.wrong("the "+s.words+" images do not hold both classes", "images of class 0 and of class 1",
				fmt.Sprintf("%d images", len(s.set)), "add patients, change the cut-off of the outcome, or set another network.train.heldout or seed")
		}
	}
	return nil
}

func (j *Job) wrong(what, expected, found, try string) error {
	return &problem.Error{What: fmt.Sprintf("the network %q cannot be trained: %s", j.Name, what), Expected: expected, Found: found, Try: try}
}
