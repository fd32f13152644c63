package survival

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sonotype/internal/golden"
	"sonotype/internal/num"
	"sonotype/internal/stats"
)

// evidence is what oracles/survival_evidence.R wrote of one table.
type evidence struct {
	golden.Meta
	N, Events int
	LogRank   struct {
		Group, Strata string
		Chisq, P      float64
	}
	Cox struct {
		Vars          []string
		Strata        string
		Coef, SE, P   []float64
		LogLik        []float64
		Score         float64
		Concordance   float64
		ConcordanceSE float64 `json:"concordance_se"`
	}
	ZPH []struct {
		Terms     []string
		Strata    string
		Transform string
		Chisq, P  []float64
		DF        []float64
	}
	Periods []struct {
		From, To      float64
		N, Events     int
		HR, Lo, Hi, P float64
	}
	RMST struct {
		Group                 string
		Tau                   float64
		Mean, SE              []float64
		Difference, Lo, Hi, P float64
	}
	Uno []struct {
		Score  string
		Tau, C float64
		SE     float64 `json:"se_fixed_weights"`
	}
	Added []struct {
		Clinical, Extra []string
		Strata          string
		Chisq, DF, P    float64
		CClinical       float64 `json:"c_clinical"`
		CCombined       float64 `json:"c_combined"`
		Gain, Lo, Hi    float64
	}
	AUC []struct {
		Score           string
		Time            float64
		Cases, Controls int
		AUC             float64
		SE              *float64 // of lung only
	}
}

// evidenceTable is a table with the columns that the oracle used.
type evidenceTable struct {
	table
	time  []float64
	event []int
}

// strata is the column's texts; "" is none.
func (d evidenceTable) strata(name string) []string {
	if name == "" {
		return nil
	}
	return d.text(name)
}

// columns are covariates by R's terms: a name, or factor(name) as one column a level but the first.
func (d evidenceTable) columns(terms []string) []Covariate {
	var out []Covariate
	for _, t := range terms {
		name, ok := strings.CutPrefix(t, "factor(")
		if !ok {
			out = append(out, d.covariates([]string{t})...)
			continue
		}
		texts := d.text(strings.TrimSuffix(name, ")"))
		levels, level := numbered(texts)
		for k := 1; k < len(levels); k++ {
			c := Covariate{Name: t + levels[k], Term: t, Values: make([]float64, len(texts))}
			for i, l := range level {
				if l == k {
					c.Values[i] = 1
				}
			}
			out = append(out, c)
		}
	}
	return out
}

func TestEvidence(t *testing.T) {
	for _, c := range []struct {
		name, file, time, event string
		complete                []string
	}{
		{"lung", "", "time", "event", []string{"age", "ph.ecog", "ph.karno"}},
		{"gbsg", "survival/gbsg.csv", "rfstime", "status", nil},
		{"rotterdam", "survival/rotterdam.csv", "rtime", "recur", nil},
		{"ki67", "ki67-rfs/Ki67_patient_level_derived.csv", "RECFREESURV_MO", "RECURRENCE", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var o evidence
			golden.Load(t, "testdata/oracle/evidence_"+c.name+".json", &o)
			path := filepath.Join("testdata", "lung.csv")
			if c.file != "" {
				path = golden.Data(t, "tables", c.file)
			}
			d := evidenceTable{table: readTable(t, path).complete(c.complete...)}
			if o.LogRank.Group == "high" {
				d.table = d.addHigh(o.AUC[0].Score)
			}
			d.time, d.event = d.numbers(c.time), d.flags(c.event)
			if len(d.time) != o.N {
				t.Fatalf("%d rows, R %d", len(d.time), o.N)
			}
			o.checkTests(t, d)
			o.checkCox(t, d)
			o.checkPeriods(t, d)
			o.checkMeans(t, d)
			o.checkConcordance(t, d)
		})
	}
}

