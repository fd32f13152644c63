package selection

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// hardMatrices are symmetric ones whose eigenvectors are hard to separate: repeated, clustered, graded, split.
func hardMatrices() map[string]*mat.SymDense {
	const n = 60
	out := map[string]*mat.SymDense{}
	for name, value := range map[string]func(i int) float64{
		"graded":    func(i int) float64 { return math.Pow(10, -float64(i)/5) },
		"repeated":  func(i int) float64 { return float64(1 + i/10) },
		"clustered": func(i int) float64 { return 1 + 1e-10*float64(i%7) + float64(i/20) },
		"spread":    func(i int) float64 { return float64(i * i) },
	} {
		var qr mat.QR
		qr.Factorize(mat.NewDense(n, n, uniform(300, n*n)))
		var q mat.Dense
		qr.QTo(&q)
		d := mat.NewDiagDense(n, nil)
		for i := range n {
			d.SetDiag(i, value(i))
		}
		var half, full mat.Dense
		half.Mul(&q, d)
		full.Mul(&half, q.T())
		s := mat.NewSymDense(n, nil)
		for i := range n {
			for j := range i + 1 {
				s.SetSym(i, j, full.At(i, j))
			}
		}
		out[name] = s
	}
	diagonal, blocks := mat.NewSymDense(n, nil), mat.NewSymDense(n, nil)
	for i := range n {
		diagonal.SetSym(i, i, float64(1+i/3))
		blocks.SetSym(i, i, 2)
		if i%4 != 0 {
			blocks.SetSym(i, i-1, -0.5)
		}
	}
	out["diagonal"], out["equal blocks"] = diagonal, blocks
	return out
}

func TestLargestEigenSatisfiesItsEquations(t *testing.T) {
	for name, s := range hardMatrices() {
		n := s.SymmetricDim()
		var slow mat.EigenSym
		if !slow.Factorize(s, false) {
			t.Fatal("EigenSym failed")
		}
		want := slow.Values(nil)
		for _, k := range []int{1, 17, n} {
			values, vectors, ok := largestEigen(mat.DenseCopyOf(s).RawMatrix().Data, n, k, 1e-14)
			if !ok || len(values) > k || (k < n && len(values) != k) {
				t.Fatalf("%s: %d of %d vectors, ok = %v", name, len(values), k, ok)
			}
			norm := want[n-1]
			for c, v := range values {
				if math.Abs(v-want[n-1-c]) > 1e-13*norm {
					t.Errorf("%s: value %d = %v, want %v", name, c, v, want[n-1-c])
				}
				var product mat.VecDense
				product.MulVec(s, mat.NewVecDense(n, vectors.Row(c)))
				if r := floats.Distance(product.RawVector().Data, floats.ScaleTo(make([]float64, n), v, vectors.Row(c)), 2); r > 1e-12*norm {
					t.Errorf("%s: residual %g of vector %d", name, r, c)
				}
				for b := range c + 1 {
					inner := floats.Dot(vectors.Row(b), vectors.Row(c))
					if b == c {
						inner--
					}
					if math.Abs(inner) > 1e-13 {
						t.Errorf("%s: vectors %d and %d: inner product off by %g", name, b, c, inner)
					}
				}
			}
		}
	}
}

func TestLargestEigenOfSmallMatrices(t *testing.T) {
	values, vectors, ok := largestEigen([]float64{3}, 1, 1, 1e-14)
	if !ok || len(values) != 1 || values[0] != 3 || math.Abs(vectors.Data[0]) != 1 {
		t.Errorf("1 x 1: %v %v %v", values, vectors, ok)
	}
	if values, _, ok := largestEigen(make([]float64, 9), 3, 2, 1e-14); !ok || len(values) != 0 {
		t.Errorf("zero matrix: %v %v", values, ok)
	}
}
