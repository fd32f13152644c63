package finetune

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"sonotype/nn"
)

// rate is the learning rate of a step, counted from 0 over the whole training of perEpoch steps an epoch: first in
// equal parts up to Rate (PyTorch's LinearLR from 1/n), then constant or along half a cosine (CosineAnnealingLR, which
// would reach 0 with the step after the last).
func (c Config) rate(step, perEpoch int) float64 {
	steps := c.Epochs * perEpoch
	warm := int(math.Round(min(c.WarmUp, float64(c.Epochs)/2) * float64(perEpoch)))
	switch {
	case step < warm:
		return c.Rate * float64(step+1) / float64(warm)
	case c.Schedule == "cosine":
		return c.Rate * (1 + math.Cos(math.Pi*float64(step-warm)/float64(steps-warm))) / 2
	}
	return c.Rate
}

// hyper are the settings of a step at a learning rate.
func (c Config) hyper(rate float64, l nn.Loss) nn.Hyper {
	h := nn.Hyper{Rate: rate, WeightDecay: c.WeightDecay, Momentum: c.Momentum, ClipNorm: c.Clip, Loss: l}
	switch c.Optimizer {
	case "adam":
		h.Optimizer = nn.Adam
	case "adamw":
		h.Optimizer = nn.AdamW
	case "sgd":
		h.Optimizer = nn.SGD
	}
	return h
}

// factors are what each parameter's rate is multiplied by: 0 where it is frozen, LayerDecay to the power of the number
// of parts between it and the head elsewhere.
func (c Config) factors(specs []nn.ParamSpec, blocks int) map[string]float64 {
	out := make(map[string]float64, len(specs))
	for _, s := range specs {
		if strings.Contains(s.Name, ".running_") {
			continue
		}
		back := part(s.Name, blocks)
		frozen := c.Freeze == "all" && back > 0 || c.Freeze == "all-but-last-block" && back > 1 ||
			c.FreezeNorm && strings.Contains(s.Name, "norm")
		if frozen {
			out[s.Name] = 0
		} else {
			out[s.Name] = math.Pow(c.LayerDecay, float64(back))
		}
	}
	return out
}

var blockName = regexp.MustCompile(`^features\.(?:denseblock|transition)(\d+)\.`)

// part counts parts of a DenseNet back from its head: the classifier is 0; the last block with the normalisation behind
// it is 1; a block before it, with the transition that follows it, is one more; the stem is blocks + 1.
func part(name string, blocks int) int {
	if m := blockName.FindStringSubmatch(name); m != nil {
		block, _ := strconv.Atoi(m[1]) // digits only
		return blocks - block + 1
	}
	switch {
	case strings.HasPrefix(name, "classifier."):
		return 0
	case strings.HasPrefix(name, "features.norm5."):
		return 1
	}
	return blocks + 1
}
