package finetune

import (
	"flag"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"sonotype/imaging"
	"sonotype/internal/golden"
	"sonotype/internal/rng"
	"sonotype/nn/nntest"
	"sonotype/roi"
)

// recipe is the oracle file of oracles/finetune_recipe.py.
type recipe struct {
	golden.Meta
	Warps []struct {
		Side    int       `json:"side"`
		Flip    bool      `json:"flip"`
		Degrees float64   `json:"degrees"`
		Scale   float64   `json:"scale"`
		DX      float64   `json:"dx"`
		DY      float64   `json:"dy"`
		Out     []float64 `json:"out"`
	} `json:"warps"`
	Rate      float64 `json:"rate"`
	Schedules []struct {
		Schedule string    `json:"schedule"`
		Steps    int       `json:"steps"`
		WarmUp   int       `json:"warm_up"`
		Rates    []float64 `json:"rates"`
	} `json:"schedules"`
	Labels       []int      `json:"labels"`
	ClassWeights [2]float64 `json:"class_weights"`
}

// Mirror image, rotation, scale and shift are torchvision's affine.
func TestWarpIsTorchvisions(t *testing.T) {
	var want recipe
	golden.Load(t, "testdata/oracle/recipe.json", &want)
	for _, w := range want.Warps {
		src := imaging.NewGray(w.Side, w.Side)
		for i := range src.Pix {
			src.Pix[i] = uint8(256 * nntest.Uniform(fmt.Sprintf("crop %d", w.Side), i))
		}
		c := change{flip: w.Flip, scale: w.Scale, angle: w.Degrees * math.Pi / 180, dx: w.DX, dy: w.DY}
		got, worst := make([]float32, len(src.Pix)), 0.0
		c.warp(got, src)
		for i, v := range w.Out {
			worst = max(worst, math.Abs(float64(got[i])-v))
		}
		if worst > want.Tolerance {
			t.Errorf("%+v is off by %.2g", c, worst)
		}
		t.Logf("%+v is off by %.2g", c, worst)
	}
}

// A mirror image alone is exact.
func TestMirrorIsExact(t *testing.T) {
	src := disk(33)
	got := make([]float32, len(src.Pix))
	change{flip: true, scale: 1}.warp(got, src)
	for i, v := range got {
		if want := src.Row(i / 33)[32-i%33]; v != float32(want) {
			t.Fatalf("pixel %d is %v, want %d", i, v, want)
		}
	}
}

// disk is noise within a disk, black elsewhere.
func disk(side int) *imaging.Gray {
	g, r := imaging.NewGray(side, side), rng.Stream(1, "disk")
	for i := range g.Pix {
		if c := float64(side-1) / 2; math.Hypot(float64(i%side)-c, float64(i/side)-c) < 0.7*c {
			g.Pix[i] = uint8(1 + r.IntN(255))
		}
	}
	return g
}

var allAugment = AugmentConfig{Flip: 0.5, Shift: 0.1, Scale: 0.2, Rotation: 20, Gain: 0.3, Contrast: 0.3, Speckle: 0.3}

// Whatever is drawn, greys stay within 0..255 and black stays black: everywhere without a warp, and far enough from
// the region with one.
func TestBlackStaysBlack(t *testing.T) {
	src := disk(64)
	got := make([]float32, len(src.Pix))
	for i := range 200 {
		a := allAugment
		if i%2 == 0 {
			a.Flip, a.Shift, a.Scale, a.Rotation = 0, 0, 0, 0
		}
		r := rng.Stream(uint64(i), "black")
		a.draw(r, 64).apply(got, src, r)
		for k, v := range got {
			far := math.Hypot(float64(k%64)-31.5, float64(k/64)-31.5) > 31.5*0.7*1.2+0.1*64*math.Sqrt2+2
			if v < 0 || v > 255 || (far || i%2 == 0 && src.Pix[k] == 0) && v != 0 {
				t.Fatalf("draw %d: grey %v at pixel %d, from %d", i, v, k, src.Pix[k])
			}
		}
	}
}

