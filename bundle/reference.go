package bundle

import "sonotype/internal/num"

// Neighbours are the training images that a case is compared with, by the model's inputs.
type Neighbours struct {
	Cases []TrainingCase `json:"cases"`
}

// TrainingCase is a training image by what the model takes of it.
type TrainingCase struct {
	ID     string    `json:"id,omitempty"` // of its patient or lesion, only where the study allowed it
	Label  int       `json:"label"`
	Score  num.Float `json:"score"`  // of its unit, honest out of fold; null where there is none
	Inputs []float64 `json:"inputs"` // in the order of Manifest.Kept
}
