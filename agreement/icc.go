// Package agreement takes what several readers say of the same cases and gives their agreement: intraclass correlations
// of measurements and features, and overlap and distance of outlines.
package agreement

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"sonotype/internal/num"
	"sonotype/internal/problem"
)

// ICC is the intraclass correlation ICC(2,1): cases and readers drawn at random, absolute agreement, a single reading
// (Shrout and Fleiss, Psychological Bulletin 1979). The interval is the 95 % one of McGraw and Wong (Psychological
// Methods 1996), by Satterthwaite's degrees of freedom. A value below 0 says that readers of one case differ more than
// cases do.
type ICC struct {
	Cases   int       `json:"cases"`
	Readers int       `json:"readers"`
	ICC     num.Float `json:"icc"`
	Lo      num.Float `json:"lo"`
	Hi      num.Float `json:"hi"`
	Note    string    `json:"note,omitempty"`
}

// squares are the mean squares of a two-way analysis of variance without replication.
type squares struct {
	n, k                   int
	cases, readers, errors float64
}

// icc is the point estimate; NaN when all ratings are equal.
func (s squares) icc() float64 {
	k, n := float64(s.k), float64(s.n)
	return (s.cases - s.errors) / (s.cases + (k-1)*s.errors + k*(s.readers-s.errors)/n)
}

// interval is McGraw and Wong's for ICC(A,1).
func (s squares) interval(level float64) (lo, hi float64) {
	k, n, icc := float64(s.k), float64(s.n), s.icc()
	if icc == 1 { // perfect agreement, to the last bit
		return icc, icc
	}
	a, b := k*icc/(n*(1-icc)), 1+k*icc*(n-1)/(n*(1-icc))
	readers, errors := a*s.readers, b*s.errors
	df := (readers + errors) * (readers + errors) / (readers*readers/(k-1) + errors*errors/((n-1)*(k-1)))
	p := 1 - (1-level)/2
	fl, fu := distuv.F{D1: n - 1, D2: df}.Quantile(p), distuv.F{D1: df, D2: n - 1}.Quantile(p)
	rest := k*s.readers + (k*n-k-n)*s.errors
	lo = n * (s.cases - fl*s.errors) / (fl*rest + n*s.cases)
	hi = n * (fu*s.cases - s.errors) / (rest + n*fu*s.cases)
	return lo, hi
}

// Readings gives ICC(2,1) of one measurement: ratings[i][j] is reader j's of case i. Every reader must have rated every
// case, at least two cases and two readers. Ratings that do not vary give no value, with a note.
func Readings(ratings [][]float64) (ICC, error) {
	n := len(ratings)
	if n < 2 || len(ratings[0]) < 2 {
		return ICC{}, tooFew(n, ratings)
	}
	k := len(ratings[0])
	for i, row := range ratings {
		if len(row) != k {
			return ICC{}, &problem.Error{What: "the readers did not all rate every case", Expected: fmt.Sprintf("%d ratings a case", k), Found: fmt.Sprintf("%d of case %d", len(row), i+1)}
		}
		for j, v := range row {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return ICC{}, &problem.Error{What: "a rating is not a finite number", Found: fmt.Sprintf("case %d, reader %d: %v", i+1, j+1, v)}
			}
		}
	}
	return anova(ratings).result(), nil
}

func tooFew(n int, ratings [][]float64) error {
	k := 0
	if n > 0 {
		k = len(ratings[0])
	}
	return &problem.Error{What: "too few ratings for an intraclass correlation", Expected: "at least 2 cases and 2 readers", Found: fmt.Sprintf("%d cases, %d readers", n, k)}
}

func (s squares) result() ICC {
	out := ICC{Cases: s.n, Readers: s.k, ICC: num.NaN(), Lo: num.NaN(), Hi: num.NaN()}
	icc := s.icc()
	if math.IsNaN(icc) {
		out.Note = "the ratings do not vary"
		return out
	}
	out.ICC = num.Float(icc)
	lo, hi := s.interval(0.95)
	if math.IsNaN(lo) || math.IsNaN(hi) {
		out.Note = "no interval"
		return out
	}
	out.Lo, out.Hi = num.Float(lo), num.Float(hi)
	return out
}

// anova computes the mean squares from residuals, not from differences of large sums, and about the first rating, so
// that ratings that do not vary have mean squares of exactly 0.
func anova(ratings [][]float64) squares {
	n, k, origin := len(ratings), len(ratings[0]), ratings[0][0]
	reader := make([]float64, k)
	grand := 0.0
	for _, row := range ratings {
		for j, v := range row {
			reader[j] += v - origin
		}
	}
	for j := range reader {
		reader[j] /= float64(n)
		grand += reader[j]
	}
	grand /= float64(k)
	s := squares{n: n, k: k}
	for _, v := range reader {
		s.readers += float64(n) * (v - grand) * (v - grand) / float64(k-1)
	}
	for _, row := range ratings {
		mean := 0.0
		for _, v := range row {
			mean += v - origin
		}
		mean /= float64(k)
		s.cases += float64(k) * (mean - grand) * (mean - grand) / float64(n-1)
		for j, v := range row {
			r := v - origin - mean - reader[j] + grand
			s.errors += r * r / float64((n-1)*(k-1))
		}
	}
	return s
}
