package clinical

import (
	"math"
	"path/filepath"
	"testing"

	"sonotype/internal/golden"
	"sonotype/internal/num"
)

type oracleVariable struct {
	Name   string
	Levels []string
	Values []float64
}

type oracleSet struct {
	Name      string
	Y         []int
	Variables []oracleVariable
	Beta, SE  []float64
	WaldP     []float64 `json:"wald_p"`
	Lo, Hi    []float64
	LR        []float64
	LRDF      []float64 `json:"lr_df"`
	LRP       []float64 `json:"lr_p"`
	Whole     float64
	LogLik    float64
	FirthBeta []float64 `json:"firth_beta"`
	FirthSE   []float64 `json:"firth_se"`
	FirthLR   []float64 `json:"firth_lr"`
	Profile   struct{ Lo, Hi []float64 }
}

type oracle struct {
	golden.Meta
	Sets      []oracleSet
	Separated oracleSet
	Pooled    struct {
		Y        []int
		Copies   []map[string][]float64
		Beta, SE []float64
		DF, P    []float64
		Lo, Hi   []float64
		FMI      []float64
		Within   []float64
		Between  []float64
		D3       float64
		D3DF2    float64 `json:"d3_df2"`
		D3P      float64 `json:"d3_p"`
		MiceD3   float64 `json:"mice_d3"`
	}
}

func loadOracle(t *testing.T) oracle {
	var o oracle
	golden.Load(t, filepath.Join("testdata", "oracle", "logistic.json"), &o)
	return o
}

func (s oracleSet) parts() (vars []Variable, columns [][]float64) {
	for _, v := range s.Variables {
		vars, columns = append(vars, Variable{Name: v.Name, Levels: v.Levels}), append(columns, v.Values)
	}
	return vars, columns
}

// near compares with a tolerance relative to values above 1.
func near(t *testing.T, what string, got num.Float, want, tolerance float64) {
	t.Helper()
	if d := math.Abs(float64(got) - want); !(d <= tolerance*max(1, math.Abs(want))) {
		t.Errorf("%s: %v, want %v (off by %.2g)", what, got, want, d)
	}
}

const penalisedTolerance = 1e-5 // of the statistics that R's optim finds

func TestAgainstGLM(t *testing.T) {
	o := loadOracle(t)
	for _, s := range o.Sets {
		vars, columns := s.parts()
		m, err := Fit(vars, columns, s.Y, Auto)
		if err != nil {
			t.Fatal(err)
		}
		near(t, s.Name+" intercept", m.Intercept, s.Beta[0], o.Tolerance)
		for j, c := range m.Terms {
			near(t, s.Name+" beta "+c.Variable, c.Beta, s.Beta[j+1], o.Tolerance)
			near(t, s.Name+" se "+c.Variable, c.SE, s.SE[j+1], o.Tolerance)
			near(t, s.Name+" wald p "+c.Variable, c.WaldP, s.WaldP[j+1], o.Tolerance)
			near(t, s.Name+" or "+c.Variable, c.OR, math.Exp(s.Beta[j+1]), o.Tolerance)
			near(t, s.Name+" lo "+c.Variable, c.Lo, s.Lo[j], o.Tolerance)
			near(t, s.Name+" hi "+c.Variable, c.Hi, s.Hi[j], o.Tolerance)
		}
		for i, lr := range m.Tests {
			near(t, s.Name+" lr "+vars[i].Name, lr.Statistic, s.LR[i], o.Tolerance)
			near(t, s.Name+" lr df "+vars[i].Name, lr.DF, s.LRDF[i], 0)
			near(t, s.Name+" lr p "+vars[i].Name, lr.P, s.LRP[i], o.Tolerance)
		}
		near(t, s.Name+" whole", m.Whole.Statistic, s.Whole, o.Tolerance)
		near(t, s.Name+" log-likelihood", m.LogLik, s.LogLik, o.Tolerance)
	}
}