// Without grain, every pixel is the formula's.
func TestToneIsItsFormula(t *testing.T) {
	c := change{gain: 1.2, gamma: 0.8}
	for v := float32(0); v <= 255; v += 0.25 {
		x := []float32{v}
		c.tone(x, 1, rng.Stream(1))
		want := min(255, 255*1.2*math.Pow(float64(v)/255, 0.8))
		if diff := math.Abs(float64(x[0]) - want); diff > 0.05 && v >= 1 || diff > 1 {
			t.Errorf("grey %v becomes %v, want %v", v, x[0], want)
		}
	}
}

// The draws keep to what the recipe allows, reach most of it, and are centred.
func TestDrawsKeepToTheRecipe(t *testing.T) {
	const n = 4000
	r := rng.Stream(1, "draws")
	var flips int
	var scale, gain, dx []float64
	for range n {
		c := allAugment.draw(r, 100)
		if c.flip {
			flips++
		}
		scale, gain, dx = append(scale, math.Log(c.scale)), append(gain, math.Log(c.gain)), append(dx, c.dx)
		if math.Abs(c.angle) > 20*math.Pi/180 || c.speckle < 0 || c.speckle > 0.3 || math.Abs(c.dy) > 10 {
			t.Fatalf("%+v", c)
		}
	}
	if flips < n*45/100 || flips > n*55/100 {
		t.Errorf("%d mirror images of %d", flips, n)
	}
	for most, x := range map[float64][]float64{math.Log(1.2): scale, math.Log(1.3): gain, 10: dx} {
		lo, hi := slices.Min(x), slices.Max(x)
		if lo < -most || hi > most || lo > -0.95*most || hi < 0.95*most {
			t.Errorf("drawn from %v to %v, want within %v", lo, hi, most)
		}
	}
}

// Grains have variance 1 and are as wide and as high as they should be.
func TestGrain(t *testing.T) {
	const w, h = 509, 300
	g, x := newGrain(rng.Stream(1, "grain"), w), make([]float32, w*h)
	for y := range h {
		g.row(x[y*w:][:w])
	}
	product := func(dx, dy int) float64 {
		sum, n := 0.0, 0
		for y := range h - dy {
			for i := range w - dx {
				sum += float64(x[y*w+i]) * float64(x[(y+dy)*w+i+dx])
				n++
			}
		}
		return sum / float64(n)
	}
	mean := 0.0
	for _, v := range x {
		mean += float64(v) / (w * h)
	}
	for what, c := range map[string][2]float64{
		"mean": {mean, 0}, "variance": {product(0, 0), 1}, "1 right": {product(1, 0), 0.75}, "3 right": {product(3, 0), 0.25},
		"4 right": {product(4, 0), 0}, "1 down": {product(0, 1), 0.5}, "2 down": {product(0, 2), 0}, "2 right, 1 down": {product(2, 1), 0.25},
	} {
		if math.Abs(c[0]-c[1]) > 0.02 {
			t.Errorf("%s: %.4f, want %.2f", what, c[0], c[1])
		}
	}
}

// Whole greys give roi.Normalise's bits.
func TestNormaliseIsRoiNormalise(t *testing.T) {
	crop := imaging.NewGray(16, 16)
	grey := make([]float32, 256)
	for i := range crop.Pix {
		crop.Pix[i], grey[i] = uint8(i), float32(i)
	}
	want, got := make([]float32, 3*256), make([]float32, 3*256)
	roi.Normalise(crop, want)
	normalise(grey, got)
	if !slices.Equal(got, want) {
		t.Error("other values than roi.Normalise's")
	}
	copy(got, grey)
	normalise(got[:256], got)
	if !slices.Equal(got, want) {
		t.Error("other values in place")
	}
}

