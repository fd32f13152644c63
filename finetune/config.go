package finetune

// Config is the recipe of a training: study.yaml's network.train.
type Config struct {
	Epochs       int           `yaml:"epochs" json:"epochs"` // at most; 0 = no training
	Batch        int           `yaml:"batch" json:"batch"`
	Optimizer    string        `yaml:"optimizer" json:"optimizer"` // adam | adamw | sgd
	Rate         float64       `yaml:"rate" json:"rate"`           // learning rate at the head
	WeightDecay  float64       `yaml:"weight_decay" json:"weight_decay"`
	Momentum     float64       `yaml:"momentum" json:"momentum"` // of sgd
	Schedule     string        `yaml:"schedule" json:"schedule"` // constant | cosine (to 0 at the last of Epochs)
	WarmUp       float64       `yaml:"warm_up" json:"warm_up"`   // epochs in which the rate grows to Rate; at most half of Epochs
	Loss         string        `yaml:"loss" json:"loss"`         // bce | focal
	Alpha        float64       `yaml:"alpha" json:"alpha"`       // of focal: weight of the positives, 1-alpha of the negatives; 0 = both 1
	Gamma        float64       `yaml:"gamma" json:"gamma"`       // of focal
	Smoothing    float64       `yaml:"smoothing" json:"smoothing"`
	ClassWeights string        `yaml:"class_weights" json:"class_weights"` // none | balanced
	Clip         float64       `yaml:"clip" json:"clip"`                   // largest norm of all gradients together; 0 = none
	Freeze       string        `yaml:"freeze" json:"freeze"`               // none | all-but-last-block | all (but the classifier)
	FreezeNorm   bool          `yaml:"freeze_norm" json:"freeze_norm"`     // keep every batch normalisation as it is
	LayerDecay   float64       `yaml:"layer_decay" json:"layer_decay"`     // factor on the rate for each part back from the head; 1 = the same rate everywhere
	Augment      AugmentConfig `yaml:"augment" json:"augment"`
	Patience     int           `yaml:"patience" json:"patience"` // stop after so many epochs without a lower validation loss; 0 = never
	Select       string        `yaml:"select" json:"select"`     // the epoch kept: accuracy (best, then least loss) | loss (least), in validation
}

// AugmentConfig says how far a training image may be changed, each time anew; 0 = not at all. There is no vertical
// flip: the transducer is always above, and shadows fall down.
type AugmentConfig struct {
	Flip     float64 `yaml:"flip" json:"flip"`         // probability of a mirror image, left for right
	Shift    float64 `yaml:"shift" json:"shift"`       // at most this share of the side, across and down
	Scale    float64 `yaml:"scale" json:"scale"`       // larger or smaller by at most the factor 1+scale
	Rotation float64 `yaml:"rotation" json:"rotation"` // degrees, either way
	Gain     float64 `yaml:"gain" json:"gain"`         // brighter or darker by at most the factor 1+gain
	Contrast float64 `yaml:"contrast" json:"contrast"` // the grey curve's exponent is at most 1+contrast, at least its inverse
	Speckle  float64 `yaml:"speckle" json:"speckle"`   // largest relative deviation (SD) of multiplicative grain
}

// Paper is the recipe of the published study, as far as it says.
func Paper() Config {
	return Config{
		Epochs: 100, Batch: 16,
		Optimizer: "adam", Rate: 1e-3, Momentum: 0.9, Schedule: "constant",
		Loss: "focal", Alpha: 0.5, ClassWeights: "none",
		Freeze: "none", LayerDecay: 1, Select: "accuracy",
	}
}

// Rigorous is a recipe for the few hundred images of a clinical study: lower rates towards the input, which has
// least to learn anew, decay and augmentation against learning by heart, and an end before that happens.
func Rigorous() Config {
	return Config{
		Epochs: 40, Batch: 16,
		Optimizer: "adamw", Rate: 3e-4, WeightDecay: 0.01, Momentum: 0.9, Schedule: "cosine", WarmUp: 2,
		Loss: "bce", Smoothing: 0.05, ClassWeights: "none",
		Freeze: "none", LayerDecay: 0.7,
		Augment:  AugmentConfig{Flip: 0.5, Shift: 0.04, Scale: 0.08, Rotation: 10, Gain: 0.15, Contrast: 0.15, Speckle: 0.15},
		Patience: 8, Select: "loss",
	}
}
