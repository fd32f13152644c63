package classify

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"

	"gonum.org/v1/gonum/mat"

	"sonotype/internal/problem"
)

// LightGBM's defaults for boosting.
const (
	boostRounds  = 100
	learningRate = 0.1
)

// tinyHessian is LightGBM's kEpsilon, a float32 constant there.
var tinyHessian = float64(float32(1e-15))

// lightGBM is LightGBM's binary objective at its defaults, without feature bundling and pre-filter
// (Ke et al., NeurIPS 2017): gradient-boosted, leaf-wise, histogram-based trees.
type lightGBM struct {
	config  Config
	booster *Booster
}

func newLightGBM(c Config) *lightGBM { return &lightGBM{config: c} }

// Fit boosts 100 trees, fewer when no leaf can be split any more.
func (l *lightGBM) Fit(x *mat.Dense, y []int, w []float64) error {
	w, err := checkFit(x, y, w)
	if err != nil {
		return err
	}
	table := newBinned(x, l.config.Workers)
	loss := newLogLoss(y, w)
	if math.IsNaN(loss.init) {
		return &problem.Error{What: "the weights are too large or too small for LightGBM",
			Expected: "a sum within the range of float32", Try: "rescale the weights"}
	}
	grower := newLeafGrower(table, l.config.Workers)
	b := &Booster{Names: defaultNames(len(table.mapper)), Infos: featureInfos(table.mapper), Sigmoid: 1}
	for len(b.Trees) < boostRounds {
		loss.update()
		t := grower.grow(loss.grad, loss.hess)
		if len(t.SplitFeature) == 0 {
			break
		}
		t.scale(learningRate)
		grower.addScores(t, loss.score)
		if len(b.Trees) == 0 && math.Abs(loss.init) > tinyHessian {
			t.shift(loss.init)
		}
		b.Trees = append(b.Trees, t)
	}
	if len(b.Trees) == 0 {
		b.Trees = []*BoostedTree{constantTree(loss.init, table.n)}
	}
	l.booster = b
	return nil
}

// Predict returns the probability of class 1.
func (l *lightGBM) Predict(x *mat.Dense) ([]float64, error) {
	p := 0
	if l.booster != nil {
		p = len(l.booster.Names)
	}
	if err := checkPredict(x, p); err != nil {
		return nil, err
	}
	return l.booster.Predict(x)
}

// Booster returns the fitted trees for export in LightGBM's text format; nil before Fit.
func (l *lightGBM) Booster() *Booster { return l.booster }

// lightGBMJSON holds the model in LightGBM's own text format.
type lightGBMJSON struct {
	Model string `json:"lightgbm_text"`
}

// MarshalJSON embeds LightGBM's text format, which keeps every digit that prediction uses.
func (l *lightGBM) MarshalJSON() ([]byte, error) {
	var text bytes.Buffer
	if l.booster != nil {
		if err := l.booster.WriteText(&text); err != nil {
			return nil, err
		}
	}
	return json.Marshal(lightGBMJSON{text.String()})
}

// UnmarshalJSON reads what MarshalJSON wrote, or any binary LightGBM model in the same wrapping.
func (l *lightGBM) UnmarshalJSON(b []byte) error {
	var in lightGBMJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return &problem.Error{What: "cannot read the LightGBM model", Err: err}
	}
	if in.Model == "" {
		l.booster = nil
		return nil
	}
	booster, err := ReadBooster(strings.NewReader(in.Model))
	if err != nil {
		return err
	}
	l.booster = booster
	return nil
}

// logLoss is LightGBM's binary objective: labels, weights and gradients are float32, scores float64.
type logLoss struct {
	sign   []float64 // +1 for class 1, -1 for class 0
	weight []float32
	init   float64 // log odds of the weighted share of class 1, the start score (boost_from_average)
	score  []float64
	grad   []float32
	hess   []float32
}

func newLogLoss(y []int, w []float64) *logLoss {
	n := len(y)
	l := &logLoss{sign: make([]float64, n), weight: make([]float32, n), score: make([]float64, n),
		grad: make([]float32, n), hess: make([]float32, n)}
	positive, sum := 0.0, 0.0
	for i, c := range y {
		l.sign[i], l.weight[i] = float64(2*c-1), float32(w[i])
		positive += float64(float32(c) * l.weight[i])
		sum += float64(l.weight[i])
	}
	share := max(min(positive/sum, 1-tinyHessian), tinyHessian)
	l.init = math.Log(share / (1 - share))
	for i := range l.score {
		l.score[i] = l.init
	}
	return l
}

// update computes the gradients and hessians at the current scores.
func (l *logLoss) update() {
	for i, s := range l.sign {
		response := -s / (1 + math.Exp(s*l.score[i]))
		size := math.Abs(response)
		l.grad[i] = float32(response * float64(l.weight[i]))
		l.hess[i] = float32(size * (1 - size) * float64(l.weight[i]))
	}
}
