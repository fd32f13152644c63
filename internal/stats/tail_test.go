package stats

import (
	"math"
	"testing"

	"sonotype/internal/golden"
)

func TestTailsAgainstR(t *testing.T) {
	var o struct {
		golden.Meta
		Dist         []string
		X, D1, D2, P []float64
	}
	golden.Load(t, "testdata/oracle/tails.json", &o)
	if len(o.P) < 500 {
		t.Fatalf("only %d values", len(o.P))
	}
	worst := map[string]float64{}
	for i, dist := range o.Dist {
		var got float64
		switch dist {
		case "normal":
			got = NormalTwoSided(o.X[i])
		case "chisq":
			got = ChiSquareTail(o.X[i], o.D1[i])
		case "t":
			got = TTwoSided(o.X[i], o.D1[i])
		case "f":
			got = FTail(o.X[i], o.D1[i], o.D2[i])
		default:
			t.Fatalf("unknown distribution %q", dist)
		}
		rel := math.Abs(got-o.P[i]) / o.P[i]
		worst[dist] = max(worst[dist], rel)
		if !(rel <= o.Tolerance) {
			t.Errorf("%s x=%g df=%g,%g: %.17g, R %.17g (relative %.1e)", dist, o.X[i], o.D1[i], o.D2[i], got, o.P[i], rel)
		}
	}
	t.Logf("worst relative difference: %v", worst)
}
