package survival

import (
	"encoding/csv"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"

	"sonotype/internal/golden"
	"sonotype/internal/num"
)

// table is a CSV file by column; "NA" and texts are NaN in numbers.
type table struct {
	header []string
	rows   [][]string
}

func readTable(t testing.TB, path string) table {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return table{rows[0], rows[1:]}
}

func (d table) text(name string) []string {
	j := slices.Index(d.header, name)
	out := make([]string, len(d.rows))
	for i, r := range d.rows {
		out[i] = r[j]
	}
	return out
}

func (d table) numbers(name string) []float64 {
	out := make([]float64, len(d.rows))
	for i, s := range d.text(name) {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			v = math.NaN()
		}
		out[i] = v
	}
	return out
}

func (d table) flags(name string) []int {
	out := make([]int, len(d.rows))
	for i, v := range d.numbers(name) {
		out[i] = int(v)
	}
	return out
}

// complete keeps the rows without NA in the named columns.
func (d table) complete(names ...string) table {
	out := table{header: d.header}
	for _, r := range d.rows {
		if !slices.ContainsFunc(names, func(n string) bool { return r[slices.Index(d.header, n)] == "NA" }) {
			out.rows = append(out.rows, r)
		}
	}
	return out
}

func (d table) covariates(names []string) []Covariate {
	var out []Covariate
	for _, n := range names {
		out = append(out, Covariate{Name: n, Values: d.numbers(n)})
	}
	return out
}

type kmOracle struct {
	Time, Surv []float64
	SE, Lo, Hi []num.Float
	NRisk      []int `json:"n_risk"`
	Median     num.Float
	MedianLo   num.Float `json:"median_lo"`
	MedianHi   num.Float `json:"median_hi"`
}

type logRankOracle struct {
	Chisq, P float64
	Obs, Exp []float64
}

type coxOracle struct {
	Vars                []string
	Coef, SE, P, Lo, Hi []float64
	LogLik              []float64
	LR, Wald, Score     float64
	LRP                 float64 `json:"lr_p"`
	Concordance         float64
}

type concordanceOracle struct {
	C, SE  float64
	Counts map[string]int64
}

func closeTo(t *testing.T, what string, got num.Float, want, tol float64) {
	t.Helper()
	if got.IsNaN() && math.IsNaN(want) {
		return
	}
	if !(math.Abs(float64(got)-want) <= tol*(1+math.Abs(want))) {
		t.Errorf("%s = %.15g, R %.15g (difference %.1e)", what, float64(got), want, float64(got)-want)
	}
}

// closeP compares p-values relatively.
func closeP(t *testing.T, what string, got num.Float, want float64) {
	t.Helper()
	if !(math.Abs(float64(got)/want-1) <= 1e-7) {
		t.Errorf("%s: p = %.12g, R %.12g", what, float64(got), want)
	}
}

func (o kmOracle) check(t *testing.T, k *KM, tol float64) {
	t.Helper()
	for i, at := range o.Time {
		p := k.At(at)
		closeTo(t, "S", num.Float(p.Survival), o.Surv[i], tol)
		closeTo(t, "SE", p.SE, float64(o.SE[i]), tol)
		closeTo(t, "lo", p.Lo, float64(o.Lo[i]), tol)
		closeTo(t, "hi", p.Hi, float64(o.Hi[i]), tol)
	}
	if got := k.AtRisk(o.Time); !slices.Equal(got, o.NRisk) {
		t.Errorf("at risk %v, R %v", got, o.NRisk)
	}
	closeTo(t, "median", k.Median, float64(o.Median), tol)
	closeTo(t, "median lo", k.MedianLo, float64(o.MedianLo), tol)
	closeTo(t, "median hi", k.MedianHi, float64(o.MedianHi), tol)
}

func (o logRankOracle) check(t *testing.T, r *LogRank, err error, tol float64) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	closeTo(t, "chi-squared", r.ChiSquared, o.Chisq, tol)
	closeP(t, "log-rank", r.P, o.P)
	for g := range r.Groups {
		closeTo(t, "observed", num.Float(r.Groups[g].Observed), o.Obs[g], tol)
		closeTo(t, "expected", num.Float(r.Groups[g].Expected), o.Exp[g], tol)
	}
}

func (o coxOracle) check(t *testing.T, d table, time []float64, event []int, tol float64) {
	t.Helper()
	c, err := FitCox(time, event, d.covariates(o.Vars))
	if err != nil {
		t.Fatal(err)
	}
	for j, term := range c.Terms {
		closeTo(t, term.Name+" coef", term.Coef, o.Coef[j], tol)
		closeTo(t, term.Name+" SE", term.SE, o.SE[j], tol)
		closeTo(t, term.Name+" lo", term.Lo, o.Lo[j], tol)
		closeTo(t, term.Name+" hi", term.Hi, o.Hi[j], tol)
		closeP(t, term.Name, term.P, o.P[j])
	}
	closeTo(t, "null log likelihood", num.Float(c.LogLikNull), o.LogLik[0], tol)
	closeTo(t, "log likelihood", num.Float(c.LogLik), o.LogLik[1], tol)
	closeTo(t, "LR", c.LR.Statistic, o.LR, 1e-8)
	closeTo(t, "Wald", c.Wald.Statistic, o.Wald, 1e-8)
	closeTo(t, "score", c.Score.Statistic, o.Score, 1e-8)
	closeP(t, "LR", c.LR.P, o.LRP)
	closeTo(t, "concordance", c.Concordance.C, o.Concordance, tol)
}

