package kernel

// The kernels that only training needs. Numbers of channels are multiples of 16; sums over rows run
// in the order of the rows, whatever the set.

// TileT is one call of the outer-product kernel,
//
//	C[m][j] += sum over p < K of A[p*RowA + m] * B[p*RowB + j]
//
// for m < Rows, any number, and j < Cols, the Set's. The sum runs in the order of p, from C on.
type TileT struct {
	Rows, K int
	A       []float32
	RowA    int
	B       []float32
	RowB    int
	C       []float32
	RowC    int
}

// GemmT runs t.
func (s *Set) GemmT(t *TileT) {
	if t.Rows < 1 || t.K < 1 || t.RowA < 0 || t.RowB < 0 || t.RowC < 0 {
		panic("kernel: impossible tile")
	}
	need(t.A, (t.K-1)*t.RowA+t.Rows)
	need(t.B, (t.K-1)*t.RowB+s.Cols)
	need(t.C, (t.Rows-1)*t.RowC+s.Cols)
	s.fns.gemmT(t)
}

// Moments writes, for channels c < len(sum), sum[c] = sum over r < rows of x[r*rowX+c] and m2[c] =
// sum over r of (x[r*rowX+c] - sum[c]/rows)^2.
func (s *Set) Moments(rows int, x []float32, rowX int, sum, m2 []float32) {
	c := len(sum)
	whole(c)
	if rows < 1 || rowX < 0 {
		panic("kernel: impossible rows")
	}
	need(m2, c)
	need(x, (rows-1)*rowX+c)
	s.fns.moments(rows, x, rowX, sum, m2)
}

// NormBack takes a gradient D back through ReLU and batch normalisation, up to the terms that the
// batch's statistics contribute. For each row r and channel c < len(Scale), with dz = D where
// X*Scale + Shift > 0 (as Norm computes it) and 0 elsewhere:
//
//	Sum += dz, SumX += dz * (X - Mean), G += Scale * dz
//
// Without G, D becomes dz.
type NormBack struct {
	Rows         int
	D            []float32
	RowD         int // 0 with a G: one row for all
	X            []float32
	RowX         int
	Scale, Shift []float32
	Mean         []float32
	Sum, SumX    []float32
	G            []float32 // or nil
	RowG         int
}

// NormBack runs n; the number of channels is a multiple of 16.
func (s *Set) NormBack(n *NormBack) {
	c, last := len(n.Scale), n.Rows-1
	whole(c)
	if n.Rows < 1 || n.RowD < 0 || n.RowX < 0 || n.RowG < 0 || (n.G == nil && n.RowD < c && last > 0) {
		panic("kernel: impossible rows")
	}
	need(n.Shift, c)
	need(n.Mean, c)
	need(n.Sum, c)
	need(n.SumX, c)
	need(n.D, last*n.RowD+c)
	need(n.X, last*n.RowX+c)
	if n.G != nil {
		need(n.G, last*n.RowG+c)
	}
	s.fns.normBack(n)
}

// Correct is Dst = D*A + (X*C + B) for rows of len(A) channels: a gradient with the terms of the
// batch's statistics. Dst may be D.
type Correct struct {
	Rows    int
	Dst     []float32
	RowDst  int
	D       []float32
	RowD    int
	X       []float32
	RowX    int
	A, B, C []float32
}

// Correct runs c; the number of channels is a multiple of 16.
func (s *Set) Correct(c *Correct) {
	n, last := len(c.A), c.Rows-1
	whole(n)
	if c.Rows < 1 || c.RowDst < 0 || c.RowD < 0 || c.RowX < 0 {
		panic("kernel: impossible rows")
	}
	need(c.B, n)
	need(c.C, n)
	need(c.Dst, last*c.RowDst+n)
	need(c.D, last*c.RowD+n)
	need(c.X, last*c.RowX+n)
	s.fns.correct(c)
}

// MaxBack is the way back through a maximum of the pixels that begin at offsets at in x: for each
// channel c < len(max), the first pixel whose value is max[c] gets g[at+c] += d[c]. No two pixels
// overlap.
func (s *Set) MaxBack(g, x []float32, at []int32, max, d []float32) {
	n := len(max)
	whole(n)
	need(d, n)
	if len(at) == 0 {
		panic("kernel: no pixels")
	}
	for _, a := range at {
		if a < 0 {
			panic("kernel: a pixel before the first")
		}
		need(g, int(a)+n)
		need(x, int(a)+n)
	}
	s.fns.maxBack(g, x, at, max, d)
}

// Adam is one update of weights P by their gradient G (Kingma and Ba, Adam, ICLR 2015; with decay
// beside the gradient, Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019):
//
//	g = G*Clip + L2*P
//	M = Beta1*M + (1-Beta1)*g
//	V = Beta2*V + (1-Beta2)*g*g
//	P = P*Keep - Step*M / (sqrt(V*InvC2) + Epsilon)
//
// with Step the rate over 1 - Beta1^t and InvC2 = 1 / (1 - Beta2^t) at step t.
type Adam struct {
	P, G, M, V                           []float32
	Beta1, Beta2                         float64 // 1 - Beta2 would lose digits in float32
	Clip, L2, Keep, Step, InvC2, Epsilon float32
}

// Adam runs a on len(a.P) weights, a multiple of 16.
func (s *Set) Adam(a *Adam) {
	n := len(a.P)
	whole(n)
	need(a.G, n)
	need(a.M, n)
	need(a.V, n)
	s.fns.adam(a, &adamFactors{
		clip: a.Clip, l2: a.L2, beta1: float32(a.Beta1), new1: float32(1 - a.Beta1),
		beta2: float32(a.Beta2), new2: float32(1 - a.Beta2), keep: a.Keep, step: a.Step, invC2: a.InvC2, epsilon: a.Epsilon,
	})
}

// adamFactors are an update's numbers in the order that the assembly reads.
type adamFactors struct{ clip, l2, beta1, new1, beta2, new2, keep, step, invC2, epsilon float32 }
