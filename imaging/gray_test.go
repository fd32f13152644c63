package imaging

import (
	"bytes"
	"testing"
)

func TestCropEdges(t *testing.T) {
	g := pattern(20, 10, "noise", 1)
	c := CropEdges(g, Edges{Left: 3, Top: 2, Right: 4, Bottom: 1})
	if c.W != 13 || c.H != 7 {
		t.Fatalf("%d x %d", c.W, c.H)
	}
	for y := range c.H {
		if !bytes.Equal(c.Row(y), g.Row(y + 2)[3:16]) {
			t.Errorf("row %d differs", y)
		}
	}
	for _, e := range []Edges{{Left: 20}, {Left: 10, Right: 10}, {Top: -1}, {Bottom: 1 << 62, Top: 1 << 62}} {
		if e.Fits(20, 10) {
			t.Errorf("%+v fits", e)
		}
		if c := CropEdges(g, e); !bytes.Equal(c.Pix, g.Pix) {
			t.Errorf("%+v changed the image", e)
		}
	}
}

func TestFitWithinAndPad(t *testing.T) {
	for _, c := range [][6]int{ // w, h, max w, max h, want
		{485, 537, 960, 720, 650, 720}, {1024, 618, 960, 720, 960, 579}, {1, 1000, 960, 720, 1, 720},
		{5000, 1, 960, 720, 960, 1}, {4, 3, 960, 720, 960, 720}, {274, 353, 960, 720, 559, 720},
	} {
		w, h := FitWithin(c[0], c[1], c[2], c[3])
		if w != c[4] || h != c[5] {
			t.Errorf("%v: %d x %d", c, w, h)
		}
	}
	g := pattern(5, 4, "noise", 1)
	p := Pad(g, 10, 7)
	sum := func(b []uint8) (n int) {
		for _, v := range b {
			n += int(v)
		}
		return n
	}
	if p.W != 10 || p.H != 7 || sum(p.Pix) != sum(g.Pix) || p.Pix[1*10+2] != g.Pix[0] || p.Pix[4*10+6] != g.Pix[19] {
		t.Errorf("padded image %v", p)
	}
	if Pad(g, 3, 9) != g || Pad(g, 5, 4) != g {
		t.Error("an image that is not smaller was padded")
	}
}

func TestParseInterp(t *testing.T) {
	for _, in := range []Interp{Linear, Cubic, Area, Nearest} {
		if got, err := ParseInterp(in.String()); err != nil || got != in {
			t.Errorf("%v: %v, %v", in, got, err)
		}
	}
	if _, err := ParseInterp("lanczos"); err == nil {
		t.Error("lanczos is not read")
	}
}

// TestBlurIsTheMean compares the running sums with the sum over each window.
func TestBlurIsTheMean(t *testing.T) {
	for _, size := range [][2]int{{40, 30}, {3, 50}, {1, 7}} {
		g := pattern(size[0], size[1], "noise", 5)
		for _, k := range []int{1, 3, 9, 31} {
			b := Blur(g, k)
			for i, v := range b.Pix {
				n := 0
				for dy := -k / 2; dy <= k/2; dy++ {
					for dx := -k / 2; dx <= k/2; dx++ {
						n += int(g.Pix[reflect101(i/g.W+dy, g.H)*g.W+reflect101(i%g.W+dx, g.W)])
					}
				}
				if want := (2*n + k*k) / (2 * k * k); int(v) != want {
					t.Fatalf("%v k=%d pixel %d: %d, want %d", size, k, i, v, want)
				}
			}
		}
	}
}
