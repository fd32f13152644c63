package clinical

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"sonotype/impute"
	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/internal/stats"
)

// Firth says when Firth's penalised likelihood (Biometrika 1993; Heinze and Schemper, Stat Med 2002) replaces maximum
// likelihood.
type Firth string

// The choices.
const (
	Auto   Firth = "auto"   // where the outcome is separated and maximum likelihood has no estimate
	Always Firth = "always" //
	Never  Firth = "never"  // a separated model is then reported without estimates
)

// Coefficient is one term of a model with its odds ratio and 95 % interval.
type Coefficient struct {
	Variable string    `json:"variable"`
	Level    string    `json:"level,omitempty"` // of a categorical variable, against the reference
	Beta     num.Float `json:"beta"`
	SE       num.Float `json:"se"`
	OR       num.Float `json:"or"`
	Lo       num.Float `json:"or_lo"`
	Hi       num.Float `json:"or_hi"`
	WaldP    num.Float `json:"wald_p"`
	FMI      num.Float `json:"fmi"` // fraction of missing information; null without imputation
}

// Model is a logistic model of P(outcome = 1).
type Model struct {
	Variables []Variable    `json:"variables"`
	Method    string        `json:"method"`   // "maximum likelihood" or "Firth"
	Interval  string        `json:"interval"` // of the odds ratios: "wald" or, of a Firth fit that is not pooled, "profile"
	N         int           `json:"n"`
	Positive  int           `json:"positive"`
	Intercept num.Float     `json:"intercept"`
	Terms     []Coefficient `json:"terms"`
	Tests     []stats.Test  `json:"tests"`  // likelihood ratio, one a variable
	Whole     stats.Test    `json:"whole"`  // likelihood ratio of all variables together
	LogLik    num.Float     `json:"loglik"` // of a Firth fit, the penalised one; of imputed data, the mean
	Separated []string      `json:"separated,omitempty"`
	Imputed   int           `json:"imputations,omitempty"`
	Notes     []string      `json:"notes,omitempty"`
}

// perParameter is the number of patients of the smaller class for each coefficient below which a model is called thin.
const perParameter = 10

// Fit fits the variables to 0/1 outcomes. columns[i] holds the values of vars[i]: numbers, or indices of levels; no
// value may be missing.
func Fit(vars []Variable, columns [][]float64, y []int, firth Firth) (*Model, error) {
	return FitImputed(vars, [][][]float64{columns}, y, firth)
}

// FitImputed fits the same model to each completed copy of the data and combines the estimates by Rubin's rules, the
// likelihood-ratio tests by Meng and Rubin's D3. One copy is an ordinary fit.
func FitImputed(vars []Variable, copies [][][]float64, y []int, firth Firth) (*Model, error) {
	m := &Model{Variables: vars, N: len(y), Intercept: num.NaN(), LogLik: num.NaN()}
	for i, v := range y {
		if v != 0 && v != 1 {
			return nil, &problem.Error{What: "a label is neither 0 nor 1", Found: fmt.Sprintf("%d in row %d", v, i+1)}
		}
		m.Positive += v
	}
	for _, columns := range copies {
		if err := sized(vars, columns, len(y)); err != nil {
			return nil, err
		}
	}
	if len(copies) > 1 {
		m.Imputed = len(copies)
	}
	variable, level := termNames(vars)
	for k, i := range variable {
		nan := num.NaN()
		m.Terms = append(m.Terms, Coefficient{Variable: vars[i].Name, Level: level[k], Beta: nan, SE: nan, OR: nan, Lo: nan, Hi: nan, WaldP: nan, FMI: nan})
	}
	for range vars {
		m.Tests = append(m.Tests, stats.NotComputable("likelihood ratio", ""))
	}
	m.Whole = stats.NotComputable("likelihood ratio", "")
	if why := m.impossible(len(variable)); why != "" {
		return m.without(why), nil
	}
	var designs []*mat.Dense
	for _, columns := range copies {
		x, err := design(vars, columns, len(y))
		if err != nil {
			return nil, err
		}
		if j := collinear(x); j > 0 {
			return m.without(fmt.Sprintf("%s is constant or follows from the variables before it", m.termName(j))), nil
		}
		designs = append(designs, x)
	}
	m.estimate(designs, y, firth, variable)
	if least := min(m.Positive, m.N-m.Positive); least < perParameter*len(variable) {
		m.Notes = append(m.Notes, fmt.Sprintf("%d patients in the smaller class for %s: estimates of so few are unstable and too extreme", least, plural(len(variable), "coefficient")))
	}
	return m, nil
}

