package imaging

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"

	"sonotype/internal/golden"
)

// pattern repeats oracles/imaging_resize.py: hash noise, a smooth pattern or a 0/1 mask.
func pattern(w, h int, kind string, seed uint32) *Gray {
	g := NewGray(w, h)
	for y := range h {
		for x := range w {
			a, b := uint64(x), uint64(y)
			if kind == "smooth" {
				g.Pix[y*w+x] = uint8((a*a+3*a*b+2*b*b)/64 + uint64(seed))
				continue
			}
			v := uint32(x)*73856093 ^ uint32(y)*19349663 ^ seed*83492791
			v ^= v >> 15
			v *= 2246822519
			v ^= v >> 13
			v *= 3266489917
			v ^= v >> 16
			if kind == "mask" {
				v &= 1
			}
			g.Pix[y*w+x] = uint8(v)
		}
	}
	return g
}

func sha(p []uint8) string {
	s := sha256.Sum256(p)
	return hex.EncodeToString(s[:])
}

type oracle struct {
	golden.Meta
	Resize []struct {
		W, H, DW, DH         int
		Interp, Kind, SHA256 string
		Pixels               []int
	}
	Blur []struct {
		W, H, K      int
		Kind, SHA256 string
	}
	Grey  struct{ Cube, Noise string }
	DHash []struct {
		W, H       int
		Kind, Hash string
	}
}

func loadOracle(t *testing.T) (o oracle) {
	golden.Load(t, "testdata/oracle/resize.json", &o)
	return o
}

func TestResizeIsOpenCVs(t *testing.T) {
	for _, c := range loadOracle(t).Resize {
		t.Run(fmt.Sprintf("%dx%d-%dx%d-%s-%s", c.W, c.H, c.DW, c.DH, c.Interp, c.Kind), func(t *testing.T) {
			in, err := ParseInterp(c.Interp)
			if err != nil {
				t.Fatal(err)
			}
			got := Resize(pattern(c.W, c.H, c.Kind, 1), c.DW, c.DH, in)
			if sha(got.Pix) != c.SHA256 {
				for i, p := range c.Pixels {
					if int(got.Pix[i]) != p {
						t.Errorf("pixel %d,%d: %d, OpenCV has %d", i%c.DW, i/c.DW, got.Pix[i], p)
					}
				}
				t.Fatal("bytes differ from OpenCV's")
			}
		})
	}
}

func TestBlurIsOpenCVs(t *testing.T) {
	for _, c := range loadOracle(t).Blur {
		if got := Blur(pattern(c.W, c.H, c.Kind, 1), c.K); sha(got.Pix) != c.SHA256 {
			t.Errorf("%dx%d %s k=%d: bytes differ from OpenCV's", c.W, c.H, c.Kind, c.K)
		}
	}
}

func TestDHash(t *testing.T) {
	for _, c := range loadOracle(t).DHash {
		if got := fmt.Sprintf("%016x", DHash(pattern(c.W, c.H, c.Kind, 1))); got != c.Hash {
			t.Errorf("%dx%d %s: %s, want %s", c.W, c.H, c.Kind, got, c.Hash)
		}
	}
}
