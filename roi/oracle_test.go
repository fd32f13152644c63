package roi

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"sonotype/imaging"
	"sonotype/internal/golden"
)

func sha(p []uint8) string {
	s := sha256.Sum256(p)
	return hex.EncodeToString(s[:])
}

// shape repeats oracles/roi_masks.py: a lopsided blob of 37 x 23 pixels.
func shape() *Mask {
	m := NewMask(37, 23)
	for y := range m.H {
		for x := range m.W {
			if (x-12)*(x-12)+3*(y-8)*(y-8) < 120 || x > 20 && x < 33 && y == 9 {
				m.Pix[y*m.W+x] = 1
			}
		}
	}
	return m
}

// blob repeats oracles/roi_geometry.py: w, h, centre and radii.
func blob(b [6]int) *Mask {
	m := NewMask(b[0], b[1])
	for y := range m.H {
		for x := range m.W {
			dx, dy, scale := x-b[2], y-b[3], 1
			if dx > 0 && dy > 0 {
				scale = 2
			}
			if dx*dx*b[5]*b[5]+dy*dy*b[4]*b[4] <= b[4]*b[4]*b[5]*b[5]*scale {
				m.Pix[y*m.W+x] = 1
			}
		}
	}
	return m
}

// smooth repeats pattern() of oracles/roi_geometry.py.
func smooth(w, h int) *imaging.Gray {
	g := imaging.NewGray(w, h)
	for y := range h {
		for x := range w {
			g.Pix[y*w+x] = uint8((x*x+3*x*y+2*y*y)/64 + 1)
		}
	}
	return g
}

type maskOracle struct {
	golden.Meta
	ITKHeader string `json:"itk_header"`
	Files     []struct {
		File, SHA256, Format, Rule string
		Labels                     []float64
		Spacing                    [2]float64
		NonBinary                  bool `json:"non_binary"`
		Slice, Slices, Area        int
	}
	Bad []string
}

func loadMasks(t testing.TB) (o maskOracle) {
	golden.Load(t, "testdata/oracle/masks.json", &o)
	return o
}

func TestReadMaskAgreesWithITK(t *testing.T) {
	o := loadMasks(t)
	for _, f := range o.Files {
		t.Run(f.File, func(t *testing.T) {
			m, info, err := ReadMask(filepath.Join("testdata", "masks", f.File))
			if err != nil {
				t.Fatal(err)
			}
			if sha(m.Pix) != f.SHA256 || m.W != 37 || m.H != 23 || info.Area != f.Area || info.Empty != (f.Area == 0) {
				t.Errorf("the mask differs: %+v", info)
			}
			for k := range 2 {
				if math.Abs(info.Spacing[k]-f.Spacing[k]) > o.Tolerance {
					t.Errorf("spacing %v, want %v", info.Spacing, f.Spacing)
				}
			}
			if info.Format != f.Format || info.Rule != f.Rule || info.NonBinary != f.NonBinary || info.Slice != f.Slice || info.Slices != f.Slices {
				t.Errorf("%+v, want %+v", info, f)
			}
			if fmt.Sprint(info.Labels) != fmt.Sprint(f.Labels) {
				t.Errorf("labels %v, want %v", info.Labels, f.Labels)
			}
		})
	}
}

func TestWrittenHeaderIsITKs(t *testing.T) {
	if got := hex.EncodeToString(niftiBytes(37, 23, [2]float64{0.1, 0.2})); got != loadMasks(t).ITKHeader {
		t.Errorf("header differs from ITK's:\n%s\n%s", got, loadMasks(t).ITKHeader)
	}
}

type geometryOracle struct {
	golden.Meta
	Growth []struct {
		Blob    [6]int
		Radius  float64
		Spacing [2]float64
		Area    int
		SHA256  string
	}
	Agreement []struct {
		A, B       [6]int
		Spacing    [2]float64
		Dice, HD95 float64
	}
	Cases []struct {
		Blob     [6]int
		Spacing  [2]float64
		Crop     [4]int
		Geometry Geometry
		Want     struct {
			Image, TA, PTA  string
			TABox           [4]int `json:"ta_box"`
			PTABox          [4]int `json:"pta_box"`
			TACrop          string `json:"ta_crop"`
			PTACrop         string `json:"pta_crop"`
			TAArea, PTAArea int    `json:"-"`
		}
	}
	Normalised string
}

func loadGeometry(t testing.TB) (o geometryOracle) {
	golden.Load(t, "testdata/oracle/geometry.json", &o)
	return o
}

func TestGrowIsSciPys(t *testing.T) {
	for _, c := range loadGeometry(t).Growth {
		g := Grow(blob(c.Blob), c.Radius, c.Spacing)
		if g.Area() != c.Area || sha(g.Pix) != c.SHA256 {
			t.Errorf("%v radius %g spacing %v: %d pixels, want %d", c.Blob, c.Radius, c.Spacing, g.Area(), c.Area)
		}
	}
}

func TestAgreementIsSciPys(t *testing.T) {
	o := loadGeometry(t)
	for _, c := range o.Agreement {
		a, b := blob(c.A), blob(c.B)
		if d := Dice(a, b); math.Abs(d-c.Dice) > o.Tolerance {
			t.Errorf("Dice %g, want %g", d, c.Dice)
		}
		if d := Hausdorff95(a, b, c.Spacing); math.Abs(d-c.HD95) > o.Tolerance {
			t.Errorf("Hausdorff95 %g, want %g", d, c.HD95)
		}
	}
}

// TestPrepareAgainstOpenCVAndSciPy holds the whole geometry against an independent script.
func TestPrepareAgainstOpenCVAndSciPy(t *testing.T) {
	for i, c := range loadGeometry(t).Cases {
		g := c.Geometry
		g.Crop = map[string]imaging.Edges{"dev": {Left: c.Crop[0], Top: c.Crop[1], Right: c.Crop[2], Bottom: c.Crop[3]}}
		r, err := Prepare(smooth(c.Blob[0], c.Blob[1]), blob(c.Blob), c.Spacing, "dev", g)
		if err != nil {
			t.Fatal(i, err)
		}
		for name, pair := range map[string][2]string{
			"image": {sha(r.Image.Pix), c.Want.Image}, "ta": {sha(r.TA.Pix), c.Want.TA}, "pta": {sha(r.PTA.Pix), c.Want.PTA},
			"ta crop": {sha(r.TACrop.Pix), c.Want.TACrop}, "pta crop": {sha(r.PTACrop.Pix), c.Want.PTACrop},
			"ta box":  {fmt.Sprint([4]int{r.TABox.X, r.TABox.Y, r.TABox.W, r.TABox.H}), fmt.Sprint(c.Want.TABox)},
			"pta box": {fmt.Sprint([4]int{r.PTABox.X, r.PTABox.Y, r.PTABox.W, r.PTABox.H}), fmt.Sprint(c.Want.PTABox)},
		} {
			if pair[0] != pair[1] {
				t.Errorf("case %d: %s differs: %s, want %s", i, name, pair[0], pair[1])
			}
		}
	}
}

func TestNormaliseIsTorchvisions(t *testing.T) {
	crop := imaging.NewGray(16, 16)
	for i := range crop.Pix {
		crop.Pix[i] = uint8(i)
	}
	dst := make([]float32, 3*256)
	Normalise(crop, dst)
	var b []byte
	for _, v := range dst {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	if sha(b) != loadGeometry(t).Normalised {
		t.Error("normalised values differ from torchvision's")
	}
}
