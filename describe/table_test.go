package describe

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"sonotype/internal/problem"
	"sonotype/internal/rng"
)

// rows spreads counts [level][group] over one value per patient.
func rows(names []string, counts [][]int) (values, groups []string) {
	for l, row := range counts {
		for g, c := range row {
			for range c {
				values, groups = append(values, names[l]), append(groups, fmt.Sprint("g", g))
			}
		}
	}
	return values, groups
}

func find(t *testing.T, r *Result, name string) Variable {
	t.Helper()
	i := slices.IndexFunc(r.Variables, func(v Variable) bool { return v.Name == name })
	if i < 0 {
		t.Fatalf("no variable %q; left out: %+v", name, r.LeftOut)
	}
	return r.Variables[i]
}

func TestTableOfThePaper(t *testing.T) {
	counts := [][]int{{222, 489}, {44, 164}, {1, 9}}
	values, by := rows([]string{"Negative", "Low", "High"}, counts)
	r, err := Table([]Column{{Name: "EGFR", Values: values, Levels: []string{"Negative", "Low", "High"}}}, Column{Name: "Ki-67", Values: by}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	v := find(t, r, "EGFR")
	if v.Kind != Categorical || v.Test != "chi-square" || !printsAs(v.P, .008) || v.Also == nil || v.Also.Name != "Fisher exact" {
		t.Errorf("%+v also %+v", v, v.Also)
	}
	if v.Levels[1].Name != "Low" || !slices.Equal(v.Levels[1].Counts, counts[1]) || v.Levels[1].Total != 208 || math.Abs(float64(v.Levels[0].Percent[0])-100*222.0/267) > 1e-12 {
		t.Errorf("levels %+v", v.Levels)
	}
	if !slices.Equal(r.N, []int{267, 662}) {
		t.Errorf("n = %v", r.N)
	}
}

func TestTableKinds(t *testing.T) {
	r := rng.Stream(1, "table")
	n := 120
	column := func(name string, f func(i int) string) Column {
		c := Column{Name: name}
		for i := range n {
			c.Values = append(c.Values, f(i))
		}
		return c
	}
	cols := []Column{
		column("age", func(int) string { return fmt.Sprintf("%.1f", 53+10*r.NormFloat64()) }),
		column("cost", func(int) string { return fmt.Sprintf("%.2f", math.Exp(1.5*r.NormFloat64())) }),
		column("grade", func(i int) string { return fmt.Sprint(1 + i%3) }),
		column("id", func(i int) string { return fmt.Sprintf("P%03d", i) }),
		column("row", func(i int) string { return fmt.Sprint(i + 1) }),
		column("marker", func(i int) string { return fmt.Sprint(1000 + 7.31*float64(i*i)) }),
		column("empty", func(int) string { return "NA" }),
		column("remarks", func(i int) string { return fmt.Sprint("text ", i/2) }),
		column("mixed", func(i int) string {
			if i == 5 {
				return "high"
			}
			return fmt.Sprint(i)
		}),
		column("er", func(i int) string { return []string{"positive", "negative", "not available"}[i%3] }),
		column("site", func(int) string { return "A" }),
	}
	for _, groups := range []int{2, 3} {
		by := column("set", func(i int) string { return string(rune('a' + i%groups)) })
		by.Values[7] = ""
		res, err := Table(cols, by, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if res.MissingBy != 1 || len(res.Groups) != groups {
			t.Errorf("groups %v, missing %d", res.Groups, res.MissingBy)
		}
		var out []string
		for _, l := range res.LeftOut {
			out = append(out, l.Name)
		}
		if !slices.Equal(out, []string{"id", "row", "empty", "remarks", "mixed"}) {
			t.Errorf("left out: %+v", res.LeftOut)
		}
		age, cost := find(t, res, "age"), find(t, res, "cost")
		mean, rank := "Welch t", "Wilcoxon rank-sum"
		if groups == 3 {
			mean, rank = "one-way ANOVA", "Kruskal-Wallis"
		}
		if age.Test != mean || age.Also != nil || age.Kind != Numeric || len(age.Groups) != groups {
			t.Errorf("age: %+v", age)
		}
		if cost.Also == nil || cost.Also.Name != rank {
			t.Errorf("cost: also %+v", cost.Also)
		}
		if g := find(t, res, "grade"); g.Kind != Categorical || len(g.Levels) != 3 {
			t.Errorf("grade: %+v", g)
		}
		if m := find(t, res, "marker"); m.Kind != Numeric {
			t.Errorf("marker: %+v", m)
		}
		er := find(t, res, "er")
		missing := 0
		for _, k := range er.Missing {
			missing += k
		}
		if missing != 40 || len(er.Levels) != 2 { // row 7 is no missing value of er
			t.Errorf("er: %+v", er)
		}
		if s := find(t, res, "site"); !s.P.IsNaN() || s.Note == "" || s.SMD != 0 {
			t.Errorf("site: %+v", s)
		}
		if _, err := json.Marshal(res); err != nil {
			t.Error(err)
		}
		checkPermuted(t, cols, by, res)
	}
}

// checkPermuted: the table does not depend on the order of rows.
func checkPermuted(t *testing.T, cols []Column, by Column, want *Result) {
	t.Helper()
	perm := rng.Stream(2, "permute").Perm(len(by.Values))
	shuffle := func(c Column) Column {
		out := c
		out.Values = make([]string, len(c.Values))
		for i, k := range perm {
			out.Values[i] = c.Values[k]
		}
		return out
	}
	var shuffled []Column
	for _, c := range cols {
		shuffled = append(shuffled, shuffle(c))
	}
	got, err := Table(shuffled, shuffle(by), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range got.Variables {
		w := want.Variables[i]
		if v.Name != w.Name || v.Test != w.Test || (!near(float64(v.P), float64(w.P), 1e-9) && !w.P.IsNaN()) || !near(float64(v.SMD), float64(w.SMD), 1e-9) {
			t.Errorf("%s: p %v smd %v, permuted %v %v", v.Name, w.P, w.SMD, v.P, v.SMD)
		}
	}
}

func TestKindOverrides(t *testing.T) {
	grade := Column{Name: "grade", Values: []string{"1", "2", "3", "1", "2", "3", "2", "2"}, Kind: Numeric}
	id := Column{Name: "id", Values: []string{"a", "b", "c", "d", "e", "f", "g", "h"}, Kind: Categorical}
	by := Column{Name: "by", Values: []string{"x", "x", "x", "x", "y", "y", "y", "y"}}
	r, err := Table([]Column{grade, id}, by, Options{PooledT: true})
	if err != nil {
		t.Fatal(err)
	}
	if v := find(t, r, "grade"); v.Kind != Numeric || v.Test != "pooled t" {
		t.Errorf("%+v", v)
	}
	if v := find(t, r, "id"); v.Kind != Categorical || len(v.Levels) != 8 || v.Also == nil || !near(float64(v.Also.P), 1, 1e-12) {
		t.Errorf("%+v", v)
	}
}

func TestTableErrors(t *testing.T) {
	by := Column{Name: "by", Values: []string{"x", "x", "y"}}
	for name, f := range map[string]func() error{
		"one group": func() error {
			_, err := Table(nil, Column{Name: "by", Values: []string{"x", ""}}, Options{})
			return err
		},
		"lengths": func() error { _, err := Table([]Column{{Name: "a", Values: []string{"1"}}}, by, Options{}); return err },
		"text": func() error {
			_, err := Table([]Column{{Name: "a", Values: []string{"1", "z", "2"}, Kind: Numeric}}, by, Options{})
			return err
		},
		"outside level": func() error {
			_, err := Table([]Column{{Name: "a", Values: []string{"1", "9", "1"}, Kind: Categorical, Levels: []string{"1"}}}, by, Options{})
			return err
		},
		"unknown kind": func() error {
			_, err := Table([]Column{{Name: "a", Values: []string{"1", "9", "1"}, Kind: "ordinal"}}, by, Options{})
			return err
		},
	} {
		if _, ok := problem.As(f()); !ok {
			t.Errorf("%s: no proper error", name)
		}
	}
	var many []string
	for i := range 50 {
		many = append(many, fmt.Sprint(i/2))
	}
	if _, err := Table(nil, Column{Name: "outcome", Values: many}, Options{}); err == nil || !strings.Contains(err.Error(), "outcome") {
		t.Errorf("25 groups: %v", err)
	}
}

func FuzzDetect(f *testing.F) {
	f.Add("1,2,3")
	f.Add("a,,NA,1e309,0x1p4")
	f.Fuzz(func(t *testing.T, s string) {
		values := strings.Split(s, ",")
		by := make([]string, len(values))
		for i := range by {
			by[i] = string(rune('a' + i%2))
		}
		r, err := Table([]Column{{Name: "c", Values: values}}, Column{Name: "by", Values: by}, Options{})
		if err != nil {
			return
		}
		if _, err := json.Marshal(r); err != nil {
			t.Error(err)
		}
		for _, v := range r.Variables {
			if v.P < 0 || v.P > 1 || (v.P.IsNaN() && v.Note == "") {
				t.Errorf("p = %v, note %q", v.P, v.Note)
			}
		}
	})
}
