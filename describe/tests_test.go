package describe

import (
	"math"
	"math/rand/v2"
	"testing"

	"sonotype/internal/golden"
	"sonotype/internal/num"
	"sonotype/internal/rng"
	"sonotype/internal/stats"
)

type wantTest struct {
	Statistic, DF, DF2, P float64
	Exact                 bool
}

// near compares relatively, with an absolute floor for statistics that are zero.
func near(a, b, tol float64) bool {
	return math.Abs(a-b) <= tol*math.Abs(b)+1e-14 || (math.IsNaN(a) && math.IsNaN(b))
}

func check(t *testing.T, name string, got Test, want *wantTest, tol float64) {
	t.Helper()
	if want == nil {
		return
	}
	if !(math.Abs(float64(got.P)-want.P) <= tol*want.P) || !near(float64(got.Statistic), want.Statistic, tol) {
		t.Errorf("%s: statistic %v p %v, R %v %v", name, got.Statistic, got.P, want.Statistic, want.P)
	}
	if want.DF != 0 && !near(float64(got.DF), want.DF, tol) {
		t.Errorf("%s: df %v, R %v", name, got.DF, want.DF)
	}
	if want.DF2 != 0 && !near(float64(got.DF2), want.DF2, tol) {
		t.Errorf("%s: df2 %v, R %v", name, got.DF2, want.DF2)
	}
}

type oracleFile struct {
	golden.Meta
	Numeric []struct {
		Name       string
		Groups     [][]float64
		SMD        float64
		ANOVA      *wantTest
		WelchANOVA *wantTest `json:"welch_anova"`
		Kruskal    *wantTest
		Wilcoxon   *wantTest
		Welch      *wantTest
		Pooled     *wantTest
	}
	Categorical []struct {
		Name   string
		Counts [][]int
		SMD    float64
		Chisq  *wantTest
		Yates  *wantTest
		Fisher *float64
	}
}

func TestAgainstR(t *testing.T) {
	var o oracleFile
	golden.Load(t, "testdata/oracle/tests.json", &o)
	for _, c := range o.Numeric {
		check(t, c.Name+": ANOVA", ANOVA(c.Groups), c.ANOVA, o.Tolerance)
		check(t, c.Name+": Welch ANOVA", WelchANOVA(c.Groups), c.WelchANOVA, o.Tolerance)
		check(t, c.Name+": Kruskal", KruskalWallis(c.Groups), c.Kruskal, o.Tolerance)
		if got := SMD(c.Groups); !near(got, c.SMD, o.Tolerance) {
			t.Errorf("%s: SMD %v, R %v", c.Name, got, c.SMD)
		}
		if len(c.Groups) != 2 {
			continue
		}
		x, y := c.Groups[0], c.Groups[1]
		check(t, c.Name+": Welch", WelchT(x, y), c.Welch, o.Tolerance)
		check(t, c.Name+": pooled", PooledT(x, y), c.Pooled, o.Tolerance)
		w := Wilcoxon(x, y)
		check(t, c.Name+": Wilcoxon", w, c.Wilcoxon, o.Tolerance)
		if w.Exact != c.Wilcoxon.Exact {
			t.Errorf("%s: exact %v, R %v", c.Name, w.Exact, c.Wilcoxon.Exact)
		}
	}
	for _, c := range o.Categorical {
		plain, err := ChiSquare(c.Counts, false)
		if err != nil {
			t.Fatal(err)
		}
		yates, _ := ChiSquare(c.Counts, true)
		check(t, c.Name+": chi-square", plain, c.Chisq, o.Tolerance)
		check(t, c.Name+": Yates", yates, c.Yates, o.Tolerance)
		if got := CategoricalSMD(c.Counts); !near(got, c.SMD, o.Tolerance) {
			t.Errorf("%s: SMD %v, R %v", c.Name, got, c.SMD)
		}
		if c.Fisher == nil {
			continue
		}
		got, err := Fisher(c.Counts, 1)
		if err != nil || !got.Exact || !(math.Abs(float64(got.P)-*c.Fisher) <= 1e-6**c.Fisher) {
			t.Errorf("%s: Fisher %v (exact %v, %v), R %v", c.Name, got.P, got.Exact, err, *c.Fisher)
		}
	}
}

// paperRow is a categorical row of the paper's Tables 1 and 2: counts, the right p-value as method.md gives it,
// and what the paper prints.
type paperRow struct {
	name           string
	counts         [][]int
	right, printed float64
	notOverall     bool // the printed value is not what the Overall column gives
	withOverall    float64
}

