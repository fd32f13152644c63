package clinical

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"sonotype/internal/stats"
)

// fit is a maximum of the (penalised) likelihood in the coordinates of the design.
type fit struct {
	beta       []float64
	cov        *mat.SymDense // inverse Fisher information
	loglik     float64       // of a Firth fit, the penalised one
	iterations int
	converged  bool
	separated  []int // columns of the design along which the likelihood grows for ever
}

const (
	maxNewton = 60
	// A step along which no patient's likelihood falls by more than this share of the largest gain shows separation.
	// Directions of a fit that exists fail it: the residuals at the maximum are positive weights under which the
	// patients' gains along any direction sum to zero (Stiemke's lemma).
	recession = 1e-6
)

// scaled is the design with its columns centred and scaled (the first, the constant, as it is), so that steps and
// tolerances mean the same for years and for logits.
type scaled struct {
	x           *mat.Dense
	mean, scale []float64
}

func scale(x *mat.Dense) scaled {
	n, p := x.Dims()
	s := scaled{x: mat.NewDense(n, p, nil), mean: make([]float64, p), scale: make([]float64, p)}
	col := make([]float64, n)
	for j := range p {
		mat.Col(col, j, x)
		mean, variance := stats.MeanVar(col)
		s.mean[j], s.scale[j] = mean, math.Sqrt(variance)
		if j == 0 || !(s.scale[j] > 1e-12*math.Abs(mean)) {
			s.mean[j], s.scale[j] = 0, 1
		}
		for i, v := range col {
			s.x.Set(i, j, (v-s.mean[j])/s.scale[j])
		}
	}
	return s
}

// back turns coefficients and covariance of the scaled design into those of the design.
func (s scaled) back(f *fit) {
	p := len(f.beta)
	t := mat.NewDense(p, p, nil) // beta = t gamma
	t.Set(0, 0, 1)
	for j := 1; j < p; j++ {
		t.Set(j, j, 1/s.scale[j])
		t.Set(0, j, -s.mean[j]/s.scale[j])
	}
	var b mat.VecDense
	b.MulVec(t, mat.NewVecDense(p, f.beta))
	f.beta = slices.Clone(b.RawVector().Data)
	if f.cov != nil {
		var tc, c mat.Dense
		tc.Mul(t, f.cov)
		c.Mul(&tc, t.T())
		f.cov = symmetric(&c)
	}
}

// forth turns coefficients of the design into those of the scaled one.
func (s scaled) forth(beta []float64) []float64 {
	out := slices.Clone(beta)
	for j := 1; j < len(beta); j++ {
		out[j] = beta[j] * s.scale[j]
		out[0] += beta[j] * s.mean[j]
	}
	return out
}

func symmetric(c *mat.Dense) *mat.SymDense {
	p, _ := c.Dims()
	out := mat.NewSymDense(p, nil)
	for i := range p {
		for j := i; j < p; j++ {
			out.SetSym(i, j, (c.At(i, j)+c.At(j, i))/2)
		}
	}
	return out
}

// state is the likelihood at one point.
type state struct {
	loglik, penalty float64
	score           []float64
	info            *mat.SymDense
	chol            mat.Cholesky
	ok              bool // the information can be inverted
}

// at evaluates the likelihood; with firth its score is Firth's: residuals plus h (1/2 - p), h the leverages.
func at(x *mat.Dense, y []int, beta []float64, firth bool) *state {
	n, p := x.Dims()
	s := &state{score: make([]float64, p), info: mat.NewSymDense(p, nil)}
	prob, weight := make([]float64, n), make([]float64, n)
	for i := range n {
		row := x.RawRowView(i)
		z := dot(row, beta)
		prob[i] = sigmoid(z)
		weight[i] = prob[i] * sigmoid(-z)
		s.loglik += float64(y[i])*z - math.Max(z, 0) - math.Log1p(math.Exp(-math.Abs(z)))
		for j, v := range row {
			for k := j; k < p; k++ {
				s.info.SetSym(j, k, s.info.At(j, k)+weight[i]*v*row[k])
			}
		}
	}
	s.ok = s.chol.Factorize(s.info)
	if firth && s.ok {
		s.penalty = s.chol.LogDet() / 2
	}
	solved := mat.NewVecDense(p, nil)
	for i := range n {
		row := x.RawRowView(i)
		r := float64(y[i]) - prob[i]
		if firth && s.ok {
			if err := s.chol.SolveVecTo(solved, mat.NewVecDense(p, row)); err == nil || isCondition(err) {
				h := weight[i] * dot(row, solved.RawVector().Data)
				r += h * (0.5 - prob[i])
			}
		}
		for j, v := range row {
			s.score[j] += r * v
		}
	}
	return s
}

// isCondition says that a system was solved though it is near singular.
func isCondition(err error) bool {
	_, ok := err.(mat.Condition)
	return ok
}

// maximise fits by Newton's method with step halving. Coefficients in held stay at 0 (Firth's penalty stays that of the
// whole design, as a penalised likelihood-ratio test wants it).
func maximise(x *mat.Dense, y []int, firth bool, held []int) *fit {
	_, p := x.Dims()
	return maximiseFrom(make([]float64, p), x, y, firth, held)
}

