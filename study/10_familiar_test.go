package study

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"sonotype/bundle"
	"sonotype/cohort"
	"sonotype/imaging"
	"sonotype/internal/rng"
	"sonotype/roi"
	"sonotype/synth"
)

// made draws a picture that is no breast ultrasound from an image and its outline.
type made func(r *rand.Rand, g *imaging.Gray, m *roi.Mask) (*imaging.Gray, *roi.Mask)

// pixelwise makes a picture pixel by pixel, from the image's own grey.
func pixelwise(grey func(r *rand.Rand, x, y int, g *imaging.Gray) float64) made {
	return func(r *rand.Rand, g *imaging.Gray, m *roi.Mask) (*imaging.Gray, *roi.Mask) {
		out := imaging.NewGray(g.W, g.H)
		for i := range out.Pix {
			out.Pix[i] = uint8(max(0, min(255, grey(r, i%g.W, i/g.W, g))))
		}
		return out, m
	}
}

// outlined keeps the image and draws another outline, pixel by pixel.
func outlined(in func(r *rand.Rand, x, y, w, h float64) bool) made {
	return func(r *rand.Rand, g *imaging.Gray, _ *roi.Mask) (*imaging.Gray, *roi.Mask) {
		m := roi.NewMask(g.W, g.H)
		for i := range m.Pix {
			if in(r, float64(i%g.W), float64(i/g.W), float64(g.W), float64(g.H)) {
				m.Pix[i] = 1
			}
		}
		return g, m
	}
}

func own(g *imaging.Gray, x, y int) float64 { return float64(g.Pix[y*g.W+x]) }

// tilesShuffled divides the image into n x n tiles in random order.
func tilesShuffled(n int) made {
	return func(r *rand.Rand, g *imaging.Gray, m *roi.Mask) (*imaging.Gray, *roi.Mask) {
		out, w, h := imaging.NewGray(g.W, g.H), g.W/n, g.H/n
		for to, from := range r.Perm(n * n) {
			for y := range h {
				copy(out.Pix[(to/n*h+y)*g.W+to%n*w:][:w], g.Pix[(from/n*h+y)*g.W+from%n*w:][:w])
			}
		}
		return out, m
	}
}

// foreign are made-up pictures of the kinds that must not be predicted.
var foreign = map[string]made{
	"one grey":      pixelwise(func(_ *rand.Rand, _, _ int, _ *imaging.Gray) float64 { return 90 }),
	"black":         pixelwise(func(_ *rand.Rand, _, _ int, _ *imaging.Gray) float64 { return 0 }),
	"ramp across":   pixelwise(func(_ *rand.Rand, x, _ int, g *imaging.Gray) float64 { return 255 * float64(x) / float64(g.W) }),
	"ramp down":     pixelwise(func(_ *rand.Rand, _, y int, g *imaging.Gray) float64 { return 255 - 255*float64(y)/float64(g.H) }),
	"too dark":      pixelwise(func(_ *rand.Rand, x, y int, g *imaging.Gray) float64 { return own(g, x, y) / 8 }),
	"overexposed":   pixelwise(func(_ *rand.Rand, x, y int, g *imaging.Gray) float64 { return 3*own(g, x, y) + 80 }),
	"inverted":      pixelwise(func(_ *rand.Rand, x, y int, g *imaging.Gray) float64 { return 255 - own(g, x, y) }),
	"white noise":   pixelwise(func(r *rand.Rand, _, _ int, _ *imaging.Gray) float64 { return float64(r.IntN(256)) }),
	"noisy":         pixelwise(func(r *rand.Rand, x, y int, g *imaging.Gray) float64 { return own(g, x, y) + 60*r.NormFloat64() }),
	"speckle alone": pixelwise(func(r *rand.Rand, _, _ int, _ *imaging.Gray) float64 { return 60 * math.Sqrt(2*r.ExpFloat64()) }),
	"two greys":     pixelwise(func(_ *rand.Rand, x, y int, g *imaging.Gray) float64 { return 255 * math.Floor(own(g, x, y)/80) }),
	"half of it grey": pixelwise(func(_ *rand.Rand, x, y int, g *imaging.Gray) float64 {
		return map[bool]float64{true: own(g, x, y), false: 128}[y < g.H/2]
	}),
	"pixelated":    pixelwise(func(_ *rand.Rand, x, y int, g *imaging.Gray) float64 { return own(g, x/12*12, y/12*12) }),
	"checkerboard": pixelwise(func(_ *rand.Rand, x, y int, _ *imaging.Gray) float64 { return float64((x/16+y/16)%2) * 220 }),
	"stripes":      pixelwise(func(_ *rand.Rand, x, y int, _ *imaging.Gray) float64 { return 110 + 100*math.Sin(float64(x+y)/4) }),
	"screen of text": pixelwise(func(r *rand.Rand, x, y int, _ *imaging.Gray) float64 {
		return map[bool]float64{true: 0, false: 255}[y%12 < 8 && x%7 < 5 && r.IntN(2) == 0]
	}),
	"tiles shuffled":     tilesShuffled(8),
	"outline tiny":       outlined(func(_ *rand.Rand, x, y, w, h float64) bool { return math.Hypot(x-w/2, y-h/2) < 2 }),
	"outline of it all":  outlined(func(*rand.Rand, float64, float64, float64, float64) bool { return true }),
	"outline a line":     outlined(func(_ *rand.Rand, x, y, w, h float64) bool { return math.Abs(y-h/2) < 2 && x > w/10 && x < w*9/10 }),
	"outline scattered":  outlined(func(r *rand.Rand, _, _, _, _ float64) bool { return r.IntN(10) == 0 }),
	"outline in a frame": outlined(func(_ *rand.Rand, x, _, w, _ float64) bool { return x < w/12 }),
}