// TestPaperTables checks the p-values that are right and that those printed come from testing the Overall column
// as if it were a further group.
func TestPaperTables(t *testing.T) {
	rows := []paperRow{
		{name: "1 T", counts: [][]int{{62, 180}, {155, 373}, {26, 59}, {24, 50}}, right: .597, printed: .930},
		{name: "1 M", counts: [][]int{{253, 618}, {14, 44}}, right: .424, printed: .726},
		{name: "1 N", counts: [][]int{{171, 420}, {59, 185}, {37, 57}}, right: .022, printed: .105},
		{name: "1 EGFR", counts: [][]int{{222, 489}, {44, 164}, {1, 9}}, right: .008, printed: .046},
		{name: "2 T", counts: [][]int{{144, 64, 34}, {314, 139, 75}, {55, 20, 10}, {44, 16, 14}}, right: .855, printed: .978},
		{name: "2 M", counts: [][]int{{515, 228, 128}, {42, 11, 5}}, right: .129, printed: .251},
		{name: "2 N", counts: [][]int{{369, 141, 81}, {129, 82, 33}, {59, 16, 19}}, right: .005, printed: .062, notOverall: true, withOverall: .022},
		{name: "2 Ki-67", counts: [][]int{{148, 81, 38}, {409, 158, 95}}, right: .112, printed: .223},
		{name: "2 EGFR", counts: [][]int{{425, 182, 104}, {126, 54, 28}, {6, 3, 1}}, right: .984, printed: .999},
		{name: "2 ER", counts: [][]int{{259, 92, 63}, {298, 147, 70}}, right: .089, printed: .184},
		{name: "2 HER2", counts: [][]int{{181, 89, 48}, {224, 91, 54}, {152, 59, 31}}, right: .669, printed: .884},
		{name: "2 PR", counts: [][]int{{226, 93, 57}, {237, 104, 59}, {94, 42, 17}}, right: .780, printed: .940},
	}
	for _, r := range rows {
		right, err := ChiSquare(r.counts, false)
		if err != nil || !printsAs(right.P, r.right) {
			t.Errorf("Table %s: p = %v (%v), want %.3f", r.name, right.P, err, r.right)
		}
		overall := make([][]int, len(r.counts))
		for i, row := range r.counts {
			sum := 0
			for _, c := range row {
				sum += c
			}
			overall[i] = append(append([]int(nil), row...), sum)
		}
		wrong, _ := ChiSquare(overall, false)
		want := r.printed
		if r.notOverall {
			want = r.withOverall
		}
		if !printsAs(wrong.P, want) {
			t.Errorf("Table %s with the Overall column: p = %v, want %.3f", r.name, wrong.P, want)
		}
	}
	yates, _ := ChiSquare(rows[1].counts, true)
	if !printsAs(yates.P, .516) {
		t.Errorf("Table 1 M with Yates: p = %v, want .516", yates.P)
	}
}

// printsAs allows for three digits rounded or cut off (HER2 in Table 2 is .66953).
func printsAs(p num.Float, want float64) bool { return math.Abs(float64(p)-want) < .0006 }

// TestFisherTwin compares the walk with the definition: enumerate every assignment of a small table.
func TestFisherTwin(t *testing.T) {
	r := rng.Stream(5, "fisher twin")
	for k := range 60 {
		counts := make([][]int, 2+k%2)
		for i := range counts {
			for range 2 + k%3 {
				counts[i] = append(counts[i], r.IntN(4-k%2))
			}
		}
		got, err := Fisher(counts, 0)
		if err != nil {
			t.Fatal(err)
		}
		d := dropEmpty(counts)
		if len(d) < 2 || len(d[0]) < 2 {
			if !got.P.IsNaN() || got.Note == "" {
				t.Errorf("%v: p %v for a degenerate table", counts, got.P)
			}
			continue
		}
		if want := fisherByDefinition(d); !near(float64(got.P), want, 1e-9) {
			t.Errorf("%v: p %v, by definition %v", counts, got.P, want)
		}
	}
}

// fisherByDefinition walks all integer tables up to the margins and keeps those that match them.
func fisherByDefinition(t [][]int) float64 {
	rows, cols, n := margins(t)
	prob := func(x []int) float64 {
		l := 0.0
		for _, m := range append(append([]int(nil), rows...), cols...) {
			g, _ := math.Lgamma(float64(m) + 1)
			l += g
		}
		g, _ := math.Lgamma(float64(n) + 1)
		l -= g
		for _, v := range x {
			g, _ := math.Lgamma(float64(v) + 1)
			l -= g
		}
		return math.Exp(l)
	}
	var flat []int
	for _, row := range t {
		flat = append(flat, row...)
	}
	limit := prob(flat) * (1 + 1e-7)
	x := make([]int, len(flat))
	var sum float64
	var walk func(k int)
	walk = func(k int) {
		if k == len(x) {
			for j, m := range cols {
				for i := range rows {
					m -= x[i*len(cols)+j]
				}
				if m != 0 {
					return
				}
			}
			if p := prob(x); p <= limit {
				sum += p
			}
			return
		}
		i, j := k/len(cols), k%len(cols)
		left := rows[i]
		for _, v := range x[i*len(cols) : k] {
			left -= v
		}
		lo := 0
		if j == len(cols)-1 {
			lo = left
		}
		for v := lo; v <= left; v++ {
			x[k] = v
			walk(k + 1)
		}
		x[k] = 0
	}
	walk(0)
	return sum
}

