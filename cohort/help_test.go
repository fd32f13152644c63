package cohort

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sonotype/internal/rng"
)

// write stores a file below dir and returns its path.
func write(t testing.TB, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// load reads tables given as text; binary outcome unless rules say otherwise.
func load(t testing.TB, rules Rules, texts ...string) *Cohort {
	t.Helper()
	c, err := tryLoad(t, rules, texts...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func tryLoad(t testing.TB, rules Rules, texts ...string) (*Cohort, error) {
	t.Helper()
	var paths []string
	for i, text := range texts {
		paths = append(paths, write(t, t.TempDir(), fmt.Sprintf("t%d.csv", i), text))
	}
	return Load(paths, Columns{}, rules)
}

// csvOf makes a table of a header and rows written with "|" between the cells.
func csvOf(rows ...string) string {
	return strings.ReplaceAll(strings.Join(rows, "\n"), "|", ",") + "\n"
}

// codes lists the findings as "severity code row".
func codes(findings []Finding) []string {
	var out []string
	for _, f := range findings {
		out = append(out, fmt.Sprintf("%s %s %d", f.Severity, f.Code, f.Row))
	}
	return out
}

// texture is a w x h image of random blobs, which differs with the seed everywhere.
func texture(seed uint64, w, h int) *image.Gray {
	r := rng.Stream(seed, "texture")
	var grid [12][16]float64
	for y := range grid {
		for x := range grid[y] {
			grid[y][x] = r.Float64() * 255
		}
	}
	g := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			fy, fx := float64(y)*10/float64(h), float64(x)*14/float64(w)
			iy, ix := int(fy), int(fx)
			fy, fx = fy-float64(iy), fx-float64(ix)
			top := grid[iy][ix]*(1-fx) + grid[iy][ix+1]*fx
			bottom := grid[iy+1][ix]*(1-fx) + grid[iy+1][ix+1]*fx
			g.SetGray(x, y, color.Gray{Y: uint8(top*(1-fy) + bottom*fy)})
		}
	}
	return g
}

// box is a mask of w x h with value v inside the rectangle.
func box(w, h int, r image.Rectangle, v uint8) *image.Gray {
	g := image.NewGray(image.Rect(0, 0, w, h))
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			g.SetGray(x, y, color.Gray{Y: v})
		}
	}
	return g
}

func writePNG(t testing.TB, path string, m image.Image) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, m); err != nil {
		t.Fatal(err)
	}
}
