package impute

import (
	"math"

	"sonotype/internal/num"
	"sonotype/internal/stats"
)

// Pooled is an estimate over m imputed data sets by Rubin's rules (Rubin 1987), with the degrees of freedom of Barnard
// and Rubin (Biometrika 1999) for a finite sample.
type Pooled struct {
	Value   float64   `json:"value"`
	SE      float64   `json:"se"`
	DF      num.Float `json:"df"`      // null: infinite
	Within  float64   `json:"within"`  // mean variance
	Between float64   `json:"between"` // variance of the estimates
	FMI     float64   `json:"fmi"`     // fraction of information lost to the missing values
}

// Pool combines one estimate and its variance from each imputed data set; complete is the degrees of freedom that the
// analysis would have without missing values (n minus the parameters; infinite where the sample is taken as large).
func Pool(estimates, variances []float64, complete float64) Pooled {
	m := float64(len(estimates))
	mean, between := stats.MeanVar(estimates)
	within, _ := stats.MeanVar(variances)
	if len(estimates) < 2 {
		between = 0
	}
	total := within + (1+1/m)*between
	out := Pooled{Value: mean, SE: math.Sqrt(total), Within: within, Between: between}
	lambda := (1 + 1/m) * between / total
	if !(lambda > 1e-12) {
		out.DF = num.Float(complete)
		return out
	}
	old := (m - 1) / (lambda * lambda)
	df := old
	if !math.IsInf(complete, 1) {
		observed := (complete + 1) / (complete + 3) * complete * (1 - lambda)
		df = old * observed / (old + observed)
	}
	r := lambda / (1 - lambda)
	out.DF, out.FMI = num.Float(df), (r+2/(df+3))/(r+1)
	return out
}

// LikelihoodRatio is the pooled likelihood-ratio test D3 of Meng and Rubin (Biometrika 1992) of k parameters: own holds
// twice the gain in log-likelihood of each imputed data set at its own estimates, pooled that at the pooled estimates.
func LikelihoodRatio(own, pooled []float64, k int) stats.Test {
	m := float64(len(own))
	meanOwn, _ := stats.MeanVar(own)
	meanPooled, _ := stats.MeanVar(pooled)
	df := float64(k)
	out := stats.Test{Name: "likelihood ratio (D3)", DF: num.Float(df), DF2: num.NaN()}
	if len(own) == 1 {
		out.Statistic, out.P = num.Float(meanOwn), num.Float(stats.ChiSquareTail(meanOwn, df))
		return out
	}
	r := max(0, (m+1)/(df*(m-1))*(meanOwn-meanPooled))
	d := meanPooled / (df * (1 + r))
	v := df * (m - 1)
	w := math.Inf(1)
	if r > 1e-12 {
		if w = v * (1 + 1/df) * (1 + 1/r) * (1 + 1/r) / 2; v > 4 {
			w = 4 + (v-4)*math.Pow(1+(1-2/v)/r, 2)
		}
	}
	out.Statistic = num.Float(d)
	if math.IsInf(w, 1) {
		out.P = num.Float(stats.ChiSquareTail(d*df, df))
		return out
	}
	out.DF2, out.P = num.Float(w), num.Float(stats.FTail(d, df, w))
	return out
}
