package imaging

import (
	"path/filepath"
	"slices"
	"testing"

	"sonotype/internal/golden"
	"sonotype/internal/rng"
)

// speckle is dim noise without marks.
func speckle(w, h int) *Gray {
	r := rng.Stream(1, "speckle")
	g := NewGray(w, h)
	for i := range g.Pix {
		g.Pix[i] = uint8(30 + r.IntN(50))
	}
	return g
}

func cross(g *Gray, x, y, arm int, v uint8) {
	for d := -arm; d <= arm; d++ {
		g.Pix[y*g.W+x+d] = v
		g.Pix[(y+d)*g.W+x] = v
	}
}

func TestMarkersCountsCrossesAndNotEchoes(t *testing.T) {
	g := speckle(200, 150)
	if m := Markers(g, nil); m.Count != 0 {
		t.Errorf("marks in plain speckle: %+v", m)
	}
	for x := 20; x < 120; x++ { // a specular echo: long, three rows
		for y := 100; y < 103; y++ {
			g.Pix[y*g.W+x] = 230
		}
	}
	if m := Markers(g, nil); m.Count != 0 {
		t.Errorf("an echo taken for a mark: %+v", m)
	}
	mask := make([]uint8, len(g.Pix))
	for i := range 60 * g.W {
		mask[i] = 1
	}
	cross(g, 30, 30, 4, 220)
	cross(g, 170, 40, 4, 220)
	cross(g, 100, 130, 5, 255)
	if m := Markers(g, mask); m.Count != 3 || m.InMask != 2 || m.Fraction < 40.0/30000 || m.Fraction > 70.0/30000 {
		t.Errorf("three crosses, two inside: %+v", m)
	}
}

func TestMarkerCandidatesAreAboveTheMedian(t *testing.T) {
	g := pattern(31, 23, "noise", 4)
	cand := markerCandidates(g)
	for y := range g.H {
		for x := range g.W {
			var all []uint8
			for dy := -markerRadius; dy <= markerRadius; dy++ {
				for dx := -markerRadius; dx <= markerRadius; dx++ {
					all = append(all, g.Pix[clamp(y+dy, 0, g.H-1)*g.W+clamp(x+dx, 0, g.W-1)])
				}
			}
			slices.Sort(all)
			v := int(g.Pix[y*g.W+x])
			want := v >= markerLevel && v-int(all[len(all)/2]) >= markerRise
			if (cand[y*g.W+x] == candidate) != want {
				t.Fatalf("%d,%d: value %d, median %d", x, y, v, all[len(all)/2])
			}
		}
	}
}

// TestMarkersOnBUSBRA holds the detector to what an eye saw in these images.
func TestMarkersOnBUSBRA(t *testing.T) {
	dir := golden.Data(t, "bus-bra", "Images")
	for name, want := range map[string][2]int{ // least and most marks
		"bus_0001-l": {5, 30}, "bus_0092-r": {2, 5}, "bus_0261-r": {3, 8}, "bus_0509-l": {10, 40}, "bus_0861-l": {5, 10},
		"bus_0122-s": {8, 20}, "bus_1006-l": {15, 40}, "bus_0206-l": {1, 30}, "bus_1031-r": {2, 12},
		"bus_0179-r": {0, 0}, "bus_0919-r": {0, 3}, "bus_0287-r": {0, 2},
	} {
		g, _, err := Decode(filepath.Join(dir, name+".png"))
		if err != nil {
			t.Error(err)
			continue
		}
		if m := Markers(g, nil); m.Count < want[0] || m.Count > want[1] || m.Annotated() != (m.Count > 2) {
			t.Errorf("%s: %+v, by eye %d to %d", name, m, want[0], want[1])
		}
	}
}

// TestMarkersOnCleanImages: the BrEaST images carry no annotation.
func TestMarkersOnCleanImages(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(golden.Data(t, "breast-lesions-usg", "images_and_masks"), "case???.png"))
	if err != nil || len(files) < 20 {
		t.Fatal(len(files), err)
	}
	for _, f := range files[:20] {
		g, _, err := Decode(f)
		if err != nil {
			t.Error(err)
			continue
		}
		if m := Markers(g, nil); m.Annotated() {
			t.Errorf("%s: %+v", f, m)
		}
	}
}

func BenchmarkMarkers(b *testing.B) {
	g := pattern(350, 300, "noise", 1)
	for b.Loop() {
		Markers(g, nil)
	}
}

func BenchmarkStandardise(b *testing.B) {
	g := speckle(485, 537)
	b.ReportAllocs()
	for b.Loop() {
		Blur(Resize(g, 960, 720, Linear), 3)
	}
}
