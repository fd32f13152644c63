package evaluate

import (
	"context"
	"math"
	"testing"

	"sonotype/internal/golden"
	"sonotype/internal/num"
)

type scoreSet struct {
	Name           string
	Label          []int
	P, Q           []float64
	AUC, Lo, Hi    float64
	Variance       float64
	AUC2           float64
	PairedZ        float64 `json:"paired_z"`
	PairedP        float64 `json:"paired_p"`
	Sens, Spec     []float64
	Youden         []float64
	Bootstrap      []float64
	Slope          []float64
	SlopeIntercept []float64 `json:"slope_intercept"`
	Intercept      []float64
	ValProb        map[string]float64
	LowessX        []float64 `json:"lowess_x"`
	LowessY        []float64 `json:"lowess_y"`
	Threshold      float64
	TP, FP, TN, FN int
	AccCI          []float64 `json:"acc_ci"`
	SensCI         []float64 `json:"sens_ci"`
	WilcoxonW      float64   `json:"wilcoxon_w"`
	WilcoxonP      float64   `json:"wilcoxon_p"`
	Density        []float64
	Grid, NB       []float64
	NBAll          []float64 `json:"nb_all"`
}

func loadScores(t testing.TB) (golden.Meta, []scoreSet) {
	var o struct {
		golden.Meta
		Sets []scoreSet
	}
	golden.Load(t, "testdata/oracle/scores.json", &o)
	if len(o.Sets) < 5 {
		t.Fatalf("%d data sets", len(o.Sets))
	}
	return o.Meta, o.Sets
}

// closeTo fails unless |got - want| <= tol (1 + |want|).
func closeTo(t *testing.T, what string, got num.Float, want, tol float64) {
	t.Helper()
	if !(math.Abs(float64(got)-want) <= tol*(1+math.Abs(want))) {
		t.Errorf("%s = %.15g, oracle %.15g (difference %.1e)", what, float64(got), want, float64(got)-want)
	}
}

func TestDiscriminationAgainstR(t *testing.T) {
	meta, sets := loadScores(t)
	tol := meta.Tolerance
	for _, s := range sets {
		t.Run(s.Name, func(t *testing.T) {
			a, err := DeLong(s.P, s.Label)
			if err != nil {
				t.Fatal(err)
			}
			closeTo(t, "AUC", a.AUC, s.AUC, tol)
			closeTo(t, "lo", a.Lo, s.Lo, tol)
			closeTo(t, "hi", a.Hi, s.Hi, tol)
			closeTo(t, "variance", a.SE*a.SE, s.Variance, tol)
			p, err := DeLongPaired(s.P, s.Q, s.Label)
			if err != nil {
				t.Fatal(err)
			}
			closeTo(t, "AUC 2", p.AUC2, s.AUC2, tol)
			closeTo(t, "paired z", p.Z, s.PairedZ, tol)
			if r := float64(p.P)/s.PairedP - 1; math.Abs(r) > 1e-9 {
				t.Errorf("paired p = %v, pROC %v", p.P, s.PairedP)
			}
			roc, err := ROC(s.P, s.Label)
			if err != nil {
				t.Fatal(err)
			}
			if len(roc) != len(s.Sens) {
				t.Fatalf("%d ROC points, pROC %d", len(roc), len(s.Sens))
			}
			for i, pt := range roc { // pROC runs from everybody positive to nobody
				closeTo(t, "sensitivity", num.Float(pt.Sensitivity), s.Sens[len(roc)-1-i], tol)
				closeTo(t, "specificity", num.Float(pt.Specificity), s.Spec[len(roc)-1-i], tol)
			}
			cut, err := Youden(s.P, s.Label)
			if err != nil {
				t.Fatal(err)
			}
			if !math.IsInf(s.Youden[0], 0) && cut.J > 1e-9 { // pROC may name an infinite threshold; we never do
				lowest := math.Inf(1)
				for _, y := range s.Youden {
					lowest = min(lowest, y)
				}
				closeTo(t, "Youden threshold", cut.Threshold, lowest, tol)
			}
			b, err := BootstrapAUC(context.Background(), s.P, s.Label, BootstrapConfig{Draws: 4000, Seed: 7, Workers: 2})
			if err != nil {
				t.Fatal(err)
			}
			closeTo(t, "bootstrap lo", b.Lo, s.Bootstrap[0], .01)
			closeTo(t, "bootstrap hi", b.Hi, s.Bootstrap[1], .01)
		})
	}
}

