package bundle

import (
	"sonotype/imaging"
	"sonotype/internal/num"
	"sonotype/roi"
)

// Case is a lesion to be predicted: an image and its outline of the same size.
type Case struct {
	Image   *imaging.Gray
	Info    imaging.Info // how the image came
	Mask    *roi.Mask
	Spacing [2]float64 // mm a pixel, across and down; 0: unknown
	Device  string     // "" = unknown
}

// Prediction is what a bundle says of a case. An abstained one holds no score.
type Prediction struct {
	Score       num.Float   `json:"score"`       // of the model, equal to the study's to the last bit
	Probability num.Float   `json:"probability"` // calibrated
	Lo          num.Float   `json:"lo"`          // Venn-Abers interval of the probability
	Hi          num.Float   `json:"hi"`
	Threshold   num.Float   `json:"threshold"` // of Score, fixed on training patients; positive above
	Positive    bool        `json:"positive"`
	Group       string      `json:"group"` // "high" | "low" of the survival groups; "" where the study had no follow-up
	Abstained   bool        `json:"abstained"`
	Reasons     []string    `json:"reasons"`  // of abstaining
	Warnings    []string    `json:"warnings"` // that do not make it abstain: an unseen device
	Nearest     []Neighbour `json:"nearest,omitempty"`
	Bundle      string      `json:"bundle"` // its Hash
}

// Neighbour is a training case with similar features.
type Neighbour struct {
	ID       string    `json:"id,omitempty"` // only where the study allowed it
	Label    int       `json:"label"`
	Score    num.Float `json:"score"` // out-of-fold
	Distance float64   `json:"distance"`
}
