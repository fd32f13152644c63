package survival

import (
	"fmt"
	"sort"

	"gonum.org/v1/gonum/mat"

	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/internal/stats"
)

// The time scales on which proportional hazards are tested.
const (
	TimeKM       = "km"       // 1 - Kaplan-Meier just before the time: R's default, robust to late outliers
	TimeIdentity = "identity" // time itself
)

// ProportionalHazards tests, for each term and for all together, whether its coefficient in the Cox model changes
// along g(time): the score test of Grambsch and Therneau (Biometrika 1994) as R's cox.zph computes it since
// survival 3.0. A small p speaks against one hazard ratio for the whole follow-up.
func ProportionalHazards(time []float64, event []int, covariates []Covariate, strata []string, transform string) (*HazardTest, error) {
	f, err := fitCox(time, event, covariates, strata)
	if err != nil {
		return nil, err
	}
	return f.hazardTest(transform)
}

// hazardTest adds a coefficient of z g(time) to the model for every covariate and takes the score test at zero.
func (f *coxFit) hazardTest(transform string) (*HazardTest, error) {
	g, err := timeScale(f.likelihood.time, f.likelihood.event, transform)
	if err != nil {
		return nil, err
	}
	p := len(f.beta)
	u, information := make([]float64, p), mat.NewSymDense(2*p, nil)
	f.likelihood.deaths(f.beta, func(d death) {
		x, k := g(d.time), 0
		for a := range p {
			u[a] += x * d.residual[a]
			for b := a; b < p; b++ {
				v := d.covariance[k]
				information.SetSym(a, b, information.At(a, b)+v)
				information.SetSym(p+a, p+b, information.At(p+a, p+b)+x*x*v)
				information.SetSym(a, p+b, information.At(a, p+b)+x*v)
				if a != b {
					information.SetSym(b, p+a, information.At(b, p+a)+x*v)
				}
				k++
			}
		}
	})
	out := &HazardTest{Transform: transform}
	every := make([]int, p)
	for j := range every {
		every[j] = j
	}
	for _, t := range termsOf(f.covariates) {
		out.Terms = append(out.Terms, changeTest(t.name, t.columns, u, information))
	}
	out.Global = changeTest("global", every, u, information)
	return out, nil
}

// term is one covariate of the model, with its columns.
type term struct {
	name    string
	columns []int
}

// termsOf joins the columns of categorical covariates.
func termsOf(covariates []Covariate) []term {
	var out []term
	at := map[string]int{}
	for j, c := range covariates {
		name := c.term()
		i, ok := at[name]
		if !ok {
			i = len(out)
			at[name], out = i, append(out, term{name: name})
		}
		out[i].columns = append(out[i].columns, j)
	}
	return out
}

// changeTest is the score test that the coefficients of the columns do not change with time, all coefficients of the
// model being estimated.
func changeTest(name string, columns []int, u []float64, information *mat.SymDense) stats.Test {
	p := len(u)
	used := make([]int, 0, p+len(columns))
	for j := range p {
		used = append(used, j)
	}
	score := mat.NewVecDense(p+len(columns), nil)
	for k, j := range columns {
		used = append(used, p+j)
		score.SetVec(p+k, u[j])
	}
	v := mat.NewSymDense(len(used), nil)
	for a, i := range used {
		for b, j := range used {
			if b >= a {
				v.SetSym(a, b, information.At(i, j))
			}
		}
	}
	x, ok := quadratic(score, v)
	if !ok {
		return stats.NotComputable(name, "too few events to test a change over time")
	}
	df := float64(len(columns))
	return stats.Test{Name: name, Statistic: num.Float(x), DF: num.Float(df), DF2: num.NaN(), P: num.Float(stats.ChiSquareTail(x, df))}
}

// timeScale is g of a transform, with mean 0 over the events.
func timeScale(time []float64, event []int, transform string) (func(float64) float64, error) {
	g := func(t float64) float64 { return t }
	switch transform {
	case TimeIdentity:
	case TimeKM:
		k, err := KaplanMeier(time, event, Log)
		if err != nil {
			return nil, err
		}
		g = func(t float64) float64 { return 1 - k.before(t) }
	default:
		return nil, &problem.Error{What: "unknown time scale for the proportional-hazards test", Expected: TimeKM + " or " + TimeIdentity, Found: fmt.Sprintf("%q", transform)}
	}
	mean, n := 0.0, 0.0
	for i, t := range time {
		if event[i] == 1 {
			mean, n = mean+g(t), n+1
		}
	}
	mean /= n
	return func(t float64) float64 { return g(t) - mean }, nil
}

// before is the estimate just before t.
func (k *KM) before(t float64) float64 {
	i := sort.Search(len(k.Points), func(i int) bool { return k.Points[i].Time >= t })
	if i == 0 {
		return 1
	}
	return k.Points[i-1].Survival
}
