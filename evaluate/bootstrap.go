package evaluate

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/internal/stats"
)

// DefaultDraws is pROC's number of bootstrap samples.
const DefaultDraws = 2000

// BootstrapInterval is a percentile interval with the bootstrap standard error. Used counts the draws in which the
// measure existed: PPV does not when nobody is predicted positive, nor does what needs both classes when one was drawn.
type BootstrapInterval struct {
	SE   num.Float `json:"se"`
	Lo   num.Float `json:"lo"`
	Hi   num.Float `json:"hi"`
	Used int       `json:"used"`
}

// BootstrapResult holds 95 % percentile intervals from patients drawn with replacement. What is conditional on the class
// (AUC, sensitivity, specificity, the likelihood ratios, the calibration slope, the rates at a fixed other rate) comes from
// draws within each class. What depends on the prevalence (all else) comes from draws of all patients together: with the
// prevalence held, its intervals would be too narrow.
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
	// SensitivityAt and SpecificityAt belong to Levels, Decision and DecisionRecalibrated to the grid.
	SensitivityAt        []BootstrapInterval `json:"sensitivity_at"`
	SpecificityAt        []BootstrapInterval `json:"specificity_at"`
	Decision             BenefitIntervals    `json:"-"`
	DecisionRecalibrated BenefitIntervals    `json:"-"`
	Note                 string              `json:"note,omitempty"`
}

// BenefitIntervals belong to a decision curve, one entry a threshold probability: net benefit, standardised net benefit
// (by each draw's own prevalence), and net benefit less that of treating all. Empty without probabilities.
type BenefitIntervals struct{ Benefit, Standardised, OverAll []BootstrapInterval }

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

// Bootstrap gives percentile intervals (R's type 7 quantiles) for every measure of every candidate from one double set of
// draws: patients with replacement, within each class and of all together. The result is the same for any number of workers.
func Bootstrap(ctx context.Context, labels []int, candidates []Candidate, c BootstrapConfig) ([]BootstrapResult, error) {
	if err := c.fill(); err != nil {
		return nil, err
	}
	for i := range candidates {
		if err := candidates[i].check(labels); err != nil {
			return nil, err
		}
	}
	d, err := newSamplers(labels, c.Patients, c.Seed)
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

// fill puts the defaults in.
func (c *BootstrapConfig) fill() error {
	if c.Draws < 0 {
		return &problem.Error{What: "the number of bootstrap draws is negative", Found: strconv.Itoa(c.Draws)}
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
	return nil
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
func (m *Candidate) bootstrap(ctx context.Context, labels []int, d *samplers, c BootstrapConfig) (BootstrapResult, error) {
	r := BootstrapResult{Draws: c.Draws, Patients: d.patients}
	s := newSweep(m, labels, c)
	within, err := d.within.collect(ctx, c.Draws, s.conditionalWidth(), s.conditional)
	if err != nil {
		return r, err
	}
	for _, p := range r.conditional() {
		*p = within.next()
	}
	r.SensitivityAt, r.SpecificityAt = within.list(len(c.Levels)), within.list(len(c.Levels))
	whole, err := d.whole.collect(ctx, c.Draws, s.dependentWidth(), s.dependent)
	if err != nil {
		return r, err
	}
	for _, p := range r.dependent() {
		*p = whole.next()
	}
	for _, curve := range []struct {
		to *BenefitIntervals
		n  int
	}{{&r.Decision, len(s.decision.grid)}, {&r.DecisionRecalibrated, len(s.recalibrated.grid)}} {
		*curve.to = BenefitIntervals{Benefit: whole.list(curve.n), Standardised: whole.list(curve.n), OverAll: whole.list(curve.n)}
	}
	r.Note = r.note(m, labels)
	return r, nil
}

// note says which draws could not be used.
func (r *BootstrapResult) note(m *Candidate, labels []int) string {
	positive, negative, _ := checkInput(m.Scores, labels)
	if note := oneClass(positive, negative); note != "" {
		return note
	}
	var notes []string
	if r.PRAUC.Used < r.Draws {
		notes = append(notes, fmt.Sprintf("%d of %d draws of all patients held both classes", r.PRAUC.Used, r.Draws))
	}
	if r.PPV.Used < r.Draws || r.NPV.Used < r.Draws {
		notes = append(notes, fmt.Sprintf("PPV existed in %d and NPV in %d of %d draws", r.PPV.Used, r.NPV.Used, r.Draws))
	}
	return strings.Join(notes, "; ")
}

// columns are measured values by measure, then draw.
type columns [][]float64

// collect measures every sample.
func (r *resampler) collect(ctx context.Context, draws, width int, measure func(sample []uint16, row []float64)) (columns, error) {
	values := make(columns, width)
	for k := range values {
		values[k] = make([]float64, draws)
	}
	row, sample := make([]float64, width), make([]uint16, r.units)
	for b := range draws {
		if b%100 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		r.draw(b, sample)
		measure(sample, row)
		for k, v := range row {
			values[k][b] = v
		}
	}
	return values, nil
}

// next takes the first column off and turns it into an interval.
func (c *columns) next() BootstrapInterval {
	p := percentile((*c)[0])
	*c = (*c)[1:]
	return p
}

// list takes n columns off.
func (c *columns) list(n int) []BootstrapInterval {
	out := make([]BootstrapInterval, n)
	for i := range out {
		out[i] = c.next()
	}
	return out
}

// conditional are the single measures in the order of sweep.conditional.
func (r *BootstrapResult) conditional() [conditionals]*BootstrapInterval {
	return [conditionals]*BootstrapInterval{&r.AUC, &r.Sensitivity, &r.Specificity, &r.LRPositive, &r.LRNegative, &r.Slope}
}

// dependent are those in the order of sweep.dependent.
func (r *BootstrapResult) dependent() [dependents]*BootstrapInterval {
	return [dependents]*BootstrapInterval{&r.PRAUC, &r.Accuracy, &r.PPV, &r.NPV, &r.F1, &r.Brier, &r.BrierScaled, &r.Intercept, &r.OE}
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
