package samplesize

import (
	"math"
	"testing"

	"sonotype/internal/golden"
)

// riley is the oracle: pmsampsize, pmvalsampsize and scipy.
type riley struct {
	golden.Meta
	Development []struct {
		Development
		N      []int   `json:"n"` // by criterion, then the largest
		Max    float64 `json:"max_cox_snell_r2"`
		Events float64 `json:"events"`
		Nagel  float64 `json:"nagelkerke"`
	} `json:"development"`
	R2 []struct {
		AUC        float64 `json:"auc"`
		Prevalence float64 `json:"prevalence"`
		Quadrature float64 `json:"quadrature"`
		Simulated  float64 `json:"simulated"`
	} `json:"r2"`
	Normal []struct {
		validationCase
		Mean    float64 `json:"mean"`
		SD      float64 `json:"sd"`
		OEWidth float64 `json:"oe_width"`
	} `json:"normal"`
	Binormal []struct {
		validationCase
		Threshold   float64 `json:"threshold"`
		OE          float64 `json:"oe"`
		Sensitivity float64 `json:"sensitivity"`
		Specificity float64 `json:"specificity"`
	} `json:"binormal"`
}

type validationCase struct {
	Prevalence  float64   `json:"prevalence"`
	AUC         float64   `json:"auc"`
	Information []float64 `json:"information"`
	N           []int     `json:"n"`
	Program     []int     `json:"program"`
}

func load(t *testing.T) riley {
	var g riley
	golden.Load(t, "testdata/oracle/riley.json", &g)
	return g
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: got %.12g, want %.12g", what, got, want)
	}
}

func TestDevelopmentAgainstPmsampsize(t *testing.T) {
	g := load(t)
	for _, c := range g.Development {
		need, err := c.Need()
		if err != nil {
			t.Fatal(err)
		}
		for i, k := range need.Criteria {
			if k.N != c.N[i] {
				t.Errorf("%+v, %s: got %d, want %d", c.Development, k.Name, k.N, c.N[i])
			}
		}
		if need.N != c.N[3] {
			t.Errorf("%+v: got %d, want %d", c.Development, need.N, c.N[3])
		}
		near(t, "largest R2", need.MaxR2, c.Max, g.Tolerance)
		near(t, "Nagelkerke", need.Nagelkerke, c.Nagel, g.Tolerance)
		near(t, "events", need.Events, c.Events, 1e-6)
	}
}

func TestR2FromAUC(t *testing.T) {
	g := load(t)
	for _, c := range g.R2 {
		got := R2FromAUC(c.AUC, c.Prevalence)
		near(t, "R2 by quadrature", got, c.Quadrature, g.Tolerance)
		near(t, "R2 by simulation", got, c.Simulated, 0.003)
	}
}

// The published example gives the distribution of the log-odds in all patients.
func TestValidationPublishedExample(t *testing.T) {
	g := load(t)
	for _, c := range g.Normal {
		at := func(f func(Information) float64) float64 {
			return expect(c.Mean, c.SD, func(x float64) float64 { return f(weights(x)) })
		}
		v := Validation{Prevalence: c.Prevalence, AUC: c.AUC, OE: 1, Information: Information{
			at(func(i Information) float64 { return i.I00 }), at(func(i Information) float64 { return i.I01 }), at(func(i Information) float64 { return i.I11 })}}
		targets := DefaultTargets()
		targets.OE = c.OEWidth
		compare(t, g.Tolerance, c.validationCase, v, targets)
	}
}

func TestValidationFromAUC(t *testing.T) {
	g := load(t)
	for _, c := range g.Binormal {
		v, err := Anticipate(c.Prevalence, c.AUC, c.Threshold)
		if err != nil {
			t.Fatal(err)
		}
		v.OE = c.OE
		near(t, "sensitivity", v.Sensitivity, c.Sensitivity, g.Tolerance)
		near(t, "specificity", v.Specificity, c.Specificity, g.Tolerance)
		compare(t, g.Tolerance, c.validationCase, v, DefaultTargets())
	}
}

func compare(t *testing.T, tolerance float64, c validationCase, v Validation, targets Targets) {
	t.Helper()
	near(t, "I00", v.Information.I00, c.Information[0], tolerance)
	near(t, "I01", v.Information.I01, c.Information[1], tolerance)
	near(t, "I11", v.Information.I11, c.Information[2], tolerance)
	need, err := v.Need(targets)
	if err != nil {
		t.Fatal(err)
	}
	if len(need.Criteria) != len(c.N) {
		t.Fatalf("got %d criteria, want %d", len(need.Criteria), len(c.N))
	}
	for i, k := range need.Criteria {
		if k.N != c.N[i] {
			t.Errorf("%s at %g, %g: got %d, want %d", k.Name, c.Prevalence, c.AUC, k.N, c.N[i])
		}
		if p := float64(c.Program[i]); math.Abs(float64(k.N)-p) > 0.02*p {
			t.Errorf("%s at %g, %g: got %d, pmvalsampsize %d", k.Name, c.Prevalence, c.AUC, k.N, c.Program[i])
		}
	}
}

// Affordable is the inverse of Need: that many parameters fit, one more does not.
func TestAffordable(t *testing.T) {
	for _, n := range []int{50, 300, 385, 400, 1000, 12345} {
		for _, r2 := range []float64{0.05, 0.15, 0.4} {
			d := Development{Prevalence: 0.45, R2: r2, Shrinkage: 0.9}
			p, err := d.Affordable(n)
			if err != nil {
				t.Fatal(err)
			}
			fits := func(parameters int) bool {
				d.Parameters = parameters
				need, err := d.Need()
				return err == nil && need.N <= n
			}
			if p > 0 && !fits(p) || fits(p+1) {
				t.Errorf("n %d, R2 %g: %d parameters are not the most that fit", n, r2, p)
			}
		}
	}
}