// maximiseFrom starts from given coefficients; those in held stay where they start.
func maximiseFrom(start []float64, x *mat.Dense, y []int, firth bool, held []int) *fit {
	s := scale(x)
	_, p := x.Dims()
	f := &fit{beta: s.forth(start)}
	free := freeOf(p, held)
	now := at(s.x, y, f.beta, firth)
	for f.iterations = 1; f.iterations <= maxNewton && now.ok && !f.converged; f.iterations++ {
		step, ok := newton(now.info, now.score, free)
		if firth {
			if better, ok := newton(curvature(s.x, y, f.beta), now.score, free); ok {
				step = better
			}
			shorten(step)
		}
		if !ok {
			break
		}
		if !firth && f.iterations >= 8 {
			if f.separated = recedes(s.x, y, step); f.separated != nil {
				break
			}
		}
		next := f.climb(s.x, y, firth, step, now)
		f.converged = largest(step) <= 1e-9
		if next == nil {
			f.converged = largest(step) <= 1e-6 // the likelihood's own rounding ends the climb
			break
		}
		now = next
	}
	f.loglik = now.loglik + now.penalty
	if firth { // the penalty is that of the design's own units
		for _, v := range s.scale {
			f.loglik += math.Log(v)
		}
	}
	if now.ok {
		f.cov = mat.NewSymDense(p, nil)
		if err := now.chol.InverseTo(f.cov); err != nil && !isCondition(err) {
			f.cov = nil
		}
	}
	s.back(f)
	return f
}

// climb moves along the step as far as the likelihood does not fall; nil when it falls however short the step.
func (f *fit) climb(x *mat.Dense, y []int, firth bool, step []float64, now *state) *state {
	from := now.loglik + now.penalty
	for by := 1.0; by > 1e-7; by /= 2 {
		trial := moved(f.beta, step, by)
		if next := at(x, y, trial, firth); next.ok && next.loglik+next.penalty >= from-1e-12*math.Abs(from) {
			f.beta = trial
			return next
		}
	}
	return nil
}

// curvature is the negative Hessian of the penalised log-likelihood, by central differences of its score: Fisher's
// information alone leaves a long crawl where the penalty bends the likelihood most.
func curvature(x *mat.Dense, y []int, beta []float64) *mat.SymDense {
	const h = 1e-5
	p := len(beta)
	j := mat.NewDense(p, p, nil)
	for k := range p {
		trial := slices.Clone(beta)
		trial[k] = beta[k] + h
		up := at(x, y, trial, true)
		trial[k] = beta[k] - h
		down := at(x, y, trial, true)
		for i := range p {
			j.Set(i, k, (down.score[i]-up.score[i])/(2*h))
		}
	}
	return symmetric(j)
}

func freeOf(p int, held []int) []int {
	var free []int
	for j := range p {
		if !slices.Contains(held, j) {
			free = append(free, j)
		}
	}
	return free
}

// newton is the step that solves info step = score in the free coefficients; false where info is not positive definite.
func newton(whole *mat.SymDense, gradient []float64, free []int) ([]float64, bool) {
	k, p := len(free), len(gradient)
	info, score := mat.NewSymDense(k, nil), mat.NewVecDense(k, nil)
	for a, j := range free {
		score.SetVec(a, gradient[j])
		for b := a; b < k; b++ {
			info.SetSym(a, b, whole.At(j, free[b]))
		}
	}
	var chol mat.Cholesky
	if !chol.Factorize(info) {
		return nil, false
	}
	var d mat.VecDense
	if err := chol.SolveVecTo(&d, score); err != nil && !isCondition(err) {
		return nil, false
	}
	step := make([]float64, p)
	for a, j := range free {
		step[j] = d.AtVec(a)
	}
	return step, true
}

// recedes names the columns of a direction along which no patient's likelihood falls; nil when it is none.
func recedes(x *mat.Dense, y []int, step []float64) []int {
	n, _ := x.Dims()
	worst, best := 0.0, 0.0
	for i := range n {
		gain := dot(x.RawRowView(i), step)
		if y[i] == 0 {
			gain = -gain
		}
		worst, best = min(worst, gain), max(best, gain)
	}
	if !(best > 1e-3) || worst < -recession*best {
		return nil
	}
	var columns []int
	for j := 1; j < len(step); j++ {
		if math.Abs(step[j]) > 1e-3*largest(step) {
			columns = append(columns, j)
		}
	}
	return columns
}

// shorten keeps Firth's early steps from overshooting.
func shorten(step []float64) {
	if l := largest(step); l > 5 {
		for j := range step {
			step[j] *= 5 / l
		}
	}
}

func moved(beta, step []float64, by float64) []float64 {
	out := slices.Clone(beta)
	for j := range out {
		out[j] += by * step[j]
	}
	return out
}

func largest(v []float64) float64 {
	m := 0.0
	for _, x := range v {
		m = max(m, math.Abs(x))
	}
	return m
}

func dot(a, b []float64) float64 {
	var s float64
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

func sigmoid(z float64) float64 {
	if z >= 0 {
		return 1 / (1 + math.Exp(-z))
	}
	e := math.Exp(z)
	return e / (1 + e)
}
