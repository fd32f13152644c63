package selection

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"sonotype/internal/golden"
)

func TestSpearmanAgreesWithScipy(t *testing.T) {
	var g struct {
		golden.Meta
		N, P int
		Rho  [][]float64
		Keep []int
	}
	golden.Load(t, "testdata/oracle/spearman.json", &g)
	x := correlated(g.N, g.P)
	ranks := make([][]float64, g.P)
	for j := range ranks {
		ranks[j] = make([]float64, g.N)
		standardRanks(mat.Col(nil, j, x), ranks[j])
	}
	for i := range ranks {
		for j := range i {
			if rho := floats.Dot(ranks[i], ranks[j]); math.Abs(rho-g.Rho[i][j]) > g.Tolerance {
				t.Errorf("rho(%d,%d) = %v, want %v", i, j, rho, g.Rho[i][j])
			}
		}
	}
	if keep := Spearman(x, 0.9, 2); !slices.Equal(keep, g.Keep) {
		t.Errorf("kept %v, want %v", keep, g.Keep)
	}
}

// More columns than a stripe: the filter must not forget earlier columns.
func TestSpearmanDropsRepeatsOfAnyEarlierColumn(t *testing.T) {
	u := uniform(7, 30*200)
	x := mat.NewDense(30, 200, u)
	for _, j := range []int{70, 130, 199} {
		for i := range 30 {
			x.Set(i, j, -3*x.At(i, j-69))
		}
	}
	want := slices.DeleteFunc(upTo(200), func(j int) bool { return j == 70 || j == 130 || j == 199 })
	if keep := Spearman(x, 0.9, 3); !slices.Equal(keep, want) {
		t.Errorf("kept %d columns, want %d", len(keep), len(want))
	}
}