// The statistics of images alone, fitted on the patients of one half of a synthetic cohort, let at least 95 % of the other
// half pass and hold back at least 95 % of made-up pictures, and of each kind nearly all.
func TestForeignPicturesAreToldFromFamiliarOnes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := synth.Write(t.Context(), dir, synth.Config{Patients: 120, Seed: 5, Width: 240, Height: 180}, nil); err != nil {
		t.Fatal(err)
	}
	c, err := cohort.Load([]string{filepath.Join(dir, "cohort.csv")}, cohort.Columns{}, cohort.Rules{Outcome: cohort.Outcome{Column: "ki67", Cutoff: new(float64)}})
	if err != nil {
		t.Fatal(err)
	}
	g := roi.Defaults()
	g.Width, g.Height, g.Input = 480, 360, 32
	measure := func(k bundle.Case) ([]float64, error) {
		r, err := roi.Prepare(k.Image, k.Mask, [2]float64{}, "", g)
		if err != nil {
			return nil, err
		}
		return bundle.Measure(k.Info, r), nil
	}
	var training, held [][]float64
	for i := range c.Images {
		s, err := measure(caseOf(t, c, i))
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			training = append(training, s)
		} else {
			held = append(held, s)
		}
	}
	familiar, err := bundle.FitFamiliar(training, nil)
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, s := range held {
		if len(familiar.Judge(s, 0)) > 0 {
			refused++
		}
	}
	if share := float64(refused) / float64(len(held)); share > 0.05 {
		t.Errorf("%.3f of %d held-out images are refused", share, len(held))
	}
	caught, all := 0, 0
	for name, make := range foreign {
		missed := 0
		for i := range 10 {
			k := caseOf(t, c, i*len(c.Images)/10)
			k.Image, k.Mask = make(rng.Stream(1, "foreign", name, fmt.Sprint(i)), k.Image, k.Mask)
			s, err := measure(k)
			if all++; err != nil || len(familiar.Judge(s, 0)) > 0 {
				caught++
			} else {
				missed++
			}
		}
		if missed > 0 {
			t.Logf("%d missed: %s", missed, name)
		}
		if missed > 2 {
			t.Errorf("%d of 10 pass: %s", missed, name)
		}
	}
	if share := float64(caught) / float64(all); share < 0.95 {
		t.Errorf("%.3f of %d foreign pictures are caught", share, all)
	}
	t.Logf("%d of %d held-out images refused, %d of %d foreign pictures caught", refused, len(held), caught, all)
}