// Scores drawn from the anticipated distribution carry the anticipated information.
func TestObservedInformation(t *testing.T) {
	const n = 200_001
	b := newBinormal(0.3, 0.85)
	var scores []float64
	for i := range n { // quantiles of both groups, in their shares
		mean := b.mean0
		q := (float64(i) + 0.5) / (0.7 * n)
		if q >= 1 {
			mean, q = b.mean1, (float64(i)+0.5-0.7*n)/(0.3*n)
		}
		z := math.Sqrt2 * math.Erfinv(2*q-1)
		scores = append(scores, 1/(1+math.Exp(-mean-b.sd*z)))
	}
	want, err := Anticipate(0.3, 0.85, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := Observed(scores)
	near(t, "I00", got.I00, want.Information.I00, 1e-5)
	near(t, "I01", got.I01, want.Information.I01, 1e-5)
	near(t, "I11", got.I11, want.Information.I11, 1e-5)
	// Scores of 0 and 1 say nothing of the line.
	if i := Observed([]float64{0, 1}); i != (Information{}) {
		t.Errorf("certain scores: %+v", i)
	}
}

func TestImpossibleInputs(t *testing.T) {
	for _, d := range []Development{
		{0, 0.3, 0.1, 0.9}, {5, 0, 0.1, 0.9}, {5, 1, 0.1, 0.9}, {5, 0.3, 0, 0.9}, {5, 0.02, 0.5, 0.9}, {5, 0.3, 0.1, 1}, {5, 0.3, 0.5, 0.4}, {5, math.NaN(), 0.1, 0.9},
	} {
		if _, err := d.Need(); err == nil {
			t.Errorf("%+v: no error", d)
		}
	}
	for _, c := range [][2]float64{{0, 0.8}, {1, 0.8}, {0.3, 0.5}, {0.3, 1}, {0.3, math.NaN()}} {
		if _, err := Anticipate(c[0], c[1], 0); err == nil {
			t.Errorf("%v: no error", c)
		}
	}
	// Constant scores: no slope, and the criterion is left out.
	need, err := Validation{Prevalence: 0.3, AUC: 0.7, OE: 1, Information: Observed([]float64{0.3, 0.3})}.Need(DefaultTargets())
	if err != nil || len(need.Criteria) != 2 {
		t.Errorf("constant scores: %+v, %v", need.Criteria, err)
	}
}

func TestAUCFromR2IsTheInverse(t *testing.T) {
	for _, c := range load(t).R2 {
		near(t, "AUC", AUCFromR2(R2FromAUC(c.AUC, c.Prevalence), c.Prevalence), c.AUC, 1e-9)
	}
}

// More parameters, a lower R2 and a stricter shrinkage ask for more patients; narrower intervals too.
func TestNeedGrowsWithWhatIsAsked(t *testing.T) {
	need := func(d Development) int {
		n, err := d.Need()
		if err != nil {
			t.Fatal(err)
		}
		return n.N
	}
	base := Development{Parameters: 40, Prevalence: 0.4, R2: 0.2, Shrinkage: 0.9}
	for name, d := range map[string]Development{
		"parameters": {60, 0.4, 0.2, 0.9}, "R2": {40, 0.4, 0.15, 0.9}, "shrinkage": {40, 0.4, 0.2, 0.95},
	} {
		if need(d) <= need(base) {
			t.Errorf("%s: %d patients, %d before", name, need(d), need(base))
		}
	}
	v, err := Anticipate(0.4, 0.8, 0.3)
	if err != nil {
		t.Fatal(err)
	}
	wide, _ := v.Need(DefaultTargets())
	narrow, _ := v.Need(Targets{OE: 0.1, Slope: 0.1, AUC: 0.05, NetBenefit: 0.1})
	for i := range wide.Criteria {
		// Halving a width takes about four times as many.
		if r := float64(narrow.Criteria[i].N) / float64(wide.Criteria[i].N); r < 3.9 || r > 4.1 {
			t.Errorf("%s: %d for half the width of %d", wide.Criteria[i].Name, narrow.Criteria[i].N, wide.Criteria[i].N)
		}
	}
}

func TestNoteIsOneLine(t *testing.T) {
	var a Assessment
	a.Note("x", nil)
	a.Validate("external", 20, 20, Validation{AUC: 0.8, OE: 1}, DefaultTargets())
	if len(a.Notes) != 1 || a.Notes[0] != "external: impossible share of patients with the outcome (1; expected: between 0 and 1)" {
		t.Errorf("%q", a.Notes)
	}
}

// A model that explains next to nothing needs more patients than there are, whatever an int holds.
func TestHopelessModelsNeedManyPatients(t *testing.T) {
	need, err := Development{Parameters: 100_000, Prevalence: 0.3, R2: 1e-15, Shrinkage: 0.9}.Need()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range need.Criteria {
		if c.N < 1 {
			t.Errorf("%s asks for %d patients", c.Name, c.N)
		}
	}
	if need.N != math.MaxInt32 {
		t.Errorf("%d patients", need.N)
	}
}

func TestNothingComputedIsNotEnough(t *testing.T) {
	if c := (ValidationCheck{Patients: 1000}); c.Enough() {
		t.Error("a set without a criterion is called large enough")
	}
}
