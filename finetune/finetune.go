// Package finetune trains a DenseNet on crops with labels: crops in, the kept epoch's weights, the learning
// curves and words about them out. It knows no cohort and writes no file but its checkpoint.
package finetune

import (
	"time"

	"sonotype/densenet"
	"sonotype/evaluate"
	"sonotype/imaging"
	"sonotype/internal/num"
	"sonotype/nn"
)

// Example is one image to learn from or to judge by.
type Example struct {
	Label int                           // 0 or 1
	Unit  string                        // the patient or lesion that it belongs to; never both trained on and validated with
	Crop  func(dst *imaging.Gray) error // fills dst, Input x Input; called from a goroutine of Train's, one call at a time
}

// Job is one network to be trained.
type Job struct {
	Variant    densenet.Variant
	Graph      densenet.Config // another shape than Variant's; its zero value means Variant
	Input      int             // side of the crops, px
	Start      nn.Tensors      // weights to begin with; a classifier among them is not used
	Train      []Example
	Valid      []Example // chooses the epoch and stops the training; no gradient ever sees it
	Config     Config
	Seed       uint64
	Name       string // names the random streams, and the network in errors: "ta"
	ISA        nn.ISA
	Workers    int            // threads; <= 0: GOMAXPROCS
	Checkpoint string         // file written after every epoch; "" = none. The caller removes it
	Key        string         // of all that the crops come from; a checkpoint of another key is not used
	Progress   func(Progress) // after each step and each epoch; may be nil

	engine nn.Engine // nil: nn.New()
}

// Progress says how far the training is. Loss, Accuracy and AUC are those of the running epoch so far,
// ValidLoss and ValidAUC those of the last epoch that has ended; what is not known yet is NaN.
type Progress struct {
	Epoch, Epochs   int // from 1
	Done, Images    int // training images of this epoch
	Loss            num.Float
	Accuracy        num.Float
	AUC             num.Float
	ValidLoss       num.Float
	ValidAUC        num.Float
	ImagesPerSecond float64       // training
	Left            time.Duration // if the training is not stopped early
}

// Epoch is a row of the history. Accuracy (at a probability of 0.5) and AUC are by unit, a unit's score being the
// mean probability of its images; losses are means over the units of the mean over a unit's images. Those of training
// are of the images as they were trained on: augmented, each with the parameters of its step and the statistics of its
// batch.
type Epoch struct {
	Epoch         int       `json:"epoch" csv:"epoch"` // from 1
	Rate          float64   `json:"rate" csv:"rate"`   // learning rate of the epoch's last step, at the head
	TrainLoss     num.Float `json:"train_loss" csv:"train_loss"`
	TrainAccuracy num.Float `json:"train_accuracy" csv:"train_accuracy"`
	TrainAUC      num.Float `json:"train_auc" csv:"train_auc"`
	ValidLoss     num.Float `json:"valid_loss" csv:"valid_loss"`
	ValidAccuracy num.Float `json:"valid_accuracy" csv:"valid_accuracy"`
	ValidAUC      num.Float `json:"valid_auc" csv:"valid_auc"`
}

// Result is a trained network.
type Result struct {
	Tensors nn.Tensors // of the kept epoch, with running statistics and the classifier's one logit
	History []Epoch
	Kept    int          // the epoch whose tensors these are, from 1
	Valid   evaluate.AUC // of the kept epoch, by validation unit; optimistic, since it chose the epoch
	Stopped bool         // early stopping ended the training
	Notes   []string     // what a reader of the curves should know
}
