package evaluate

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"

	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/internal/stats"
)

// DefaultDraws is pROC's number of bootstrap samples.
const DefaultDraws = 2000

// BootstrapInterval is a percentile interval with the bootstrap standard error. Used counts the draws in which the
// measure existed (PPV does not when nobody is predicted positive).
type BootstrapInterval struct {
	SE   num.Float `json:"se"`
	Lo   num.Float `json:"lo"`
	Hi   num.Float `json:"hi"`
	Used int       `json:"used"`
}

// BootstrapResult holds 95 % percentile intervals from patients drawn with replacement within each class.
type BootstrapResult struct {
	Draws       int               `json:"draws"`
	Patients    int               `json:"patients"`
	AUC         BootstrapInterval `json:"auc"`
	PRAUC       BootstrapInterval `json:"pr_auc"`
	Accuracy    BootstrapInterval `json:"accuracy"`
	Sensitivity BootstrapInterval `json:"sensitivity"`
	Specificity BootstrapInterval `json:"specificity"`
	PPV         BootstrapInterval `json:"ppv"`
	NPV         BootstrapInterval `json:"npv"`
	F1          BootstrapInterval `json:"f1"`
	LRPositive  BootstrapInterval `json:"lr_positive"`
	LRNegative  BootstrapInterval `json:"lr_negative"`
	Brier       BootstrapInterval `json:"brier"`
	BrierScaled BootstrapInterval `json:"brier_scaled"`
	Intercept   BootstrapInterval `json:"calibration_intercept"`
	Slope       BootstrapInterval `json:"calibration_slope"`
	OE          BootstrapInterval `json:"oe"`
	// SensitivityAt and SpecificityAt belong to Levels, Decision and DecisionRecalibrated (net benefit) to the grid.
	SensitivityAt        []BootstrapInterval `json:"sensitivity_at"`
	SpecificityAt        []BootstrapInterval `json:"specificity_at"`
	Decision             []BootstrapInterval `json:"-"`
	DecisionRecalibrated []BootstrapInterval `json:"-"`
	Note                 string              `json:"note,omitempty"`
}

// Candidate is one model's scores of a set's units.
type Candidate struct {
	Scores       []float64
	Threshold    float64   // positive is score > Threshold
	Probability  []float64 // for Brier, calibration and decision curve; nil: the scores where they are probabilities, else none
	Recalibrated []float64 // probabilities for the second decision curve; nil: none
}

// BootstrapConfig says how to draw.
type BootstrapConfig struct {
	Draws    int       // 0: DefaultDraws
	Patients []string  // patient of each unit; nil: each unit is one
	Levels   []float64 // nil: DefaultLevels
	Grid     []float64 // of the decision curves; nil: DefaultGrid
	Seed     uint64
	Workers  int // <= 0: GOMAXPROCS
}

// Bootstrap gives percentile intervals (R's type 7 quantiles) for every measure of every candidate from one set of
// draws: patients with replacement within each class. The result is the same for any number of workers.
func Bootstrap(ctx context.Context, labels []int, candidates []Candidate, c BootstrapConfig) ([]BootstrapResult, error) {
	if c.Draws < 0 {
		return nil, &problem.Error{What: "the number of bootstrap draws is negative", Found: strconv.Itoa(c.Draws)}
	}
	if c.Draws == 0 {
		c.Draws = DefaultDraws
	}
	if c.Levels == nil {
		c.Levels = DefaultLevels()
	}
	if c.Grid == nil {
		c.Grid = DefaultGrid()
	}
	if c.Workers <= 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	for i := range candidates {
		if err := candidates[i].check(labels); err != nil {
			return nil, err
		}
	}
	d, err := newResampler(labels, c.Patients, c.Seed)
	if err != nil {
		return nil, err
	}
	out := make([]BootstrapResult, len(candidates))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(c.Workers)
	for i, m := range candidates {
		group.Go(func() (err error) {
			out[i], err = m.bootstrap(ctx, labels, d, c)
			return err
		})
	}
	return out, group.Wait()
}

