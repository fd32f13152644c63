// Package report takes a study's results and writes report.html, its SVG figures and CSV tables. It formats; it never computes.
package report

import (
	"fmt"
	"image"
	"strings"

	"sonotype/describe"
	"sonotype/evaluate"
	"sonotype/internal/num"
	"sonotype/survival"
)

// Study is everything that a report shows. Slices are in display order.
type Study struct {
	Title     string
	Preset    string // rigorous | paper
	Positive  string // how a positive is called, e.g. "Ki-67 high"
	Negative  string
	Outcome   string // the outcome's definition in words, e.g. "ki67 > 20"
	Unit      string // patient | lesion
	Version   string // of the program
	DataHash  string // SHA-256 over the cohort's tables, images and masks
	Synthetic bool   // the cohort is computer-made: said loudly

	Warnings   []string // what undermines the headline, most serious first
	Deviations []string // what differs from the preset, or from the published study
	Methods    []string // paragraphs ready for a methods section
	Reproduce  string   // one command
	Plan       []Setting
	Software   []Setting // versions, instruction set, weights hash, seed

	Flow      Flow
	Table1    *describe.Result // by outcome
	Table2    *describe.Result // by set
	Images    Images
	Learning  []Learning           // stage 03, one a network; none without training
	Selection map[string]Selection // ta, pta, fusion

	FeatureSets []string // ta, pta, fusion
	Models      []string // lr, svm, knn, rf, lightgbm, adaboost
	Primary     Key
	PrimaryWhy  string // how the primary model was chosen
	Threshold   string // how the threshold was chosen
	Sets        []Set  // train (out-of-fold), internal, external, then each external centre
	Survival    []SurvivalSet
	Clinical    *Clinical      // clinical variables, alone and with the score; nil without any
	Published   []PublishedRow // another cohort's figures, in grey

	Honesty // comparisons, luck, leaks and the ledger
	Agreement
	Robustness *Robustness // nil until it was asked for
	Planning               // sample size and checklists
}

// Key names one of the models: a feature set and a classifier.
type Key struct {
	Features string `json:"features"`
	Model    string `json:"model"`
}

// String is "features/model", e.g. fusion/svm.
func (k Key) String() string { return k.Features + "/" + k.Model }

// MarshalText lets a Key be the key of a JSON object.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (k *Key) UnmarshalText(b []byte) error {
	var ok bool
	if k.Features, k.Model, ok = strings.Cut(string(b), "/"); !ok {
		return fmt.Errorf("not features/model: %q", b)
	}
	return nil
}

// Setting is a name and a value of the plan or the software.
type Setting struct{ Name, Value string }

// Flow is the patient flow from rows read to units analysed.
type Flow struct {
	Tables     []FlowTable // one per cohort table
	Exclusions []FlowExclusion
	Sets       []FlowSet
}

// FlowTable counts what was read from one table.
type FlowTable struct {
	Name                   string
	Rows, Images, Patients int
}

// FlowExclusion counts rows, images and patients left out for one reason.
type FlowExclusion struct {
	Reason                 string
	Rows, Images, Patients int
	Cases                  []string // patient or row, for the list below the diagram
}

// FlowSet counts what is analysed in one set.
type FlowSet struct {
	Name                       string // train, internal, external
	Patients, Images, Positive int
	Centres                    []string
	Parts                      []string // who takes part in one analysis only, e.g. "61 with follow-up: survival"
}

// Images is the gallery and what is known of the pictures.
type Images struct {
	Parts    []GalleryPart
	Devices  []Count // images per device
	Sizes    []Count // images per original size class
	Calipers int     // images with burnt-in marks found
	Total    int
	Markers  string     // sentence on the marks and their association with the label
	Maps     []MapCheck // do the Grad-CAM maps depend on what was learnt; none without training
}

// MapCheck compares the Grad-CAM maps of one trained network with those of the same network with random weights
// (explain.CheckSanity).
type MapCheck struct {
	Region     string    // ta | pta
	Randomised string    // what was randomised, e.g. "all layers"
	Maps       int       // pairs compared
	Blank      int       // pairs without a similarity, since a map had no contrast
	Similarity num.Float // median rank correlation of the other pairs
	Changed    num.Float // share of the other pairs whose similarity is below Alike
	Alike      float64   // the similarity from which two maps count as the same
}

// Count is a labelled count.
type Count struct {
	Name string
	N    int
}

// GalleryPart is a row of cases, e.g. "Highest scores".
type GalleryPart struct {
	Title string
	Cases []GalleryCase
}

