package audit

import (
	"context"
	"fmt"
	"math"
	"strings"

	"sonotype/internal/num"
)

// significance is the level at which a wrong p-value changes what a paper concludes.
const significance = 0.05

// The ways in which a printed p-value can be explained.
const (
	StatusReproduced = "reproduced"
	StatusOther      = "another test"
	StatusOverall    = "only with Overall"
	StatusNone       = "not reproduced"
	StatusUnprinted  = "no p-value printed"
	StatusUntestable = "not testable"
)

// table audits one baseline table.
func (r *Report) table(ctx context.Context, t *Table, seed uint64) error {
	r.sizes(t)
	for i := range t.Rows {
		row := &t.Rows[i]
		if len(row.counts) > 0 {
			r.sums(t, row)
			r.percentages(t, row)
		} else {
			r.overallMoments(t, row)
			r.grim(t, row)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.pValue(t, row, seed); err != nil {
			return err
		}
	}
	r.overallError(t)
	return nil
}

// pValue recomputes a row's p-value.
func (r *Report) pValue(t *Table, row *Row, seed uint64) (err error) {
	res := RowResult{Table: t.Name, Row: row.Name, Kind: "continuous", Printed: pText(row.P.Text), Value: num.NaN(), Status: StatusUnprinted}
	if len(row.counts) > 0 {
		res.Kind = "categorical"
		if res.Tests, err = t.categorical(row, seed); err != nil {
			return err
		}
	} else {
		res.Tests = t.continuous(row)
	}
	if row.p != nil {
		res.Value = num.Float(row.p.value)
		res.explain(row)
		r.reportRow(&res, row)
	}
	r.Rows = append(r.Rows, res)
	return nil
}

// usual are the tests that need no explanation where they give the printed p-value and the paper names none.
var usual = map[string]bool{testChiSquare: true, testYates: true, testFisher: true, testWelch: true, testPooled: true, testANOVA: true}

// explain finds the test that gives the printed p-value.
func (res *RowResult) explain(row *Row) {
	if len(res.Tests) == 0 {
		res.Status = StatusUntestable
		return
	}
	res.Status = StatusNone
	rank := map[string]int{StatusNone: 0, StatusOther: 1, StatusOverall: 2, StatusReproduced: 3}
	for i := range res.Tests {
		p := &res.Tests[i]
		p.Matches = p.fits(*row.p)
		if !p.Matches {
			continue
		}
		status := StatusOther
		switch {
		case p.Overall:
			status = StatusOverall
		case row.Test == p.Test, row.Test == "" && usual[p.Test]:
			status = StatusReproduced
		}
		if rank[status] > rank[res.Status] {
			res.Status = status
		}
	}
	printed, right := row.p.rounding(), res.right().span()
	res.Changes = res.Status != StatusReproduced && (right.hi < significance && printed.lo >= significance || right.lo >= significance && printed.hi < significance)
}

// right is the usual test of such a row.
func (res *RowResult) right() PRange { return res.Tests[0] }

func (r *Report) reportRow(res *RowResult, row *Row) {
	where := res.Table + ", " + res.Row
	if res.Status == StatusUntestable {
		r.add("p-value", where, Untestable, "The counts leave nothing to test: fewer than two levels or groups have any patient, or a group has fewer than two.")
		return
	}
	right := res.right()
	said := fmt.Sprintf("Printed P %s; %s gives %s", res.Printed, right.Test, right.text())
	for _, p := range res.Tests[1:] {
		if usual[p.Test] {
			said += fmt.Sprintf(", %s %s", p.Test, p.text())
		}
	}
	matching := res.matching()
	switch res.Status {
	case StatusReproduced:
		r.reproduced(res, where, matching)
		return
	case StatusOverall:
		said += fmt.Sprintf(". The printed value comes out only when the Overall column is entered as a further group (%s)", res.overallText())
	case StatusOther:
		said += ". The printed value would be that of " + strings.Join(matching, " or ")
	default:
		said += ". No test that was tried gives the printed value"
	}
	verdict := Contradiction
	if res.Kind == "continuous" {
		said += "; a rank test of the patients' own values cannot be checked from means and SDs"
		verdict = Doubt
	}
	if res.Status == StatusOther {
		verdict = Note
	}
	if res.Changes {
		said += ". This moves the row across P = 0.05"
	}
	r.add("p-value", where, verdict, said+".")
}

// anyP is the width of a range of p-values from which nothing can be learnt.
const anyP = 0.9

// reproduced reports a printed p-value that a usual test gives, or may give.
func (r *Report) reproduced(res *RowResult, where string, matching []string) {
	right := res.right()
	switch {
	case res.Kind == "categorical":
		r.add("p-value", where, Agrees, fmt.Sprintf("Printed P %s is what %s gives.", res.Printed, strings.Join(matching, " or ")))
	case right.Hi-right.Lo > anyP:
		r.add("p-value", where, Untestable, fmt.Sprintf("Printed P %s; the rounding of means and SDs allows nearly any P (%s: %s).", res.Printed, right.Test, right.text()))
	default:
		r.add("p-value", where, Agrees, fmt.Sprintf("Printed P %s is among the values that the rounding of means and SDs allows (%s: %s).", res.Printed, right.Test, right.text()))
	}
}

// matching names the tests that give the printed value, the plain ones if any do.
func (res *RowResult) matching() []string {
	var plain, other []string
	for _, p := range res.Tests {
		switch {
		case p.Matches && usual[p.Test]:
			plain = append(plain, p.Test)
		case p.Matches && !p.Overall:
			other = append(other, p.Test)
		}
	}
	if len(plain) > 0 {
		return plain
	}
	return other
}

func (res *RowResult) overallText() string {
	for _, p := range res.Tests {
		if p.Overall {
			return p.text()
		}
	}
	return ""
}

// text is a p-value or its range.
func (p PRange) text() string { return p.span().asP() }

// asP prints a range of p-values.
func (s span) asP() string {
	lo, hi := formatP(s.lo), formatP(s.hi)
	if lo == hi {
		return lo
	}
	return lo + " to " + hi
}

// formatP prints a p-value as papers do.
func formatP(p float64) string {
	if p < 0.001 {
		return "<0.001"
	}
	return fmt.Sprintf("%.3f", p)
}

func pText(printed string) string { return strings.ReplaceAll(printed, " ", "") }

// overallError sums up the rows of a table whose p-values need the Overall column.
func (r *Report) overallError(t *Table) {
	var with, without, neither, means int
	for _, res := range r.Rows {
		if res.Table != t.Name || len(res.Tests) == 0 || res.Status == StatusUnprinted {
			continue
		}
		plain, overall := false, false
		for _, p := range res.Tests {
			plain = plain || p.Matches && usual[p.Test]
			overall = overall || p.Matches && p.Overall
		}
		switch {
		case overall && !plain && res.Kind == "continuous":
			means++
		case res.Kind == "continuous":
		case overall && !plain:
			with++
		case plain && !overall:
			without++
		case !plain:
			neither++
		}
	}
	switch {
	case with > 0:
		r.add("Overall column", t.Name, Contradiction, fmt.Sprintf("Categorical rows whose p-value comes out only with Overall (all groups together) as a further group: %d; only without it: %d; with neither: %d. Rows of means that need it too: %d. "+
			"The extra column adds nothing to the chi-square statistic and raises its degrees of freedom, so that every such p-value is too large.", with, without, neither, means))
	case without > 0:
		r.add("Overall column", t.Name, Agrees, fmt.Sprintf("No p-value needs the Overall column as a further group; %s.", plural(without, "row tells", "rows tell")+" the two apart"))
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// sizes checks that the groups add up to the Overall column.
func (r *Report) sizes(t *Table) {
	if !t.Overall.given() {
		return
	}
	sum := 0
	for _, g := range t.Groups {
		sum += g.N.N
	}
	if sum == t.Overall.N {
		r.add("sum", t.Name, Agrees, fmt.Sprintf("The groups add up to the %d patients of the Overall column.", sum))
		return
	}
	r.add("sum", t.Name, Contradiction, fmt.Sprintf("The groups hold %d patients, the Overall column %d.", sum, t.Overall.N))
}

// sums checks that levels add up to their column and groups to the Overall column.
func (r *Report) sums(t *Table, row *Row) {
	where := t.Name + ", " + row.Name
	clean := true
	for g := range t.columns() {
		sum := 0
		for _, l := range row.counts {
			sum += l[g].n
		}
		name, n := t.column(g)
		switch {
		case sum > n:
			r.add("sum", where, Contradiction, fmt.Sprintf("The levels of %s add up to %d, more than its %d patients.", name, sum, n))
			clean = false
		case sum < n:
			r.add("sum", where, Note, fmt.Sprintf("The levels of %s add up to %d of %d patients: %d are missing.", name, sum, n, n-sum))
			clean = false
		}
	}
	if t.Overall.given() {
		for i, l := range row.counts {
			sum := 0
			for g := range t.Groups {
				sum += l[g].n
			}
			if printed := l[len(t.Groups)].n; sum != printed {
				r.add("sum", where+", "+row.Levels[i].Name, Contradiction, fmt.Sprintf("The groups add up to %d, the Overall column says %d.", sum, printed))
				clean = false
			}
		}
	}
	if clean {
		r.add("sum", where, Agrees, "All counts add up.")
	}
}

func (t *Table) column(g int) (name string, n int) {
	if g == len(t.Groups) {
		return "Overall", t.Overall.N
	}
	return t.Groups[g].Name, t.Groups[g].N.N
}

// percentages checks that counts and percentages agree, against whichever denominator fits most cells: the
// column's patients, those of them with a value, or the level's patients in all groups.
func (r *Report) percentages(t *Table, row *Row) {
	where := t.Name + ", " + row.Name
	var cells int
	column, level := make([]int, t.columns()), make([]int, len(row.counts))
	for l, counts := range row.counts {
		for g, c := range counts {
			column[g] += c.n
			if g < len(t.Groups) {
				level[l] += c.n
			}
			if c.printed {
				cells++
			}
		}
	}
	if cells == 0 {
		return
	}
	bases := []struct {
		name string
		of   func(l, g int) int
	}{
		{"all patients of the column", func(_, g int) int { _, n := t.column(g); return n }},
		{"the column's patients with a value", func(_, g int) int { return column[g] }},
		{"the level's patients in all groups", func(l, _ int) int { return level[l] }},
	}
	var best []string
	chosen := -1
	for b, base := range bases {
		wrong := row.wrongPercentages(t, base.of)
		if chosen < 0 || len(wrong) < len(best) {
			best, chosen = wrong, b
		}
	}
	for _, w := range best {
		r.add("percentage", where, Contradiction, w)
	}
	switch {
	case len(best) == 0 && chosen > 0:
		r.add("percentage", where, Note, fmt.Sprintf("All %d percentages are of %s.", cells, bases[chosen].name))
	case len(best) == 0:
		r.add("percentage", where, Agrees, fmt.Sprintf("All %d percentages agree with their counts.", cells))
	}
}

func (row *Row) wrongPercentages(t *Table, of func(l, g int) int) []string {
	var wrong []string
	for l, counts := range row.counts {
		for g, c := range counts {
			if !c.printed {
				continue
			}
			n := of(l, g)
			if n > 0 && c.percent.rounding().holds(float64(c.n)/float64(n)) {
				continue
			}
			name, _ := t.column(g)
			said := fmt.Sprintf("Level %s of %s: %s is printed", row.Levels[l].Name, name, row.Levels[l].Cells[g].Text)
			if n > 0 {
				said += fmt.Sprintf(", but %d of %d is %.*f%%", c.n, n, c.percent.decimals, 100*float64(c.n)/float64(n))
			}
			wrong = append(wrong, said+".")
		}
	}
	return wrong
}

// overallMoments checks that the Overall mean and SD can come from the groups'.
func (r *Report) overallMoments(t *Table, row *Row) {
	if !t.Overall.given() {
		return
	}
	where := t.Name + ", " + row.Name
	s := t.samples(row)
	mean, sd := pooledSpans(s)
	printed := row.means[len(t.Groups)]
	clean := true
	if !mean.meets(printed.mean.rounding()) {
		clean = false
		r.add("mean and SD", where, Contradiction, fmt.Sprintf("The groups' means give an Overall mean from %.4g to %.4g, printed is %s.", mean.lo, mean.hi, printed.mean.text))
	}
	if !math.IsNaN(sd.lo) && !sd.meets(printed.sd.rounding()) {
		clean = false
		r.add("mean and SD", where, Contradiction, fmt.Sprintf("The groups give an Overall SD from %.4g to %.4g, printed is %s.", sd.lo, sd.hi, printed.sd.text))
	}
	if clean {
		r.add("mean and SD", where, Agrees, "The Overall mean and SD can come from the groups'.")
	}
}

// grim tests whether a mean of whole numbers is possible: some whole sum over n patients must round to it
// (Brown and Heathers, Social Psychological and Personality Science 2017). It can fail only where n is below
// 10 to the power of the printed decimals.
func (r *Report) grim(t *Table, row *Row) {
	if !row.Whole {
		return
	}
	where := t.Name + ", " + row.Name
	coarse, decimals := 0, 0
	for g := range t.columns() {
		name, n := t.column(g)
		m := row.means[g].mean
		s := m.rounding()
		switch lo, hi := math.Ceil((s.lo-slack)*float64(n)), math.Floor((s.hi+slack)*float64(n)); {
		case lo > hi:
			r.add("GRIM", where, Contradiction, fmt.Sprintf("No whole numbers of %d patients (%s) have the mean %s.", n, name, m.text))
		case float64(n) < math.Pow(10, float64(m.decimals)):
			r.add("GRIM", where, Agrees, fmt.Sprintf("Whole numbers of %d patients (%s) can have the mean %s.", n, name, m.text))
		default:
			coarse, decimals = coarse+1, m.decimals
		}
	}
	if coarse == t.columns() {
		r.add("GRIM", where, Untestable, fmt.Sprintf("With so many patients whole numbers can have any mean of %s.", plural(decimals, "decimal", "decimals")))
	}
}

// acrossTables checks that a row which stands in two tables of the same patients has the same totals in both.
func (r *Report) acrossTables(p *Paper) {
	for i := range p.Tables {
		for j := i + 1; j < len(p.Tables); j++ {
			a, b := &p.Tables[i], &p.Tables[j]
			if a.patients() != b.patients() {
				continue
			}
			for x := range a.Rows {
				for y := range b.Rows {
					r.sameRow(a, b, &a.Rows[x], &b.Rows[y])
				}
			}
		}
	}
}

func (t *Table) patients() (n int) {
	for _, g := range t.Groups {
		n += g.N.N
	}
	return n
}

func (r *Report) sameRow(a, b *Table, x, y *Row) {
	if !strings.EqualFold(x.Name, y.Name) || len(x.counts) == 0 || len(x.counts) != len(y.counts) {
		return
	}
	where := a.Name + " and " + b.Name + ", " + x.Name
	clean := true
	for l := range x.counts {
		if !strings.EqualFold(x.Levels[l].Name, y.Levels[l].Name) {
			return
		}
		sum := func(t *Table, row *Row) (n int) {
			for g := range t.Groups {
				n += row.counts[l][g].n
			}
			return n
		}
		if sx, sy := sum(a, x), sum(b, y); sx != sy {
			clean = false
			r.add("sum", where, Contradiction, fmt.Sprintf("Level %s has %d patients in %s and %d in %s, of the same %d patients.", x.Levels[l].Name, sx, a.Name, sy, b.Name, a.patients()))
		}
	}
	if clean {
		r.add("sum", where, Agrees, "Both tables count the same patients in every level.")
	}
}

// total checks a sum.
func (r *Report) total(t *Total) {
	sum := 0
	for _, p := range t.Parts {
		sum += p.N
	}
	if sum == t.Total.N {
		r.add("sum", t.Name, Agrees, fmt.Sprintf("The parts add up to %d.", sum))
		return
	}
	r.add("sum", t.Name, Contradiction, fmt.Sprintf("The parts add up to %d, printed is %d.", sum, t.Total.N))
}

// share checks a percentage outside the tables.
func (r *Report) share(s *Share) {
	is := float64(s.Count.N) / float64(s.Of.N)
	if s.printed.rounding().holds(is) {
		r.add("percentage", s.Name, Agrees, fmt.Sprintf("%d of %d is %s.", s.Count.N, s.Of.N, s.Printed.Text))
		return
	}
	r.add("percentage", s.Name, Contradiction, fmt.Sprintf("%d of %d is %.4g, printed is %s.", s.Count.N, s.Of.N, is, s.Printed.Text))
}
