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
	"sonotype/internal/rng"
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

// BootstrapResult holds 95 % percentile intervals from units drawn with replacement within each class.
type BootstrapResult struct {
	Draws       int               `json:"draws"`
	AUC         BootstrapInterval `json:"auc"`
	Accuracy    BootstrapInterval `json:"accuracy"`
	Sensitivity BootstrapInterval `json:"sensitivity"`
	Specificity BootstrapInterval `json:"specificity"`
	PPV         BootstrapInterval `json:"ppv"`
	NPV         BootstrapInterval `json:"npv"`
	F1          BootstrapInterval `json:"f1"`
	Brier       BootstrapInterval `json:"brier"`
	Note        string            `json:"note,omitempty"`
}

// measures of one draw, in BootstrapResult's order.
const measures = 8

// Bootstrap draws units (one score each: resampling a unit resamples the patient) within each class, draws times
// (0: 2000), and gives percentile intervals (R's type 7 quantiles) for every measure at threshold. Draw b uses a
// stream of its own, so the result is the same for any number of workers.
func Bootstrap(ctx context.Context, scores []float64, labels []int, threshold float64, draws int, seed uint64, workers int) (BootstrapResult, error) {
	positive, negative, err := checkInput(scores, labels)
	if err != nil {
		return BootstrapResult{}, err
	}
	if draws < 0 {
		return BootstrapResult{}, &problem.Error{What: "the number of bootstrap draws is negative", Found: strconv.Itoa(draws)}
	}
	if draws == 0 {
		draws = DefaultDraws
	}
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	r := BootstrapResult{Draws: draws, Note: oneClass(positive, negative)}
	if r.Note != "" {
		for _, p := range r.intervals() {
			*p = BootstrapInterval{SE: num.NaN(), Lo: num.NaN(), Hi: num.NaN()}
		}
		return r, nil
	}
	plan := newResampler(scores, labels, threshold)
	values := make([][measures]float64, draws)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	const chunk = 100
	for start := 0; start < draws; start += chunk {
		group.Go(func() error {
			counts := make([]int, len(plan.label))
			for b := start; b < min(start+chunk, draws); b++ {
				if err := ctx.Err(); err != nil {
					return err
				}
				values[b] = plan.draw(seed, b, counts)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return BootstrapResult{}, err
	}
	column := make([]float64, draws)
	for m, p := range r.intervals() {
		for b := range values {
			column[b] = values[b][m]
		}
		*p = percentile(column)
	}
	if r.PPV.Used < draws || r.NPV.Used < draws {
		r.Note = fmt.Sprintf("PPV existed in %d and NPV in %d of %d draws", r.PPV.Used, r.NPV.Used, draws)
	}
	return r, nil
}

func (r *BootstrapResult) intervals() [measures]*BootstrapInterval {
	return [measures]*BootstrapInterval{&r.AUC, &r.Accuracy, &r.Sensitivity, &r.Specificity, &r.PPV, &r.NPV, &r.F1, &r.Brier}
}

func percentile(values []float64) BootstrapInterval {
	kept := slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	slices.Sort(kept)
	_, variance := stats.MeanVar(kept)
	return BootstrapInterval{SE: num.Float(math.Sqrt(variance)), Lo: num.Float(stats.Quantile(kept, .025)), Hi: num.Float(stats.Quantile(kept, .975)), Used: len(kept)}
}

// resampler holds the units sorted by score, so that a draw is a vector of multiplicities and its AUC one pass.
type resampler struct {
	label, called []int // per sorted unit; called = predicted positive
	last          []bool
	loss          []float64 // squared error, NaN when the scores are no probabilities
	class         [2][]int  // sorted positions of each class
}

func newResampler(scores []float64, labels []int, threshold float64) *resampler {
	idx := stats.Order(scores)
	n := len(idx)
	r := &resampler{label: make([]int, n), called: make([]int, n), last: make([]bool, n), loss: make([]float64, n)}
	probabilities := notProbability(scores) < 0
	for k, i := range idx {
		r.label[k] = labels[i]
		if scores[i] > threshold {
			r.called[k] = 1
		}
		r.last[k] = k == n-1 || scores[idx[k+1]] != scores[i]
		r.loss[k] = math.NaN()
		if probabilities {
			d := scores[i] - float64(labels[i])
			r.loss[k] = d * d
		}
		r.class[labels[i]] = append(r.class[labels[i]], k)
	}
	return r
}

// draw resamples once into counts (overwritten) and returns AUC, accuracy, sensitivity, specificity, PPV, NPV, F1, Brier.
func (r *resampler) draw(seed uint64, b int, counts []int) [measures]float64 {
	clear(counts)
	source := rng.Stream(seed, "evaluate", "bootstrap", strconv.Itoa(b))
	for _, members := range r.class {
		for range members {
			counts[members[source.IntN(len(members))]]++
		}
	}
	var confusion [2][2]int // [label][called]
	var below, tied [2]int  // drawn units with a lower score, with this score
	var wins2 int           // twice the Mann-Whitney count
	var loss float64
	for k, c := range counts {
		tied[r.label[k]] += c
		confusion[r.label[k]][r.called[k]] += c
		loss += float64(c) * r.loss[k]
		if r.last[k] {
			wins2 += tied[1] * (2*below[0] + tied[0])
			below[0], below[1] = below[0]+tied[0], below[1]+tied[1]
			tied = [2]int{}
		}
	}
	tn, fp, fn, tp := confusion[0][0], confusion[0][1], confusion[1][0], confusion[1][1]
	return [measures]float64{
		float64(wins2) / (2 * float64(len(r.class[0])) * float64(len(r.class[1]))),
		float64(ratio(tp+tn, len(counts))), float64(ratio(tp, tp+fn)), float64(ratio(tn, tn+fp)),
		float64(ratio(tp, tp+fp)), float64(ratio(tn, tn+fn)), float64(ratio(2*tp, 2*tp+fp+fn)), loss / float64(len(counts)),
	}
}

// BootstrapAUC is the stratified bootstrap form of DeLong's interval; compare pROC's ci.auc(method = "bootstrap").
func BootstrapAUC(ctx context.Context, scores []float64, labels []int, draws int, seed uint64, workers int) (AUC, error) {
	out, err := DeLong(scores, labels)
	if err != nil {
		return AUC{}, err
	}
	b, err := Bootstrap(ctx, scores, labels, 0, draws, seed, workers)
	if err != nil {
		return AUC{}, err
	}
	out.Method, out.Draws, out.Note = "bootstrap", b.Draws, ""
	out.SE, out.Lo, out.Hi = b.AUC.SE, b.AUC.Lo, b.AUC.Hi
	if out.AUC.IsNaN() {
		out.Note = b.Note
	}
	return out, nil
}
