package roi

import (
	"bytes"
	"encoding/json"
	"image"
	"math"
	"strings"
	"testing"

	"sonotype/imaging"
	"sonotype/internal/problem"
)

var someBlob = [6]int{300, 200, 150, 100, 40, 30}

func TestPrepareProblems(t *testing.T) {
	img, m := smooth(300, 200), blob(someBlob)
	full := NewMask(300, 200)
	for i := range full.Pix {
		full.Pix[i] = 1
	}
	speck := NewMask(3000, 2000)
	speck.Pix[2001] = 1
	edges := func(e imaging.Edges) map[string]imaging.Edges { return map[string]imaging.Edges{"*": e} }
	change := func(f func(*Geometry)) Geometry { g := Defaults(); f(&g); return g }
	for name, c := range map[string]struct {
		img  *imaging.Gray
		m    *Mask
		g    Geometry
		want string
	}{
		"sizes":    {smooth(301, 200), m, Defaults(), "differ in size"},
		"empty":    {img, NewMask(300, 200), Defaults(), "empty"},
		"ring":     {img, full, Defaults(), "ring is empty"},
		"vanished": {smooth(3000, 2000), speck, Defaults(), "vanishes"},
		"mm":       {img, m, change(func(g *Geometry) { g.GrowthUnit = "mm" }), "pixel size is unknown"},
		"crop":     {img, m, change(func(g *Geometry) { g.Crop = edges(imaging.Edges{Left: 200, Right: 100}) }), "leaves nothing"},
		"cut off":  {img, m, change(func(g *Geometry) { g.Crop = edges(imaging.Edges{Left: 250}) }), "removes the whole lesion"},
		"geometry": {img, m, change(func(g *Geometry) { g.Fit = "squash" }), "fit"},
	} {
		_, err := Prepare(c.img, c.m, [2]float64{}, "dev", c.g)
		p, ok := problem.As(err)
		if !ok || !strings.Contains(p.What, c.want) || p.Try == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestGeometryValidate(t *testing.T) {
	if err := Defaults().Validate(); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func(*Geometry){
		"width": func(g *Geometry) { g.Width = 0 }, "height": func(g *Geometry) { g.Height = 1 << 20 },
		"interp": func(g *Geometry) { g.Interp = "lanczos" }, "mean_filter": func(g *Geometry) { g.MeanFilter = 4 },
		"growth": func(g *Geometry) { g.Growth = math.NaN() }, "growth_unit": func(g *Geometry) { g.GrowthUnit = "cm" },
		"pta": func(g *Geometry) { g.PTA = "" }, "context": func(g *Geometry) { g.Context = "x" },
		"frame": func(g *Geometry) { g.Frame = -1 }, "input": func(g *Geometry) { g.Input = 3 },
		"crop": func(g *Geometry) { g.Crop = map[string]imaging.Edges{"d": {Left: -1}} },
	} {
		g := Defaults()
		f(&g)
		if err := g.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestGeometrySurvivesJSON(t *testing.T) {
	g := Defaults()
	g.Crop = map[string]imaging.Edges{"A": {Left: 3}}
	b, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	var back Geometry
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if again, _ := json.Marshal(back); !bytes.Equal(b, again) || back.Edges("A").Left != 3 || !back.Edges("B").Zero() {
		t.Errorf("%s", b)
	}
}

// TestMillimetresFollowTheScale: growth of 1 mm is as many pixels as the stretched pixel size says, per axis.
func TestMillimetresFollowTheScale(t *testing.T) {
	g := Defaults()
	g.Fit, g.GrowthUnit, g.Growth = "stretch", "mm", 1
	r, err := Prepare(smooth(300, 200), blob(someBlob), [2]float64{0.1, 0.1}, "", g)
	if err != nil {
		t.Fatal(err)
	}
	if r.Scale != [2]float64{3.2, 3.6} {
		t.Errorf("scale %v", r.Scale)
	}
	ta, grown := r.TA.Bounds(), union(r.TA.Bounds(), r.PTA.Bounds())
	if dx, dy := ta.X-grown.X, ta.Y-grown.Y; dx != 32 || dy != 36 {
		t.Errorf("1 mm grew by %d and %d px, want 32 and 36", dx, dy)
	}
}

func TestRingAndPadding(t *testing.T) {
	m := NewMask(300, 200)
	for y := range 200 { // a lesion across the whole height
		for x := 140; x < 160; x++ {
			m.Pix[y*300+x] = 1
		}
	}
	r, err := Prepare(smooth(300, 200), m, [2]float64{}, "", Defaults())
	if err != nil {
		t.Fatal(err)
	}
	if r.Content != (Box{X: 0, Y: 40, W: 960, H: 640}) {
		t.Errorf("content %+v", r.Content)
	}
	for i := range r.TA.Pix {
		y := i / r.TA.W
		if r.TA.Pix[i]&r.PTA.Pix[i] != 0 || (y < 40 || y >= 680) && (r.PTA.Pix[i] != 0 || r.Image.Pix[i] != 0) {
			t.Fatalf("pixel %d: the ring overlaps the lesion or lies in the padding", i)
		}
	}
}

// TestMirroredInputGivesMirroredRegions: nothing in the geometry prefers a side.
func TestMirroredInputGivesMirroredRegions(t *testing.T) {
	img, m := smooth(301, 201), blob([6]int{301, 201, 150, 100, 41, 31})
	flipG, flipM := imaging.NewGray(301, 201), NewMask(301, 201)
	for i := range img.Pix {
		j := i/301*301 + 300 - i%301
		flipG.Pix[j], flipM.Pix[j] = img.Pix[i], m.Pix[i]
	}
	g := Defaults()
	g.Width, g.Height, g.Fit = 301, 201, "stretch" // no resizing: OpenCV's nearest is not symmetric
	a, errA := Prepare(img, m, [2]float64{}, "", g)
	b, errB := Prepare(flipG, flipM, [2]float64{}, "", g)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	for i := range a.PTA.Pix {
		if j := i/301*301 + 300 - i%301; a.PTA.Pix[i] != b.PTA.Pix[j] || a.Image.Pix[i] != b.Image.Pix[j] {
			t.Fatalf("pixel %d differs from its mirror image", i)
		}
	}
}

func TestOverlayAndContactSheet(t *testing.T) {
	r, err := Prepare(smooth(300, 200), blob(someBlob), [2]float64{}, "", Defaults())
	if err != nil {
		t.Fatal(err)
	}
	img := Overlay(r)
	if b := img.Bounds(); b.Dx() != 960 || b.Dy() != 640 {
		t.Errorf("overlay of %v", b)
	}
	counts := map[any]int{}
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		for x := range 960 {
			counts[img.At(x, y)]++
		}
	}
	if counts[ColourTA] < 500 || counts[ColourPTA] < 500 {
		t.Errorf("%d orange and %d blue pixels", counts[ColourTA], counts[ColourPTA])
	}
	sheet := ContactSheet([]image.Image{img, r.TACrop.Image(), r.PTACrop.Image()}, 2, []string{"a", "b"})
	if b := sheet.Bounds(); b.Dx() != 2*cellW+3*cellGap || b.Dy() != 2*(cellH+labelH+cellGap)+cellGap {
		t.Errorf("sheet of %v", b)
	}
	if b := ContactSheet(nil, 3, nil).Bounds(); b.Dx() < 1 {
		t.Errorf("empty sheet of %v", b)
	}
}

func BenchmarkPrepare(b *testing.B) {
	img, m := smooth(485, 537), blob([6]int{485, 537, 200, 260, 110, 80})
	for _, fit := range []string{"pad", "stretch"} {
		b.Run(fit, func(b *testing.B) {
			g := Defaults()
			g.Fit = fit
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Prepare(img, m, [2]float64{}, "", g); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
