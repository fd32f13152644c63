package audit

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"sonotype/evaluate"
)

// Whatever the scores, as long as none are tied, DeLong's standard error lies between the two extremes.
func TestExtremesHoldDeLong(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		p, n := 3+r.IntN(40), 3+r.IntN(40)
		scores, labels := make([]float64, p+n), make([]int, p+n)
		shape := []func() float64{r.NormFloat64, r.Float64, r.ExpFloat64, func() float64 { return float64(r.IntN(3)) * 10 }}
		a, b, shift := shape[r.IntN(4)], shape[r.IntN(4)], 3*r.Float64()
		for i := range scores {
			if i < p {
				labels[i], scores[i] = 1, a()+shift
			} else {
				scores[i] = b()
			}
			scores[i] += 1e-6 * r.Float64() // no ties
		}
		checkExtremes(t, scores, labels, p, n)
	}
}

func checkExtremes(t *testing.T, scores []float64, labels []int, p, n int) {
	t.Helper()
	d, err := evaluate.DeLong(scores, labels)
	if err != nil {
		t.Fatal(err)
	}
	se, auc := float64(d.SE), float64(d.AUC)
	if lo, hi := least(auc, p, n), most(auc, p, n); se < lo-1e-7 || se > hi+1e-7 {
		t.Fatalf("%d and %d, AUC %v: DeLong %v outside %v to %v", p, n, auc, se, lo, hi)
	}
}

// The lower extreme is reached: scores whose ROC curve is the straight line of least's derivation.
func TestLeastIsReached(t *testing.T) {
	for _, c := range []struct {
		p, n  int
		shift float64
	}{{2000, 2000, 0.3}, {2000, 1000, 0.2}, {1000, 2000, 0.35}} {
		// Uniform scores: positives on [shift, 1 + shift] scaled so that the density ratio is (N-1)/(P-1) where they overlap.
		scores, labels := make([]float64, c.p+c.n), make([]int, c.p+c.n)
		slope := float64(c.n-1) / float64(c.p-1)
		for i := range c.n {
			scores[c.p+i] = (float64(i) + 0.5) / float64(c.n) // negatives uniform on [0, 1]: t = 1 - score
		}
		for i := range c.p {
			// The share g of positives above a score s is shift + slope (1-s), cut to [0, 1].
			share := (float64(i) + 0.5) / float64(c.p)
			labels[i], scores[i] = 1, 1-(share-c.shift)/slope
			if share < c.shift {
				scores[i] = 2 + share
			}
			scores[i] += 1e-9
		}
		d, err := evaluate.DeLong(scores, labels)
		if err != nil {
			t.Fatal(err)
		}
		if lo := least(float64(d.AUC), c.p, c.n); math.Abs(float64(d.SE)-lo) > 2e-3*lo {
			t.Errorf("%+v: DeLong %v, least %v", c, d.SE, lo)
		}
	}
}

// The upper extreme is reached, too: the smaller class is either above or below all of the other.
func TestMostIsReached(t *testing.T) {
	const p, n, above = 20, 50, 14
	scores, labels := make([]float64, p+n), make([]int, p+n)
	for i := range scores {
		scores[i] = float64(i) * 1e-3
		if i < p {
			labels[i] = 1
			if scores[i] -= 10; i < above {
				scores[i] += 20
			}
		}
	}
	d, err := evaluate.DeLong(scores, labels)
	if err != nil {
		t.Fatal(err)
	}
	if want := most(float64(above)/p, p, n); math.Abs(float64(d.SE)-want) > 1e-12 {
		t.Errorf("DeLong %v, most %v", d.SE, want)
	}
}

// Binormal and Hanley-McNeil standard errors lie between the extremes.
func TestStandardErrorsAreOrdered(t *testing.T) {
	for _, auc := range []float64{0.5, 0.55, 0.7, 0.811, 0.9, 0.97} {
		for _, c := range [][2]int{{10, 10}, {158, 81}, {95, 38}, {20, 300}} {
			band := binormalRange(auc, widestRatio, c[0], c[1])
			lo, hi := least(auc, c[0], c[1]), most(auc, c[0], c[1])
			// least and most have the P - 1 of a sample's variance.
			slackness := math.Sqrt(float64(min(c[0], c[1])) / float64(min(c[0], c[1])-1))
			if band.lo > band.hi || band.lo*slackness < lo-1e-9 || band.hi > hi {
				t.Errorf("AUC %v, %v: normal %v outside %v to %v", auc, c, band, lo, hi)
			}
			if h := hanley(auc, c[0], c[1]); h*slackness < lo-1e-9 || h > hi {
				t.Errorf("AUC %v, %v: Hanley-McNeil %v outside %v to %v", auc, c, h, lo, hi)
			}
		}
	}
}