// An image's input depends on seed, name, epoch and index alone.
func TestDrawDependsOnNamesAlone(t *testing.T) {
	e := Example{Crop: func(dst *imaging.Gray) error { copy(dst.Pix, disk(32).Pix); return nil }}
	made := func(seed uint64, name string, epoch, index int) []float32 {
		in := input{side: 32, augment: allAugment, seed: seed, name: name, crop: imaging.NewGray(32, 32)}
		dst := make([]float32, in.size())
		if err := in.fill(dst, e, epoch, index); err != nil {
			t.Fatal(err)
		}
		return dst
	}
	base := made(1, "ta", 1, 1)
	if !slices.Equal(base, made(1, "ta", 1, 1)) {
		t.Error("the same names draw differently")
	}
	for _, other := range [][]float32{made(2, "ta", 1, 1), made(1, "pta", 1, 1), made(1, "ta", 2, 1), made(1, "ta", 1, 2)} {
		if slices.Equal(base, other) {
			t.Error("other names draw the same")
		}
	}
}

func BenchmarkInput(b *testing.B) {
	crop := disk(224)
	in := input{side: 224, augment: Rigorous().Augment, name: "ta", crop: imaging.NewGray(224, 224)}
	e := Example{Crop: func(dst *imaging.Gray) error { copy(dst.Pix, crop.Pix); return nil }}
	dst := make([]float32, in.size())
	for b.Loop() {
		if err := in.fill(dst, e, 1, 1); err != nil {
			b.Fatal(err)
		}
	}
}

// The input is a small part of an image's step (tens of ms).
func TestInputIsFast(t *testing.T) {
	crop := disk(224)
	in := input{side: 224, augment: Rigorous().Augment, crop: imaging.NewGray(224, 224)}
	e := Example{Crop: func(dst *imaging.Gray) error { copy(dst.Pix, crop.Pix); return nil }}
	dst := make([]float32, in.size())
	best := time.Hour
	for i := range 20 {
		start := time.Now()
		if err := in.fill(dst, e, 1, i); err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(start))
	}
	t.Logf("%v an image of 224 x 224", best)
	if best > 20*time.Millisecond { // ten times what is meant, for a busy machine
		t.Errorf("%v an image of 224 x 224", best)
	}
}

var sheet = flag.String("sheet", "", "draw augmented crops of BUS-BRA (or of noise, without SONOTYPE_DATA) into this PNG, to look at them")

// The first column holds the crops, the others what training sees.
func TestContactSheet(t *testing.T) {
	if *sheet == "" {
		t.Skip("-sheet FILE.png draws augmented crops")
	}
	var cells []image.Image
	for row, crop := range sheetCrops(t) {
		cells = append(cells, crop.Image())
		for k := range 7 {
			r := rng.Stream(1, "sheet", fmt.Sprint(row), fmt.Sprint(k))
			x, out := make([]float32, len(crop.Pix)), imaging.NewGray(crop.W, crop.H)
			Rigorous().Augment.draw(r, crop.W).apply(x, crop, r)
			for i, v := range x {
				out.Pix[i] = uint8(v + 0.5)
			}
			cells = append(cells, out.Image())
		}
	}
	f, err := os.Create(*sheet)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, roi.ContactSheet(cells, 8, nil)); err != nil {
		t.Fatal(err)
	}
}

func sheetCrops(t *testing.T) []*imaging.Gray {
	root := os.Getenv("SONOTYPE_DATA")
	if root == "" {
		return []*imaging.Gray{disk(224)}
	}
	var crops []*imaging.Gray
	for _, id := range []string{"0001-l", "0037-s", "0116-l", "0271-r", "0478-r", "0684-s"} {
		img, _, err := imaging.Decode(filepath.Join(root, "bus-bra", "Images", "bus_"+id+".png"))
		if err != nil {
			t.Fatal(err)
		}
		m, _, err := roi.ReadMask(filepath.Join(root, "bus-bra", "Masks", "mask_"+id+".png"))
		if err != nil {
			t.Fatal(err)
		}
		r, err := roi.Prepare(img, m, [2]float64{}, "", roi.Defaults())
		if err != nil {
			t.Fatal(err)
		}
		crops = append(crops, r.TACrop, r.PTACrop)
	}
	return crops
}
