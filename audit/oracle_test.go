package audit

import (
	"context"
	"fmt"
	"math"
	"testing"

	"sonotype/describe"
	"sonotype/internal/golden"
)

type oracleFile struct {
	golden.Meta
	Categorical []struct {
		Name                             string
		Counts                           [][]int
		Plain, G, Overall, Yates, Fisher float64
	}
	Continuous []struct {
		Name  string
		Cells []string
		N     []int
		Tests map[string][2]float64
	}
	Binomial []struct {
		K, N    int
		P, Tail float64
	}
	Binormal []struct {
		AUC, Ratio, SE     float64
		Positive, Negative int
	}
	Luck []struct {
		K, Positive, Negative int
		AUC, Rho, Mean, SE    float64
	}
}

func oracle(t *testing.T) oracleFile {
	var o oracleFile
	golden.Load(t, "testdata/oracle/figures.json", &o)
	return o
}

// table1 makes a table of one row.
func table1(t *testing.T, r Row, sizes ...int) *Table {
	t.Helper()
	table := &Table{Name: "T", Rows: []Row{r}}
	for i, n := range sizes {
		table.Groups = append(table.Groups, Group{Name: fmt.Sprint("g", i), N: Whole{n, 1}})
	}
	if err := table.check(); err != nil {
		t.Fatal(err)
	}
	return table
}

func TestCategoricalAgainstSciPy(t *testing.T) {
	o := oracle(t)
	for _, c := range o.Categorical {
		row := Row{Name: c.Name, P: Text{formatFixed(c.Plain, 4), 1}} // so that Fisher's slow test is made for 2 x 2 tables only
		sizes := make([]int, len(c.Counts[0]))
		for l, counts := range c.Counts {
			level := Level{Name: fmt.Sprint(l)}
			for g, n := range counts {
				level.Cells = append(level.Cells, Text{fmt.Sprint(n), 1})
				sizes[g] += n
			}
			row.Levels = append(row.Levels, level)
		}
		table := table1(t, row, sizes...)
		got, err := table.categorical(&table.Rows[0], 1)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]float64{testChiSquare: c.Plain, testG: c.G, testChiSquare + " with Overall as a further group": c.Overall, testYates: c.Yates}
		if c.Fisher > 0 {
			want[testFisher] = c.Fisher
		}
		for _, p := range got {
			if w, ok := want[p.Test]; ok && w > 0 {
				if math.Abs(float64(p.Lo)-w) > o.Tolerance || p.Lo != p.Hi {
					t.Errorf("%s, %s: %v to %v, scipy %v", c.Name, p.Test, p.Lo, p.Hi, w)
				}
				delete(want, p.Test)
			}
		}
		for name, w := range want {
			if w > 0 {
				t.Errorf("%s: %s is missing", c.Name, name)
			}
		}
	}
}

// The ranges hold every p-value that scipy finds among values which round to the printed ones, and are hardly wider.
func TestContinuousAgainstSciPy(t *testing.T) {
	o := oracle(t)
	names := map[string]string{"anova": testANOVA, "overall": testANOVA + " with Overall as a further group", "pooled": testPooled, "welch": testWelch}
	for _, c := range o.Continuous {
		row := Row{Name: c.Name, P: Text{"0.5", 1}}
		for _, cell := range c.Cells {
			row.Cells = append(row.Cells, Text{cell, 1})
		}
		table := table1(t, row, c.N...)
		got := table.continuous(&table.Rows[0])
		for key, want := range c.Tests {
			found := false
			for _, p := range got {
				if p.Test != names[key] {
					continue
				}
				found = true
				lo, hi := float64(p.Lo), float64(p.Hi)
				if lo > want[0]+o.Tolerance || hi < want[1]-o.Tolerance || lo < want[0]-0.02 || hi > want[1]+0.02 {
					t.Errorf("%s, %s: %v to %v, scipy %v", c.Name, key, lo, hi, want)
				}
			}
			if !found && !(key == "anova" && len(c.N) == 2) { // of two groups it is the pooled t test
				t.Errorf("%s: %s is missing", c.Name, key)
			}
		}
	}
}

// Means and SDs without rounding give describe's p-values of the values themselves.
func TestContinuousAgainstDescribe(t *testing.T) {
	x, y, z := []float64{1, 2, 4, 7, 7, 9}, []float64{3, 5, 8, 9, 12}, []float64{2, 2, 3, 8, 4, 4, 5}
	at := func(v []float64) sample {
		var mean, ss float64
		for _, a := range v {
			mean += a / float64(len(v))
		}
		for _, a := range v {
			ss += (a - mean) * (a - mean)
		}
		sd := math.Sqrt(ss / float64(len(v)-1))
		return sample{float64(len(v)), span{mean, mean}, span{sd, sd}}
	}
	same := func(name string, got span, want float64) {
		if math.Abs(got.lo-want) > 1e-12 || math.Abs(got.hi-want) > 1e-12 {
			t.Errorf("%s: %v, describe %v", name, got, want)
		}
	}
	same("Welch", welchRange(at(x), at(y)), float64(describe.WelchT(x, y).P))
	anova := func(s ...sample) span {
		n := 0.0
		for _, g := range s {
			n += g.n
		}
		return fRange(quotient(betweenRange(s), withinRange(s)), float64(len(s)-1), n-float64(len(s)))
	}
	same("pooled", anova(at(x), at(y)), float64(describe.PooledT(x, y).P))
	same("ANOVA", anova(at(x), at(y), at(z)), float64(describe.ANOVA([][]float64{x, y, z}).P))
}

func TestBinomialAgainstSciPy(t *testing.T) {
	o := oracle(t)
	for _, c := range o.Binomial {
		if got := binomialTail(c.K, c.N, c.P); math.Abs(got-c.Tail) > o.Tolerance {
			t.Errorf("P(X >= %d) of %d: %v, scipy %v", c.K, c.N, got, c.Tail)
		}
	}
}

func TestBinormalAgainstSciPy(t *testing.T) {
	o := oracle(t)
	for _, c := range o.Binormal {
		if got := binormal(c.AUC, c.Ratio, c.Positive, c.Negative); math.Abs(got-c.SE) > o.Tolerance {
			t.Errorf("AUC %v ratio %v: %v, scipy %v", c.AUC, c.Ratio, got, c.SE)
		}
	}
}

func TestLuckAgainstNumPy(t *testing.T) {
	for _, c := range oracle(t).Luck {
		set := &Set{N: Whole{c.Positive + c.Negative, 1}, Positive: Whole{c.Positive, 1}, Negative: Whole{c.Negative, 1}}
		got, err := gain(context.Background(), c.K, c.AUC, c.Rho, set, 1)
		if err != nil {
			t.Fatal(err)
		}
		if d := math.Abs(float64(got.Mean) - c.Mean); d > 4*math.Hypot(float64(got.SE), c.SE) {
			t.Errorf("%d models of AUC %v, correlation %v: %v, numpy %v", c.K, c.AUC, c.Rho, got.Mean, c.Mean)
		}
	}
}
