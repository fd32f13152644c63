package classify

import (
	"fmt"
	"math"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/mat"

	"sonotype/internal/problem"
	"sonotype/internal/rng"
)

// Platt's scaling as libsvm fits it (Lin, Lin and Weng 2007).
const (
	plattFoldCount  = 5
	plattIterations = 100
	plattMinStep    = 1e-10
	plattSigma      = 1e-12 // added to the Hessian's diagonal
	plattGradient   = 1e-5  // largest gradient at the end
	plattMargin     = 1e-7  // probabilities stay this far from 0 and 1
)

// plattFolds returns the fold of each row: those given, or 5 stratified ones of rows in random order.
func plattFolds(y []int, w []float64, c Config) ([]int, error) {
	if c.Folds == nil {
		fold := make([]int, len(y))
		next := 0
		r := rng.Stream(c.Seed, "svm", "platt")
		order := r.Perm(len(y))
		for class := range 2 {
			for _, i := range order {
				if y[i] == class && w[i] > 0 {
					fold[i] = next % plattFoldCount
					next++
				}
			}
		}
		return fold, nil
	}
	if len(c.Folds) != len(y) {
		return nil, &problem.Error{What: "training rows and Platt folds differ in number", Found: fmt.Sprintf("%d rows, %d folds", len(y), len(c.Folds))}
	}
	return c.Folds, nil
}

// heldOut returns each row's decision value by a machine that was trained without its fold.
func heldOut(kernel *mat.Dense, y []int, w []float64, fold []int, workers int) ([]float64, error) {
	members := map[int][]int{}
	for i, f := range fold {
		members[f] = append(members[f], i)
	}
	decision := make([]float64, len(y))
	var g errgroup.Group
	g.SetLimit(goroutines(workers))
	for f, rows := range members {
		g.Go(func() error {
			var train []int
			var weight [2]float64
			for i := range y {
				if fold[i] != f {
					train = append(train, i)
					weight[y[i]] += w[i]
				}
			}
			if weight[0] == 0 || weight[1] == 0 {
				for _, i := range rows {
					decision[i] = oneClassDecision(weight)
				}
				return nil
			}
			s, err := fitSMO(kernel, y, w, train)
			if err != nil {
				return err
			}
			for _, i := range rows {
				decision[i] = s.decision(kernel, i)
			}
			return nil
		})
	}
	return decision, g.Wait()
}

// oneClassDecision is libsvm's decision value where the training folds hold one class or none.
func oneClassDecision(weight [2]float64) float64 {
	switch {
	case weight[1] > 0:
		return 1
	case weight[0] > 0:
		return -1
	}
	return 0
}

// platt fits A and B of P(class 1) = 1/(1 + exp(A d + B)) by Newton's method with backtracking, from
// A = 0, on targets (N+ + 1)/(N+ + 2) and 1/(N- + 2). Rows and class sizes N count by weight, so that a weight
// of 2 acts as the row twice (libsvm ignores weights here).
func platt(decision []float64, y []int, w []float64) (a, b float64) {
	var size [2]float64
	for i, c := range y {
		size[c] += w[i]
	}
	b = math.Log((size[0] + 1) / (size[1] + 1))
	f := plattLoss{decision: decision, w: w, target: make([]float64, len(y))}
	for i, c := range y {
		f.target[i] = 1 / (size[0] + 2)
		if c == 1 {
			f.target[i] = (size[1] + 1) / (size[1] + 2)
		}
	}
	loss := f.at(a, b)
	for range plattIterations {
		h11, h21, h22, g1, g2 := f.derivatives(a, b)
		if math.Abs(g1) < plattGradient && math.Abs(g2) < plattGradient {
			break
		}
		determinant := h11*h22 - h21*h21
		da := -(h22*g1 - h21*g2) / determinant
		db := -(h11*g2 - h21*g1) / determinant
		slope := g1*da + g2*db
		step := 1.0
		for ; step >= plattMinStep; step /= 2 {
			if v := f.at(a+step*da, b+step*db); v < loss+1e-4*step*slope {
				a, b, loss = a+step*da, b+step*db, v
				break
			}
		}
		if step < plattMinStep {
			break
		}
	}
	return a, b
}

// plattLoss is the cross-entropy of the targets.
type plattLoss struct{ decision, target, w []float64 }

func (f *plattLoss) at(a, b float64) (loss float64) {
	for i, d := range f.decision {
		z := d*a + b
		if z >= 0 {
			loss += f.w[i] * (f.target[i]*z + math.Log1p(math.Exp(-z)))
		} else {
			loss += f.w[i] * ((f.target[i]-1)*z + math.Log1p(math.Exp(z)))
		}
	}
	return loss
}

func (f *plattLoss) derivatives(a, b float64) (h11, h21, h22, g1, g2 float64) {
	h11, h22 = plattSigma, plattSigma
	for i, d := range f.decision {
		p := sigmoid(-(d*a + b))
		curvature := f.w[i] * p * (1 - p)
		h11 += d * d * curvature
		h22 += curvature
		h21 += d * curvature
		slope := f.w[i] * (f.target[i] - p)
		g1 += d * slope
		g2 += slope
	}
	return h11, h21, h22, g1, g2
}

func plattProbability(d, a, b float64) float64 {
	return min(max(sigmoid(-(d*a+b)), plattMargin), 1-plattMargin)
}