// The ROC curve of any scores through a point has an area that the point allows.
func TestOperatingPointHoldsAUC(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		n := 6 + r.IntN(60)
		scores, labels := make([]float64, n), make([]int, n)
		for i := range scores {
			labels[i] = i % 2
			scores[i] = math.Round(4*(r.NormFloat64()+float64(labels[i]))) / 4
		}
		d, err := evaluate.DeLong(scores, labels)
		if err != nil {
			t.Fatal(err)
		}
		tp, fp, tn, fn := evaluate.Confusion(scores, labels, scores[r.IntN(n)])
		sens, spec := float64(tp)/float64(tp+fn), float64(tn)/float64(tn+fp)
		if a := float64(d.AUC); a < sens*spec-1e-12 || a > 1-(1-sens)*(1-spec)+1e-12 {
			t.Fatalf("sensitivity %v, specificity %v, AUC %v", sens, spec, a)
		}
	}
}

// The search finds what trying every matrix finds.
func TestSearchAgainstAllMatrices(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	text := func(v float64, d int) Text {
		s := Text{Line: 1}
		s.Text = formatFixed(v, d)
		return s
	}
	for range 300 {
		p, n := 1+r.IntN(12), 1+r.IntN(12)
		tp, tn := r.IntN(p+1), r.IntN(n+1)
		m := Model{Name: "m"}
		x := [4]float64{float64(tp), float64(n - tn), float64(tn), float64(p - tp)}
		digits := 1 + r.IntN(3)
		for _, f := range []*Text{&m.Accuracy, &m.Sensitivity, &m.Specificity, &m.F1, &m.PPV, &m.NPV} {
			if r.IntN(2) == 0 {
				*f = Text{"0.5", 1} // replaced below by what the matrix gives, where it gives anything
			}
		}
		if err := m.checkMeasures("m"); err != nil {
			t.Fatal(err)
		}
		kept := m.measures[:0]
		for _, k := range m.measures {
			v := k.of(x[0], x[1], x[2], x[3])
			if math.IsNaN(v) {
				continue
			}
			if r.IntN(20) == 0 {
				v = r.Float64() // sometimes wrong
			}
			k.value, _ = parseFigure(text(v, digits).Text)
			kept = append(kept, k)
		}
		s := search{n: p + n, positive: p, measures: kept, cells: [4]int{-1, -1, -1, -1}, rounding: figure.rounding}
		if r.IntN(2) == 0 {
			s.positive = -1
		}
		if r.IntN(4) == 0 {
			s.cells[r.IntN(4)] = r.IntN(6)
		}
		got, _, ok := s.all()
		if want := everyMatrix(s); !ok || got != want {
			t.Fatalf("%+v: %d matrices, trying all finds %d", s, got, want)
		}
	}
}

// everyMatrix is the slow twin of search.all.
func everyMatrix(s search) (count int) {
	for p := 0; p <= s.n; p++ {
		if s.positive >= 0 && p != s.positive || s.positive < 0 && (p == 0 || p == s.n) {
			continue
		}
		for tp := 0; tp <= p; tp++ {
			for tn := 0; tn <= s.n-p; tn++ {
				cells := []int{tp, s.n - p - tn, tn, p - tp}
				fits := true
				for i, c := range s.cells {
					fits = fits && (c < 0 || c == cells[i])
				}
				for _, m := range s.measures {
					v := m.of(float64(cells[0]), float64(cells[1]), float64(cells[2]), float64(cells[3]))
					fits = fits && m.value.rounding().holds(v)
				}
				if fits {
					count++
				}
			}
		}
	}
	return count
}