func TestThresholdMetricsAgainstR(t *testing.T) {
	meta, sets := loadScores(t)
	tol := meta.Tolerance
	for _, s := range sets {
		m, err := Measure(s.P, s.Label, s.Threshold)
		if err != nil {
			t.Fatal(err)
		}
		if m.TP != s.TP || m.FP != s.FP || m.TN != s.TN || m.FN != s.FN {
			t.Errorf("%s: %d %d %d %d, R %d %d %d %d", s.Name, m.TP, m.FP, m.TN, m.FN, s.TP, s.FP, s.TN, s.FN)
		}
		closeTo(t, "accuracy lo", m.AccuracyLo, s.AccCI[0], tol)
		closeTo(t, "accuracy hi", m.AccuracyHi, s.AccCI[1], tol)
		closeTo(t, "sensitivity lo", m.SensitivityLo, s.SensCI[0], tol)
		closeTo(t, "sensitivity hi", m.SensitivityHi, s.SensCI[1], tol)
		closeTo(t, "Brier", m.Brier, s.ValProb["Brier"], tol)
		d, err := Decision(s.P, s.Label, s.Grid)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range d.Points {
			closeTo(t, "net benefit", num.Float(p.Model), s.NB[i], tol)
			closeTo(t, "treat all", num.Float(p.TreatAll), s.NBAll[i], tol)
		}
		dist, err := Distribute(s.P, s.Label)
		if err != nil {
			t.Fatal(err)
		}
		closeTo(t, "W", dist.Test.Statistic, s.WilcoxonW, tol)
		if r := float64(dist.Test.P)/s.WilcoxonP - 1; math.Abs(r) > 1e-9 {
			t.Errorf("%s: Wilcoxon p = %v, R %v", s.Name, dist.Test.P, s.WilcoxonP)
		}
		for i, v := range s.Density {
			closeTo(t, "density", num.Float(dist.Classes[1].Density[10*i]), v, tol)
		}
	}
}

// seTol: R's glm takes its standard errors from the weights of the last iteration but one.
const seTol = 1e-7

func TestCalibrationAgainstR(t *testing.T) {
	meta, sets := loadScores(t)
	tol := meta.Tolerance
	for _, s := range sets {
		t.Run(s.Name, func(t *testing.T) {
			c, err := Calibrate(s.P, s.Label)
			if err != nil {
				t.Fatal(err)
			}
			closeTo(t, "slope", c.Slope.Value, s.Slope[0], tol)
			closeTo(t, "slope SE", c.Slope.SE, s.Slope[1], seTol)
			closeTo(t, "slope intercept", c.SlopeIntercept.Value, s.SlopeIntercept[0], tol)
			closeTo(t, "slope intercept SE", c.SlopeIntercept.SE, s.SlopeIntercept[1], seTol)
			closeTo(t, "intercept", c.Intercept.Value, s.Intercept[0], tol)
			closeTo(t, "intercept SE", c.Intercept.SE, s.Intercept[1], seTol)
			closeTo(t, "val.prob slope", c.Slope.Value, s.ValProb["Slope"], 1e-3)
			closeTo(t, "val.prob intercept", c.SlopeIntercept.Value, s.ValProb["Intercept"], 1e-3)
			closeTo(t, "Brier", c.Brier, s.ValProb["Brier"], tol)
			closeTo(t, "ICI", c.ICI, s.ValProb["Eavg"], tol)
			closeTo(t, "E90", c.E90, s.ValProb["E90"], tol)
			closeTo(t, "Emax", c.EMax, s.ValProb["Emax"], tol)
			closeTo(t, "Spiegelhalter z", c.SpiegelhalterZ, s.ValProb["S:z"], tol)
			closeTo(t, "Spiegelhalter p", c.SpiegelhalterP, s.ValProb["S:p"], tol)
			at := map[float64]float64{}
			for _, p := range c.Curve {
				at[p.Predicted] = p.Observed
			}
			for i, x := range s.LowessX {
				closeTo(t, "lowess", num.Float(at[x]), s.LowessY[i], tol)
			}
		})
	}
}