func plural(n int, word string) string {
	if n != 1 {
		word += "s"
	}
	return fmt.Sprintf("%d %s", n, word)
}

func (m *Model) impossible(terms int) string {
	for _, v := range m.Variables {
		if len(v.Levels) == 1 {
			return v.Name + " has one value only"
		}
	}
	switch {
	case m.Positive == 0 || m.Positive == m.N:
		return "all patients have the same outcome"
	case m.N <= terms+1:
		return fmt.Sprintf("%d patients are too few for %s", m.N, plural(terms+1, "coefficient"))
	}
	return ""
}

// without is the model that could not be fitted, with the reason.
func (m *Model) without(why string) *Model {
	m.Notes = append(m.Notes, why)
	for i := range m.Tests {
		m.Tests[i].Note = why
	}
	m.Whole.Note = why
	return m
}

// Fitted says whether the model has estimates.
func (m *Model) Fitted() bool { return !m.Intercept.IsNaN() }

func (m *Model) termName(column int) string {
	t := m.Terms[column-1]
	if t.Level != "" {
		return t.Variable + " " + t.Level
	}
	return t.Variable
}

// collinear is the first column of the design that is constant or a combination of those before it; 0 when none is.
func collinear(x *mat.Dense) int {
	s := scale(x)
	_, p := x.Dims()
	basis := [][]float64{}
	for j := range p {
		col := mat.Col(nil, j, s.x)
		size := dot(col, col)
		for range 2 { // twice is enough (Kahan, Parlett)
			for _, b := range basis {
				along := dot(col, b)
				for i := range col {
					col[i] -= along * b[i]
				}
			}
		}
		left := dot(col, col)
		if left <= 1e-10*size {
			return j
		}
		for i := range col {
			col[i] /= math.Sqrt(left)
		}
		basis = append(basis, col)
	}
	return 0
}

// estimate fits all copies, pools them and tests each variable.
func (m *Model) estimate(designs []*mat.Dense, y []int, firth Firth, variable []int) {
	penalised := firth == Always
	fits := fitAll(designs, y, penalised)
	if !penalised {
		m.Separated = m.separation(fits)
		if len(m.Separated) > 0 {
			say := strings.Join(m.Separated, ", ") + ": the patients' outcomes are separated, so that maximum likelihood has no finite estimate"
			if firth == Never {
				m.without(say)
				return
			}
			m.Notes = append(m.Notes, say+"; Firth's penalised likelihood is used")
			penalised = true
			fits = fitAll(designs, y, true)
		}
	}
	m.Method = "maximum likelihood"
	if penalised {
		m.Method = "Firth"
	}
	for _, f := range fits {
		if !f.converged || f.cov == nil {
			m.without("the fit did not converge")
			return
		}
	}
	m.pool(fits)
	m.Interval = "wald"
	if penalised && len(fits) == 1 {
		m.Interval = "profile"
		for j := range m.Terms {
			lo, hi := profile(designs[0], y, fits[0], j+1)
			m.Terms[j].Lo, m.Terms[j].Hi = num.Float(math.Exp(lo)), num.Float(math.Exp(hi))
		}
	}
	pooled := m.coefficients()
	var all []int
	for i := range m.Variables {
		var cols []int
		for k, v := range variable {
			if v == i {
				cols = append(cols, k+1)
			}
		}
		all = append(all, cols...)
		m.Tests[i] = m.test(designs, y, penalised, fits, pooled, cols)
	}
	m.Whole = m.test(designs, y, penalised, fits, pooled, all)
}

func fitAll(designs []*mat.Dense, y []int, firth bool) []*fit {
	var fits []*fit
	for _, x := range designs {
		fits = append(fits, maximise(x, y, firth, nil))
	}
	return fits
}

