package classify

import (
	"encoding/json"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"sonotype/internal/dots"
	"sonotype/internal/problem"
)

// svm is libsvm's C-SVC, as scikit-learn's SVC(probability=True) runs it: RBF kernel, C = 1 times a row's weight,
// gamma = 1/(p Var X) over all cells, each row's cells counting by its weight. Probabilities are Platt's,
// fitted on decision values of 5-fold cross-validation.
type svm struct {
	config Config
	svmJSON
}

// svmJSON is a fitted machine's file form.
type svmJSON struct {
	Gamma      float64   `json:"gamma"`
	Vectors    table     `json:"support_vectors"`
	Coef       []float64 `json:"coef"` // y·alpha of the support vectors, positive towards class 1
	Rho        float64   `json:"rho"`  // decision = Σ coef K(vector, x) - rho
	A          float64   `json:"platt_a"`
	B          float64   `json:"platt_b"`    // P = 1/(1 + exp(A·decision + B))
	Iterations int       `json:"iterations"` // of the final fit
}

func newSVM(c Config) *svm { return &svm{config: c} }

// svmC is the cost of a violated margin.
const svmC = 1

// Fit implements Model.
func (m *svm) Fit(x *mat.Dense, y []int, w []float64) error {
	w, err := checkFit(x, y, w)
	if err != nil {
		return err
	}
	fold, err := plattFolds(y, w, m.config)
	if err != nil {
		return err
	}
	gamma := scaleGamma(x, w)
	kernel := rbfMatrix(x, gamma)
	s, err := fitSMO(kernel, y, w, nil)
	if err != nil {
		return err
	}
	decision, err := heldOut(kernel, y, w, fold, m.config.Workers)
	if err != nil {
		return err
	}
	m.svmJSON = svmJSON{Gamma: gamma, Rho: s.rho, Iterations: s.iterations}
	var data []float64
	for k, i := range s.rows {
		if s.coef[k] != 0 {
			data = append(data, x.RawRowView(i)...)
			m.Coef = append(m.Coef, s.coef[k])
		}
	}
	_, p := x.Dims()
	m.Vectors = table{mat.NewDense(len(m.Coef), p, data)}
	m.A, m.B = platt(decision, y, w)
	return nil
}

// scaleGamma is 1/(p Var X), the variance taken over all cells; 1 where nothing varies.
func scaleGamma(x *mat.Dense, w []float64) float64 {
	n, p := x.Dims()
	cells, weights := make([]float64, 0, n*p), make([]float64, 0, n*p)
	for i := range n {
		for _, v := range x.RawRowView(i) {
			cells, weights = append(cells, v), append(weights, w[i])
		}
	}
	if _, v := stat.PopMeanVariance(cells, weights); v > 0 {
		return 1 / (float64(p) * v)
	}
	return 1
}

// rbfMatrix is exp(-gamma ‖x_i - x_j‖²) of all pairs of rows.
func rbfMatrix(x *mat.Dense, gamma float64) *mat.Dense {
	n, p := x.Dims()
	raw := x.RawMatrix()
	rows := dots.Rows{Data: raw.Data, N: n, Len: p, Stride: raw.Stride}
	k := make([]float64, n*n)
	dots.AddMulT(k, n, rows, rows)
	square := make([]float64, n)
	for i := range square {
		square[i] = k[i*n+i]
	}
	for i := range n {
		for j := range n {
			k[i*n+j] = math.Exp(-gamma * max(square[i]+square[j]-2*k[i*n+j], 0))
		}
	}
	return mat.NewDense(n, n, k)
}

// Decision implements Decider.
func (m *svm) Decision(x *mat.Dense) ([]float64, error) {
	_, p := dims(m.Vectors.Dense)
	if err := checkPredict(x, p); err != nil {
		return nil, err
	}
	n, _ := dims(x)
	d := make([]float64, n)
	inBlocks(m.config.Workers, n, 16, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			for k, c := range m.Coef {
				d[i] += c * math.Exp(-m.Gamma*squaredDistance(x.RawRowView(i), m.Vectors.RawRowView(k)))
			}
			d[i] -= m.Rho
		}
	})
	return d, nil
}

// Predict implements Model.
func (m *svm) Predict(x *mat.Dense) ([]float64, error) {
	d, err := m.Decision(x)
	if err != nil {
		return nil, err
	}
	for i, v := range d {
		d[i] = plattProbability(v, m.A, m.B)
	}
	return d, nil
}

// MarshalJSON implements Model.
func (m *svm) MarshalJSON() ([]byte, error) { return json.Marshal(m.svmJSON) }

// UnmarshalJSON implements Model.
func (m *svm) UnmarshalJSON(b []byte) error {
	var in svmJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return &problem.Error{What: "cannot read the support vector machine", Err: err}
	}
	n, _ := dims(in.Vectors.Dense)
	if len(in.Coef) != n || (n > 0 && !(in.Gamma > 0)) {
		return &problem.Error{What: "damaged support vector machine", Found: fmt.Sprintf("%d vectors, %d coefficients, gamma %g", n, len(in.Coef), in.Gamma)}
	}
	m.svmJSON = in
	return nil
}
