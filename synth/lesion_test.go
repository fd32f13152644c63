package synth

import (
	"math"
	"testing"

	"sonotype/internal/rng"
)

// The mask's area is the drawn contour's: half the integral of radius squared.
func TestMaskMeasuresTheContour(t *testing.T) {
	l := drawLesion(20, 15, 9, 6, signs{roughness: 0.1}, rng.Stream(1, "contour"))
	area := 0.0
	for _, v := range l.drawn {
		area += v * v * math.Pi / angles
	}
	v := raster{w: 400, h: 300, pixel: 0.1}
	n := 0
	for row := range v.h {
		for col := range v.w {
			if l.contains(v.mm(col, row)) {
				n++
			}
		}
	}
	if got := float64(n) * v.pixel * v.pixel; math.Abs(got/area-1) > 0.01 {
		t.Errorf("mask %.2f mm2, contour %.2f mm2", got, area)
	}
	if ellipse := math.Pi * 9 * 6; area < 0.6*ellipse || area > 1.6*ellipse {
		t.Errorf("contour %.1f mm2 for an ellipse of %.1f", area, ellipse)
	}
}

func TestMasksLieInside(t *testing.T) {
	for _, c := range []Config{{Patients: 120, Seed: 3, Width: 128, Height: 96}, {Patients: 20, Seed: 4}} {
		for _, p := range drawCohort(c.Patients, c.Seed) {
			e := render(p, c)
			w, h := e.image.Rect.Dx(), e.image.Rect.Dy()
			inside, border := 0, 0
			for y := range h {
				for x := range w {
					if e.mask[y*w+x] == 0 {
						continue
					}
					inside++
					if x < 2 || y < 2 || x >= w-2 || y >= h-2 {
						border++
					}
				}
			}
			if share := float64(inside) / float64(w*h); share < 0.01 || share > 0.55 || border > 0 {
				t.Errorf("seed %d, %s (T%s): mask fills %.3f of the image, %d px at its edge", c.Seed, p.id, p.factors["t_stage"], share, border)
			}
		}
	}
}
