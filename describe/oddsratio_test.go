package describe

import (
	"math"
	"testing"

	"sonotype/internal/golden"
)

func TestOddsAgreesWithR(t *testing.T) {
	var g struct {
		golden.Meta
		Tables []struct {
			Counts [4]int  `json:"counts"`
			Odds   any     `json:"odds"` // "Inf" where infinite
			Lo     float64 `json:"lo"`
			Hi     any     `json:"hi"`
			P      float64 `json:"p"`
		} `json:"tables"`
	}
	golden.Load(t, "testdata/oracle/odds.json", &g)
	number := func(v any) float64 {
		if f, ok := v.(float64); ok {
			return f
		}
		return math.Inf(1)
	}
	for _, want := range g.Tables {
		n := want.Counts
		got, err := Odds(n[0], n[1], n[2], n[3])
		if err != nil {
			t.Fatal(err)
		}
		near := func(what string, got, want, tolerance float64) {
			if got != want && !(math.Abs(got-want) <= tolerance*math.Abs(want)) {
				t.Errorf("%v: %s %.9g, want %.9g", n, what, got, want)
			}
		}
		near("odds ratio", float64(got.Value), number(want.Odds), g.Tolerance)
		near("lower end", float64(got.Lo), want.Lo, g.Tolerance)
		near("upper end", float64(got.Hi), number(want.Hi), g.Tolerance)
		near("P", float64(got.P), want.P, 1e-6)
		if got.Open != math.IsInf(float64(got.Hi), 1) {
			t.Errorf("%v: Open is %v", n, got.Open)
		}
		h := newHypergeometric(n[0], n[1], n[2], n[3])
		if v := float64(got.Lo); v > 0 {
			near("tail above", h.upper(n[0], math.Log(v)), 0.025, 1e-9)
		}
		if v := float64(got.Hi); !got.Open {
			near("tail below", h.lower(n[0], math.Log(v)), 0.025, 1e-9)
		}
		if v := float64(got.Value); v > 0 && !math.IsInf(v, 1) {
			near("mean", h.mean(math.Log(v)), float64(n[0]), 1e-9)
		}
	}
}

// Exchanging the rows inverts the odds ratio and its interval.
func TestOddsInverts(t *testing.T) {
	x, _ := Odds(12, 30, 5, 44)
	y, _ := Odds(5, 44, 12, 30)
	for _, p := range [][2]float64{{float64(x.Value), float64(y.Value)}, {float64(x.Lo), float64(y.Hi)}, {float64(x.Hi), float64(y.Lo)}} {
		if math.Abs(p[0]*p[1]-1) > 1e-9 {
			t.Errorf("%v is not the inverse of %v", p[0], p[1])
		}
	}
	if empty, err := Odds(0, 0, 3, 4); err != nil || !empty.Value.IsNaN() || empty.Note == "" {
		t.Errorf("an empty row: %+v, %v", empty, err)
	}
	if _, err := Odds(-1, 1, 1, 1); err == nil {
		t.Error("a negative count has no error")
	}
}
