package audit

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/stat/distuv"

	"sonotype/internal/num"
	"sonotype/internal/rng"
	"sonotype/internal/stats"
)

// correlations of the models' scores inside each class for which the luck is simulated: unrelated models, and
// what models of the same images usually have.
var correlations = []float64{0, 0.5, 0.8, 0.9}

// luckDraws is the number of simulated test sets.
const luckDraws = 1000

// best audits the choice of the best model of a group.
func (r *Report) best(ctx context.Context, g *Models, seed uint64) error {
	top, chosen := -1, -1
	var areas []float64
	for i := range g.Models {
		m := &g.Models[i]
		if m.auc == nil {
			continue
		}
		areas = append(areas, m.auc.value)
		if top < 0 || m.auc.value > g.Models[top].auc.value {
			top = i
		}
		if m.Name == g.Best {
			chosen = i
		}
	}
	if len(areas) < 2 {
		return nil
	}
	if chosen >= 0 && g.Models[chosen].auc.value < g.Models[top].auc.value {
		r.notBest(g, chosen)
	}
	if g.set.classes() {
		r.runnerUp(g, top)
		return r.luck(ctx, g, areas, seed)
	}
	return nil
}

// notBest says which models have a higher AUC than the one that is called best.
func (r *Report) notBest(g *Models, chosen int) {
	var higher []string
	for _, m := range g.Models {
		if m.auc != nil && m.auc.value > g.Models[chosen].auc.value {
			higher = append(higher, m.Name+" "+m.AUC.Text)
		}
	}
	r.add("best model", g.Name, Doubt, fmt.Sprintf("%s (AUC %s) is called best; a higher AUC is printed for %s.", g.Best, g.Models[chosen].AUC.Text, join(higher)))
}

// runnerUp says how closely two AUCs of the same patients would have to be correlated for the best one's lead
// over the next to be significant.
func (r *Report) runnerUp(g *Models, top int) {
	next := -1
	for i := range g.Models {
		if i != top && g.Models[i].auc != nil && (next < 0 || g.Models[i].auc.value > g.Models[next].auc.value) {
			next = i
		}
	}
	a, b := g.Models[top], g.Models[next]
	lead := a.auc.value - b.auc.value
	p, n := g.set.Positive.N, g.set.Negative.N
	sa, sb := hanley(a.auc.value, p, n), hanley(b.auc.value, p, n)
	// Var(A - B) = sa^2 + sb^2 - 2 r sa sb must stay under (lead/1.96)^2.
	need := (sa*sa + sb*sb - square(lead/stats.Z975)) / (2 * sa * sb)
	if !(sa > 0) || !(sb > 0) {
		return
	}
	said := fmt.Sprintf("%s leads %s by %.3f", a.Name, b.Name, lead)
	switch {
	case need >= 1:
		r.add("lead", g.Name, Note, said+": too little for P < 0.05 at any correlation of the two AUCs that the standard errors allow.")
	case need > 0:
		r.add("lead", g.Name, Note, fmt.Sprintf("%s: P < 0.05 in a paired comparison would need the two AUCs to be correlated by more than %s.", said, shown(need)))
	default:
		r.add("lead", g.Name, Agrees, said+": significant even if the two AUCs were not correlated.")
	}
}

// shown prints a correlation, and one that would round to 1 with more digits.
func shown(r float64) string {
	if r >= 0.995 {
		return fmt.Sprintf("%.4f", math.Floor(r*1e4)/1e4)
	}
	return fmt.Sprintf("%.2f", r)
}

// luck simulates what choosing the best of k equal models on the test set adds to its AUC.
func (r *Report) luck(ctx context.Context, g *Models, areas []float64, seed uint64) error {
	slices.Sort(areas)
	auc := areas[len(areas)-1] // all models as good as the best looks: the least favourable to luck
	res := LuckResult{Group: g.Name, K: len(areas), AUC: num.Float(auc), Draws: luckDraws, Gains: make([]Gain, len(correlations))}
	if !(auc > 0 && auc < 1) {
		return nil
	}
	if len(areas)*g.set.N.N > mostSimulated {
		r.add("best of several", g.Name, Untestable, fmt.Sprintf("%d models on %d patients are too many to simulate.", len(areas), g.set.N.N))
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	for i, rho := range correlations {
		group.Go(func() (err error) {
			res.Gains[i], err = gain(ctx, len(areas), auc, rho, g.set, seed)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	r.Luck = append(r.Luck, res)
	half, last := res.Gains[1], res.Gains[len(res.Gains)-1]
	r.add("best of several", g.Name, Note, fmt.Sprintf("%d models were compared on the patients that measure them. If all had a true AUC of %.3f, the best would on average show %.3f more with scores correlated by %g, %.3f more by %g.",
		res.K, auc, half.Mean, half.Correlation, last.Mean, last.Correlation))
	return nil
}

// mostSimulated bounds the scores of one simulated test set, all models together: luck hardly matters in larger sets, and
// a file of the largest models would take hours.
const mostSimulated = 20_000

// gain simulates the best of k models with normal scores of equal variance.
func gain(ctx context.Context, k int, auc, rho float64, set *Set, seed uint64) (Gain, error) {
	draw := rng.Stream(seed, "audit", "luck", strconv.Itoa(k), strconv.FormatFloat(auc, 'g', -1, 64), strconv.FormatFloat(rho, 'g', -1, 64), strconv.Itoa(set.Positive.N), strconv.Itoa(set.Negative.N))
	shift := math.Sqrt2 * distuv.UnitNormal.Quantile(auc)
	p, n := set.Positive.N, set.N.N
	scores := make([][]float64, k)
	for m := range scores {
		scores[m] = make([]float64, n)
	}
	excess := make([]float64, luckDraws)
	for d := range excess {
		if err := ctx.Err(); err != nil {
			return Gain{}, err
		}
		for i := range n {
			common := math.Sqrt(rho) * draw.NormFloat64()
			if i < p {
				common += shift
			}
			for m := range scores {
				scores[m][i] = common + math.Sqrt(1-rho)*draw.NormFloat64()
			}
		}
		best := 0.0
		for m := range scores {
			best = max(best, area(scores[m], p))
		}
		excess[d] = best - auc
	}
	mean, variance := stats.MeanVar(excess)
	slices.Sort(excess)
	return Gain{Correlation: rho, Mean: num.Float(mean), SE: num.Float(math.Sqrt(variance / luckDraws)), P95: num.Float(excess[luckDraws*95/100])}, nil
}

// area is the AUC of scores whose first p are the positives'.
func area(scores []float64, p int) float64 {
	ranks, _ := stats.MidRanks(scores)
	sum := 0.0
	for _, r := range ranks[:p] {
		sum += r
	}
	return (sum - float64(p)*float64(p+1)/2) / (float64(p) * float64(len(scores)-p))
}

func join(words []string) string {
	switch n := len(words); n {
	case 0:
		return ""
	case 1:
		return words[0]
	default:
		out := words[0]
		for _, w := range words[1 : n-1] {
			out += ", " + w
		}
		return out + " and " + words[n-1]
	}
}
