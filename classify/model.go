// Package classify fits the study's six classifiers: a feature table and 0/1 labels flow in,
// the probability of class 1 flows out. It never scales features; selection does.
package classify

import (
	"encoding/json"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"sonotype/internal/problem"
)

// Names lists the six models in the paper's order.
var Names = []string{"lr", "svm", "knn", "rf", "lightgbm", "adaboost"}

// Model is a binary classifier. Its JSON form holds everything that Predict needs,
// so a model read back gives the same scores to the last bit.
type Model interface {
	// Fit learns from x (n rows, p features), y (n labels, 0 or 1) and w (n weights >= 0;
	// nil means ones), forgetting any earlier fit.
	Fit(x *mat.Dense, y []int, w []float64) error
	// Predict returns the probability of class 1 for each row of x (p features as in Fit).
	Predict(x *mat.Dense) ([]float64, error)
	json.Marshaler
	json.Unmarshaler
}

// Decider is a Model with a decision value of its own, positive towards class 1 (the SVM).
type Decider interface {
	// Decision returns the signed decision value for each row of x.
	Decision(x *mat.Dense) ([]float64, error)
}

// Config holds what the models need beyond the data; their hyper-parameters are the method's.
type Config struct {
	Seed    uint64 // names the random streams: bootstrap, Platt folds
	Workers int    // goroutines; <= 0 means GOMAXPROCS; never changes a result
	Folds   []int  // fold of each training row for the SVM's Platt scaling; nil means 5 stratified ones
}

// New returns an unfitted model by its name in Names; unmarshalling JSON into it restores a fitted one.
func New(name string, c Config) (Model, error) {
	switch name {
	case "lr":
		return newLR(c), nil
	case "svm":
		return newSVM(c), nil
	case "knn":
		return newKNN(c), nil
	case "rf":
		return newForest(c), nil
	case "lightgbm":
		return newLightGBM(c), nil
	case "adaboost":
		return newAdaBoost(c), nil
	}
	return nil, &problem.Error{
		What:     "unknown classifier " + name,
		Expected: "one of " + strings.Join(slices.Sorted(slices.Values(Names)), ", "),
		Try:      "correct the model's name",
	}
}
