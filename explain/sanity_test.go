package explain

import (
	"math"
	"strings"
	"testing"

	"sonotype/internal/rng"
)

func TestSimilarityIsScipys(t *testing.T) {
	for k, pair := range load(t).Pairs {
		if got := Similarity(pair.A, pair.B); math.Abs(got-pair.Rho) > 1e-12 {
			t.Errorf("pair %d: %v, scipy %v", k, got, pair.Rho)
		}
	}
}

func TestSimilarityWithoutContrast(t *testing.T) {
	inf := float32(math.Inf(1))
	a := []float32{1, 2, 3}
	for _, b := range [][]float32{{2, 2, 2}, {1, 2}, {}, nil, {1, inf, 2}, {1, inf - inf, 2}} {
		if got := Similarity(a, b); !math.IsNaN(got) {
			t.Errorf("%v against %v: %v", a, b, got)
		}
	}
}

// One pair is alike, two are not, one map is blank.
func TestCheckSanity(t *testing.T) {
	trained := []float32{0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 0, 0, 0}
	random := []float32{0, 2, 4, 5, 3, 2, 1, 0, 1, 3, 0, 2, 0, 1, 2, 3} // rho 1, -1, 0 and none
	s, err := CheckSanity(trained, random, 4, 4)
	if err != nil {
		t.Fatal(err)
	}
	if s.Maps != 4 || s.Blank != 1 || math.Abs(float64(s.Similarity)) > 1e-15 || math.Abs(float64(s.Changed)-2.0/3) > 1e-15 {
		t.Errorf("%+v", s)
	}
	s, err = CheckSanity(trained[12:], random[12:], 1, 4)
	if err != nil || s.Blank != 1 || !s.Similarity.IsNaN() || !s.Changed.IsNaN() {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err = CheckSanity(trained, random[1:], 4, 4); err == nil || !strings.Contains(err.Error(), "do not fit together") {
		t.Error(err)
	}
}

// Maps of the same weights are alike, maps of other weights over the same features are not.
func TestRandomWeightsChangeTheMap(t *testing.T) {
	const n, c, h, w = 20, 256, 7, 7
	r := rng.Stream(2, "sanity")
	learnt, random := make([]float32, c), make([]float32, c)
	for k := range c {
		learnt[k], random[k] = float32(r.NormFloat64()), float32(r.NormFloat64())
	}
	var maps, other []float32
	features := make([]float32, c*h*w)
	for range n {
		for i := range features {
			features[i] = float32(max(r.NormFloat64(), 0))
		}
		maps = append(maps, CAM(features, c, h, w, learnt, true)...)
		other = append(other, CAM(features, c, h, w, random, true)...)
	}
	for _, check := range []struct {
		with                []float32
		similarity, changed float64
	}{{maps, 1, 0}, {other, 0, 1}} {
		s, err := CheckSanity(maps, check.with, n, h*w)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(float64(s.Similarity)-check.similarity) > 0.2 || float64(s.Changed) != check.changed {
			t.Errorf("%+v, want about %v and %v", s, check.similarity, check.changed)
		}
	}
}
