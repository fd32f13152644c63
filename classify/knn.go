package classify

import (
	"encoding/json"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"

	"sonotype/internal/problem"
)

// neighbours is scikit-learn's KNeighborsClassifier at its defaults: the share of class 1 among the 5 nearest
// training rows by Euclidean distance, or among all rows if there are fewer. With weights, the 5 nearest rows vote
// by their weights; rows of weight 0 are left out. Of equally distant rows the one that comes first in training is
// nearer; scikit-learn leaves such ties to its search structure.
type neighbours struct {
	config Config
	x      table
	y      []int
	w      []float64
}

func newKNN(c Config) *neighbours { return &neighbours{config: c} }

// nearest is scikit-learn's default n_neighbors.
const nearest = 5

// Fit implements Model; it copies the rows of positive weight.
func (m *neighbours) Fit(x *mat.Dense, y []int, w []float64) error {
	w, err := checkFit(x, y, w)
	if err != nil {
		return err
	}
	var data []float64
	m.y, m.w = nil, nil
	for i, v := range w {
		if v > 0 {
			data = append(data, x.RawRowView(i)...)
			m.y, m.w = append(m.y, y[i]), append(m.w, v)
		}
	}
	m.x = table{mat.NewDense(len(m.y), len(data)/len(m.y), data)}
	return nil
}

// Predict implements Model.
func (m *neighbours) Predict(x *mat.Dense) ([]float64, error) {
	_, p := dims(m.x.Dense)
	if err := checkPredict(x, p); err != nil {
		return nil, err
	}
	n, _ := dims(x)
	score := make([]float64, n)
	inBlocks(m.config.Workers, n, 16, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			score[i] = m.vote(x.RawRowView(i))
		}
	})
	return score, nil
}

// vote keeps the nearest rows so far in order of distance.
func (m *neighbours) vote(row []float64) float64 {
	var at [nearest]int
	var distance [nearest]float64
	found := 0
	for i := range m.y {
		d := squaredDistance(row, m.x.RawRowView(i))
		if found == nearest && d >= distance[nearest-1] {
			continue
		}
		k := min(found, nearest-1)
		for ; k > 0 && d < distance[k-1]; k-- {
			at[k], distance[k] = at[k-1], distance[k-1]
		}
		at[k], distance[k] = i, d
		found = min(found+1, nearest)
	}
	var ones, all float64
	for _, i := range at[:found] {
		all += m.w[i]
		ones += m.w[i] * float64(m.y[i])
	}
	return ones / all
}

// neighboursJSON is a fitted model's file form: the training rows.
type neighboursJSON struct {
	X table     `json:"x"`
	Y []int     `json:"y"`
	W []float64 `json:"w"`
}

// MarshalJSON implements Model.
func (m *neighbours) MarshalJSON() ([]byte, error) {
	return json.Marshal(neighboursJSON{m.x, m.y, m.w})
}

// UnmarshalJSON implements Model.
func (m *neighbours) UnmarshalJSON(b []byte) error {
	var in neighboursJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return &problem.Error{What: "cannot read the nearest-neighbour model", Err: err}
	}
	n, _ := dims(in.X.Dense)
	if len(in.Y) != n || len(in.W) != n ||
		slices.ContainsFunc(in.Y, func(c int) bool { return c != 0 && c != 1 }) || slices.ContainsFunc(in.W, func(w float64) bool { return !(w > 0) }) {
		return &problem.Error{What: "damaged nearest-neighbour model", Found: fmt.Sprintf("%d rows, %d labels, %d weights", n, len(in.Y), len(in.W))}
	}
	m.x, m.y, m.w = in.X, in.Y, in.W
	return nil
}
