package study

import (
	"fmt"
	"strings"
	"time"

	"sonotype/finetune"
	"sonotype/report"
)

// What the report and the command line say of the training, in sentences.

// networkTitle names a network, e.g. "PTA network" or "TA network of fold 2".
func networkTitle(region string, fold int) string {
	title := map[string]string{"ta": "TA network", "pta": "PTA network", shared: "network"}[region]
	if fold != finalFit {
		title += fmt.Sprintf(" of fold %d", fold+1)
	}
	return title
}

// progressInWords is the line that the training shows while it runs.
func progressInWords(title string, s finetune.Progress) string {
	words := fmt.Sprintf("%s, epoch %d/%d: loss %.3f, accuracy %.2f, AUC %.2f", title, s.Epoch, s.Epochs, s.Loss, s.Accuracy, s.AUC)
	if v := float64(s.ValidLoss); v == v {
		words += fmt.Sprintf("; held out: loss %.3f, AUC %.2f", s.ValidLoss, s.ValidAUC)
	}
	return words + fmt.Sprintf("; %.1f images/s, %s left", s.ImagesPerSecond, timeLeft(s.Left))
}

func timeLeft(d time.Duration) string {
	switch {
	case d >= time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	case d >= time.Minute:
		return fmt.Sprintf("%d min", int(d.Minutes()+0.5))
	}
	return fmt.Sprintf("%d s", int(d.Seconds()+0.5))
}

// recipeInWords says how a network was trained.
func recipeInWords(c finetune.Config) string {
	parts := []string{fmt.Sprintf("at most %d epochs in batches of %d", c.Epochs, c.Batch), optimiserInWords(c), lossInWords(c)}
	if c.Clip > 0 {
		parts = append(parts, fmt.Sprintf("gradients clipped at a norm of %g", c.Clip))
	}
	switch c.Freeze {
	case "all":
		parts = append(parts, "only the classifier learning")
	case "all-but-last-block":
		parts = append(parts, "only the last dense block and the classifier learning")
	}
	if c.FreezeNorm {
		parts = append(parts, "batch normalisations as they were")
	}
	parts = append(parts, augmentInWords(c.Augment))
	if c.Patience > 0 {
		parts = append(parts, fmt.Sprintf("stopped after %d epochs without a lower held-out loss", c.Patience))
	}
	return strings.Join(parts, "; ")
}

func optimiserInWords(c finetune.Config) string {
	words := fmt.Sprintf("%s with a %s learning rate, at most %g at the head", map[string]string{"adam": "Adam", "adamw": "AdamW", "sgd": "SGD"}[c.Optimizer], c.Schedule, c.Rate)
	if c.WarmUp > 0 {
		words += fmt.Sprintf(", a warm-up of %g epochs", c.WarmUp)
	}
	if c.Optimizer == "sgd" {
		words += fmt.Sprintf(", momentum %g", c.Momentum)
	}
	if c.WeightDecay > 0 {
		words += fmt.Sprintf(", weight decay %g", c.WeightDecay)
	}
	if c.LayerDecay < 1 {
		words += fmt.Sprintf(", the rate times %g for each part back from the head", c.LayerDecay)
	}
	return words
}

func lossInWords(c finetune.Config) string {
	words := "binary cross-entropy"
	if c.Loss == "focal" {
		words = fmt.Sprintf("focal loss (alpha %g, gamma %g)", c.Alpha, c.Gamma)
	}
	if c.Smoothing > 0 {
		words += fmt.Sprintf(", labels smoothed by %g", c.Smoothing)
	}
	if c.ClassWeights == "balanced" {
		words += ", classes balanced"
	}
	return words
}

func augmentInWords(a finetune.AugmentConfig) string {
	var parts []string
	add := func(v float64, format string, arg float64) {
		if v > 0 {
			parts = append(parts, fmt.Sprintf(format, arg))
		}
	}
	add(a.Flip, "mirrored with probability %g", a.Flip)
	add(a.Shift, "shifted by up to %.3g %%", 100*a.Shift)
	add(a.Scale, "scaled by up to %.3g %%", 100*a.Scale)
	add(a.Rotation, "rotated by up to %g degrees", a.Rotation)
	add(a.Gain, "gain changed by up to %.3g %%", 100*a.Gain)
	add(a.Contrast, "contrast by up to %.3g %%", 100*a.Contrast)
	add(a.Speckle, "speckle of up to %.3g %%", 100*a.Speckle)
	if len(parts) == 0 {
		return "no augmentation"
	}
	return "images " + strings.Join(parts, ", ")
}

// keptInWords says how the epoch was chosen whose weights are used.
func keptInWords(p *Plan) string {
	if p.Network.Train.Select == "accuracy" {
		return "best accuracy, then least loss, on the held-out patients"
	}
	return "least loss on the held-out patients"
}