func (o concordanceOracle) check(t *testing.T, c Concordance, err error, tol float64) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	closeTo(t, "C", c.C, o.C, tol)
	closeTo(t, "C's SE", c.SE, o.SE, tol)
	got := map[string]int64{"concordant": c.Concordant, "discordant": c.Discordant, "tied.x": c.TiedScore, "tied.y": c.TiedTime, "tied.xy": c.TiedBoth}
	for name, n := range o.Counts {
		if got[name] != n {
			t.Errorf("%s: %d pairs, R %d", name, got[name], n)
		}
	}
}

func TestLung(t *testing.T) {
	var o struct {
		golden.Meta
		Log       kmOracle          `json:"km_log"`
		LogLog    kmOracle          `json:"km_loglog"`
		Women     kmOracle          `json:"km_women"`
		Sex       logRankOracle     `json:"sex"`
		ECOG      logRankOracle     `json:"ecog"`
		SexByECOG logRankOracle     `json:"sex_by_ecog"`
		Cox       []coxOracle       `json:"cox"`
		Age       concordanceOracle `json:"age"`
		ECOGC     concordanceOracle `json:"ecog_c"`
	}
	golden.Load(t, "testdata/oracle/lung.json", &o)
	tol := o.Tolerance
	d := readTable(t, "testdata/lung.csv")
	time, event := d.numbers("time"), d.flags("event")
	k, err := KaplanMeier(time, event, Log)
	if err != nil {
		t.Fatal(err)
	}
	o.Log.check(t, k, tol)
	day := k.At(180) // the values of method.md
	closeTo(t, "S(180)", num.Float(day.Survival), .7216707, 5e-8)
	closeTo(t, "lo(180)", day.Lo, .6655, 5e-5)
	closeTo(t, "hi(180)", day.Hi, .7825, 5e-5)
	if k, err = KaplanMeier(time, event, LogLog); err != nil {
		t.Fatal(err)
	}
	o.LogLog.check(t, k, tol)
	var wt []float64
	var we []int
	for i, s := range d.numbers("sex") {
		if s == 2 {
			wt, we = append(wt, time[i]), append(we, event[i])
		}
	}
	if k, err = KaplanMeier(wt, we, ""); err != nil {
		t.Fatal(err)
	}
	o.Women.check(t, k, tol)
	r, err := LogRankTest(time, event, d.text("sex"), nil)
	o.Sex.check(t, r, err, tol)
	closeTo(t, "sex chi-squared", r.ChiSquared, 10.32674, 1e-6)
	e := d.complete("ph.ecog")
	r, err = LogRankTest(e.numbers("time"), e.flags("event"), e.text("ph.ecog"), nil)
	o.ECOG.check(t, r, err, tol)
	r, err = LogRankTest(e.numbers("time"), e.flags("event"), e.text("sex"), e.text("ph.ecog"))
	o.SexByECOG.check(t, r, err, tol)
	for i, c := range o.Cox {
		rows := d
		if i == 2 {
			rows = d.complete(c.Vars...)
		}
		c.check(t, rows, rows.numbers("time"), rows.flags("event"), tol)
	}
	c, err := ConcordanceIndex(time, event, d.numbers("age"))
	o.Age.check(t, c, err, tol)
	c, err = ConcordanceIndex(e.numbers("time"), e.flags("event"), e.numbers("ph.ecog"))
	o.ECOGC.check(t, c, err, tol)
}

// TestPublicTables runs the same comparisons on the larger public tables, where they are.
func TestPublicTables(t *testing.T) {
	for _, c := range []struct{ name, file, time, event string }{
		{"gbsg", "survival/gbsg.csv", "rfstime", "status"},
		{"rotterdam", "survival/rotterdam.csv", "rtime", "recur"},
		{"ki67", "ki67-rfs/Ki67_patient_level_derived.csv", "RECFREESURV_MO", "RECURRENCE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var o struct {
				golden.Meta
				N, Events   int
				KM          kmOracle
				LogRank     logRankOracle `json:"logrank"`
				Group       string
				Cox         coxOracle
				Score       string
				Concordance concordanceOracle
			}
			golden.Load(t, "testdata/oracle/"+c.name+".json", &o)
			d := readTable(t, golden.Data(t, "tables", c.file))
			time, event := d.numbers(c.time), d.flags(c.event)
			k, err := KaplanMeier(time, event, Log)
			if err != nil {
				t.Fatal(err)
			}
			if k.N != o.N || k.Events != o.Events {
				t.Errorf("n %d, events %d; R %d, %d", k.N, k.Events, o.N, o.Events)
			}
			o.KM.check(t, k, o.Tolerance)
			r, err := LogRankTest(time, event, d.text(o.Group), nil)
			o.LogRank.check(t, r, err, o.Tolerance)
			o.Cox.check(t, d, time, event, o.Tolerance)
			ci, err := ConcordanceIndex(time, event, d.numbers(o.Score))
			o.Concordance.check(t, ci, err, o.Tolerance)
		})
	}
}
