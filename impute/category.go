package impute

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// priorSD of the standardised coefficients: weak enough to leave what data say, and enough to keep a category that a
// predictor separates from running away.
const priorSD = 2.5

// category imputes a category by a multinomial regression whose coefficients are drawn from the normal approximation
// of their posterior; two levels make it a logistic regression.
type category struct {
	std    standardised
	levels []int       // those that occur, the first being the base
	drawn  [][]float64 // of each further level
}

func fitCategory(x [][]float64, y []float64, levels int, r *rand.Rand) equation {
	c := &category{std: standardise(x)}
	index := make([]int, levels)
	for l := range levels {
		index[l] = -1
	}
	for l := range levels {
		for _, v := range y {
			if int(v) == l {
				index[l] = len(c.levels)
				c.levels = append(c.levels, l)
				break
			}
		}
	}
	if len(c.levels) == 1 {
		return c
	}
	rows, class := make([][]float64, len(x)), make([]int, len(x))
	for i := range x {
		rows[i], class[i] = c.std.apply(x[i]), index[int(y[i])]
	}
	p := len(rows[0])
	beta, chol := maximise(rows, class, len(c.levels)-1)
	drawn := drawNormal(beta, chol, 1, r)
	for l := range len(c.levels) - 1 {
		c.drawn = append(c.drawn, drawn[l*p:(l+1)*p])
	}
	return c
}

// maximise finds the posterior mode of k further levels' coefficients by Newton's method, halving steps that lose.
func maximise(rows [][]float64, class []int, k int) ([]float64, *mat.Cholesky) {
	p := len(rows[0])
	beta := make([]float64, k*p)
	value, score, info := posterior(rows, class, beta, k)
	chol := &mat.Cholesky{}
	for range 50 {
		chol.Factorize(info) // the prior makes it positive definite
		var step mat.VecDense
		_ = chol.SolveVecTo(&step, mat.NewVecDense(k*p, score)) // a condition warning only
		moved, largest := make([]float64, k*p), 0.0
		for half := 1.0; half > 1e-6; half /= 2 {
			for j := range beta {
				moved[j] = beta[j] + half*step.AtVec(j)
			}
			v, s, in := posterior(rows, class, moved, k)
			if v >= value-1e-10*math.Abs(value) {
				value, score, info = v, s, in
				copy(beta, moved)
				break
			}
		}
		for j := range beta {
			largest = max(largest, math.Abs(step.AtVec(j)))
		}
		if largest < 1e-8 {
			break
		}
	}
	return beta, chol
}

// posterior is the log posterior of the coefficients with its gradient and negative Hessian. The constants have no
// prior but a very wide one, which keeps the Hessian definite.
func posterior(rows [][]float64, class []int, beta []float64, k int) (value float64, score []float64, info *mat.SymDense) {
	p := len(rows[0])
	score, info = make([]float64, k*p), mat.NewSymDense(k*p, nil)
	for j, b := range beta {
		precision := 1 / (priorSD * priorSD)
		if j%p == 0 {
			precision = 1e-4
		}
		value -= b * b * precision / 2
		score[j] -= b * precision
		info.SetSym(j, j, precision)
	}
	prob := make([]float64, k)
	for i, row := range rows {
		norm := probabilities(row, beta, prob)
		if class[i] > 0 {
			value += dot(row, beta[(class[i]-1)*p:class[i]*p])
		}
		value -= norm
		for a := range k {
			residual := -prob[a]
			if class[i] == a+1 {
				residual++
			}
			for j, v := range row {
				score[a*p+j] += residual * v
			}
			for b := a; b < k; b++ {
				w := -prob[a] * prob[b]
				if a == b {
					w += prob[a]
				}
				for j, v := range row {
					from := 0
					if a == b {
						from = j
					}
					for l := from; l < p; l++ {
						info.SetSym(a*p+j, b*p+l, info.At(a*p+j, b*p+l)+w*v*row[l])
					}
				}
			}
		}
	}
	return value, score, info
}

// probabilities fills those of the further levels and returns the log of the normalising sum.
func probabilities(row, beta, prob []float64) float64 {
	p := len(row)
	top := 0.0
	for a := range prob {
		prob[a] = dot(row, beta[a*p:(a+1)*p])
		top = max(top, prob[a])
	}
	sum := math.Exp(-top)
	for _, z := range prob {
		sum += math.Exp(z - top)
	}
	norm := top + math.Log(sum)
	for a := range prob {
		prob[a] = math.Exp(prob[a] - norm)
	}
	return norm
}

func (c *category) draw(row []float64, r *rand.Rand) float64 {
	if len(c.levels) == 1 {
		return float64(c.levels[0])
	}
	x := c.std.apply(row)
	beta := make([]float64, 0, len(c.drawn)*len(x))
	for _, b := range c.drawn {
		beta = append(beta, b...)
	}
	prob := make([]float64, len(c.drawn))
	probabilities(x, beta, prob)
	u := r.Float64()
	for a, q := range prob {
		if u -= q; u < 0 {
			return float64(c.levels[a+1])
		}
	}
	return float64(c.levels[0])
}
