package classify

import (
	"math"
	"sonotype/internal/golden"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// labelled is a table with labels and weights.
type labelled struct {
	x *mat.Dense
	y []int
	w []float64
}

// weights returns w, or nil when the oracle was fitted without.
func (l labelled) weights(weighted bool) []float64 {
	if weighted {
		return l.w
	}
	return nil
}

// rows returns the rows for which keep is true.
func (l labelled) rows(keep func(i int) bool) labelled {
	n, p := l.x.Dims()
	var out labelled
	var data []float64
	for i := range n {
		if keep(i) {
			data = append(data, l.x.RawRowView(i)...)
			out.y, out.w = append(out.y, l.y[i]), append(out.w, l.w[i])
		}
	}
	out.x = mat.NewDense(len(out.y), p, data)
	return out
}

// recipe is the arguments of generate in oracles/classify_trees_data.py.
type recipe struct {
	seed            uint64
	n, p            int
	informative     int
	noise, cut      float64
	grid, zeroShare float64
}

// uniforms is the oracle's splitmix64 sequence in [0, 1).
func uniforms(seed uint64, count int) []float64 {
	out := make([]float64, count)
	for k := range out {
		z := seed*1_000_003 + uint64(k+1)*0x9E3779B97F4A7C15
		z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
		z = (z ^ (z >> 27)) * 0x94D049BB133111EB
		z ^= z >> 31
		out[k] = float64(z>>11) / (1 << 53)
	}
	return out
}

// generate makes the oracle's table to the last bit.
func (r recipe) generate() labelled {
	u := uniforms(r.seed, r.n*(r.p+1)*5)
	out := labelled{mat.NewDense(r.n, r.p, nil), make([]int, r.n), make([]float64, r.n)}
	row := make([]float64, r.p+1)
	for i := range r.n {
		for j := range row {
			v := u[(i*(r.p+1)+j)*5:]
			row[j] = v[0] + v[1] + v[2] + v[3] - 2
		}
		s := 0.0
		for j := range r.informative {
			s += row[j] / float64(j+1)
		}
		if s+float64(r.noise*row[r.p]) > r.cut {
			out.y[i] = 1
		}
		for j := range r.p {
			v := row[j]
			if r.grid > 0 {
				v = math.Floor(v*r.grid) / r.grid
			}
			if u[(i*(r.p+1)+j)*5+4] < r.zeroShare {
				v = 0
			}
			out.x.Set(i, j, v)
		}
		out.w[i] = 1 / (1 + math.Floor(3*u[(i*(r.p+1)+r.p)*5+4]))
	}
	return out
}

// treeTables is TABLES of the oracle with the number of training rows.
var treeTables = map[string]struct {
	recipe
	train int
}{
	"wide":       {recipe{11, 240, 400, 6, 0.5, 0, 0, 0}, 150},
	"imbalanced": {recipe{12, 900, 20, 5, 0.6, 1.1, 0, 0}, 600},
	"narrow":     {recipe{13, 900, 4, 3, 0.4, 0, 0, 0}, 600},
	"single":     {recipe{14, 400, 1, 1, 1, 0, 25, 0.1}, 300},
	"tied":       {recipe{15, 700, 12, 4, 0.5, 0.2, 4, 0.3}, 500},
	"sparse":     {recipe{16, 700, 30, 5, 0.3, 0.1, 0, 0.85}, 500},
}

// treeTable returns the training and the test rows of one of the oracle's tables.
func treeTable(t testing.TB, name string) (train, test labelled) {
	t.Helper()
	if name == "breast_cancer" {
		all := breastCancer(t)
		return all.rows(func(i int) bool { return i%3 != 2 }), all.rows(func(i int) bool { return i%3 == 2 })
	}
	r, ok := treeTables[name]
	if !ok {
		t.Fatalf("no table %q", name)
	}
	all := r.generate()
	return all.rows(func(i int) bool { return i < r.train }), all.rows(func(i int) bool { return i >= r.train })
}

// breastCancer is breast cancer Wisconsin (diagnostic), 569 x 30.
func breastCancer(t testing.TB) labelled {
	t.Helper()
	rows, y := golden.Table(t, "testdata/breast_cancer.csv")
	out := labelled{mat.NewDense(len(rows), len(rows[0]), nil), y, make([]float64, len(rows))}
	for i, u := range uniforms(99, len(rows)) {
		out.w[i] = 1 / (1 + math.Floor(3*u))
		out.x.SetRow(i, rows[i])
	}
	return out
}

// twentyTables are the oracle's tables for the comparison of AUCs, with the number of training rows.
func twentyTables() (tables []recipe, train []int) {
	for k := range 20 {
		n := 300 + 45*k
		r := recipe{seed: uint64(100 + k), n: n, p: []int{10, 60, 256, 30}[k%4], informative: 4 + k%5, noise: 0.4 + 0.1*float64(k%7),
			cut: []float64{0, 0.3, -0.4}[k%3], grid: []float64{0, 0, 10}[k%3], zeroShare: []float64{0, 0.2}[k%2]}
		tables, train = append(tables, r), append(train, n*2/3)
	}
	return tables, train
}

// auc is the probability that a row of class 1 scores above one of class 0, ties counting half.
func auc(score []float64, y []int) float64 {
	var wins, pairs float64
	for i, a := range score {
		for k, b := range score {
			if y[i] == 1 && y[k] == 0 {
				pairs++
				if a > b {
					wins++
				} else if a == b {
					wins += 0.5
				}
			}
		}
	}
	return wins / pairs
}

// largestDifference is the largest absolute difference of two score vectors.
func largestDifference(a, b []float64) float64 {
	d := 0.0
	for i := range a {
		d = max(d, math.Abs(a[i]-b[i]))
	}
	return d
}