// addHigh adds the column "high": the score is above its median.
func (d table) addHigh(score string) table {
	x := d.numbers(score)
	sorted := slices.Sorted(slices.Values(x))
	median := stats.Quantile(sorted, 0.5)
	out := table{header: append(slices.Clone(d.header), "high")}
	for i, r := range d.rows {
		high := "0"
		if x[i] > median {
			high = "1"
		}
		out.rows = append(out.rows, append(slices.Clone(r), high))
	}
	return out
}

func (o evidence) checkTests(t *testing.T, d evidenceTable) {
	t.Helper()
	lr, err := LogRankTest(d.time, d.event, d.text(o.LogRank.Group), d.text(o.LogRank.Strata))
	if err != nil {
		t.Fatal(err)
	}
	closeTo(t, "stratified log-rank", lr.ChiSquared, o.LogRank.Chisq, o.Tolerance)
	closeP(t, "stratified log-rank", lr.P, o.LogRank.P)
	for _, z := range o.ZPH {
		h, err := ProportionalHazards(d.time, d.event, d.columns(z.Terms), d.strata(z.Strata), z.Transform)
		if err != nil {
			t.Fatal(err)
		}
		for j, test := range append(h.Terms, h.Global) {
			what := "hazards, " + z.Transform + ", " + test.Name
			closeTo(t, what, test.Statistic, z.Chisq[j], o.Tolerance)
			closeTo(t, what+" df", test.DF, z.DF[j], 0)
			closeP(t, what, test.P, z.P[j])
		}
	}
}

func (o evidence) checkCox(t *testing.T, d evidenceTable) {
	t.Helper()
	c, err := FitStratifiedCox(d.time, d.event, d.covariates(o.Cox.Vars), d.text(o.Cox.Strata))
	if err != nil {
		t.Fatal(err)
	}
	for j, term := range c.Terms {
		closeTo(t, term.Name+" coef", term.Coef, o.Cox.Coef[j], o.Tolerance)
		closeTo(t, term.Name+" SE", term.SE, o.Cox.SE[j], o.Tolerance)
		closeP(t, term.Name, term.P, o.Cox.P[j])
	}
	closeTo(t, "null log likelihood", num.Float(c.LogLikNull), o.Cox.LogLik[0], o.Tolerance)
	closeTo(t, "log likelihood", num.Float(c.LogLik), o.Cox.LogLik[1], o.Tolerance)
	closeTo(t, "score", c.Score.Statistic, o.Cox.Score, o.Tolerance)
	closeTo(t, "concordance", c.Concordance.C, o.Cox.Concordance, o.Tolerance)
	closeTo(t, "concordance SE", c.Concordance.SE, o.Cox.ConcordanceSE, o.Tolerance)
	for _, a := range o.Added {
		got, _, _, err := AddedValue(d.time, d.event, d.covariates(a.Clinical), d.covariates(a.Extra), d.strata(a.Strata))
		if err != nil {
			t.Fatal(err)
		}
		closeTo(t, "LR", got.LR.Statistic, a.Chisq, o.Tolerance)
		closeTo(t, "LR df", got.LR.DF, a.DF, 0)
		if a.P > 0 {
			closeP(t, "LR", got.LR.P, a.P)
		}
		for what, v := range map[string][2]float64{"C clinical": {float64(got.CClinical), a.CClinical}, "C combined": {float64(got.CCombined), a.CCombined},
			"gain": {float64(got.Gain), a.Gain}, "gain lo": {float64(got.GainLo), a.Lo}, "gain hi": {float64(got.GainHi), a.Hi}} {
			closeTo(t, what, num.Float(v[0]), v[1], o.Tolerance)
		}
	}
}

func (o evidence) checkPeriods(t *testing.T, d evidenceTable) {
	t.Helper()
	got, err := HazardByPeriod(d.time, d.event, d.covariates(o.Cox.Vars[:1])[0], d.text(o.Cox.Strata))
	if err != nil || len(got) != len(o.Periods) {
		t.Fatalf("%d periods, R %d (%v)", len(got), len(o.Periods), err)
	}
	for k, p := range o.Periods {
		g := got[k]
		if g.From != p.From || g.To != p.To || g.N != p.N || g.Events != p.Events {
			t.Errorf("period %d: %+v, R %+v", k+1, g, p)
		}
		for what, v := range map[string][2]float64{"hazard ratio": {float64(g.HR), p.HR}, "lo": {float64(g.Lo), p.Lo}, "hi": {float64(g.Hi), p.Hi}} {
			closeTo(t, "period's "+what, num.Float(v[0]), v[1], o.Tolerance)
		}
		closeP(t, "period", g.P, p.P)
	}
}

