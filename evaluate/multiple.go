package evaluate

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/internal/rng"
)

// Holm adjusts p-values for the number of tests (Holm, Scandinavian Journal of Statistics 1979; R's p.adjust). A missing
// p-value stays missing and does not count as a test.
func Holm(p []num.Float) []num.Float {
	order := make([]int, 0, len(p))
	out := make([]num.Float, len(p))
	for i, v := range p {
		if out[i] = num.NaN(); !v.IsNaN() {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	var reached num.Float
	for k, i := range order {
		reached = max(reached, p[i]*num.Float(len(order)-k))
		out[i] = min(1, reached)
	}
	return out
}

// Luck says what choosing the best of several models on the very units that it is then judged by would give if all of
// them were equally good.
type Luck struct {
	Models      int       `json:"models"`
	N           int       `json:"n"`
	Positive    int       `json:"positive"`
	Best        int       `json:"best"`        // position of the highest AUC
	AUC         num.Float `json:"auc"`         // of the best
	Mean        num.Float `json:"mean_auc"`    // over the models
	Lead        num.Float `json:"lead"`        // AUC - Mean
	Correlation num.Float `json:"correlation"` // mean over the pairs of models, of their AUCs' sampling errors
	Optimism    num.Float `json:"optimism"`    // simulated: how far the best of equal models lies above their true AUC, on average
	LeadByLuck  num.Float `json:"lead_by_luck"`
	P           num.Float `json:"p"` // simulated: the chance that the best of equal models leads by Lead or more
	Draws       int       `json:"draws"`
	Note        string    `json:"note,omitempty"`
}

// BestByLuck simulates how far the best of equally good models stands out by chance. scores holds one slice a model, all
// of the same units. The AUCs' sampling errors are drawn from a normal distribution with DeLong's covariance, so that the
// models are as alike in the simulation as they are on these units.
func BestByLuck(scores [][]float64, labels []int, draws int, seed uint64) (Luck, error) {
	if len(scores) < 2 || draws < 1 {
		return Luck{}, &problem.Error{What: "nothing to choose from", Expected: "two models or more, one draw or more", Found: fmt.Sprintf("%d models, %d draws", len(scores), draws)}
	}
	nan := num.NaN()
	out := Luck{Models: len(scores), AUC: nan, Mean: nan, Lead: nan, Correlation: nan, Optimism: nan, LeadByLuck: nan, P: nan}
	parts := make([]delong, len(scores))
	for m, s := range scores {
		positive, negative, err := checkInput(s, labels)
		if err != nil {
			return Luck{}, err
		}
		out.N, out.Positive = positive+negative, positive
		if out.Note = oneClass(positive, negative); out.Note != "" {
			return out, nil
		}
		if min(positive, negative) < 2 {
			out.Note = "no simulation: a class has a single unit"
			return out, nil
		}
		parts[m] = components(s, labels)
	}
	out.rank(parts)
	return out, out.simulate(parts, draws, seed)
}

// rank finds the best model and its lead.
func (l *Luck) rank(parts []delong) {
	var sum float64
	for m, d := range parts {
		sum += d.auc
		if d.auc > parts[l.Best].auc {
			l.Best = m
		}
	}
	mean := sum / float64(len(parts))
	l.AUC, l.Mean, l.Lead = num.Float(parts[l.Best].auc), num.Float(mean), num.Float(parts[l.Best].auc-mean)
}

// simulate draws the sampling errors of equally good models: e = root * z with root * root' = DeLong's covariance.
func (l *Luck) simulate(parts []delong, draws int, seed uint64) error {
	k := len(parts)
	cov := mat.NewSymDense(k, nil)
	var together float64
	pairs := 0
	for i := range k {
		for j := i; j < k; j++ {
			cov.SetSym(i, j, covariance(parts[i], parts[j]))
		}
	}
	for i := range k {
		for j := i + 1; j < k; j++ {
			if r := cov.At(i, j) / math.Sqrt(cov.At(i, i)*cov.At(j, j)); !math.IsNaN(r) {
				together += r
				pairs++
			}
		}
	}
	if pairs > 0 {
		l.Correlation = num.Float(together / float64(pairs))
	}
	root, err := squareRoot(cov)
	if err != nil {
		return err
	}
	r := rng.Stream(seed, "best-by-luck")
	z, e := mat.NewVecDense(k, nil), mat.NewVecDense(k, nil)
	var optimism, leads float64
	reached := 0
	for range draws {
		for i := range k {
			z.SetVec(i, r.NormFloat64())
		}
		e.MulVec(root, z)
		best, mean := mat.Max(e), mat.Sum(e)/float64(k)
		optimism += best
		leads += best - mean
		if best-mean >= float64(l.Lead) {
			reached++
		}
	}
	l.Draws = draws
	l.Optimism, l.LeadByLuck = num.Float(optimism/float64(draws)), num.Float(leads/float64(draws))
	l.P = num.Float(float64(reached+1) / float64(draws+1)) // never 0 (Phipson and Smyth 2010)
	return nil
}

// squareRoot is the symmetric root of a covariance matrix, which may be singular: two models may rank all units alike.
func squareRoot(cov *mat.SymDense) (*mat.Dense, error) {
	var eig mat.EigenSym
	if !eig.Factorize(cov, true) {
		return nil, &problem.Error{What: "the covariance of the models' AUCs has no eigenvalues", Try: "report this with the scores"}
	}
	var v, scaled, root mat.Dense
	eig.VectorsTo(&v)
	values := eig.Values(nil)
	scaled.Apply(func(_, j int, x float64) float64 { return x * math.Sqrt(max(0, values[j])) }, &v)
	root.Mul(&scaled, v.T())
	return &root, nil
}
