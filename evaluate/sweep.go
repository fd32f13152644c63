package evaluate

import (
	"math"
	"slices"

	"sonotype/internal/stats"
)

// scalars is the number of single measures in a draw.
const scalars = 15

// sweep holds one candidate sorted by falling score, so that every measure of a draw comes out of one pass over the
// units' multiplicities (and a short Newton iteration for the calibration).
type sweep struct {
	labels       []int
	order        []int     // units by falling score
	last         []bool    // by place in order: the last of its tied scores
	threshold    int       // corner of the ROC curve that belongs to the threshold
	loss         []float64 // squared error by unit; nil without probabilities
	probability  []float64
	logits       logits
	levels       []float64
	decision     cutter
	recalibrated cutter
	tp, fp       []int // corners of the draw's ROC curve from (0, 0); scratch
}

func newSweep(m *Candidate, labels []int, c BootstrapConfig) *sweep {
	n := len(labels)
	s := &sweep{labels: labels, order: falling(m.Scores), last: make([]bool, n), probability: m.Probability, levels: c.Levels, tp: make([]int, 0, n+1), fp: make([]int, 0, n+1)}
	for k, i := range s.order {
		s.last[k] = k == n-1 || m.Scores[s.order[k+1]] != m.Scores[i]
		if s.last[k] && m.Scores[i] > m.Threshold {
			s.threshold++
		}
	}
	if m.Probability != nil {
		s.loss = make([]float64, n)
		for i, p := range m.Probability {
			d := p - float64(labels[i])
			s.loss[i] = d * d
		}
		s.logits = newLogits(m.Probability, labels)
		s.decision = newCutter(m.Probability, c.Grid)
	}
	if m.Recalibrated != nil {
		s.recalibrated = newCutter(m.Recalibrated, c.Grid)
	}
	return s
}

// falling are the indices by falling score.
func falling(scores []float64) []int {
	negated := make([]float64, len(scores))
	for i, v := range scores {
		negated[i] = -v
	}
	return stats.Order(negated)
}

// width is the number of measures of a draw.
func (s *sweep) width() int {
	return scalars + 2*len(s.levels) + len(s.decision.grid) + len(s.recalibrated.grid)
}

// measure fills row: BootstrapResult.scalars, sensitivity at each level of specificity and the reverse, net benefits.
// sample holds the units' multiplicities.
func (s *sweep) measure(sample []uint16, row []float64) {
	var tp, fp int
	var below2, precision float64 // twice the pairs ranked rightly; sum of precision over the positives
	fromTP, fromFP := 0, 0        // where the current ties began
	s.tp, s.fp = append(s.tp[:0], 0), append(s.fp[:0], 0)
	for k, i := range s.order {
		if s.labels[i] == 1 {
			tp += int(sample[i])
		} else {
			fp += int(sample[i])
		}
		if !s.last[k] {
			continue
		}
		s.tp, s.fp = append(s.tp, tp), append(s.fp, fp)
		dp, dn := tp-fromTP, fp-fromFP
		below2 += float64(dn) * float64(tp+fromTP) // those negatives lose to fromTP positives and tie with dp
		if dp > 0 {
			precision += float64(dp) * float64(tp) / float64(tp+fp)
		}
		fromTP, fromFP = tp, fp
	}
	positive, negative := float64(tp), float64(fp)
	row[0], row[1] = below2/(2*positive*negative), precision/positive
	s.atThreshold(tp, fp, row[2:10])
	s.probabilities(sample, tp, fp, row[10:scalars])
	row = row[scalars:]
	for j, level := range s.levels {
		row[j], row[len(s.levels)+j] = fixedSensitivity(s.tp, s.fp, level), fixedSpecificity(s.tp, s.fp, level)
	}
	row = row[2*len(s.levels):]
	s.decision.netBenefits(sample, s.labels, row)
	s.recalibrated.netBenefits(sample, s.labels, row[len(s.decision.grid):])
}

// atThreshold gives accuracy, sensitivity, specificity, PPV, NPV, F1 and the likelihood ratios.
func (s *sweep) atThreshold(positive, negative int, row []float64) {
	tp, fp := float64(s.tp[s.threshold]), float64(s.fp[s.threshold])
	fn, tn := float64(positive)-tp, float64(negative)-fp
	sens, spec := tp/(tp+fn), tn/(tn+fp)
	row[0], row[1], row[2] = (tp+tn)/float64(positive+negative), sens, spec
	row[3], row[4], row[5] = tp/(tp+fp), tn/(tn+fn), 2*tp/(2*tp+fp+fn)
	row[6], row[7] = sens/(1-spec), (1-sens)/spec
}

// probabilities gives Brier, scaled Brier, calibration intercept and slope, and O:E.
func (s *sweep) probabilities(sample []uint16, positive, negative int, row []float64) {
	if s.loss == nil {
		for k := range row {
			row[k] = math.NaN()
		}
		return
	}
	var loss, expected float64
	for i, c := range sample {
		loss += float64(c) * s.loss[i]
		expected += float64(c) * s.probability[i]
	}
	n := float64(positive + negative)
	prevalence := float64(positive) / n
	row[0] = loss / n
	row[1] = 1 - row[0]/(prevalence*(1-prevalence))
	row[2], row[3] = s.logits.fit(sample)
	row[4] = float64(positive) / expected
}

// cutter counts who lies above each threshold of a decision curve.
type cutter struct {
	bin    []int // by unit: how many of the thresholds lie below its probability
	grid   []float64
	tp, fp []int // by bin; scratch
}

// newCutter takes an ascending grid.
func newCutter(probability, grid []float64) cutter {
	c := cutter{bin: make([]int, len(probability)), grid: grid, tp: make([]int, len(grid)+1), fp: make([]int, len(grid)+1)}
	for i, p := range probability {
		c.bin[i], _ = slices.BinarySearch(grid, p) // thresholds before it are smaller
	}
	return c
}

// netBenefits fills row with the net benefit at each threshold.
func (c *cutter) netBenefits(sample []uint16, labels []int, row []float64) {
	clear(c.tp)
	clear(c.fp)
	var n int
	for i, k := range c.bin {
		n += int(sample[i])
		if labels[i] == 1 {
			c.tp[k] += int(sample[i])
		} else {
			c.fp[k] += int(sample[i])
		}
	}
	var tp, fp int
	for k := len(c.grid) - 1; k >= 0; k-- { // above threshold k are the bins behind it
		tp, fp = tp+c.tp[k+1], fp+c.fp[k+1]
		row[k] = netBenefit(tp, fp, n, c.grid[k])
	}
}
