package chart

import (
	"math"
	"slices"
	"strings"
	"testing"

	"sonotype/internal/rng"
)

// TestSimplifyStaysClose checks that every dropped point lies within the tolerance of the line that is left, and
// that a long step curve shrinks.
func TestSimplifyStaysClose(t *testing.T) {
	r := rng.Stream(1, "simplify")
	at := Point{}
	points := []Point{at}
	for range 3000 {
		if r.IntN(2) == 0 {
			at.X += 0.1
		} else {
			at.Y += 0.1
		}
		points = append(points, at)
	}
	kept := simplify(points)
	if len(kept) > len(points)/4 || kept[0] != points[0] || kept[len(kept)-1] != at {
		t.Fatalf("%d of %d points kept", len(kept), len(points))
	}
	for _, p := range points {
		near := math.Inf(1)
		for i := 1; i < len(kept); i++ {
			near = min(near, offset(p, kept[i-1], kept[i]))
		}
		if near > tolerance+1e-9 {
			t.Fatalf("%v is %v from the line", p, near)
		}
	}
}

func TestSimplifyDropsWhatCannotBeDrawn(t *testing.T) {
	nan := math.NaN()
	got := simplify([]Point{{0, 0}, {nan, 1}, {0, 0}, {1, math.Inf(1)}, {5, 5}})
	if !slices.Equal(got, []Point{{0, 0}, {5, 5}}) {
		t.Error(got)
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		axis Axis
		want string
	}{
		{Axis{Min: 0, Max: 1}, "0 0.2 0.4 0.6 0.8 1"},
		{Axis{Min: -0.13, Max: 0.09}, "−0.1 −0.05 0 0.05"},
		{Axis{Min: 0, Max: 60}, "0 10 20 30 40 50 60"},
		{Axis{Min: 1e-4, Max: 0.2, Log: true}, "0.0001 0.001 0.01 0.1"},
		{Axis{Min: 1, Max: 30, Log: true}, "1 2 5 10 20"},
		{Axis{Min: 3, Max: 3}, "2.6 2.8 3 3.2 3.4"},
		{Axis{Min: math.NaN(), Max: 3}, "2 4 6 8 10"},
	} {
		a := c.axis.settled()
		var got []string
		for _, v := range a.Ticks {
			got = append(got, a.tick(v))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%+v: %s, want %s", c.axis, s, c.want)
		}
	}
}

func TestFitAndWrap(t *testing.T) {
	if s, full := Fit("short", 200, 12); s != "short" || full != "" {
		t.Error(s, full)
	}
	long := strings.Repeat("ä", 80)
	if s, full := Fit(long, 100, 12); Width(s, 12) > 100 || full != long || !strings.HasSuffix(s, "…") {
		t.Error(s, full)
	}
	for _, line := range Wrap("the outline is empty although the table "+long, 120, 12) {
		if Width(line, 12) > 120 {
			t.Errorf("%q is too wide", line)
		}
	}
}