// check fills Probability from the scores where it may.
func (m *Candidate) check(labels []int) error {
	if _, _, err := checkInput(m.Scores, labels); err != nil {
		return err
	}
	if m.Probability == nil && notProbability(m.Scores) < 0 {
		m.Probability = m.Scores
	}
	for _, p := range [][]float64{m.Probability, m.Recalibrated} {
		if p == nil {
			continue
		}
		if _, _, err := checkProbabilities(p, labels); err != nil {
			return err
		}
	}
	return nil
}

// bootstrap measures one candidate in every draw.
func (m *Candidate) bootstrap(ctx context.Context, labels []int, d *resampler, c BootstrapConfig) (BootstrapResult, error) {
	r := BootstrapResult{Draws: c.Draws, Patients: d.patient}
	s := newSweep(m, labels, c)
	values := make([][]float64, s.width()) // by measure, then draw
	for k := range values {
		values[k] = make([]float64, c.Draws)
	}
	row, sample := make([]float64, s.width()), make([]uint16, d.units)
	for b := range c.Draws {
		if b%100 == 0 && ctx.Err() != nil {
			return r, ctx.Err()
		}
		d.draw(b, sample)
		s.measure(sample, row)
		for k, v := range row {
			values[k][b] = v
		}
	}
	r.take(values, len(c.Levels), len(s.decision.grid), len(s.recalibrated.grid))
	positive, negative, _ := checkInput(m.Scores, labels)
	r.Note = oneClass(positive, negative)
	if r.Note == "" && (r.PPV.Used < c.Draws || r.NPV.Used < c.Draws) {
		r.Note = fmt.Sprintf("PPV existed in %d and NPV in %d of %d draws", r.PPV.Used, r.NPV.Used, c.Draws)
	}
	return r, nil
}

// take turns the columns, in sweep.measure's order, into intervals.
func (r *BootstrapResult) take(values [][]float64, levels, decision, recalibrated int) {
	next := func() BootstrapInterval {
		p := percentile(values[0])
		values = values[1:]
		return p
	}
	list := func(n int) []BootstrapInterval {
		out := make([]BootstrapInterval, n)
		for i := range out {
			out[i] = next()
		}
		return out
	}
	for _, p := range r.scalars() {
		*p = next()
	}
	r.SensitivityAt, r.SpecificityAt = list(levels), list(levels)
	r.Decision, r.DecisionRecalibrated = list(decision), list(recalibrated)
}

// scalars are the single measures in the order of sweep.measure.
func (r *BootstrapResult) scalars() [scalars]*BootstrapInterval {
	return [scalars]*BootstrapInterval{&r.AUC, &r.PRAUC, &r.Accuracy, &r.Sensitivity, &r.Specificity, &r.PPV, &r.NPV, &r.F1,
		&r.LRPositive, &r.LRNegative, &r.Brier, &r.BrierScaled, &r.Intercept, &r.Slope, &r.OE}
}

// percentile sorts values in place, those that do not exist (NaN) left out; an infinite end is null in JSON.
func percentile(values []float64) BootstrapInterval {
	kept := slices.DeleteFunc(values, math.IsNaN)
	slices.Sort(kept)
	_, variance := stats.MeanVar(kept)
	return BootstrapInterval{SE: num.Float(math.Sqrt(variance)), Lo: num.Float(stats.Quantile(kept, .025)), Hi: num.Float(stats.Quantile(kept, .975)), Used: len(kept)}
}

// BootstrapAUC is the stratified bootstrap form of DeLong's interval; compare pROC's ci.auc(method = "bootstrap").
func BootstrapAUC(ctx context.Context, scores []float64, labels []int, c BootstrapConfig) (AUC, error) {
	out, err := DeLong(scores, labels)
	if err != nil {
		return AUC{}, err
	}
	b, err := Bootstrap(ctx, labels, []Candidate{{Scores: scores}}, c)
	if err != nil {
		return AUC{}, err
	}
	out.Method, out.Draws, out.Note = "bootstrap", b[0].Draws, b[0].Note
	out.SE, out.Lo, out.Hi = b[0].AUC.SE, b[0].AUC.Lo, b[0].AUC.Hi
	return out, nil
}