func TestFisherMonteCarlo(t *testing.T) {
	counts := [][]int{{5, 9, 4}, {2, 0, 3}, {7, 14, 2}}
	exact, _ := Fisher(counts, 1)
	a, _ := fisher(counts, 1, 10)
	b, _ := fisher(counts, 1, 10)
	if a.Exact || a.Note == "" || a.P != b.P {
		t.Fatalf("Monte Carlo not flagged or not reproducible: %+v %+v", a, b)
	}
	if math.Abs(float64(a.P-exact.P)) > .01 {
		t.Errorf("Monte Carlo p %v, exact %v", a.P, exact.P)
	}
	big := [][]int{{181, 89, 48}, {224, 91, 54}, {152, 59, 31}}
	if got, _ := fisher(big, 1, 1000); got.Exact || math.Abs(float64(got.P)-.669) > .02 {
		t.Errorf("large table: %+v, chi-square p is .669", got)
	}
}

// TestTwoGroupIdentities: with two groups the k-group tests are the squares of the two-group ones, and no test
// depends on the order of values, groups, rows or columns.
func TestTwoGroupIdentities(t *testing.T) {
	r := rng.Stream(11, "identities")
	for range 50 {
		x, y := sample(r, 3+r.IntN(60), 0), sample(r, 3+r.IntN(60), .5)
		p := func(tests ...Test) {
			t.Helper()
			for _, u := range tests[1:] {
				if !near(float64(u.P), float64(tests[0].P), 1e-9) {
					t.Errorf("%s p %v, %s p %v", tests[0].Name, tests[0].P, u.Name, u.P)
				}
			}
		}
		xs := append([]float64(nil), x...)
		r.Shuffle(len(xs), func(i, j int) { xs[i], xs[j] = xs[j], xs[i] })
		p(PooledT(x, y), ANOVA([][]float64{x, y}), PooledT(y, xs))
		p(WelchT(x, y), WelchANOVA([][]float64{x, y}), WelchT(y, xs))
		p(Wilcoxon(x, y), Wilcoxon(y, xs))
		p(KruskalWallis([][]float64{x, y}), KruskalWallis([][]float64{y, xs}))
		a, b, c, d := r.IntN(20)+1, r.IntN(20)+1, r.IntN(20)+1, r.IntN(20)+1
		one, _ := ChiSquare([][]int{{a, b}, {c, d}}, false)
		two, _ := ChiSquare([][]int{{d, c}, {b, a}}, false)
		three, _ := ChiSquare([][]int{{a, c}, {0, 0}, {b, d}}, false)
		p(one, two, three)
		f1, _ := Fisher([][]int{{a, b}, {c, d}}, 0)
		f2, _ := Fisher([][]int{{a, c}, {b, d}}, 0)
		p(f1, f2)
	}
}

func sample(r *rand.Rand, n int, shift float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = r.NormFloat64() + shift
	}
	return x
}

func TestNotComputable(t *testing.T) {
	one := []float64{1}
	same := []float64{2, 2, 2}
	all := []Test{WelchT(one, same), PooledT(nil, same), WelchT(same, same), WelchT(same, []float64{3, 3, 3}), PooledT(same, same),
		ANOVA([][]float64{same, same}), ANOVA(nil), WelchANOVA([][]float64{same, {1, 2}}), KruskalWallis([][]float64{same, same}),
		KruskalWallis([][]float64{same, nil}), Wilcoxon(nil, same), Wilcoxon(same, same)}
	for _, u := range all {
		if !u.P.IsNaN() || u.Note == "" {
			t.Errorf("%s: p %v, note %q; want null with a note", u.Name, u.P, u.Note)
		}
	}
	if !math.IsNaN(SMD([][]float64{same, {3, 3}})) || SMD([][]float64{same, same}) != 0 {
		t.Error("SMD of constant groups")
	}
	if !math.IsNaN(CategoricalSMD([][]int{{5, 0}, {0, 5}})) || CategoricalSMD([][]int{{5, 7}}) != 0 {
		t.Error("categorical SMD of degenerate groups")
	}
	for _, bad := range [][][]int{nil, {{}}, {{1, 2}, {3}}, {{1, -2}, {3, 4}}} {
		if _, err := ChiSquare(bad, false); err == nil {
			t.Errorf("%v: no error", bad)
		}
		if _, err := Fisher(bad, 1); err == nil {
			t.Errorf("%v: no error from Fisher", bad)
		}
	}
	if got := stats.NotComputable("x", "y"); !got.P.IsNaN() {
		t.Error("NotComputable computes")
	}
}
