package roi

import (
	"math"
	"slices"
	"testing"

	"sonotype/internal/rng"
)

// twoEllipses is a lesion of two overlapping ellipses.
func twoEllipses(w, h int) *Mask {
	m := NewMask(w, h)
	for y := range h {
		for x := range w {
			a, b := float64(x)-0.45*float64(w), float64(y)-0.5*float64(h)
			c, d := float64(x)-0.6*float64(w), float64(y)-0.4*float64(h)
			if a*a/900+b*b/400 <= 1 || c*c/400+d*d/600 <= 1 {
				m.Pix[y*w+x] = 1
			}
		}
	}
	return m
}

func perturbed(t *testing.T, m *Mask, kind string, amount float64, name string) *Mask {
	t.Helper()
	before := slices.Clone(m.Pix)
	out, err := Perturb(m, kind, amount, rng.Stream(7, name))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(before, m.Pix) {
		t.Fatal("the outline was changed in place")
	}
	return out
}

func TestNothingPerturbedIsTheOutline(t *testing.T) {
	m := twoEllipses(160, 120)
	for _, kind := range Perturbations {
		if got := perturbed(t, m, kind, 0, "a"); !slices.Equal(got.Pix, m.Pix) {
			t.Errorf("%s by 0 px changes %.4f", kind, 1-Dice(m, got))
		}
	}
}

// Erosion and dilation against the definition: a pixel survives when no pixel of the other side is within the distance.
func TestErodeAndDilateAreDisks(t *testing.T) {
	m := twoEllipses(90, 70)
	for _, amount := range []float64{1, 2.5, 6} {
		eroded, dilated := perturbed(t, m, Eroded, amount, "a"), perturbed(t, m, Dilated, amount, "a")
		for y := range m.H {
			for x := range m.W {
				near := [2]bool{} // by value of the pixel within the disk
				for v := range m.H {
					for u := range m.W {
						if math.Hypot(float64(u-x), float64(v-y)) <= amount {
							near[m.Row(v)[u]] = true
						}
					}
				}
				if (eroded.Row(y)[x] == 1) == near[0] || (dilated.Row(y)[x] == 1) != near[1] {
					t.Fatalf("%g px: wrong at %d, %d", amount, x, y)
				}
			}
		}
	}
	if whole := perturbed(t, m, Eroded, 60, "a"); whole.Area() != 0 {
		t.Error("a lesion is left after erosion by more than its radius")
	}
}

func TestShiftMovesByTheLength(t *testing.T) {
	m := twoEllipses(200, 200)
	b := m.Bounds()
	directions := map[[2]int]bool{}
	for i := range 40 {
		random := rng.Stream(3, "shift", string(rune('a'+i)))
		got, err := Perturb(m, Shifted, 12, random)
		if err != nil {
			t.Fatal(err)
		}
		moved := got.Bounds()
		dx, dy := moved.X-b.X, moved.Y-b.Y
		if got.Area() != m.Area() || math.Abs(math.Hypot(float64(dx), float64(dy))-12) > 0.75 {
			t.Errorf("moved by %d, %d; area %d of %d", dx, dy, got.Area(), m.Area())
		}
		directions[[2]int{dx, dy}] = true
	}
	if len(directions) < 20 {
		t.Errorf("only %d directions", len(directions))
	}
	if out := perturbed(t, m, Shifted, 1000, "a"); out.Area() != 0 {
		t.Error("an outline shifted off the image is still there")
	}
}

// A redrawn contour lies, over many draws, at its standard deviation from the true one, inside as often as outside.
func TestRedrawnContourHasItsDeviation(t *testing.T) {
	const side, radius, sd, draws = 240, 60.0, 4.0, 200
	disk := NewMask(side, side)
	for i := range disk.Pix {
		if math.Hypot(float64(i%side)-119.5, float64(i/side)-119.5) <= radius {
			disk.Pix[i] = 1
		}
	}
	var sum, squares float64
	var n int
	for d := range draws {
		got, err := Perturb(disk, Redrawn, sd, rng.Stream(5, "reader", string(rune(d))))
		if err != nil {
			t.Fatal(err)
		}
		for _, ray := range [][2]int{{1, 0}, {-1, 0}, {0, 1}, {0, -1}} { // how far the lesion reaches along four rays
			r := 0
			for got.Row(120 + ray[1]*r)[120+ray[0]*r] == 1 {
				r++
			}
			v := float64(r) - radius
			sum, squares, n = sum+v, squares+v*v, n+1
		}
	}
	mean := sum / float64(n)
	got := math.Sqrt(squares/float64(n) - mean*mean)
	// 800 distances, four a draw nearly independent: standard errors 4/sqrt(800) = 0.14 and 0.1; pixels add 1/12 px².
	if math.Abs(mean) > 0.7 || math.Abs(got-sd) > 0.45 {
		t.Errorf("distance %.3f ± %.3f px, want 0 ± %g", mean, got, sd)
	}
}

func TestMoreIsFurther(t *testing.T) {
	m := twoEllipses(160, 120)
	for _, kind := range Perturbations {
		last := 1.0
		for _, amount := range []float64{2, 4, 8, 12} {
			got := perturbed(t, m, kind, amount, "a")
			d := Dice(m, got)
			if d >= last {
				t.Errorf("%s by %g px: Dice %.3f, not below %.3f", kind, amount, d, last)
			}
			last = d
			if again := perturbed(t, m, kind, amount, "a"); !slices.Equal(again.Pix, got.Pix) {
				t.Errorf("%s by %g px is not repeatable", kind, amount)
			}
		}
	}
	if other := perturbed(t, m, Redrawn, 4, "b"); Dice(other, perturbed(t, m, Redrawn, 4, "a")) == 1 {
		t.Error("two readers draw the same")
	}
}

func TestUnknownPerturbationIsAnError(t *testing.T) {
	for kind, amount := range map[string]float64{"wobble": 1, Shifted: -1, Redrawn: math.NaN()} {
		if _, err := Perturb(twoEllipses(60, 60), kind, amount, rng.Stream(1, "x")); err == nil {
			t.Errorf("%s by %g px is accepted", kind, amount)
		}
	}
}
