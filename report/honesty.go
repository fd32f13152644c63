package report

import (
	"sonotype/evaluate"
	"sonotype/internal/num"
)

// Nested is repeated nested cross-validation over the development patients: in every outer fold the whole choice
// (features, model, threshold) is made anew by an inner cross-validation that never saw the fold's patients.
type Nested struct {
	Key         string         `json:"key"` // what it was computed from
	Conditional bool           `json:"conditional_on_the_network"`
	Folds       int            `json:"folds"` // outer, and inner
	Patients    int            `json:"patients"`
	Positive    int            `json:"positive"` // patients
	Images      int            `json:"images"`
	TeachOnly   int            `json:"teach_only"` // patients that models learn from but who are never scored: the network knows them
	Repeats     []NestedRepeat `json:"repeats"`
	Chosen      Spread         `json:"chosen"`      // AUC of the procedure over the repeats
	Sensitivity Spread         `json:"sensitivity"` // at the thresholds chosen inside, over the repeats
	Specificity Spread         `json:"specificity"`
	Single      Spread         `json:"single_folds"` // AUC of the procedure over all outer folds: test sets of a fold's size
	Models      map[Key]Spread `json:"models"`       // AUC of every model over the repeats
	Picked      map[Key]int    `json:"picked"`       // how often each was chosen, of repeats x folds
	Study       num.Float      `json:"study_auc"`    // internal AUC of the study's own split
}

// NestedRepeat is one division of the patients into outer folds.
type NestedRepeat struct {
	Key         string            `json:"key"`
	Repeat      int               `json:"repeat"` // from 1
	AUC         num.Float         `json:"auc"`    // mean over the outer folds, whose scores come from different models
	Sensitivity num.Float         `json:"sensitivity"`
	Specificity num.Float         `json:"specificity"`
	Folds       []NestedFold      `json:"folds"`
	Models      map[Key]num.Float `json:"models"` // mean AUC over the outer folds
}

// NestedFold is one outer fold.
type NestedFold struct {
	Chosen    Key       `json:"chosen"`
	Threshold num.Float `json:"threshold"`
	InnerAUC  num.Float `json:"inner_auc"` // out-of-fold among the learners: what the choice was made by
	AUC       num.Float `json:"auc"`
	N         int       `json:"n"`
	Positive  int       `json:"positive"`
	TP        int       `json:"tp"`
	FP        int       `json:"fp"`
	TN        int       `json:"tn"`
	FN        int       `json:"fn"`
}

// Spread is a distribution in numbers.
type Spread struct {
	N      int       `json:"n"`
	Mean   num.Float `json:"mean"`
	SD     num.Float `json:"sd"`
	Min    num.Float `json:"min"`
	Lo     num.Float `json:"p2_5"`
	Median num.Float `json:"median"`
	Hi     num.Float `json:"p97_5"`
	Max    num.Float `json:"max"`
}

// Permuted is the nested cross-validation with the labels dealt anew: without a leak its mean AUC is one half.
type Permuted struct {
	Key      string      `json:"key"`
	AUC      []num.Float `json:"auc"`
	Mean     num.Float   `json:"mean"`
	SE       num.Float   `json:"se"`
	Within   bool        `json:"within_two_se"` // the mean lies within two standard errors of one half
	Observed num.Float   `json:"observed"`      // with the true labels and the same folds
	P        num.Float   `json:"p"`             // of Observed among AUC
}

// Leaky is the study rerun with the field's classical leaks.
type Leaky struct {
	Key         string `json:"key"`
	Conditional bool   `json:"conditional_on_the_network"`
	Rows        []Leak `json:"rows"`
}

// Leak is one leak on one test set, beside the honest figure of the same patients or the same share of them.
type Leak struct {
	Leak        string    `json:"leak"` // selection | image-split | best-on-test | all
	Set         string    `json:"set"`  // internal | external | development
	HonestModel Key       `json:"honest_model"`
	LeakyModel  Key       `json:"leaky_model"`
	N           int       `json:"n"` // units scored, images with an image-level split
	Splits      int       `json:"splits"`
	Shared      num.Float `json:"shared"` // mean share of the test images whose patient is in the training set
	Honest      num.Float `json:"honest_auc"`
	HonestLo    num.Float `json:"honest_lo"`
	HonestHi    num.Float `json:"honest_hi"`
	Leaky       num.Float `json:"leaky_auc"`
	LeakyLo     num.Float `json:"leaky_lo"`
	LeakyHi     num.Float `json:"leaky_hi"`
	Note        string    `json:"note,omitempty"`
}

// Comparison is a set's comparison of the primary model with every other.
type Comparison struct {
	Set     string      `json:"set"`
	Title   string      `json:"title"`
	Primary Key         `json:"primary"`
	Rows    []Compared  `json:"rows"`
	Luck    []LuckOfSet `json:"luck"`
}

// Compared is one model against the primary one.
type Compared struct {
	Key Key `json:"model"`
	evaluate.PairedAUC
	Holm num.Float `json:"p_holm"`
}

// LuckOfSet is what chance gives to the best of a family of models.
type LuckOfSet struct {
	Family string `json:"family"` // a feature set, or all
	Best   Key    `json:"best_model"`
	evaluate.Luck
}

// TestRead is a line of the ledger.
type TestRead struct {
	Seq      int
	Stage    string
	Set      string
	N        int
	Purpose  string
	Patients string // the hash of their ids
	Splits   string // the hash of the splits that were frozen before
	StageKey string
}

// Commitment is what was fixed before any outcome met a score.
type Commitment struct {
	Splits string // SHA-256 of splits.csv
	Source string // random | column
	Seed   uint64
	Sets   []CommittedSet
}

// CommittedSet is a set's patients.
type CommittedSet struct {
	Set      string
	Patients int
	Hash     string // of their ids
}

// ComputedFrom is the key of the repeat's inputs.
func (r NestedRepeat) ComputedFrom() string { return r.Key }
