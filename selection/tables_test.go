package selection

import (
	"cmp"
	"math"
	"slices"
	"sonotype/internal/golden"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// The tables of oracles/selection_data.py, to the last bit: products are rounded before they are added, hence float64(...).

// uniform returns count numbers in [0, 1): splitmix64 of the counter, 53 bits.
func uniform(seed uint64, count int) []float64 {
	u := make([]float64, count)
	for i := range u {
		z := seed*1_000_003 + uint64(i+1)*0x9E3779B97F4A7C15
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		z ^= z >> 31
		u[i] = float64(z>>11) / (1 << 53)
	}
	return u
}

// table32 is an in-memory Rows.
type table32 struct {
	n, p int
	data []float32
}

func (t *table32) Dims() (n, p int)    { return t.n, t.p }
func (t *table32) Row(i int) []float32 { return t.data[i*t.p : (i+1)*t.p] }

func deepFeatures(n, p int) *table32 {
	const factors = 6
	a, b, e := uniform(201, n*factors), uniform(202, factors*p), uniform(203, n*p)
	t := &table32{n: n, p: p, data: make([]float32, n*p)}
	for i := range n {
		for j := range p {
			v := float64(0.3 * (e[i*p+j] - 0.5))
			for r := range factors {
				v += float64((6 - float64(r)) * float64((a[i*factors+r]-0.5)*(b[r*p+j]-0.5)))
			}
			v = max(v, 0)
			switch j % 50 {
			case 7:
				v = 0
				if i == 3 {
					v = 1
				}
			case 9:
				v = 0.7
			case 11:
				v = float64(0.01 * (e[i*p+j] - 0.5))
				if i == 5 {
					v = 5
				}
			}
			t.data[i*p+j] = float32(v)
		}
	}
	return t
}

func correlated(n, p int) *mat.Dense {
	u := uniform(204, n*p)
	x := mat.NewDense(n, p, nil)
	for i := range n {
		for j := range p {
			v := u[i*p+j]
			switch {
			case j == p-1:
				v = 0.25
			case j%3 == 1 && j%2 == 1:
				v = x.At(i, j-1) + float64(0.02*float64(j)*v)
			case j%3 == 1:
				v = float64(0.02*float64(j)*v) - x.At(i, j-1)
			case j%3 == 2:
				v = math.Floor(8*(x.At(i, j-1)+float64(0.3*v))) / 8
			}
			x.Set(i, j, v)
		}
	}
	return x
}

// generate is generate of oracles/classify_trees_data.py without its grid and zeros.
func generate(seed uint64, n, p, informative int, noise, cut float64) (x *mat.Dense, y, w []float64) {
	u := uniform(seed, n*(p+1)*5)
	x = mat.NewDense(n, p, nil)
	for i := range n {
		at := func(j, k int) float64 { return u[(i*(p+1)+j)*5+k] }
		cell := func(j int) float64 { return at(j, 0) + at(j, 1) + at(j, 2) + at(j, 3) - 2 }
		s := 0.0
		for j := range p {
			x.Set(i, j, cell(j))
			if j < informative {
				s += cell(j) / float64(j+1)
			}
		}
		s += float64(noise * cell(p))
		label := 0.0
		if s > cut {
			label = 1
		}
		y = append(y, label)
		w = append(w, 1/(1+math.Floor(3*at(p, 4))))
	}
	return x, y, w
}

func breastCancer(t testing.TB) (x *mat.Dense, y, w []float64) {
	t.Helper()
	rows, labels := golden.Table(t, "../classify/testdata/breast_cancer.csv")
	x = mat.NewDense(len(rows), len(rows[0]), nil)
	for i, u := range uniform(99, len(rows)) {
		x.SetRow(i, rows[i])
		y = append(y, float64(labels[i]))
		w = append(w, 1/(1+math.Floor(3*u)))
	}
	return x, y, w
}

func lassoTableNamed(t testing.TB, name string) (x *mat.Dense, y, w []float64, fold []int) {
	t.Helper()
	switch name {
	case "breast_cancer":
		x, y, w = breastCancer(t)
	case "wide":
		x, y, w = generate(21, 90, 300, 6, 0.5, 0)
	case "imbalanced":
		x, y, w = generate(22, 400, 25, 5, 0.6, 1.1)
	case "blocks":
		x, y, w = generate(23, 120, 100, 6, 0.8, 0)
		for i := range y {
			for j := range 50 {
				x.Set(i, 50+j, x.At(i, j)+float64(0.3*x.At(i, 50+j)))
			}
		}
	}
	standardise(x)
	u := uniform(205, len(y))
	order := make([]int, len(y))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(u[a], u[b]) })
	fold = make([]int, len(y))
	for rank, i := range order {
		fold[i] = rank % 10
	}
	return x, y, w, fold
}

// standardise z-scores columns by mean and population standard deviation.
func standardise(x *mat.Dense) {
	_, p := x.Dims()
	for j := range p {
		c := mat.Col(nil, j, x)
		mean, sd := stat.PopMeanStdDev(c, nil)
		floats.AddConst(-mean, c)
		floats.Scale(1/sd, c)
		x.SetCol(j, c)
	}
}
