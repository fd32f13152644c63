package survival

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"sonotype/internal/stats"
)

// efron evaluates Efron's partial likelihood (JASA 1977) in one backward pass over the times of each stratum.
type efron struct {
	time  []float64
	event []int
	z     [][]float64 // [covariate][patient]
	order [][]int     // the patients of each stratum by ascending time
}

// coxPoint is the log likelihood at some coefficients with its gradient and observed information.
type coxPoint struct {
	logLik      float64
	gradient    *mat.VecDense
	information *mat.SymDense
}

// moments are sums over a set of patients of the weight w = exp(linear predictor): w, w z, w z z'.
type moments struct {
	w   float64
	wz  []float64
	wzz []float64 // upper triangle, row by row
}

func newMoments(p int) moments {
	return moments{wz: make([]float64, p), wzz: make([]float64, p*(p+1)/2)}
}

func (m *moments) clear() {
	m.w = 0
	clear(m.wz)
	clear(m.wzz)
}

func (m *moments) add(w float64, z []float64) {
	m.w += w
	k := 0
	for a, za := range z {
		m.wz[a] += w * za
		for _, zb := range z[a:] {
			m.wzz[k] += w * za * zb
			k++
		}
	}
}

// newEfron takes a stratum number per patient; nil is one stratum.
func newEfron(time []float64, event []int, z [][]float64, stratum []int) *efron {
	return &efron{time: time, event: event, z: z, order: withinStrata(stats.Order(time), stratum)}
}

// withinStrata divides patients, in their order, by stratum; nil is one stratum.
func withinStrata(order, stratum []int) [][]int {
	if stratum == nil {
		return [][]int{order}
	}
	var out [][]int
	for _, i := range order {
		for stratum[i] >= len(out) {
			out = append(out, nil)
		}
		out[stratum[i]] = append(out[stratum[i]], i)
	}
	return out
}

func (l *efron) at(beta []float64) *coxPoint {
	p := len(beta)
	out := &coxPoint{gradient: mat.NewVecDense(p, nil), information: mat.NewSymDense(p, nil)}
	l.deaths(beta, func(d death) {
		out.logLik += d.logShare
		k := 0
		for a := range p {
			out.gradient.SetVec(a, out.gradient.AtVec(a)+d.residual[a])
			for b := a; b < p; b++ {
				out.information.SetSym(a, b, out.information.At(a, b)+d.covariance[k])
				k++
			}
		}
	})
	return out
}

// death is one event seen against those at risk: of d events at one time the k-th counts each as 1 - k/d at risk.
type death struct {
	time       float64
	logShare   float64   // of the partial likelihood
	residual   []float64 // its covariates minus their mean among those at risk (Schoenfeld's residual)
	covariance []float64 // of the covariates among those at risk: upper triangle, row by row
}

// deaths visits all events; the slices are good until the next visit.
func (l *efron) deaths(beta []float64, visit func(death)) {
	p := len(beta)
	eta, highest := make([]float64, len(l.time)), math.Inf(-1)
	for i := range eta {
		for j, b := range beta {
			eta[i] += b * l.z[j][i]
		}
		highest = max(highest, eta[i])
	}
	risk, dying := newMoments(p), newMoments(p)
	row := make([]float64, p)
	for _, order := range l.order {
		risk.clear()
		for end := len(order); end > 0; {
			start := end - 1
			for start > 0 && l.time[order[start-1]] == l.time[order[end-1]] {
				start--
			}
			dying.clear()
			var events []int
			for _, i := range order[start:end] {
				for j := range row {
					row[j] = l.z[j][i]
				}
				w := math.Exp(eta[i] - highest) // a common factor: it cancels
				risk.add(w, row)
				if l.event[i] == 1 {
					events = append(events, i)
					dying.add(w, row)
				}
			}
			l.tied(events, risk, dying, func(d death, i int) {
				d.logShare += eta[i] - highest
				visit(d)
			})
			end = start
		}
	}
}

// tied visits the events at one time.
func (l *efron) tied(events []int, risk, dying moments, visit func(d death, i int)) {
	p := len(risk.wz)
	mean, d := make([]float64, p), death{residual: make([]float64, p), covariance: make([]float64, len(risk.wzz))}
	for k, i := range events {
		f := float64(k) / float64(len(events))
		total := risk.w - f*dying.w
		d.time, d.logShare = l.time[i], -math.Log(total)
		for a := range mean {
			mean[a] = (risk.wz[a] - f*dying.wz[a]) / total
			d.residual[a] = l.z[a][i] - mean[a]
		}
		at := 0
		for a := range p {
			for b := a; b < p; b++ {
				d.covariance[at] = (risk.wzz[at]-f*dying.wzz[at])/total - mean[a]*mean[b]
				at++
			}
		}
		visit(d, i)
	}
}