func TestFirthAgainstBrglm2(t *testing.T) {
	o := loadOracle(t)
	for _, s := range append(o.Sets, o.Separated) {
		vars, columns := s.parts()
		m, err := Fit(vars, columns, s.Y, Always)
		if err != nil {
			t.Fatal(err)
		}
		near(t, s.Name+" intercept", m.Intercept, s.FirthBeta[0], o.Tolerance)
		for j, c := range m.Terms {
			near(t, s.Name+" beta "+c.Variable, c.Beta, s.FirthBeta[j+1], o.Tolerance)
			near(t, s.Name+" se "+c.Variable, c.SE, s.FirthSE[j+1], o.Tolerance)
			near(t, s.Name+" profile lo "+c.Variable, num.Float(math.Log(float64(c.Lo))), s.Profile.Lo[j], penalisedTolerance)
			near(t, s.Name+" profile hi "+c.Variable, num.Float(math.Log(float64(c.Hi))), s.Profile.Hi[j], penalisedTolerance)
		}
		for i, lr := range m.Tests {
			near(t, s.Name+" penalised lr "+vars[i].Name, lr.Statistic, s.FirthLR[i], penalisedTolerance)
		}
	}
	vars, columns := o.Separated.parts()
	m, err := Fit(vars, columns, o.Separated.Y, Auto)
	if err != nil || len(m.Separated) != 1 || m.Separated[0] != "stage T3" || m.Method != "Firth" {
		t.Errorf("separated %v, %s (%v)", m.Separated, m.Method, err)
	}
}

func TestPoolingAgainstMice(t *testing.T) {
	o := loadOracle(t)
	p := o.Pooled
	vars := []Variable{{Name: "age"}, {Name: "score"}, {Name: "stage", Levels: []string{"T1", "T2", "T3"}}, {Name: "her2", Levels: []string{"negative", "positive"}}}
	var copies [][][]float64
	for _, c := range p.Copies {
		copies = append(copies, [][]float64{c["age"], c["score"], c["stage"], c["her2"]})
	}
	m, err := FitImputed(vars, copies, p.Y, Auto)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "intercept", m.Intercept, p.Beta[0], o.Tolerance)
	for j, c := range m.Terms {
		near(t, "beta "+c.Variable, c.Beta, p.Beta[j+1], o.Tolerance)
		near(t, "se "+c.Variable, c.SE, p.SE[j+1], o.Tolerance)
		near(t, "p "+c.Variable, c.WaldP, p.P[j+1], o.Tolerance)
		near(t, "lo "+c.Variable, num.Float(math.Log(float64(c.Lo))), p.Lo[j+1], o.Tolerance)
		near(t, "hi "+c.Variable, num.Float(math.Log(float64(c.Hi))), p.Hi[j+1], o.Tolerance)
		near(t, "fmi "+c.Variable, c.FMI, p.FMI[j+1], o.Tolerance)
	}
	d3 := m.Tests[2]
	near(t, "D3", d3.Statistic, p.D3, o.Tolerance)
	near(t, "D3 df", d3.DF2, p.D3DF2, o.Tolerance)
	near(t, "D3 p", d3.P, p.D3P, o.Tolerance)
	near(t, "D3 as mice has it", d3.Statistic, p.MiceD3, 0.01)
}

func TestSeparationAgainstLinearProgramming(t *testing.T) {
	var o struct {
		golden.Meta
		Cases []struct {
			X         [][]float64
			Y         []int
			Separated bool
		}
	}
	golden.Load(t, filepath.Join("testdata", "oracle", "separation.json"), &o)
	for k, c := range o.Cases {
		vars := make([]Variable, len(c.X))
		for i := range vars {
			vars[i].Name = string(rune('a' + i))
		}
		m, err := Fit(vars, c.X, c.Y, Never)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(m.Separated) > 0; got != c.Separated || m.Fitted() == c.Separated {
			t.Errorf("case %d: separated %v, fitted %v, want separated %v (%v)", k, got, m.Fitted(), c.Separated, m.Notes)
		}
		if m, err = Fit(vars, c.X, c.Y, Always); err != nil || !m.Fitted() {
			t.Errorf("case %d: Firth's estimate always exists: %v (%v)", k, m.Notes, err)
		}
	}
}
