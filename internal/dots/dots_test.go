package dots

import (
	"math"
	"math/rand/v2"
	"testing"
)

func random(r *rand.Rand, n, length, stride int) Rows {
	d := make([]float64, n*stride)
	for i := range d {
		d[i] = r.NormFloat64()
	}
	return Rows{Data: d, N: n, Len: length, Stride: stride}
}

// The order of the sums, as documented, in its plainest form.
func documented(a, b []float64) (sum float64) {
	for k := 0; k < len(a); k += kBlock {
		end := min(k+kBlock, len(a))
		whole := k + (end-k)&^3
		v := dot4(a[k:whole], b[k:whole])
		for l := whole; l < end; l++ {
			v = fma(a[l], b[l], v)
		}
		sum += v
	}
	return sum
}

func TestAddMulTIsBitIdenticalToItsDocumentedOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		m, n, k := 1+r.IntN(14), 1+r.IntN(20), r.IntN(600)
		a, b := random(r, m, k, k+r.IntN(3)), random(r, n, k, k+r.IntN(3))
		c := make([]float64, m*n)
		AddMulT(c, n, a, b)
		for i := range m {
			for j := range n {
				if want := documented(a.Row(i), b.Row(j)); c[i*n+j] != want {
					t.Fatalf("m=%d n=%d k=%d: element (%d,%d) = %v, want %v", m, n, k, i, j, c[i*n+j], want)
				}
			}
		}
	}
}

func TestDocumentedOrderIsAccurate(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	a, b := random(r, 1, 5000, 5000), random(r, 1, 5000, 5000)
	var plain, abs float64
	for i, v := range a.Data {
		plain += v * b.Data[i]
		abs += math.Abs(v * b.Data[i])
	}
	if d := math.Abs(documented(a.Data, b.Data) - plain); d > 1e-13*abs {
		t.Errorf("differs from the plain sum by %g", d)
	}
}

func TestAddMulTBelowFillsTheLowerTriangleOfAGramMatrix(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	b := random(r, 31, 70, 70)
	full := make([]float64, 31*31)
	AddMulT(full, 31, b, b)
	below := make([]float64, 31*31)
	for i := 0; i < 31; i += 10 {
		end := min(i+10, 31)
		AddMulTBelow(below[i*31:], 31, b.Slice(i, end), b, i)
	}
	for i := range 31 {
		for j := range i + 1 {
			if full[i*31+j] != below[i*31+j] {
				t.Fatalf("element (%d,%d) = %v, want %v", i, j, below[i*31+j], full[i*31+j])
			}
		}
	}
}

func BenchmarkAddMulT(b *testing.B) {
	r := rand.New(rand.NewPCG(7, 8))
	x := random(r, 512, 512, 512)
	c := make([]float64, 512*512)
	for b.Loop() {
		AddMulT(c, 512, x, x)
	}
	b.ReportMetric(2*512*512*512*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}