// GalleryCase is one image with its contours, the crops that the network sees and its score.
type GalleryCase struct {
	Patient string
	Set     string
	Label   int
	Score   num.Float
	Overlay image.Image // contours of TA and PTA on the standardised image
	TA, PTA image.Image // crops as the network sees them
	// TACam and PTACam are the crops with the Grad-CAM map drawn over them (explain.Overlay), of the positive class
	// unless CamNegative says otherwise; nil without training.
	TACam, PTACam image.Image
	CamNegative   bool
}

// Learning is how one network was trained.
type Learning struct {
	Region         string // ta | pta | shared (one network for both)
	Fold           int    // of cross-fitting, counted from 1; 0: the network whose features are used
	History        []Epoch
	Planned        int           // epochs planned
	Kept           int           // the epoch whose weights are used, as in Epoch.Epoch; 0: none
	Why            string        // how it was chosen, e.g. "least loss on the held-out patients"
	Stopped        bool          // training ended early, since the held-out patients no longer gained
	Train, Heldout LearningCount // the two parts of the training set
	Notes          []string      // e.g. that the network did not learn
}

// Epoch is a pass over a network's training images, with its figures on both parts; NaN where one was not computed.
// The fields are those of finetune.Epoch, so that one converts to the other.
type Epoch struct {
	Epoch                              int // counted from 1
	Rate                               float64
	TrainLoss, TrainAccuracy, TrainAUC num.Float
	ValidLoss, ValidAccuracy, ValidAUC num.Float
}

// LearningCount counts a part of the training set.
type LearningCount struct {
	Patients, Images int
	Positive         int // patients
}

// Selection is stage 05 for one feature set.
type Selection struct {
	Images, Inputs               int // training images, raw features
	PCA                          int // components kept
	AfterSpearman                int
	Kept                         []Weight    // non-zero LASSO weights
	Scree                        []float64   // explained-variance ratio by component (ta, pta)
	Lambdas                      []float64   // descending
	Paths                        [][]float64 // coefficient of each input (rows: inputs that ever enter) along Lambdas
	PathNames                    []string
	CVMean, CVSE                 []float64
	CVName                       string  // "mean squared error" | "binomial deviance"
	LambdaMin, Lambda1SE, Lambda float64 // Lambda: the one used
	Note                         string
}

// Weight is one kept feature.
type Weight struct {
	Features string // ta | pta: where it comes from
	Name     string // e.g. TA_012
	Weight   float64
}

// Set is one group of units that models are evaluated on.
type Set struct {
	Name    string // train | internal | external | a centre's name
	Title   string // "Training (out-of-fold)", "Internal test", "External test"
	Centre  string // set when this is one centre of the external set
	Results map[Key]Result
}

// Result is one model on one set.
type Result struct {
	Performance evaluate.Performance
	Apparent    *evaluate.AUC // training set only: the optimistic AUC of the refitted model on its own patients
	// Optimistic is the out-of-fold AUC of all training units, those whose outcome the trained network has seen
	// included; Performance is then that of the held-out ones alone. Training set of a trained network only.
	Optimistic   *evaluate.AUC
	ROC          []evaluate.ROCPoint
	Decision     evaluate.DecisionCurve
	Calibration  evaluate.Calibration
	Distribution evaluate.Distribution
	Recalibrated bool // decision curve and calibration use recalibrated scores (AdaBoost)
	// RecalibratedHow says on which patients; "" = on out-of-fold training scores.
	RecalibratedHow string `json:",omitempty"`
	Measures        evaluate.Measures
	// After is calibration and decision curve once the probabilities are recalibrated on other patients; nil where they
	// were already, and on the training set.
	After          *evaluate.Recalibrated
	HosmerLemeshow *evaluate.HosmerLemeshow // on request
	Reclassified   []Reclassified           // on request, of the primary model
}

// Reclassified compares the primary model with another one by IDI and NRI.
type Reclassified struct {
	Against Key
	evaluate.Reclassification
}

// SurvivalSet is stage 08 for one set.
type SurvivalSet struct {
	Set                        string // internal | external
	Title                      string
	ByScore                    survival.Analysis // primary model, high vs low score
	ByOutcome                  survival.Contrast // measured outcome
	Unit                       string            // months
	RiskTimes                  []float64         // where numbers at risk are printed
	AtRiskScore, AtRiskOutcome [][]int           // per curve, at RiskTimes
	Strata                     string            // what strata are, e.g. "centre"
}

// PublishedRow is one figure of a published study, printed beside ours and never compared by a test.
type PublishedRow struct {
	Set, Features, Model                   string
	AUC, AUCLo, AUCHi                      num.Float
	Accuracy, Sensitivity, Specificity, F1 num.Float
}