// separation names the variables that separate the outcomes in any copy.
func (m *Model) separation(fits []*fit) []string {
	var names []string
	for _, f := range fits {
		for _, j := range f.separated {
			if name := m.termName(j); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// pool fills the coefficients by Rubin's rules.
func (m *Model) pool(fits []*fit) {
	p := len(fits[0].beta)
	var loglik float64
	for _, f := range fits {
		loglik += f.loglik / float64(len(fits))
	}
	m.LogLik = num.Float(loglik)
	for j := range p {
		estimates, variances := make([]float64, len(fits)), make([]float64, len(fits))
		for i, f := range fits {
			estimates[i], variances[i] = f.beta[j], f.cov.At(j, j)
		}
		complete := math.Inf(1) // one copy: Wald's normal interval
		if len(fits) > 1 {
			complete = float64(m.N - p)
		}
		e := impute.Pool(estimates, variances, complete)
		if j == 0 {
			m.Intercept = num.Float(e.Value)
			continue
		}
		c := &m.Terms[j-1]
		z := stats.Z975
		c.WaldP = num.Float(stats.NormalTwoSided(e.Value / e.SE))
		if len(fits) > 1 {
			z = stats.TQuantile975(float64(e.DF))
			c.WaldP = num.Float(stats.TTwoSided(e.Value/e.SE, float64(e.DF)))
			c.FMI = num.Float(e.FMI)
		}
		c.Beta, c.SE = num.Float(e.Value), num.Float(e.SE)
		c.OR, c.Lo, c.Hi = num.Float(math.Exp(e.Value)), num.Float(math.Exp(e.Value-z*e.SE)), num.Float(math.Exp(e.Value+z*e.SE))
	}
}

func (m *Model) coefficients() []float64 {
	beta := []float64{float64(m.Intercept)}
	for _, t := range m.Terms {
		beta = append(beta, float64(t.Beta))
	}
	return beta
}

// test is the likelihood-ratio test of the design's columns cols: by refitting without them, and for a penalised fit
// with their coefficients held at 0 under the same penalty.
func (m *Model) test(designs []*mat.Dense, y []int, penalised bool, fits []*fit, pooled []float64, cols []int) stats.Test {
	own, atPooled := make([]float64, len(fits)), make([]float64, len(fits))
	reduced := make([]*fit, len(fits))
	mean := make([]float64, len(pooled))
	for i, x := range designs {
		reduced[i] = maximise(x, y, penalised, cols)
		if !reduced[i].converged {
			return stats.NotComputable("likelihood ratio", "the model without the variable did not converge")
		}
		own[i] = 2 * (fits[i].loglik - reduced[i].loglik)
		for j, b := range reduced[i].beta {
			mean[j] += b / float64(len(fits))
		}
	}
	if len(fits) == 1 {
		df := float64(len(cols))
		stat := max(0, own[0])
		name := "likelihood ratio"
		if penalised {
			name = "penalised likelihood ratio"
		}
		return stats.Test{Name: name, Statistic: num.Float(stat), DF: num.Float(df), DF2: num.NaN(), P: num.Float(stats.ChiSquareTail(stat, df))}
	}
	for i, x := range designs {
		full, null := at(x, y, pooled, penalised), at(x, y, mean, penalised)
		atPooled[i] = 2 * (full.loglik + full.penalty - null.loglik - null.penalty)
	}
	return impute.LikelihoodRatio(own, atPooled, len(cols))
}

// Linear is the model's linear predictor, the logit of its probability, for one patient's values.
func (m *Model) Linear(values []float64) (float64, error) {
	columns := make([][]float64, len(values))
	for i, v := range values {
		columns[i] = []float64{v}
	}
	if !m.Fitted() || len(values) != len(m.Variables) {
		return 0, &problem.Error{What: "a model without estimates, or with other variables, cannot score a patient"}
	}
	x, err := design(m.Variables, columns, 1)
	if err != nil {
		return 0, err
	}
	return dot(x.RawRowView(0), m.coefficients()), nil
}

// Predict is the probability of the outcome for one patient's values.
func (m *Model) Predict(values []float64) (float64, error) {
	z, err := m.Linear(values)
	return sigmoid(z), err
}