// GRIM: what it calls impossible, no whole sum gives.
func TestGRIM(t *testing.T) {
	verdict := func(n int, cell string) Verdict {
		table := table1(t, Row{Name: "age", Whole: true, Cells: []Text{{cell, 1}, {"50 (10)", 1}}}, n, 50)
		r := &Report{Counts: map[string]int{}}
		r.grim(table, &table.Rows[0])
		if len(r.Checks) != 1 {
			t.Fatalf("%s: %+v", cell, r.Checks)
		}
		return r.Checks[0].Verdict
	}
	if got := verdict(170, "1.23 (2.1)"); got != Untestable {
		t.Errorf("170 patients: %v", got)
	}
	possible := map[string]bool{}
	for sum := 0; sum <= 17*6; sum++ {
		possible[formatFixed(float64(sum)/17, 2)] = true
	}
	for i := range 500 {
		text := formatFixed(float64(i)/100, 2)
		want := Contradiction
		if possible[text] {
			want = Agrees
		}
		if got := verdict(17, text+" (2.1)"); got != want {
			t.Errorf("mean %s of 17: %v, want %v", text, got, want)
		}
	}
}

// The likelihood that a random table's rounding makes a false contradiction is zero: figures rounded from real
// values never contradict each other.
func TestTrueFiguresAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 60 {
		p := honest(r)
		if err := p.check(); err != nil {
			t.Fatal(err)
		}
		report, err := Run(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range report.Findings() {
			if c.Verdict == Contradiction {
				t.Fatalf("%s, %s: %s\n%+v", c.Kind, c.Where, c.Message, p)
			}
		}
	}
}

// honest makes the figures of a study with random values, each printed as it is.
func honest(r *rand.Rand) *Paper {
	sizes := []int{5 + r.IntN(40), 5 + r.IntN(40), 5 + r.IntN(40)}[:2+r.IntN(2)]
	total := 0
	values, counts := make([][]float64, len(sizes)), [3][]int{}
	t := Table{Name: "T"}
	for g, n := range sizes {
		total += n
		t.Groups = append(t.Groups, Group{string(rune('a' + g)), Whole{n, 1}})
		levels := [3]int{}
		for range n {
			values[g] = append(values[g], math.Round(50+10*r.NormFloat64()))
			levels[r.IntN(3)]++
		}
		for l := range levels {
			counts[l] = append(counts[l], levels[l])
		}
	}
	t.Overall = Whole{total, 1}
	t.Rows = []Row{meanRow(values), levelRow(counts, sizes)}
	return &Paper{Seed: 1, Tables: []Table{t}, Sets: []Set{{Name: "s", Positive: Whole{30, 1}, Negative: Whole{20, 1}}}, Models: []Models{scored(r)}}
}

func meanRow(values [][]float64) Row {
	row := Row{Name: "age", Whole: true}
	all := slices.Concat(values...)
	for _, v := range append(slices.Clone(values), all) {
		row.Cells = append(row.Cells, Text{momentsText(v), 1})
	}
	p := 0.0
	if len(values) == 2 {
		p = float64(welch(values[0], values[1]))
	} else {
		p = float64(anova(values))
	}
	row.P = Text{formatFixed(p, 3), 1}
	return row
}

func levelRow(counts [3][]int, sizes []int) Row {
	row := Row{Name: "stage"}
	table := [][]int{}
	for l, c := range counts {
		level, sum, total := Level{Name: string(rune('1' + l))}, 0, 0
		for g, n := range c {
			level.Cells = append(level.Cells, Text{percentText(n, sizes[g]), 1})
			sum, total = sum+n, total+sizes[g]
		}
		level.Cells = append(level.Cells, Text{percentText(sum, total), 1})
		row.Levels = append(row.Levels, level)
		table = append(table, c)
	}
	row.P = Text{formatFixed(float64(chiSquare(table)), 3), 1}
	return row
}

// scored makes the figures of a model from scores of 30 positives and 20 negatives.
func scored(r *rand.Rand) Models {
	scores, labels := make([]float64, 50), make([]int, 50)
	for i := range scores {
		if scores[i] = r.NormFloat64(); i < 30 {
			labels[i] = 1
			scores[i] += 1
		}
	}
	d, _ := evaluate.DeLong(scores, labels)
	m, _ := evaluate.Measure(scores, labels, 0.4)
	f := func(v float64) Text { return Text{formatFixed(v, 3), 1} }
	return Models{Name: "M", Set: "s", Models: []Model{{Name: "lr", AUC: f(float64(d.AUC)), CI: []Text{f(float64(d.Lo)), f(float64(d.Hi))},
		Accuracy: f(float64(m.Accuracy)), Sensitivity: f(float64(m.Sensitivity)), Specificity: f(float64(m.Specificity)), PPV: f(float64(m.PPV)), NPV: f(float64(m.NPV)), F1: f(float64(m.F1))}}}
}
