package evaluate

import (
	"math"
	"slices"

	"sonotype/internal/stats"
)

// Numbers of single measures in a draw: those conditional on the class, and those that depend on the prevalence.
const (
	conditionals = 6
	dependents   = 9
)

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

// conditionalWidth is the number of measures that are conditional on the class, dependentWidth of the others.
func (s *sweep) conditionalWidth() int { return conditionals + 2*len(s.levels) }
func (s *sweep) dependentWidth() int {
	return dependents + 3*(len(s.decision.grid)+len(s.recalibrated.grid))
}

// walk goes down the scores once and leaves the draw's ROC corners in tp and fp. It gives twice the number of pairs ranked
// rightly and the sum of the precision over the positives. sample holds the units' multiplicities.
func (s *sweep) walk(sample []uint16) (ranked2, precision float64) {
	var tp, fp int
	fromTP, fromFP := 0, 0 // where the current ties began
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
		ranked2 += float64(dn) * float64(tp+fromTP) // those negatives lose to fromTP positives and tie with dp
		if dp > 0 {
			precision += float64(dp) * float64(tp) / float64(tp+fp)
		}
		fromTP, fromFP = tp, fp
	}
	return ranked2, precision
}

// table is the draw's 2 x 2 table at the threshold, after walk.
func (s *sweep) table() (tp, fp, tn, fn float64) {
	tp, fp = float64(s.tp[s.threshold]), float64(s.fp[s.threshold])
	return tp, fp, float64(s.fp[len(s.fp)-1]) - fp, float64(s.tp[len(s.tp)-1]) - tp
}

// conditional fills row with what does not change with the prevalence: BootstrapResult.conditional, sensitivity at each
// level of specificity and the reverse. The calibration slope belongs here, as a logistic model's slope is the same
// whatever the numbers drawn from each class (Prentice and Pyke, Biometrika 1979).
func (s *sweep) conditional(sample []uint16, row []float64) {
	ranked2, _ := s.walk(sample)
	tp, fp, tn, fn := s.table()
	sens, spec := tp/(tp+fn), tn/(tn+fp)
	row[0], row[1], row[2] = ranked2/(2*(tp+fn)*(tn+fp)), sens, spec
	row[3], row[4] = sens/(1-spec), (1-sens)/spec
	row[5] = s.logits.fitSlope(sample)
	row = row[conditionals:]
	for j, level := range s.levels {
		row[j], row[len(s.levels)+j] = fixedSensitivity(s.tp, s.fp, level), fixedSpecificity(s.tp, s.fp, level)
	}
}

// dependent fills row with what changes with the prevalence: BootstrapResult.dependent, then benefits.
func (s *sweep) dependent(sample []uint16, row []float64) {
	_, precision := s.walk(sample)
	tp, fp, tn, fn := s.table()
	positive, negative := tp+fn, tn+fp
	row[0] = math.NaN()
	if positive > 0 && negative > 0 {
		row[0] = precision / positive
	}
	row[1], row[2], row[3] = (tp+tn)/(positive+negative), tp/(tp+fp), tn/(tn+fn)
	row[4] = 2 * tp / (2*tp + fp + fn)
	s.probabilities(sample, positive, negative, row[5:dependents])
	row = row[dependents:]
	s.decision.benefits(sample, s.labels, row)
	s.recalibrated.benefits(sample, s.labels, row[3*len(s.decision.grid):])
}

// probabilities gives Brier, scaled Brier, calibration intercept and O:E.
func (s *sweep) probabilities(sample []uint16, positive, negative float64, row []float64) {
	for k := range row {
		row[k] = math.NaN()
	}
	if s.loss == nil {
		return
	}
	var loss, expected float64
	for i, c := range sample {
		loss += float64(c) * s.loss[i]
		expected += float64(c) * s.probability[i]
	}
	n := positive + negative
	row[0] = loss / n
	if positive > 0 && negative > 0 {
		row[1] = 1 - row[0]/(positive/n*(negative/n))
	}
	row[2] = s.logits.fitIntercept(sample)
	if expected > 0 {
		row[3] = positive / expected
	}
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

// benefits fills row with the net benefit at each threshold, then with the standardised one (NaN without positives), then
// with what the model gains over treating all.
func (c *cutter) benefits(sample []uint16, labels []int, row []float64) {
	clear(c.tp)
	clear(c.fp)
	var n, positive int
	for i, k := range c.bin {
		n += int(sample[i])
		if labels[i] == 1 {
			c.tp[k] += int(sample[i])
			positive += int(sample[i])
		} else {
			c.fp[k] += int(sample[i])
		}
	}
	var tp, fp int
	g := len(c.grid)
	for k := g - 1; k >= 0; k-- { // above threshold k are the bins behind it
		tp, fp = tp+c.tp[k+1], fp+c.fp[k+1]
		benefit := netBenefit(tp, fp, n, c.grid[k])
		row[k], row[g+k] = benefit, math.NaN()
		if positive > 0 {
			row[g+k] = benefit * float64(n) / float64(positive)
		}
		row[2*g+k] = benefit - netBenefit(positive, n-positive, n, c.grid[k])
	}
}
