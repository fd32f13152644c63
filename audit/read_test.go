package audit

import (
	"math"
	"os"
	"strings"
	"testing"

	"sonotype/internal/problem"
)

// Figures keep what is printed: the last zero says how far they were rounded.
func TestFiguresAsPrinted(t *testing.T) {
	p, err := Parse([]byte("survival: [{name: s, hr: 0.870, ci: [.50, '1.10'], p: <0.001}]\n"), "x")
	if err != nil {
		t.Fatal(err)
	}
	s := p.Survival[0]
	if s.hr.decimals != 3 || s.lo.decimals != 2 || s.hi.decimals != 2 || s.p.sign != '<' || s.p.value != 0.001 {
		t.Errorf("%+v %+v %+v %+v", s.hr, s.lo, s.hi, s.p)
	}
	near := func(text string, lo, hi float64) {
		f, ok := parseFigure(text)
		if got := f.rounding(); !ok || math.Abs(got.lo-lo) > 1e-15 || math.Abs(got.hi-hi) > 1e-15 {
			t.Errorf("%s stands for %v", text, got)
		}
	}
	near("0.870", 0.8695, 0.8705)
	near("82.3%", 0.8225, 0.8235)
	near("<0.001", 0, 0.001)
	near("> .05", 0.05, 1)
	near("−1.5", -1.55, -1.45)
}

// Every refusal names the file and the line.
func TestRefusals(t *testing.T) {
	for _, c := range []struct{ name, text, line, says string }{
		{"unknown key", "title: x\ntable:\n  - name: y\n", "2 |", `did you mean "tables"`},
		{"unknown key inside", "sets:\n  - {name: a, positive: 3, negative: 4}\nmodels:\n  - name: M\n    set: a\n    models:\n      - {name: m, sens: 0.5}\n", "7 |", "unknown field"},
		{"nothing", "title: x\n", "", "nothing to audit"},
		{"empty", "", "", "nothing to audit"},
		{"bad count", "totals:\n  - name: a\n    parts: [1, 2.5]\n    total: 3\n", "row 3", "whole number"},
		{"negative count", "totals: [{name: a, parts: [1, -2], total: 3}]\n", "row 1", "whole number"},
		{"list for a figure", "shares: [{name: a, count: 1, of: 2, printed: [1]}]\n", "row 1", "not a number or text"},
		{"a percentage without its sign", "shares:\n  - {name: a, count: 1, of: 2, printed: 50.0}\n", "row 2", "0 to 1"},
		{"bad share", "shares:\n  - {name: a, count: 1, of: 2, printed: half}\n", "row 2", "the share a"},
		{"one group", "tables: [{name: T, groups: [{name: a, n: 3}], rows: []}]\n", "", "2 to 12 groups"},
		{"cells", "tables:\n  - name: T\n    groups: [{name: a, n: 3}, {name: b, n: 4}]\n    rows:\n      - name: r\n        cells: [1 (2)]\n", "row 6", "number of cells"},
		{"bad cell", "tables:\n  - name: T\n    groups: [{name: a, n: 3}, {name: b, n: 4}]\n    rows:\n      - name: r\n        cells: [1 (2), 1 [2]]\n", "", ""},
		{"bad mean", "tables:\n  - name: T\n    groups: [{name: a, n: 3}, {name: b, n: 4}]\n    rows:\n      - name: r\n        cells: [1 (2), about 3]\n", "row 6", "mean with its standard deviation"},
		{"bad level", "tables:\n  - name: T\n    groups: [{name: a, n: 3}, {name: b, n: 4}]\n    rows:\n      - name: r\n        levels:\n          - {name: x, cells: [1, 2.5]}\n", "row 7", "a count with or without"},
		{"bad P", "tables:\n  - name: T\n    groups: [{name: a, n: 3}, {name: b, n: 4}]\n    rows:\n      - name: r\n        p: 1.5\n        cells: [1 (2), 3 (2)]\n", "row 6", "from 0 to 1"},
		{"unknown test", "tables:\n  - name: T\n    groups: [{name: a, n: 3}, {name: b, n: 4}]\n    rows: [{name: r, test: z, cells: [1 (2), 3 (2)]}]\n", "", "chi-square (Yates)"},
		{"unknown set", "models: [{name: M, set: a, models: [{name: m}]}]\n", "", "not in `sets:`"},
		{"unknown best", "sets: [{name: a, n: 9}]\nmodels: [{name: M, set: a, best: z, models: [{name: m}]}]\n", "", "not one of its models"},
		{"backward interval", "sets: [{name: a, n: 9}]\nmodels:\n  - {name: M, set: a, models: [{name: m, auc: 0.7, ci: [0.8, 0.6]}]}\n", "row 3", "lower bound first"},
		{"AUC above 1", "sets: [{name: a, n: 9}]\nmodels:\n  - {name: M, set: a, models: [{name: m, auc: 81.1}]}\n", "row 3", "from 0 to 1"},
		{"too many events", "survival:\n  - {name: s, p: 0.1, groups: [{name: a, n: 3, events: 4}]}\n", "row 2", "more events than patients"},
	} {
		_, err := Parse([]byte(c.text), "paper.yaml")
		if err == nil {
			t.Errorf("%s: accepted", c.name)
			continue
		}
		if _, ok := problem.As(err); !ok {
			t.Errorf("%s: not a problem: %v", c.name, err)
		}
		for _, want := range []string{"paper.yaml", c.line, c.says} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is missing in\n%v", c.name, want, err)
			}
		}
	}
	if _, err := Read("does-not-exist.yaml"); err == nil {
		t.Error("a missing file was read")
	}
}

// The documentation names every key.
func TestDocumentedKeys(t *testing.T) {
	b, err := os.ReadFile("../docs/audit.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range Keys() {
		if !strings.Contains(string(b), "`"+k+"`") {
			t.Errorf("docs/audit.md does not name %q", k)
		}
	}
}

func fuzzSeeds(f *testing.F) {
	for _, s := range []string{small, model, "totals: [{name: a, parts: [1, 2], total: 3}]", "survival: [{name: s, hr: 0.5, ci: [0.2, 0.9], p: 0.03, events: 12}]", "&a [*a]", "tables: *x", "sets: [{name: a, n: 9, positive: 99}]"} {
		f.Add([]byte(s))
	}
}

// Whatever the file holds, reading it does not panic, and errors have one shape.
func FuzzParse(f *testing.F) {
	fuzzSeeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse(b, "paper.yaml")
		if _, ok := problem.As(err); err != nil && !ok {
			t.Fatalf("not a problem: %v", err)
		}
		if err == nil && p == nil {
			t.Fatal("neither a paper nor an error")
		}
	})
}

// Whatever the reader accepts can be audited, and the report is JSON without NaN.
func FuzzRun(f *testing.F) {
	fuzzSeeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse(b, "paper.yaml")
		if err != nil || slow(p) {
			return
		}
		r, err := Run(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		mustJSON(t, r)
	})
}

// slow says that an audit simulates or takes long sums, which would leave a fuzzer nothing to do.
func slow(p *Paper) bool {
	for _, g := range p.Models {
		if g.set.N.N > 100 || len(g.Models) > 1 {
			return true
		}
	}
	for i := range p.Tables {
		if p.Tables[i].patients() > 100 || len(p.Tables[i].Rows) > 3 {
			return true
		}
	}
	return false
}