func (o evidence) checkMeans(t *testing.T, d evidenceTable) {
	t.Helper()
	names, group := numbered(d.text(o.RMST.Group))
	var curves []*KM
	for g := range names {
		var time []float64
		var event []int
		for i, k := range group {
			if k == g {
				time, event = append(time, d.time[i]), append(event, d.event[i])
			}
		}
		k, err := KaplanMeier(time, event, Log)
		if err != nil {
			t.Fatal(err)
		}
		curves = append(curves, k)
	}
	r, err := RestrictedMeans(curves[0], curves[1], o.RMST.Tau)
	if err != nil {
		t.Fatal(err)
	}
	for g, m := range r.Groups {
		closeTo(t, "restricted mean", m.Value, o.RMST.Mean[g], o.Tolerance)
		closeTo(t, "its SE", m.SE, o.RMST.SE[g], o.Tolerance)
	}
	closeTo(t, "difference", r.Difference, o.RMST.Difference, o.Tolerance)
	closeTo(t, "lo", r.Lo, o.RMST.Lo, o.Tolerance)
	closeTo(t, "hi", r.Hi, o.RMST.Hi, o.Tolerance)
	closeP(t, "restricted means", r.P, o.RMST.P)
}

func (o evidence) checkConcordance(t *testing.T, d evidenceTable) {
	t.Helper()
	for _, u := range o.Uno {
		score := d.numbers(u.Score)
		c, err := UnoC(d.time, d.event, score, u.Tau)
		if err != nil {
			t.Fatal(err)
		}
		closeTo(t, "Uno's C of "+u.Score, c.C, u.C, o.Tolerance)
		fixed, _ := comparablePairs(d.time, d.event, score, nil, unoWeights(newCensoring(d.time, d.event), u.Tau)).index()
		closeTo(t, "its SE with the weights as given", fixed.SE, u.SE, o.Tolerance)
	}
	for _, a := range o.AUC {
		got, err := TimeDependentAUC(d.time, d.event, d.numbers(a.Score), []float64{a.Time})
		if err != nil {
			t.Fatal(err)
		}
		g := got[0]
		if g.Cases != a.Cases || g.Controls != a.Controls {
			t.Errorf("at %v: %d cases, %d controls; R %d, %d", a.Time, g.Cases, g.Controls, a.Cases, a.Controls)
		}
		closeTo(t, "time-dependent AUC", g.AUC, a.AUC, o.Tolerance)
		if a.SE != nil {
			closeTo(t, "its SE", g.SE, *a.SE, 1e-6)
			closeTo(t, "its lo", g.Lo, math.Max(0, a.AUC-stats.Z975**a.SE), 1e-6)
		}
	}
}

// TestWeightedAgainstScikitSurvival: a second opinion on what R's survival has no function for.
func TestWeightedAgainstScikitSurvival(t *testing.T) {
	var o struct {
		golden.Meta
		Step           float64
		Time, AUC, Uno []float64
	}
	golden.Load(t, "testdata/oracle/auc.json", &o)
	d := readTable(t, "testdata/lung.csv")
	time, event, age := d.numbers("time"), d.flags("event"), d.numbers("age")
	for i := range time {
		time[i] += float64(i) * o.Step
	}
	got, err := TimeDependentAUC(time, event, age, o.Time)
	if err != nil {
		t.Fatal(err)
	}
	for k, at := range o.Time {
		closeTo(t, "time-dependent AUC", got[k].AUC, o.AUC[k], o.Tolerance)
		c, err := UnoC(time, event, age, at)
		if err != nil {
			t.Fatal(err)
		}
		closeTo(t, "Uno's C", c.C, o.Uno[k], o.Tolerance)
	}
}
