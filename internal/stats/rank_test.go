package stats

import (
	"math"
	"math/bits"
	"slices"
	"testing"

	"sonotype/internal/rng"
)

func TestMidRanksTwin(t *testing.T) {
	r := rng.Stream(1, "ranks")
	for range 100 {
		x := make([]float64, 1+r.IntN(30))
		for i := range x {
			x[i] = float64(r.IntN(8))
		}
		got, ties := MidRanks(x)
		var wantTies float64
		for i, v := range x {
			var below, equal float64
			for _, w := range x {
				if w < v {
					below++
				} else if w == v {
					equal++
				}
			}
			if want := below + (equal+1)/2; got[i] != want {
				t.Fatalf("rank %v, want %v", got[i], want)
			}
			wantTies += equal*equal - 1 // each of t tied values adds t^2 - 1
		}
		if ties != wantTies {
			t.Fatalf("tie term %v, want %v", ties, wantTies)
		}
	}
}

// TestRankSumExactTwin walks all subsets of ranks.
func TestRankSumExactTwin(t *testing.T) {
	for m := 1; m <= 6; m++ {
		for n := 1; n <= 6; n++ {
			count := make([]float64, m*n+1)
			for set := uint(0); set < 1<<(m+n); set++ {
				if bits.OnesCount(set) != m {
					continue
				}
				u := -m * (m + 1) / 2
				for k := range m + n {
					if set>>k&1 == 1 {
						u += k + 1
					}
				}
				count[u]++
			}
			if got := rankSumCounts(m, n); !slices.Equal(got, count) {
				t.Fatalf("m %d n %d: %v, want %v", m, n, got, count)
			}
		}
	}
}

func TestRankSumRules(t *testing.T) {
	x, y := make([]float64, 49), make([]float64, 50)
	for i := range x {
		x[i] = float64(i) + .25
	}
	for i := range y {
		y[i] = float64(i) + .5
	}
	if RankSum(x, y).Exact || !RankSum(x, y[:49]).Exact {
		t.Error("the exact distribution is for groups under 50")
	}
	y[0] = x[0]
	if RankSum(x, y[:49]).Exact {
		t.Error("ties rule the exact distribution out")
	}
	if p := RankSum([]float64{1, 2}, []float64{1, 2}).P; p != 1 {
		t.Errorf("equal samples: p = %v", p)
	}
}

func TestQuantileType7(t *testing.T) {
	x := []float64{1, 2, 4, 8} // R: quantile(x, c(0, .25, .5, .9, 1))
	for p, want := range map[float64]float64{0: 1, .25: 1.75, .5: 3, .9: 6.8, 1: 8} {
		if got := Quantile(x, p); math.Abs(got-want) > 1e-14 {
			t.Errorf("quantile %v = %v, want %v", p, got, want)
		}
	}
	if !math.IsNaN(Quantile(nil, .5)) {
		t.Error("quantile of nothing")
	}
}

func TestMeanVarLargeOffset(t *testing.T) {
	m, v := MeanVar([]float64{1e9 + 1, 1e9 + 2, 1e9 + 4})
	if math.Abs(m-1e9-7.0/3) > 2e-7 || math.Abs(v-7.0/3) > 1e-9 {
		t.Errorf("mean %v variance %v", m, v)
	}
}
