package survival

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"sonotype/internal/stats"
)

// efron evaluates Efron's partial likelihood (JASA 1977) in one backward pass over time.
type efron struct {
	time  []float64
	event []int
	z     [][]float64 // [covariate][patient]
	order []int       // ascending time
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

func newEfron(time []float64, event []int, z [][]float64) *efron {
	return &efron{time: time, event: event, z: z, order: stats.Order(time)}
}

func (l *efron) at(beta []float64) *coxPoint {
	p := len(beta)
	out := &coxPoint{gradient: mat.NewVecDense(p, nil), information: mat.NewSymDense(p, nil)}
	eta, highest := make([]float64, len(l.time)), math.Inf(-1)
	for i := range eta {
		for j, b := range beta {
			eta[i] += b * l.z[j][i]
		}
		highest = max(highest, eta[i])
	}
	risk, dying := newMoments(p), newMoments(p)
	row := make([]float64, p)
	for end := len(l.order); end > 0; {
		start := end - 1
		for start > 0 && l.time[l.order[start-1]] == l.time[l.order[end-1]] {
			start--
		}
		dying.clear()
		deaths := 0
		for _, i := range l.order[start:end] {
			for j := range row {
				row[j] = l.z[j][i]
			}
			w := math.Exp(eta[i] - highest) // a common factor: it cancels but in the log likelihood
			risk.add(w, row)
			if l.event[i] == 1 {
				deaths++
				dying.add(w, row)
				out.logLik += eta[i] - highest
				for j, v := range row {
					out.gradient.SetVec(j, out.gradient.AtVec(j)+v)
				}
			}
		}
		out.subtract(risk, dying, deaths)
		end = start
	}
	return out
}

// subtract takes the d = deaths tied denominators at one time off: the k-th counts (1 - k/d) of the dying.
func (o *coxPoint) subtract(risk, dying moments, deaths int) {
	p := o.gradient.Len()
	mean := make([]float64, p)
	for k := range deaths {
		f := float64(k) / float64(deaths)
		total := risk.w - f*dying.w
		o.logLik -= math.Log(total)
		for a := range mean {
			mean[a] = (risk.wz[a] - f*dying.wz[a]) / total
			o.gradient.SetVec(a, o.gradient.AtVec(a)-mean[a])
		}
		at := 0
		for a := range p {
			for b := a; b < p; b++ {
				o.information.SetSym(a, b, o.information.At(a, b)+(risk.wzz[at]-f*dying.wzz[at])/total-mean[a]*mean[b])
				at++
			}
		}
	}
}
