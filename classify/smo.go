package classify

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"sonotype/internal/problem"
)

const (
	smoTolerance = 1e-3  // libsvm's eps: largest violation of the optimality conditions
	smoTau       = 1e-12 // stands for a curvature that is not positive
)

// smo solves the dual of the C-SVC by sequential minimal optimisation: min 1/2 α'Qα - Σα, 0 <= α <= C, y'α = 0,
// choosing pairs by second-order information (Fan, Chen and Lin 2005), step by step as libsvm does, which
// takes the first class as +1, sorts rows by class and keeps Q in float32. There is no shrinking: Q is in memory.
type smo struct {
	rows       []int     // of the kernel matrix
	coef       []float64 // y·alpha, positive towards class 1
	rho        float64   // of the decision towards class 1
	iterations int

	y, c, alpha, gradient, diagonal []float64
	q                               [][]float32
}

// fitSMO trains on the rows (all, if nil) of positive weight.
func fitSMO(kernel *mat.Dense, y []int, w []float64, rows []int) (*smo, error) {
	if rows == nil {
		rows = make([]int, len(y))
		for i := range rows {
			rows[i] = i
		}
	}
	s := &smo{}
	for class, sign := range []float64{1, -1} {
		for _, i := range rows {
			if y[i] == class && w[i] > 0 {
				s.rows, s.y, s.c = append(s.rows, i), append(s.y, sign), append(s.c, svmC*w[i])
			}
		}
	}
	n := len(s.rows)
	s.alpha, s.gradient, s.diagonal, s.q = make([]float64, n), make([]float64, n), make([]float64, n), make([][]float32, n)
	for a, i := range s.rows {
		s.gradient[a], s.diagonal[a] = -1, kernel.At(i, i)
		s.q[a] = make([]float32, n)
		k := kernel.RawRowView(i)
		for b, j := range s.rows {
			s.q[a][b] = float32(s.y[a] * s.y[b] * k[j])
		}
	}
	most := max(10_000_000, 100*n)
	for {
		i, j := s.choose()
		if j < 0 {
			break
		}
		if s.iterations++; s.iterations > most {
			return nil, &problem.Error{What: fmt.Sprintf("the support vector machine did not converge in %d iterations", most), Try: "scale the features"}
		}
		s.update(i, j)
	}
	s.rho = -s.offset()
	s.coef = make([]float64, n)
	for a := range s.coef {
		s.coef[a] = -s.y[a] * s.alpha[a]
	}
	return s, nil
}

// decision is the decision value of row i of the kernel matrix.
func (s *smo) decision(kernel *mat.Dense, i int) float64 {
	d := -s.rho
	k := kernel.RawRowView(i)
	for a, c := range s.coef {
		d += c * k[s.rows[a]]
	}
	return d
}

// canGrow and canShrink say whether alpha may still move that way.
func (s *smo) canGrow(t int) bool   { return s.alpha[t] < s.c[t] }
func (s *smo) canShrink(t int) bool { return s.alpha[t] > 0 }

// choose returns the maximal violator i and the partner j of largest second-order gain; j = -1 at the optimum.
func (s *smo) choose() (i, j int) {
	i, j = -1, -1
	largest := math.Inf(-1) // violation of i
	for t, y := range s.y {
		if y > 0 && s.canGrow(t) && -s.gradient[t] >= largest {
			largest, i = -s.gradient[t], t
		}
		if y < 0 && s.canShrink(t) && s.gradient[t] >= largest {
			largest, i = s.gradient[t], t
		}
	}
	if i < 0 {
		return i, j
	}
	opposite, gain := math.Inf(-1), math.Inf(1)
	q := s.q[i]
	for t, y := range s.y {
		if !((y > 0 && s.canShrink(t)) || (y < 0 && s.canGrow(t))) {
			continue
		}
		v := y * s.gradient[t]
		opposite = max(opposite, v)
		if violation := largest + v; violation > 0 {
			curvature := s.diagonal[i] + s.diagonal[t] - 2*s.y[i]*y*float64(q[t])
			if curvature <= 0 {
				curvature = smoTau
			}
			if g := -violation * violation / curvature; g <= gain {
				gain, j = g, t
			}
		}
	}
	if largest+opposite < smoTolerance {
		return i, -1
	}
	return i, j
}

// update solves for the pair exactly, inside its box.
func (s *smo) update(i, j int) {
	oldI, oldJ := s.alpha[i], s.alpha[j]
	curvature := s.diagonal[i] + s.diagonal[j] - 2*s.y[i]*s.y[j]*float64(s.q[i][j])
	if curvature <= 0 {
		curvature = smoTau
	}
	if s.y[i] != s.y[j] {
		delta := (-s.gradient[i] - s.gradient[j]) / curvature
		s.alpha[i], s.alpha[j] = clipDifference(oldI+delta, oldJ+delta, oldI-oldJ, s.c[i], s.c[j])
	} else {
		delta := (s.gradient[i] - s.gradient[j]) / curvature
		s.alpha[i], s.alpha[j] = clipSum(oldI-delta, oldJ+delta, oldI+oldJ, s.c[i], s.c[j])
	}
	dI, dJ := s.alpha[i]-oldI, s.alpha[j]-oldJ
	qI, qJ := s.q[i], s.q[j]
	for t := range s.gradient {
		s.gradient[t] += float64(qI[t])*dI + float64(qJ[t])*dJ
	}
}

// clipDifference moves (a, b), whose difference is fixed, into [0, ca] x [0, cb].
func clipDifference(a, b, difference, ca, cb float64) (float64, float64) {
	if difference > 0 {
		if b < 0 {
			a, b = difference, 0
		}
	} else if a < 0 {
		a, b = 0, -difference
	}
	if difference > ca-cb {
		if a > ca {
			a, b = ca, ca-difference
		}
	} else if b > cb {
		a, b = cb+difference, cb
	}
	return a, b
}

// clipSum moves (a, b), whose sum is fixed, into [0, ca] x [0, cb].
func clipSum(a, b, sum, ca, cb float64) (float64, float64) {
	if sum > ca {
		if a > ca {
			a, b = ca, sum-ca
		}
	} else if b < 0 {
		a, b = sum, 0
	}
	if sum > cb {
		if b > cb {
			a, b = sum-cb, cb
		}
	} else if a < 0 {
		a, b = 0, sum
	}
	return a, b
}

// offset is libsvm's rho: the mean of y·gradient over free rows, else the middle of its bounds.
func (s *smo) offset() float64 {
	upper, lower := math.Inf(1), math.Inf(-1)
	var sum, free float64
	for t, y := range s.y {
		v := y * s.gradient[t]
		switch {
		case s.canGrow(t) && s.canShrink(t):
			sum += v
			free++
		case s.canGrow(t) == (y > 0):
			upper = min(upper, v)
		default:
			lower = max(lower, v)
		}
	}
	if free > 0 {
		return sum / free
	}
	return (upper + lower) / 2
}
