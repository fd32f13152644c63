package impute

import (
	"math"
	"testing"
)

// A category alone predicts the number, so that many donors tie: any of them may lend, whatever their place in the table.
func TestTiedDonorsAreDrawnAtRandom(t *testing.T) {
	const n = 200
	sex, size := make([]float64, n), make([]float64, n)
	for i := range n {
		sex[i], size[i] = float64(i%2), float64(i+1000*(i%2))
	}
	size[0] = math.NaN()
	im, err := Fit(t.Context(), []Column{{"sex", 2, sex}, {"size", 0, size}}, Config{Imputations: 400, Iterations: 1, Donors: 5, Seed: 4})
	if err != nil {
		t.Fatal(err)
	}
	lent := map[float64]bool{}
	early := 0
	for m := range im.Imputations() {
		v := im.Completed(m)[1][0]
		lent[v] = true
		if v >= n {
			t.Fatalf("imputation %d lends %v, of the other category", m, v)
		}
		if v < n/2 {
			early++
		}
	}
	if len(lent) < 80 {
		t.Errorf("%d of 99 donors lend their value", len(lent))
	}
	if share := float64(early) / float64(im.Imputations()); math.Abs(share-0.5) > 0.15 {
		t.Errorf("a share of %.2f of the values comes from the first half of the table", share)
	}
}