// trainingInWords is the methods' paragraph on the training; none without it.
func (a *assembly) trainingInWords() []string {
	p := &a.run.Plan
	final := a.networks.of(finalFit)
	if len(final) == 0 {
		return nil
	}
	t, h := final[0].Train, final[0].Heldout
	whom := "once for TA and once for PTA"
	if p.Network.Train.Shared {
		whom = "one network for TA and PTA together"
	}
	var kept []string
	for _, n := range final {
		kept = append(kept, fmt.Sprintf("%s: epoch %d of %d", networkTitle(n.Region, n.Fold), n.Kept, len(n.History)))
	}
	words := fmt.Sprintf("%s, begun with weights %q (%s), was fine-tuned to the outcome, %s, on %d patients (%d images, %d patients positive) drawn at random from the training set, stratified by outcome. The other %d training patients (%d images, %d patients positive) were held out: they changed no weight, and chose the epoch (%s; %s). No patient of a test set reached a network or that choice. Recipe: %s.",
		a.features.Backbone, p.Network.Weights, a.features.Weights, whom, t.Patients, t.Images, t.Positive, h.Patients, h.Images, h.Positive,
		keptInWords(p), strings.Join(kept, ", "), recipeInWords(p.Network.Train.Config))
	if p.crossfits() {
		words += fmt.Sprintf(" For the scores of the training patients, networks of the same recipe were trained in each of %d folds without the fold's patients (cross-fitting).", p.Split.Folds)
	}
	return []string{words}
}

// learnersInWords names the patients that selection and models learn from.
func learnersInWords(p *Plan) string {
	if p.fitOn() == fitOnHeldout {
		return "held-out part of the training set"
	}
	return "training set"
}

// honestSetInWords names the patients with honest training scores.
func honestSetInWords(p *Plan) string {
	if p.trains() && !p.crossfits() {
		return "held-out part of the training set"
	}
	return "training set"
}

// honestInWords says which training scores the threshold, the calibration and the Kaplan-Meier cut come from.
func honestInWords(p *Plan) string {
	switch {
	case !p.trains():
		return fmt.Sprintf("Training scores are out-of-fold: selection and model were refitted in each of %d folds without the fold's patients.", p.Split.Folds)
	case p.crossfits():
		return fmt.Sprintf("Training scores are out-of-fold: networks, selection and model were made anew in each of %d folds without the fold's patients. Optimistic training AUCs, of features of networks that had learnt from the patients, are shown beside.", p.Split.Folds)
	}
	return fmt.Sprintf("Training scores are out-of-fold (selection and model were refitted in each of %d folds without the fold's patients) and only those of held-out patients, whom the network did not learn from, are used: for the threshold, the calibration, the Kaplan-Meier cut and the choice of the primary model. They are conditional on the network, whose epoch these patients helped to choose. Optimistic AUCs of all training patients are shown beside.", p.Split.Folds)
}

// trainingDeviations lists how the training differs from the published one.
func trainingDeviations(p *Plan) []string {
	if !p.trains() {
		return []string{"The network is not fine-tuned (network.train.epochs: 0): features come from the weights as they are."}
	}
	out := []string{fmt.Sprintf("The network's split divides the training patients, by patient (%.3g %% held out); the published study does not say that its 2:1 split lies inside the training set, or goes by patient.", 100*p.Network.Train.Heldout)}
	if p.Network.Weights == "random" {
		out = append(out, "The training begins with random weights; the published one began with ImageNet's.")
	}
	if p.Preset == "rigorous" {
		out = append(out, "The recipe of the training is gentler than the published one (Adam at 0.001, 100 epochs): "+recipeInWords(p.Network.Train.Config)+".")
	}
	if !p.crossfits() {
		out = append(out, "Threshold, calibration and Kaplan-Meier cut come from the patients that the network did not learn from; the published study does not say whose scores it used.")
	}
	return out
}

// fewHeldout is how many held-out patients of the smaller class a threshold needs, as a rule of thumb.
const fewHeldout = 30

// trainingWarnings say where the training undermines the headline.
func (a *assembly) trainingWarnings() []string {
	p := &a.run.Plan
	final := a.networks.of(finalFit)
	if len(final) == 0 {
		return nil
	}
	var out []string
	if p.Network.Weights == "random" {
		out = append(out, "The networks were trained from random weights: with few patients they learn less than from ImageNet's (network.weights).")
	}
	for _, n := range final {
		if v := n.Valid; !(v.Lo > 0.5) {
			out = append(out, fmt.Sprintf("The %s did not learn what carries over: on its held-out patients it reaches an AUC of %.2f (95 %% CI %.2f to %.2f), which chance explains.", networkTitle(n.Region, n.Fold), v.AUC, v.Lo, v.Hi))
		}
	}
	h := final[0].Heldout
	if few := min(h.Positive, h.Patients-h.Positive); few < fewHeldout && !p.crossfits() {
		out = append(out, fmt.Sprintf("Threshold, calibration and Kaplan-Meier cut rest on %d held-out patients, %d of them in the smaller class (network.train.crossfit uses all training patients).", h.Patients, few))
	}
	return out
}

// networkSoftware lists the trained networks' hashes.
func (a *assembly) networkSoftware() []report.Setting {
	var out []report.Setting
	for _, n := range a.networks.of(finalFit) {
		out = append(out, report.Setting{Name: networkTitle(n.Region, n.Fold), Value: "sha256 " + n.TensorsHash})
	}
	return out
}
